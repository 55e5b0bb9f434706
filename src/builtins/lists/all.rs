//! `all`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

use super::truth::{self, Found, HOLDS};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "all",
    summary: "Whether it is true of every item; a fault of an empty list, since nothing was looked at.",
    params: &[ITEMS.info(), HOLDS.info()],
    returns: Returns::Computed { shape: "bool", compute: |inputs| truth::check("all", inputs).map(|()| Type::Bool) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::All, all),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("[1, 5] | all(it > 3)", "no"), Example::gives("[true, true] | all", "yes")],
};

fn all<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    match truth::find(false, items, args)? {
        Found::One => Ok(Flow::Value(Value::Bool(false))),
        Found::No => Ok(Flow::Value(Value::Bool(true))),
        Found::Nothing => Err(truth::of_nothing("all")),
    }
}
