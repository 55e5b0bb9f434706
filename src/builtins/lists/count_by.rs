//! `count_by`

use super::tally::{self, Tally};
use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, PerItem, Presence, Returns, Yields,
};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();
const BY: Param<PerItem<'static>> =
    Param::per_item("by", "What the items are counted by.", Yields::Anything, Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "count_by",
    summary: "How many items have each value, the most frequent first: `.key` and `.count`.",
    params: &[ITEMS.info(), BY.info()],
    returns: Returns::Computed {
        shape: "list<{ key: U, count: int }>",
        compute: |inputs| Ok(Type::list(tally::record_type(inputs.of("by")))),
    },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::CountBy, count_by),
    needs: &[],
    by_hand: "sort | uniq -c | sort -rn",
    examples: &[
        Example::gives("[1, 5, 7] | count_by(it > 3)", "key: yes, count: 2, key: no, count: 1"),
        Example::call("host.processes() | count_by(.user)"),
    ],
};

fn count_by<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let by = args.each(&BY)?;
    let mut tally = Tally::default();
    for item in items {
        tally.add("count_by", by(&item?)?)?;
    }
    Ok(Flow::Value(Value::list(tally.records().collect())))
}
