//! `sum`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, Returns};
use crate::types::{Fault, Value};

use super::amount::{self, OF, Total};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "sum",
    summary: "The sum of the numbers, with their unit; a fault of nothing, which has no unit.",
    params: &[ITEMS.info(), OF.info()],
    returns: Returns::Computed {
        shape: "the type of the numbers",
        compute: |inputs| amount::number_type("sum", "adds", inputs),
    },
    effect: EffectRule::Pure,
    body: Body::Stage(sum),
    needs: &[],
    by_hand: "awk '{ sum += $1 } END { print sum }'",
    examples: &[
        Example::gives("[1GiB, 512MiB] | sum", "1.5GiB"),
        Example::gives("[{ size: 1 }, { size: 2 }] | sum(.size)", "3"),
    ],
};

fn sum<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let mut total = Total::default();
    for number in amount::numbers("sum", items, args) {
        total.add(&number?)?;
    }
    // An empty list at run time has forgotten what it was a list of: 0B, 0s and 0 are not one value.
    let nothing = || Fault::no_value("`sum` of nothing: there are no items, so the sum has no unit");
    total.sum().ok_or_else(nothing)?.map(Flow::Value)
}
