//! `flatten`

use std::sync::Arc;

use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Returns};
use crate::types::{Fault, FaultKind, Type, Value};

const ITEMS: Param<Value> = Param::items().in_answer();

pub(super) static BUILTIN: Builtin = Builtin {
    name: "flatten",
    summary: "The items of the lists in a list, one after the other.",
    params: &[ITEMS.info()],
    returns: Returns::Computed { shape: "list<T> of a list<list<T>>", compute: flat_type },
    effect: EffectRule::Pure,
    body: Body::Stage(flatten),
    needs: &[],
    by_hand: "cat",
    examples: &[Example::gives("[[1, 2], [3]] | flatten", "1, 2, 3")],
};

#[expect(clippy::unnecessary_wraps, reason = "other stages can fail before the first item")]
fn flatten<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    Ok(Flow::Items(Box::new(items.flat_map(|inner| match inner {
        Ok(inner) => items_of(inner),
        Err(fault) => one(Err(fault)),
    }))))
}

/// The items of an inner list. A log is read as it is asked for.
fn items_of(list: Value) -> Items<'static> {
    match list {
        Value::List(items) => {
            let mut index = 0;
            Box::new(std::iter::from_fn(move || {
                index += 1;
                items.get(index - 1).cloned().map(Ok)
            }))
        }
        Value::Log(log) => match &log.partial {
            Some(partial) => one(Err(Fault::new(FaultKind::Partial, Arc::clone(&partial.reason)))),
            None => Box::new(Arc::clone(&log.reader).lines().map(|line| line.map(|line| Value::Line(Arc::new(line))))),
        },
        Value::Data(data) if data.is_array() => {
            let mut index = 0;
            Box::new(std::iter::from_fn(move || {
                index += 1;
                data.get(index - 1).cloned().map(|item| Ok(Value::Data(Arc::new(item))))
            }))
        }
        other => one(Err(Fault::conversion(format!("`flatten` wants lists, got a {}", other.kind())))),
    }
}

fn one(item: Result<Value, Fault>) -> Items<'static> {
    Box::new(std::iter::once(item))
}

fn flat_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    match inputs.item() {
        list @ Type::List(_) => Ok(list),
        Type::Data => Ok(Type::list(Type::Data)),
        Type::Unknown => Ok(Type::list(Type::Unknown)),
        other => Err(Mismatch {
            param: "items",
            message: format!("`flatten` wants a list of lists, and an item is `{other}`"),
            help: None,
        }),
    }
}
