//! What items are called: in what is told of a loop, in the samples of a metric, where a run is gone on with.

use std::sync::Arc;

use jiff::{Timestamp, civil};
use serde_json::Value as Json;

use super::context::on_one_line;
use super::text::beginning;
use crate::types::{Number, Value};

/// How many bytes of a label are kept: enough to tell one item from another.
const MAX_LABEL: usize = 1024;

/// What people call an item: a text or a number itself, a record by its name or its first field, JSON by its name or its
/// first text.
pub(super) fn label_of(item: &Value) -> String {
    let text = match item {
        Value::Record(fields) => match fields.get("name").or_else(|| fields.values().next()) {
            Some(value) => beginning(&plainest(value.clone().plainly()), MAX_LABEL).0,
            None => String::new(),
        },
        other => beginning(&plainest(called(other).unwrap_or_else(|| other.clone().plainly())), MAX_LABEL).0,
    };
    on_one_line(&text)
}

/// A number in the one form that equal ones have: 1.0 is called `1`.
pub(super) fn plainest(value: Value) -> Value {
    let int = if let Value::Float(real) = value { Number::Real(real).int() } else { None };
    int.map_or(value, Value::Int)
}

/// The name of an object of JSON, or its first text.
fn called(item: &Value) -> Option<Value> {
    let Value::Data(data) = item else { return None };
    let fields = data.as_object()?;
    let name = fields.get("name").filter(|name| !name.is_null());
    // A time is another one with each look.
    let is_name = |value: &&Json| value.as_str().is_some_and(|text| !is_time(text));
    let called = name.or_else(|| fields.values().find(is_name))?;
    Some(Value::Data(Arc::new(called.clone())).plainly())
}

fn is_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok() || text.parse::<civil::DateTime>().is_ok()
}

/// Whether [`label_of`] an item is more than all that it says.
pub(super) fn has_label(item: &Value) -> bool {
    match item {
        Value::Data(data) if data.is_object() || data.is_array() => called(item).is_some(),
        Value::List(_) => false,
        _ => true,
    }
}
