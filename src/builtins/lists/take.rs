//! `take`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Judge, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items().in_answer();
pub(super) const N: Param<i64> = Param::required("n", "How many of them.").judged(Judge::Number(some_items));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "take",
    summary: "The first n items, all of them where there are fewer.",
    params: &[ITEMS.info(), N.info()],
    returns: Returns::Computed { shape: "list<T>", compute: |inputs| Ok(Type::list(inputs.item())) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Take, take),
    needs: &[],
    by_hand: "head -n {n}",
    examples: &[Example::gives("[3, 1, 2] | take(2)", "3, 1")],
};

fn take<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let n = number("take", args.get(&N)?)?;
    Ok(Flow::Items(Box::new(items.take(n))))
}

fn some_items(n: i64) -> Result<(), Fault> {
    if n < 0 { Err(Fault::no_value(format!("a number of items is 0 or more, and this is {n}"))) } else { Ok(()) }
}

/// A number of items: there is no such thing as -1 of them.
pub(super) fn number(stage: &str, n: i64) -> Result<usize, Fault> {
    usize::try_from(n).map_err(|_| Fault::no_value(format!("`{stage}` wants a number of items, got {n}")))
}
