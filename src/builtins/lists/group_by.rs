//! `group_by`

use indexmap::IndexMap;
use indexmap::map::Entry;

use super::key::{Key, Spelled};
use super::{keep, tally};
use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Param, PerItem, Presence, Returns, Yields,
};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();
const BY: Param<PerItem<'static>> =
    Param::per_item("by", "What the items of a group share.", Yields::Anything, Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "group_by",
    summary: "The items by what they share, in the order in which each was first seen: `.key` and `.items`.",
    params: &[ITEMS.info(), BY.info()],
    returns: Returns::Computed {
        shape: "list<{ key: U, items: list<T> }>",
        compute: |inputs| Ok(Type::list(group_type(inputs))),
    },
    effect: EffectRule::Pure,
    body: Body::Stage(group_by),
    needs: &[],
    by_hand: "sort -k 1,1",
    examples: &[
        Example::gives("[1, 5, 7] | group_by(it > 3) | each(.items | count)", "1, 2"),
        Example::call("host.processes() | group_by(.user) | each({ user: .key, memory: .items | sum(.memory) })"),
    ],
};

fn group_by<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let by = args.each(&BY)?;
    let mut groups: IndexMap<Key, (Value, Vec<Value>)> = IndexMap::new();
    let mut spelled = Spelled::default();
    for (kept, item) in items.enumerate() {
        keep::room("group_by", kept)?;
        let item = item?;
        let shared = by(&item)?;
        let key = Key::of(&shared)?;
        match groups.entry(key) {
            Entry::Occupied(mut group) => group.get_mut().1.push(item),
            Entry::Vacant(place) => {
                spelled.meets(&shared, place.key())?;
                place.insert((shared, vec![item]));
            }
        }
    }
    let records = groups.into_values().map(|(key, items)| Value::record([("key", key), ("items", Value::list(items))]));
    Ok(Flow::Value(Value::list(records.collect())))
}

fn group_type(inputs: &Inputs<'_>) -> Type {
    tally::keyed(inputs.of("by"), "items", Type::list(inputs.item()), "The items that share it.")
}
