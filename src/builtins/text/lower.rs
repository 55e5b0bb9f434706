//! `lower`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Text, Type, Value};

const TEXT: Param<Text> = Param::required("text", "The text.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "lower",
    summary: "A text in small letters.",
    params: &[TEXT.info()],
    returns: Returns::Type(|| Type::String),
    effect: EffectRule::Pure,
    body: Body::Pure(lower),
    needs: &[],
    by_hand: "tr '[:upper:]' '[:lower:]'",
    examples: &[Example::gives(r#""WARN" | lower"#, "warn")],
};

fn lower(args: &Args<'_>) -> Result<Value, Fault> {
    let text = args.get(&TEXT)?;
    Ok(text.made(text.to_lowercase()))
}
