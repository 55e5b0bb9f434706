//! `parse_duration`

use std::sync::Arc;

use jiff::SignedDuration;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};
use crate::units::{self, Quantity};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "parse_duration",
    summary: "The duration that a text spells: `5d`, `1h30m`, `90 s` (`m` are minutes) as here, or `1 day 02:03:04`, `02:03:04`, `3 hours` as PostgreSQL has it. One of months or years has no length.",
    params: &[TEXT.info()],
    returns: Returns::Type(|| Type::Duration),
    effect: EffectRule::Pure,
    body: Body::Pure(parse_duration),
    needs: &[],
    by_hand: "",
    examples: &[
        Example::gives(r#""1h30m" | parse_duration"#, "1h30m"),
        Example::gives(r#""1 day 02:00:00" | parse_duration"#, "1d2h"),
        Example::gives(r#""90 min" | parse_duration"#, "1h30m"),
    ],
};

fn parse_duration(args: &Args<'_>) -> Result<Value, Fault> {
    let text = args.get(&TEXT)?;
    let text = text.trim();
    // A blank stands between a number and its unit in what many programs print.
    let (joined, is_one) = (text.replacen(' ', "", 1), text.split(' ').count() <= 2);
    if let Ok(Quantity::Duration(nanoseconds)) = units::parse_quantity(if is_one { &joined } else { text }) {
        return Ok(Value::Duration(SignedDuration::from_nanos(nanoseconds)));
    }
    match Value::string(text).beside_in_order(&Value::Duration(SignedDuration::ZERO))? {
        length @ Value::Duration(_) => Ok(length),
        _ => Err(Fault::conversion(format!("the text \"{text}\" is no duration"))
            .help("`90s`, `1h30m`, `5d`, `3 hours`, `1 day 02:03:04` are some")),
    }
}
