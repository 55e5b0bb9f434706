//! Order: what `sort`, `top`, `min`, `max` and the percentiles put items in order by.

use std::cmp::Ordering;

use super::keep;
use super::rank::{OneKind, Rank};
use crate::catalog::{Args, Inputs, Items, Mismatch, Param, PerItem, Presence, Yields};
use crate::types::{Fault, Type, Value};

/// What `min` and `max` take from each item.
pub(super) const OF: Param<PerItem<'static>> = Param::per_item(
    "of",
    "The value of each item; the item itself where left out.",
    Yields::Ordered,
    Presence::Optional,
);

/// What `sort` and `top` put the items in order by.
pub(super) const BY: Param<PerItem<'static>> = Param::per_item(
    "by",
    "What the order goes by; the item itself where left out.",
    Yields::Ordered,
    Presence::Optional,
);

/// The value that comes before (`Less`) or after (`Greater`) all others; the first of equal ones.
pub(super) fn extreme<'a>(stage: &str, end: Ordering, items: Items<'a>, args: &Args<'a>) -> Result<Value, Fault> {
    let of = args.per_item(&OF);
    let mut best: Option<(Rank, Value)> = None;
    for item in items {
        let item = item?;
        let value = if let Some(of) = of { of(&item)? } else { item };
        let rank = Rank::of(value.clone())?;
        if rank.is_missing() {
            return Err(missing(stage));
        }
        let better = match &best {
            None => true,
            Some((so_far, _)) => rank.against(so_far)? == end,
        };
        if better {
            best = Some((rank, value));
        }
    }
    let nothing = || Fault::no_value(format!("`{stage}` of nothing: there are no items"));
    best.map(|(_, value)| value).ok_or_else(nothing)
}

/// Values from the smallest to the largest, all of them in memory.
pub(super) fn sorted(stage: &str, values: Items<'_>) -> Result<Vec<Value>, Fault> {
    let mut ranked = Vec::new();
    let mut kind = OneKind::default();
    for value in values {
        keep::room(stage, ranked.len())?;
        let value = value?;
        let rank = Rank::of(value.clone())?;
        kind.check(&rank)?;
        ranked.push((rank, value));
    }
    ranked.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(ranked.into_iter().map(|(_, value)| value).collect())
}

/// The type of the values that `min` and `max` compare.
pub(super) fn value_type(stage: &str, inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let given = inputs.given(OF.name());
    let ty = given.clone().unwrap_or_else(|| inputs.item());
    let param = if given.is_some() { "of" } else { "items" };
    if let Type::Optional(inner) = &ty {
        return Err(Mismatch {
            param,
            message: format!("`{stage}` compares values, and this one may be missing"),
            help: Some(super::amount::without_missing(stage, given.is_some(), inner.stand_in())),
        });
    }
    check(stage, param, &ty, &format!("`{stage}(.size)`")).map(|()| ty)
}

/// Sees to it that what `sort` or `top` goes by has an order. It may be missing: such items come last.
pub(super) fn check_by(stage: &str, inputs: &Inputs<'_>) -> Result<(), Mismatch> {
    match inputs.given(BY.name()) {
        Some(ty) => check(stage, "by", ty.present(), ""),
        None => check(stage, "items", inputs.item().present(), &format!("`{stage}(by: .name)`")),
    }
}

fn check(stage: &str, param: &'static str, ty: &Type, instead: &str) -> Result<(), Mismatch> {
    if ty.is_ordered() || matches!(ty, Type::Data | Type::Unknown) {
        return Ok(());
    }
    Err(Mismatch {
        param,
        message: format!("`{stage}` needs values with an order, and `{ty}` has none"),
        help: (!instead.is_empty() && param == "items").then(|| format!("name a field: {instead}")),
    })
}

fn missing(stage: &str) -> Fault {
    Fault::no_value(format!("`{stage}` meets an item whose value is missing")).help(super::amount::MISSING)
}
