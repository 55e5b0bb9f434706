//! `median`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Returns};
use crate::types::{Fault, Type, Value};

use super::amount::{self, OF, Total};
use super::order;

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "median",
    summary: "The number in the middle, the mean of the two in the middle of an even count; a fault of an empty list.",
    params: &[ITEMS.info(), OF.info()],
    returns: Returns::Computed { shape: "the type of the numbers, float for ints", compute: median_type },
    effect: EffectRule::Pure,
    body: Body::Stage(median),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("[9, 1, 2] | median", "2"), Example::gives("[1ms, 2ms] | median", "1.5ms")],
};

fn median<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let numbers = order::sorted("median", amount::numbers("median", items, args))?;
    let mut middle = Total::default();
    for index in [numbers.len().saturating_sub(1) / 2, numbers.len() / 2] {
        if let Some(number) = numbers.get(index) {
            middle.add(number)?;
        }
    }
    let nothing = || Fault::no_value("`median` of nothing: there are no items");
    middle.average().ok_or_else(nothing)?.map(Flow::Value)
}

fn median_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    amount::number_type("median", "takes", inputs).map(amount::mean_type)
}
