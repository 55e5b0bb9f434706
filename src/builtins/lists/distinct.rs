//! `distinct`

use std::collections::HashSet;

use super::keep;
use super::key::{Key, Spelled};
use crate::catalog::{
    Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, PerItem, Presence, Returns, Yields,
};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();
const BY: Param<PerItem<'static>> = Param::per_item(
    "by",
    "What tells them apart; the item itself where left out.",
    Yields::Anything,
    Presence::Optional,
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "distinct",
    summary: "The items without those that are equal to an earlier one.",
    params: &[ITEMS.info(), BY.info()],
    returns: Returns::Computed { shape: "list<T>", compute: |inputs| Ok(Type::list(inputs.item())) },
    effect: EffectRule::Pure,
    body: Body::Stage(distinct),
    needs: &[],
    by_hand: "sort -u",
    examples: &[Example::gives("[3, 1, 3] | distinct", "3, 1"), Example::call("host.listeners() | distinct(.process)")],
};

#[expect(clippy::unnecessary_wraps, reason = "other stages can fail before the first item")]
fn distinct<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let by = args.per_item(&BY);
    let (mut seen, mut spelled) = (HashSet::new(), Spelled::default());
    let mut is_new = move |item: &Value| -> Result<bool, Fault> {
        let by = by.map(|by| by(item)).transpose()?;
        let told_by = by.as_ref().unwrap_or(item);
        let key = Key::of(told_by)?;
        if seen.contains(&key) {
            return Ok(false);
        }
        keep::room("distinct", seen.len())?;
        spelled.meets(told_by, &key).map_err(|fault| if by.is_some() { fault } else { fault.about("it", None) })?;
        Ok(seen.insert(key))
    };
    Ok(Flow::Items(Box::new(items.filter_map(move |item| {
        let item = match item {
            Ok(item) => item,
            Err(fault) => return Some(Err(fault)),
        };
        match is_new(&item) {
            Ok(true) => Some(Ok(item)),
            Ok(false) => None,
            Err(fault) => Some(Err(fault)),
        }
    }))))
}
