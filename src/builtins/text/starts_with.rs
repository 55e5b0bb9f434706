//! `starts_with`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");
const START: Param<Arc<str>> = Param::required("start", "What it is to begin with.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "starts_with",
    summary: "Whether a text begins with another.",
    params: &[TEXT.info(), START.info()],
    returns: Returns::Type(|| Type::Bool),
    effect: EffectRule::Pure,
    body: Body::Text(Operation::StartsWith, starts_with),
    needs: &[],
    by_hand: "grep '^{start}'",
    examples: &[Example::gives(r#""postgres-0" | starts_with("postgres")"#, "yes")],
};

fn starts_with(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(Value::Bool(args.get(&TEXT)?.starts_with(&*args.get(&START)?)))
}
