//! `trim`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");

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
    Ok(Value::string(args.get(&TEXT)?.trim()))
}
