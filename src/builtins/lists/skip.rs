//! `skip`

use super::take::{self, N};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items().in_answer();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "skip",
    summary: "All items but the first n.",
    params: &[ITEMS.info(), N.info()],
    returns: Returns::Computed { shape: "list<T>", compute: |inputs| Ok(Type::list(inputs.item())) },
    effect: EffectRule::Pure,
    body: Body::Stage(skip),
    needs: &[],
    by_hand: "awk 'NR > {n}'",
    examples: &[Example::gives("[3, 1, 2] | skip(2)", "2")],
};

fn skip<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let n = take::number("skip", args.get(&N)?)?;
    // A fault among the skipped items still says that they could not be counted.
    let rest = items.enumerate().filter(move |(index, item)| *index >= n || item.is_err());
    Ok(Flow::Items(Box::new(rest.map(|(_, item)| item))))
}
