//! `lines`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "lines",
    summary: "The lines of a text, without their ends.",
    params: &[TEXT.info()],
    returns: Returns::Type(|| Type::list(Type::String)),
    effect: EffectRule::Pure,
    body: Body::Pure(lines),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives(r#""a\nb" | lines | count"#, "2")],
};

fn lines(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(Value::list(args.get(&TEXT)?.lines().map(Value::part).collect()))
}
