//! `trim`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Text, Type, Value};

const TEXT: Param<Text> = Param::required("text", "The text.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "trim",
    summary: "A text without the spaces, tabs and newlines around it.",
    params: &[TEXT.info()],
    returns: Returns::Type(|| Type::String),
    effect: EffectRule::Pure,
    body: Body::Pure(trim),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives(r#"" a " | trim"#, "a")],
};

fn trim(args: &Args<'_>) -> Result<Value, Fault> {
    let text = args.get(&TEXT)?;
    Ok(text.made(text.trim_matches(|c: char| c.is_ascii_whitespace())))
}
