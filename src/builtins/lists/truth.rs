//! Truth: what `any`, `all`, `none` and `share` ask of each item.

use crate::catalog::{Args, Inputs, Items, Mismatch, Param, PerItem, Presence, Yields};
use crate::types::{Fault, Type, Value};

/// The question; a list of bools answers it by itself.
pub(super) const HOLDS: Param<PerItem<'static>> = Param::per_item(
    "holds",
    "What is asked of each item; the item itself where left out.",
    Yields::Bool,
    Presence::Optional,
);

/// What the items decided.
pub(super) enum Found {
    /// One item was as asked.
    One,
    /// No item was, and there were some.
    No,
    /// There were no items.
    Nothing,
}

/// Looks for an item for which the answer is `wanted`, in Kleene's logic: a fault matters only where no other item
/// decides.
pub(super) fn find<'a>(wanted: bool, items: Items<'a>, args: &Args<'a>) -> Result<Found, Fault> {
    let mut first_fault = None;
    let mut seen = false;
    for answer in answers(items, args) {
        seen = true;
        match answer {
            Ok(answer) if answer == wanted => return Ok(Found::One),
            Ok(_) => {}
            Err(fault) => {
                first_fault.get_or_insert(fault);
            }
        }
    }
    match first_fault {
        Some(fault) => Err(fault),
        None if seen => Ok(Found::No),
        None => Ok(Found::Nothing),
    }
}

/// The answer of each item.
pub(super) fn answers<'a>(items: Items<'a>, args: &Args<'a>) -> impl Iterator<Item = Result<bool, Fault>> + 'a {
    let holds = args.per_item(&HOLDS);
    items.map(move |item| {
        let item = item?;
        of(if let Some(holds) = holds { holds(&item)? } else { item })
    })
}

/// A value as true or false: nothing else than a bool is.
pub(super) fn of(value: Value) -> Result<bool, Fault> {
    match value.plainly() {
        Value::Bool(value) => Ok(value),
        other => Err(Fault::conversion(format!("wanted a bool, got {}: {other}", other.kind()))),
    }
}

/// The fault of a claim about no items.
pub(super) fn of_nothing(stage: &str) -> Fault {
    Fault::no_value(format!("`{stage}` of nothing: there are no items"))
        .help(format!("where an empty list is fine, write `x | is_empty or x | {stage}(…)`"))
}

/// Sees to it that there is something to answer: a question, or items that are bools.
pub(super) fn check(stage: &str, inputs: &Inputs<'_>) -> Result<(), Mismatch> {
    let given = inputs.given(HOLDS.name());
    match given.clone().unwrap_or_else(|| inputs.item()) {
        Type::Bool | Type::Data | Type::Unknown => Ok(()),
        other => Err(Mismatch {
            param: if given.is_some() { "holds" } else { "items" },
            message: format!("`{stage}` asks for true or false, and this is `{other}`"),
            help: given.is_none().then(|| format!("say what must hold: `{stage}(.x == …)`")),
        }),
    }
}
