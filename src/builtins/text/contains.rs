//! `contains`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");
const PART: Param<Arc<str>> = Param::required("part", "What is looked for, letter by letter.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "contains",
    summary: "Whether a text has another in it; `part in text` says the same.",
    params: &[TEXT.info(), PART.info()],
    returns: Returns::Type(|| Type::Bool),
    effect: EffectRule::Pure,
    body: Body::Text(Operation::Contains, contains),
    needs: &[],
    by_hand: "grep -F '{part}'",
    examples: &[Example::gives(r#""slow query" | contains("slow")"#, "yes")],
};

fn contains(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(Value::Bool(args.get(&TEXT)?.contains(&*args.get(&PART)?)))
}
