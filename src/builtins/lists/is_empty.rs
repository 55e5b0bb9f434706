//! `is_empty`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "is_empty",
    summary: "Whether there is no item at all.",
    params: &[ITEMS.info()],
    returns: Returns::Type(|| Type::Bool),
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::IsEmpty, is_empty),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("[] | is_empty", "yes"), Example::gives("[1] | where(it > 1) | is_empty", "yes")],
};

fn is_empty<'a>(mut items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let first = items.next().transpose()?;
    Ok(Flow::Value(Value::Bool(first.is_none())))
}
