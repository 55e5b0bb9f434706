//! `max`

use std::cmp::Ordering;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, Returns};
use crate::types::{Fault, Value};

use super::order::{self, OF};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "max",
    summary: "The largest value; a fault of an empty list.",
    params: &[ITEMS.info(), OF.info()],
    returns: Returns::Computed { shape: "the type of the values", compute: |inputs| order::value_type("max", inputs) },
    effect: EffectRule::Pure,
    body: Body::Stage(max),
    needs: &[],
    by_hand: "sort -n | tail -n 1",
    examples: &[Example::gives("[3, 1, 2] | max", "3"), Example::gives("[{ age: 1h }, { age: 2h }] | max(.age)", "2h")],
};

fn max<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    order::extreme("max", Ordering::Greater, items, args).map(Flow::Value)
}
