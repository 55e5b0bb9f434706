//! `where`

use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Items, Operation, Param, PerItem, Presence, Returns, Yields,
};
use crate::types::{Fault, Type, Value};

use super::truth;

const ITEMS: Param<Value> = Param::items();
const HOLDS: Param<PerItem<'static>> =
    Param::per_item("holds", "What must be true of an item for it to be kept.", Yields::Bool, Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "where",
    summary: "The items for which it is true, in their order.",
    params: &[ITEMS.info(), HOLDS.info()],
    returns: Returns::Computed { shape: "list<T>", compute: |inputs| Ok(Type::list(inputs.item())) },
    effect: EffectRule::Pure,
    body: Body::Scan(Operation::Where, keep),
    needs: &[],
    by_hand: "grep -a {holds}",
    examples: &[
        Example::gives("[1, 5, 2] | where(it > 1)", "5, 2"),
        Example::call(r#"logs(file: "/var/log/syslog") | where(.text ~ /error/i) | count"#),
    ],
};

fn keep<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let holds = args.each(&HOLDS)?;
    Ok(Flow::Items(Box::new(items.filter_map(move |item| {
        let item = match item {
            Ok(item) => item,
            Err(fault) => return Some(Err(fault)),
        };
        match holds(&item).and_then(truth::of) {
            Ok(true) => Some(Ok(item)),
            Ok(false) => None,
            Err(fault) => Some(Err(fault)),
        }
    }))))
}
