//! `first`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items().in_answer();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "first",
    summary: "The first item; missing where there is none.",
    params: &[ITEMS.info()],
    returns: Returns::Computed { shape: "T?", compute: |inputs| Ok(Type::optional(inputs.item())) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::First, first),
    needs: &[],
    by_hand: "head -n 1",
    examples: &[Example::gives("[3, 1] | first", "3"), Example::gives("([] | first) ?? 0", "0")],
};

fn first<'a>(mut items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    Ok(Flow::Value(items.next().transpose()?.unwrap_or(Value::Null)))
}
