//! `count`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "count",
    summary: "How many items there are; 0 of an empty list.",
    params: &[ITEMS.info()],
    returns: Returns::Type(|| Type::Int),
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Count, count),
    needs: &[],
    by_hand: "wc -l",
    examples: &[Example::gives(r#"["a", "b"] | count"#, "2"), Example::gives("[] | count", "0")],
};

fn count<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut count = 0;
    for item in items {
        item?;
        count += 1;
    }
    Ok(Flow::Value(Value::Int(count)))
}
