//! `upper`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Text, Type, Value};

const TEXT: Param<Text> = Param::required("text", "The text.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "upper",
    summary: "A text in capital letters.",
    params: &[TEXT.info()],
    returns: Returns::Type(|| Type::String),
    effect: EffectRule::Pure,
    body: Body::Pure(upper),
    needs: &[],
    by_hand: "tr '[:lower:]' '[:upper:]'",
    examples: &[Example::gives(r#""warn" | upper"#, "WARN")],
};

fn upper(args: &Args<'_>) -> Result<Value, Fault> {
    let text = args.get(&TEXT)?;
    Ok(text.made(text.to_uppercase()))
}
