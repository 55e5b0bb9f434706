//! `ends_with`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const TEXT: Param<Arc<str>> = Param::required("text", "The text.");
const END: Param<Arc<str>> = Param::required("end", "What it is to end with.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "ends_with",
    summary: "Whether a text ends with another.",
    params: &[TEXT.info(), END.info()],
    returns: Returns::Type(|| Type::Bool),
    effect: EffectRule::Pure,
    body: Body::Text(Operation::EndsWith, ends_with),
    needs: &[],
    by_hand: "grep '{end}$'",
    examples: &[Example::gives(r#""app.log" | ends_with(".log")"#, "yes")],
};

fn ends_with(args: &Args<'_>) -> Result<Value, Fault> {
    Ok(Value::Bool(args.get(&TEXT)?.ends_with(&*args.get(&END)?)))
}
