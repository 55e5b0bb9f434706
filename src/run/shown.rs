//! A value as it is shown: a table, fields, lines or one cell.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use indexmap::IndexSet;

use super::{items, text};
use crate::shown::{Cell, Shown, ShownBody};
use crate::types::{Fault, Partial, Record, Value};

/// How many rows and lines are kept; all are counted.
const MAX_ROWS: usize = 1_000;
/// How many characters of a text are kept.
const MAX_TEXT: usize = 16_384;
/// How many bytes of a text are counted: a list of lists of lists is long soon.
const MAX_COUNTED: usize = 1 << 20;

/// A value, with all that is to be said about it.
pub(crate) fn shown(value: &Value, partial: Option<&Arc<Partial>>, unwanted: &AtomicBool) -> Result<Shown, Fault> {
    let own = match value {
        Value::Log(log) => log.partial.as_ref(),
        _ => None,
    };
    let partial = partial.or(own).map(|partial| partial.reason.to_string());
    Ok(Shown { title: None, body: body(value, MAX_ROWS, unwanted)?, partial })
}

/// Some items as a table, the first `most` of them.
pub(crate) fn rows(items: Vec<Value>, most: usize) -> Result<ShownBody, Fault> {
    body(&Value::list(items), most, &AtomicBool::new(false))
}

fn body(value: &Value, most: usize, unwanted: &AtomicBool) -> Result<ShownBody, Fault> {
    Ok(match value {
        Value::List(_) | Value::Log(_) => listed(value, most, unwanted)?,
        Value::Data(data) if data.is_array() => listed(value, most, unwanted)?,
        Value::String(text) if text.contains('\n') => {
            let lines = text.lines().take(most).map(|line| cut(line).into()).collect();
            ShownBody::Lines { lines, total: text.lines().count() as u64 }
        }
        value => match fields(value) {
            Some(fields) => ShownBody::Record {
                fields: fields.iter().map(|(name, value)| (name.to_string(), cell(value))).collect(),
            },
            None => ShownBody::Value { cell: cell(value) },
        },
    })
}

fn listed(value: &Value, most: usize, unwanted: &AtomicBool) -> Result<ShownBody, Fault> {
    let mut kept = Vec::new();
    let mut total = 0u64;
    // A list is walked by hand: an item that could not be had is a row that says so.
    if let Value::List(items) = value {
        kept.extend(items.iter().take(most).cloned());
        total = items.len() as u64;
    } else {
        for item in items::of(value.clone(), unwanted)? {
            let item = item?;
            total += 1;
            if kept.len() < most {
                kept.push(item);
            }
        }
    }
    if kept.iter().all(|item| matches!(item, Value::Line(_))) {
        return Ok(ShownBody::Lines { lines: kept.iter().map(|line| text_of(line).0).collect(), total });
    }
    let records: Vec<Option<Record>> = kept.iter().map(fields).collect();
    if records.iter().all(Option::is_none) {
        return Ok(ShownBody::Lines { lines: kept.iter().map(|item| text_of(item).0).collect(), total });
    }
    Ok(table(&kept, &records, total))
}

/// The columns of all rows, in the order in which they first appear; what is no record stands in a column of its own.
fn table(items: &[Value], records: &[Option<Record>], total: u64) -> ShownBody {
    let mut columns: IndexSet<Arc<str>> = IndexSet::new();
    for record in records.iter().flatten() {
        columns.extend(record.keys().cloned());
    }
    if records.iter().any(Option::is_none) {
        columns.insert("value".into());
    }
    let rows = items.iter().zip(records).map(|(item, record)| {
        let value = |column: &Arc<str>| match record {
            Some(record) => record.get(column).map(cell),
            None => (&**column == "value").then(|| cell(item)),
        };
        columns.iter().map(|column| value(column).unwrap_or_else(|| cell(&Value::Null))).collect()
    });
    let rows = rows.collect();
    ShownBody::Table { columns: columns.iter().map(ToString::to_string).collect(), rows, total }
}

/// The fields of what has some.
fn fields(value: &Value) -> Option<Record> {
    match value {
        Value::Record(fields) => {
            Some(Value::plain_fields(fields).map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        Value::Line(line) => Some(
            [
                ("text", Value::string(line.text.clone())),
                ("number", Value::Int(line.number)),
                ("source", Value::string(line.source.clone())),
                ("time", line.time.map_or(Value::Null, Value::Time)),
            ]
            .into_iter()
            .map(|(name, value)| (name.into(), value))
            .collect(),
        ),
        Value::Data(data) => data.as_object().map(|object| {
            object
                .iter()
                .map(|(key, value)| (key.as_str().into(), Value::Data(Arc::new(value.clone())).plainly()))
                .collect()
        }),
        _ => None,
    }
}

pub(crate) fn cell(value: &Value) -> Cell {
    let plain = value.clone().plainly();
    let number = matches!(
        plain,
        Value::Int(_)
            | Value::Float(_)
            | Value::Percent(_)
            | Value::Size(_)
            | Value::Duration(_)
            | Value::Cores(_)
            | Value::Rate(..)
    ) || matches!(&plain, Value::Data(data) if data.is_number());
    let (text, is_whole) = text_of(&plain);
    let value = if is_whole { plain.to_json() } else { text.as_str().into() };
    Cell { text, value, number }
}

/// A value as text, and whether that is all of it. What is counted beyond the beginning has an end as well.
fn text_of(value: &Value) -> (String, bool) {
    let (text, is_counted) = text::beginning(value, MAX_COUNTED);
    let more = if is_counted { "" } else { "more than " };
    match cut(&text) {
        Cut::Whole(_) => (text, true),
        Cut::Beginning(beginning, rest) => (format!("{beginning}… and {more}{rest} bytes more"), false),
    }
}

/// A text, or its beginning.
enum Cut<'t> {
    Whole(&'t str),
    Beginning(&'t str, usize),
}

impl std::fmt::Display for Cut<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(text) => f.write_str(text),
            Self::Beginning(text, rest) => write!(f, "{text}… and {rest} bytes more"),
        }
    }
}

impl From<Cut<'_>> for String {
    fn from(cut: Cut<'_>) -> Self {
        cut.to_string()
    }
}

fn cut(text: &str) -> Cut<'_> {
    match text.char_indices().nth(MAX_TEXT).and_then(|(end, _)| text.split_at_checked(end)) {
        Some((beginning, rest)) => Cut::Beginning(beginning, rest.len()),
        None => Cut::Whole(text),
    }
}
