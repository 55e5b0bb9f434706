//! `each`

use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, PerItem, Presence, Returns, Yields,
};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();
const GIVES: Param<PerItem<'static>> =
    Param::per_item("gives", "What stands in the item's place.", Yields::Anything, Presence::Required).in_answer();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "each",
    summary: "What an expression gives for each item, in their order.",
    params: &[ITEMS.info(), GIVES.info()],
    returns: Returns::Computed { shape: "list<U>", compute: |inputs| Ok(Type::list(inputs.of("gives"))) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Each, each),
    needs: &[],
    by_hand: "awk",
    examples: &[Example::gives("[1, 2] | each(it * 10)", "10, 20")],
};

fn each<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let gives = args.each(&GIVES)?;
    Ok(Flow::Items(Box::new(items.map(move |item| gives(&item?)))))
}
