//! Items one at a time, and the caps on how many are kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::catalog::Items;
use crate::types::{Fault, FaultKind, Value};

/// How many items a list may have.
const MAX_ITEMS: usize = 1_000_000;
/// How much memory the items of a list may take, by estimate.
const MAX_BYTES: usize = 256 << 20;
/// How many items pass between two looks at whether the result is still wanted.
const LOOK_EVERY: u32 = 256;

/// The items of a list, a log or a JSON array. They end with a fault once `unwanted` is set.
pub(super) fn of<'a>(value: Value, unwanted: &'a AtomicBool) -> Result<Items<'a>, Fault> {
    let items: Items<'a> = match value.read()? {
        Value::List(items) => {
            let mut index = 0;
            Box::new(std::iter::from_fn(move || {
                let item = items.get(index).cloned();
                index += 1;
                item.map(Value::read)
            }))
        }
        Value::Log(log) => {
            Box::new(Arc::clone(&log.reader).lines().map(|line| line.map(|line| Value::Line(Arc::new(line)))))
        }
        Value::Data(data) => {
            if !data.is_array() {
                return Err(Fault::conversion(format!("wanted a list, got {}", short(&Value::Data(data)))));
            }
            let mut index = 0;
            Box::new(std::iter::from_fn(move || {
                let item = data.get(index).cloned();
                index += 1;
                item.map(|item| Ok(Value::Data(Arc::new(item))))
            }))
        }
        Value::Null => return Err(Fault::no_value("wanted a list, and it is missing")),
        other => return Err(Fault::conversion(format!("wanted a list, got {}", short(&other)))),
    };
    Ok(Box::new(Wanted { items, unwanted, passed: 0, ended: false }))
}

/// Items until nobody wants them any more.
struct Wanted<'a> {
    items: Items<'a>,
    unwanted: &'a AtomicBool,
    passed: u32,
    ended: bool,
}

impl Iterator for Wanted<'_> {
    type Item = Result<Value, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        self.passed = self.passed.wrapping_add(1);
        if self.passed.is_multiple_of(LOOK_EVERY) && self.unwanted.load(Ordering::Relaxed) {
            // Once, and then nothing: a stage that goes on after a fault must come to its end as well.
            self.ended = true;
            return Some(Err(Fault::new(FaultKind::Cancelled, "the run was stopped")));
        }
        self.items.next()
    }
}

/// All items as a list, up to the caps.
pub(super) fn collect(items: Items<'_>) -> Result<Value, Fault> {
    let mut kept = Vec::new();
    let mut bytes = 0;
    for item in items {
        let item = item?;
        bytes += estimate(&item);
        if kept.len() == MAX_ITEMS || bytes > MAX_BYTES {
            let what = if kept.len() == MAX_ITEMS { "1,000,000 items" } else { "256MiB" };
            return Err(Fault::new(FaultKind::TooLarge, format!("a list of more than {what}")).help(
                "let a stage make it smaller before it is kept: `| where(…)`, `| take(100)`, `| count`, `| top(10, by: …)`",
            ));
        }
        kept.push(item);
    }
    Ok(Value::list(kept))
}

/// About how much memory a value takes.
fn estimate(value: &Value) -> usize {
    const OWN: usize = size_of::<Value>();
    OWN + match value {
        Value::String(text) => text.len(),
        Value::Line(line) => line.text.len() + 64,
        Value::List(items) => items.iter().map(estimate).sum(),
        Value::Record(fields) => fields.values().map(|value| 32 + estimate(value)).sum(),
        Value::Data(data) => json_size(data),
        _ => 0,
    }
}

fn json_size(json: &serde_json::Value) -> usize {
    32 + match json {
        serde_json::Value::String(text) => text.len(),
        serde_json::Value::Array(items) => items.iter().map(json_size).sum(),
        serde_json::Value::Object(object) => object.iter().map(|(key, value)| key.len() + 32 + json_size(value)).sum(),
        _ => 0,
    }
}

/// A value in a message: its kind, and its beginning.
pub(super) fn short(value: &Value) -> String {
    const SHOWN: usize = 60;
    let (text, is_whole) = super::text::beginning(value, SHOWN * 4);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() || !is_whole {
        shown.push('…');
    }
    format!("{}: {shown}", value.kind())
}
