//! `last`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items().in_answer();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "last",
    summary: "The last item; missing where there is none.",
    params: &[ITEMS.info()],
    returns: Returns::Computed { shape: "T?", compute: |inputs| Ok(Type::optional(inputs.item())) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Last, last),
    needs: &[],
    by_hand: "tail -n 1",
    examples: &[Example::gives("[3, 1] | last", "1")],
};

fn last<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut last = Value::Null;
    for item in items {
        last = item?;
    }
    Ok(Flow::Value(last))
}
