//! `average`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Returns};
use crate::types::{Fault, Type, Value};

use super::amount::{self, OF, Total};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "average",
    summary: "The arithmetic mean of the numbers, with their unit; a fault of an empty list.",
    params: &[ITEMS.info(), OF.info()],
    returns: Returns::Computed { shape: "the type of the numbers, float for ints", compute: average_type },
    effect: EffectRule::Pure,
    body: Body::Stage(average),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("[1, 2] | average", "1.5"), Example::gives("[1m, 3m] | average", "2m")],
};

fn average<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut total = Total::default();
    for number in amount::numbers("average", items, args) {
        total.add(&number?)?;
    }
    let nothing = || Fault::no_value("`average` of nothing: there are no items");
    total.average().ok_or_else(nothing)?.map(Flow::Value)
}

fn average_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    amount::number_type("average", "takes", inputs).map(amount::mean_type)
}
