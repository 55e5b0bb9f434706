//! Values as evidence tells them: in few characters, and with the digits that tell them from what they were compared with.

use std::collections::HashSet;
use std::sync::Arc;

use super::shown::cell;
use crate::shown::{Cell, ShownBody};
use crate::types::{Record, Value};

/// A value as it is told beside what it was compared with.
pub(super) fn beside(value: &Value, others: &[Value]) -> String {
    match unlike(value, others) {
        Value::String(text) if has_digits(value) => text.to_string(),
        value => cell(&value).text,
    }
}

/// A value that is to be written: a number in it that would be written as another one is written with more digits.
pub(super) fn unlike(value: &Value, others: &[Value]) -> Value {
    match value {
        Value::Record(fields) => {
            let own = |(name, value): (&Arc<str>, &Value)| {
                let others = others.iter().filter_map(record).filter_map(|other| other.get(name).cloned());
                (Arc::clone(name), unlike(value, &others.collect::<Vec<_>>()))
            };
            Value::Record(Arc::new(fields.iter().map(own).collect()))
        }
        Value::List(items) => {
            let of = |index: usize| {
                others
                    .iter()
                    .filter_map(move |other| if let Value::List(all) = other { all.get(index).cloned() } else { None })
            };
            let own = |(index, item)| unlike(item, &of(index).collect::<Vec<_>>());
            Value::list(items.iter().enumerate().map(own).collect())
        }
        value if has_digits(value) && !others.is_empty() => Value::string(value.beside(others)),
        value => value.clone(),
    }
}

fn has_digits(value: &Value) -> bool {
    !matches!(
        value,
        Value::Null
            | Value::Bool(_)
            | Value::String(_)
            | Value::List(_)
            | Value::Record(_)
            | Value::Line(_)
            | Value::Log(_)
            | Value::Faulted(_)
            | Value::Secret(_)
            | Value::Connection(_)
            | Value::Template(_)
    )
}

/// What is shown of a value, with the texts of another one that is shown in the same rows.
pub(super) fn with_texts(body: ShownBody, texts: ShownBody) -> ShownBody {
    let texted = |(own, text): (Cell, Cell)| Cell { text: text.text, ..own };
    match (body, texts) {
        (ShownBody::Table { columns, rows, total }, ShownBody::Table { rows: texts, .. }) => {
            let rows = rows.into_iter().zip(texts).map(|(own, texts)| own.into_iter().zip(texts).map(texted).collect());
            ShownBody::Table { columns, rows: rows.collect(), total }
        }
        (ShownBody::Lines { total, .. }, ShownBody::Lines { lines, .. }) => ShownBody::Lines { lines, total },
        (body, _) => body,
    }
}

/// Items as they are told: of records what fits into a row. A field that is too long for one row says so there, and is left
/// out where no row has it short: an empty place would read as a value that is missing. What was asked of is never left out.
pub(super) fn told(items: &[Value], looked_at: &HashSet<&str>) -> Vec<Value> {
    let records = || items.iter().filter_map(record);
    let mut long: HashSet<&Arc<str>> = HashSet::new();
    let mut short: HashSet<&Arc<str>> = HashSet::new();
    for (name, value) in records().flat_map(Record::iter) {
        match value {
            Value::Null => {}
            value if is_short(value) => _ = short.insert(name),
            _ => _ = long.insert(name),
        }
    }
    let told = |fields: &Record| -> Record {
        let is_kept = |name: &Arc<str>| short.contains(name) || !long.contains(name) || looked_at.contains(&**name);
        let cell = |name: &Arc<str>, value: &Value| match value {
            value if is_short(value) => value.clone(),
            value if looked_at.contains(&**name) => shortened(value),
            _ => Value::string("…"),
        };
        let kept = fields.iter().filter(|(name, _)| is_kept(name));
        kept.map(|(name, value)| (Arc::clone(name), cell(name, value))).collect()
    };
    let item = |item: &Value| record(item).map_or_else(|| item.clone(), |fields| Value::Record(Arc::new(told(fields))));
    items.iter().map(item).collect()
}

fn record(item: &Value) -> Option<&Record> {
    if let Value::Record(fields) = item { Some(fields) } else { None }
}

/// The most characters of what stands in one place of a row.
const SHORT: usize = 100;

/// The beginning of a value that is too long for one place of a row.
fn shortened(value: &Value) -> Value {
    match value {
        Value::Faulted(_) | Value::Secret(_) | Value::Connection(_) | Value::Template(_) | Value::Log(_) => {
            Value::string("…")
        }
        value => {
            let text = cell(value).text;
            let beginning: String = text.chars().take(SHORT).collect();
            Value::string(if beginning.len() < text.len() { beginning + "…" } else { beginning })
        }
    }
}

/// What is told in a few characters. A field that could not be had says nothing of why another one is as it is.
pub(super) fn is_short(value: &Value) -> bool {
    match value {
        Value::Data(data) if data.is_object() => data.to_string().len() <= SHORT,
        Value::Data(data) => !data.is_array(),
        Value::Record(fields) => {
            Value::plain_fields(fields).all(|(_, value)| !matches!(value, Value::Record(_)) && is_short(value))
                && value.to_string().chars().count() <= SHORT
        }
        value => !matches!(
            value,
            Value::Faulted(_)
                | Value::List(_)
                | Value::Log(_)
                | Value::Secret(_)
                | Value::Connection(_)
                | Value::Template(_)
        ),
    }
}
