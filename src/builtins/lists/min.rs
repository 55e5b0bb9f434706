//! `min`

use std::cmp::Ordering;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, Returns};
use crate::types::{Fault, Value};

use super::order::{self, OF};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "min",
    summary: "The smallest value; a fault of an empty list.",
    params: &[ITEMS.info(), OF.info()],
    returns: Returns::Computed { shape: "the type of the values", compute: |inputs| order::value_type("min", inputs) },
    effect: EffectRule::Pure,
    body: Body::Stage(min),
    needs: &[],
    by_hand: "sort -n | head -n 1",
    examples: &[Example::gives("[3, 1, 2] | min", "1"), Example::gives("[{ age: 1h }, { age: 2h }] | min(.age)", "1h")],
};

fn min<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    order::extreme("min", Ordering::Less, items, args).map(Flow::Value)
}
