//! `top`

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::order::{self, BY};
use super::rank::{OneKind, Rank};
use super::take::N;
use super::tally::{self, Tally};
use super::{keep, take};
use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Operation, Param, PerItem, Returns,
};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "top",
    summary: "The n items with the largest value, the largest first; without `by`, those with the largest `count`, or the most frequent values.",
    params: &[ITEMS.info(), N.info(), BY.info()],
    returns: Returns::Computed {
        shape: "list<T>, or list<{ key: T, count: int }> of values without a count",
        compute: top_type,
    },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Top, top),
    needs: &[],
    by_hand: "sort -rn | head -n {n}",
    examples: &[
        Example::gives("[3, 1, 2] | top(2, by: it)", "3, 2"),
        Example::gives("[1, 2, 2] | top(1)", "key: 2, count: 2"),
        Example::call("host.processes() | top(5, by: .memory)"),
    ],
};

fn top<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let n = take::number("top", args.get(&N)?)?;
    if let Some(by) = args.per_item(&BY) {
        return largest(n, items, by);
    }
    let mut items = items.peekable();
    match items.peek() {
        Some(Ok(item)) if count_of(item).is_some() => {
            largest(n, Box::new(items), &|item| count_of(item).ok_or_else(|| Fault::no_value("an item has no `count`")))
        }
        _ => most_frequent(n, items),
    }
}

/// Only the best `n` so far are kept: it works on a log of any length.
fn largest<'a>(n: usize, items: Items<'a>, by: PerItem<'_>) -> Result<Flow<'a>, Fault> {
    let mut kind = OneKind::default();
    let mut best = BinaryHeap::new();
    for (index, item) in items.enumerate() {
        let item = item?;
        let rank = Rank::of(by(&item)?)?;
        kind.check(&rank)?;
        // A heap has its largest on top: turned round, that is the one to let go of.
        best.push(Reverse(Placed {
            missing: Reverse(rank.is_missing()),
            rank,
            earlier: Reverse(index),
            item: Kept(item),
        }));
        if best.len() > n {
            best.pop();
        } else {
            keep::room("top", best.len())?;
        }
    }
    let sorted = best.into_sorted_vec();
    Ok(Flow::Value(Value::list(sorted.into_iter().map(|Reverse(placed)| placed.item.0).collect())))
}

/// What decides between two items, in this order: a value comes before none, the larger before the smaller, and of
/// equal ones the earlier.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Placed {
    missing: Reverse<bool>,
    rank: Rank,
    earlier: Reverse<usize>,
    item: Kept,
}

/// The item itself, which takes no part in the order.
struct Kept(Value);

impl PartialEq for Kept {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Kept {}

impl Ord for Kept {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl PartialOrd for Kept {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn most_frequent<'a>(n: usize, items: impl Iterator<Item = Result<Value, Fault>>) -> Result<Flow<'a>, Fault> {
    let mut tally = Tally::default();
    for item in items {
        tally.add("top", item?)?;
    }
    Ok(Flow::Value(Value::list(tally.records().take(n).collect())))
}

/// The count that an item brings along: of `count_by`, of `patterns`.
fn count_of(item: &Value) -> Option<Value> {
    match item {
        Value::Record(fields) => fields.get("count").cloned(),
        _ => None,
    }
}

fn top_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let item = inputs.item();
    if inputs.given(BY.name()).is_some() {
        return order::check_by("top", inputs).map(|()| Type::list(item));
    }
    let Type::Record(record) = &item else {
        return Ok(Type::list(if item.is_unknown() { item } else { tally::record_type(item) }));
    };
    match record.fields.get("count").map(|field| &field.ty) {
        Some(Type::Int) => Ok(Type::list(item)),
        Some(_) => Err(Mismatch {
            param: "items",
            message: "`top` cannot tell what to go by: `.count` is not always a number".to_owned(),
            help: Some("say it: `top(10, by: .count ?? 0)`".to_owned()),
        }),
        None => Ok(Type::list(tally::record_type(item))),
    }
}
