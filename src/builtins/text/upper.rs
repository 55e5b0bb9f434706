//! `upper`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");

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
    Ok(Value::string(args.get(&TEXT)?.to_uppercase()))
}
