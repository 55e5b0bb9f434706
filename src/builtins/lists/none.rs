//! `none`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

use super::truth::{self, Found, HOLDS};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "none",
    summary: "Whether it is true of no item; a fault of an empty list, since nothing was looked at.",
    params: &[ITEMS.info(), HOLDS.info()],
    returns: Returns::Computed { shape: "bool", compute: |inputs| truth::check("none", inputs).map(|()| Type::Bool) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::None, none),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("[1, 5] | none(it > 7)", "yes")],
};

fn none<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    match truth::find(true, items, args)? {
        Found::One => Ok(Flow::Value(Value::Bool(false))),
        Found::No => Ok(Flow::Value(Value::Bool(true))),
        Found::Nothing => Err(truth::of_nothing("none")),
    }
}
