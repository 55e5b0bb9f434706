//! `share`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

use super::truth::{self, HOLDS};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "share",
    summary: "The fraction of the items for which it is true; a fault of an empty list.",
    params: &[ITEMS.info(), HOLDS.info()],
    returns: Returns::Computed {
        shape: "percent",
        compute: |inputs| truth::check("share", inputs).map(|()| Type::Percent),
    },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Share, share),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("[1, 5, 7, 9] | share(it > 3)", "75%"), Example::gives("[true, false] | share", "50%")],
};

fn share<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let (mut holding, mut count) = (0_u64, 0_u64);
    for answer in truth::answers(items, args) {
        holding += u64::from(answer?);
        count += 1;
    }
    if count == 0 {
        return Err(truth::of_nothing("share"));
    }
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts is as exact as a double")]
    Ok(Flow::Value(Value::Percent(holding as f64 / count as f64)))
}
