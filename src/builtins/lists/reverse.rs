//! `reverse`

use super::keep;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items().in_answer();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "reverse",
    summary: "The items from the last to the first.",
    params: &[ITEMS.info()],
    returns: Returns::Computed { shape: "list<T>", compute: |inputs| Ok(Type::list(inputs.item())) },
    effect: EffectRule::Pure,
    body: Body::Stage(reverse),
    needs: &[],
    by_hand: "tac",
    examples: &[Example::gives("[3, 1, 2] | reverse", "2, 1, 3")],
};

fn reverse<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut items = keep::all("reverse", items)?;
    items.reverse();
    Ok(Flow::Value(Value::list(items)))
}
