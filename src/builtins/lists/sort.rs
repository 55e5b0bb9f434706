//! `sort`

use super::keep;
use super::order::{self, BY};
use super::rank::{OneKind, Rank};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Items, Param, Returns};
use crate::types::{Fault, Type, Value};

const ITEMS: Param<Value> = Param::items();
const DESCENDING: Param<bool> = Param::or("descending", "From the largest to the smallest.", || Value::Bool(false));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "sort",
    summary: "The items in order; equal ones stay as they were, those without a value come last.",
    params: &[ITEMS.info(), BY.info(), DESCENDING.info()],
    returns: Returns::Computed {
        shape: "list<T>",
        compute: |inputs| order::check_by("sort", inputs).map(|()| Type::list(inputs.item())),
    },
    effect: EffectRule::Pure,
    body: Body::Stage(sort),
    needs: &[],
    by_hand: "sort -k",
    examples: &[
        Example::gives("[3, 1, 2] | sort", "1, 2, 3"),
        Example::gives("[3, 1, 2] | sort(descending: true)", "3, 2, 1"),
        Example::call("host.processes() | sort(by: .memory, descending: true)"),
    ],
};

fn sort<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let (by, descending) = (args.per_item(&BY), args.get(&DESCENDING)?);
    let mut kind = OneKind::default();
    let mut ranked = Vec::new();
    for item in items {
        keep::room("sort", ranked.len())?;
        let item = item?;
        let rank = Rank::of(if let Some(by) = by { by(&item)? } else { item.clone() })?;
        kind.check(&rank)?;
        ranked.push((rank, item));
    }
    ranked.sort_by(|(a, _), (b, _)| if descending && !a.is_missing() && !b.is_missing() { b.cmp(a) } else { a.cmp(b) });
    Ok(Flow::Value(Value::list(ranked.into_iter().map(|(_, item)| item).collect())))
}
