//! `any`

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, Returns};
use crate::types::{Fault, Type, Value};

use super::truth::{self, Found, HOLDS};

const ITEMS: Param<Value> = Param::items();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "any",
    summary: "Whether it is true of an item; false of an empty list.",
    params: &[ITEMS.info(), HOLDS.info()],
    returns: Returns::Computed { shape: "bool", compute: |inputs| truth::check("any", inputs).map(|()| Type::Bool) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Any, any),
    needs: &[],
    by_hand: "grep -a -m 1 {holds}",
    examples: &[Example::gives("[1, 5] | any(it > 3)", "yes"), Example::gives("[] | any(it > 3)", "no")],
};

fn any<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    match truth::find(true, items, args)? {
        Found::One => Ok(Flow::Value(Value::Bool(true))),
        Found::No | Found::Nothing => Ok(Flow::Value(Value::Bool(false))),
    }
}
