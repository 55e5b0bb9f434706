//! What `==` and `in` say of data: it becomes what it is compared with, or there is no answer.

use serde_json::Value as Json;

use super::convert;
use crate::types::{Fault, Type, Value};

/// Whether two values are equal. A text of data is not simply another value than a number: it is a fault, also inside lists.
pub(super) fn equal(left: &Value, right: &Value) -> Result<bool, Fault> {
    match (left, right) {
        (Value::Faulted(fault), _) | (_, Value::Faulted(fault)) => Err(fault.as_ref().clone()),
        (Value::Data(_), Value::Data(_)) => Ok(left.equals(right)),
        (Value::Data(data), other) | (other, Value::Data(data)) => data_is(data, other),
        (Value::List(a), Value::List(b)) if a.len() == b.len() => all(a.iter().zip(b.iter()).map(|(a, b)| equal(a, b))),
        (Value::Record(a), Value::Record(b)) if a.len() == b.len() => {
            all(a.iter().map(|(name, value)| b.get(name).map_or(Ok(false), |own| equal(value, own))))
        }
        _ => Ok(left.equals(right)),
    }
}

/// Whether one of them is equal. One that is decides, whatever the others are; one that could not be had, or is of another
/// kind, leaves it open where none is.
pub(super) fn one_of(wanted: &Value, items: impl IntoIterator<Item = Value>) -> Result<bool, Fault> {
    let mut fault = None;
    for item in items {
        let said = item.read().and_then(|item| equal(&item, wanted));
        match said {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(why) => fault = fault.or(Some(why)),
        }
    }
    fault.map_or(Ok(false), Err)
}

fn data_is(data: &std::sync::Arc<Json>, other: &Value) -> Result<bool, Fault> {
    let wanted = match other {
        // Missing is an answer: it is equal to nothing that is there.
        _ if data.is_null() => return Ok(matches!(other, Value::Null)),
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Float(_) => Type::Float,
        Value::Percent(_) => Type::Percent,
        Value::String(_) => Type::String,
        Value::Time(_) => Type::Time,
        Value::Date(_) => Type::Date,
        Value::List(items) => {
            return match data.as_array() {
                Some(own) if own.len() != items.len() => Ok(false),
                Some(own) => all(own.iter().zip(items.iter()).map(|(own, item)| data_is(&own.clone().into(), item))),
                None => convert::convert(Value::Data(data.clone()), &Type::list(Type::Data)).map(|_| false),
            };
        }
        other => return Ok(Value::Data(data.clone()).equals(other)),
    };
    convert::number(Value::Data(data.clone()), &wanted).map(|data| data.equals(other))
}

/// Whether all are so; one that is not decides.
fn all(mut said: impl Iterator<Item = Result<bool, Fault>>) -> Result<bool, Fault> {
    let mut fault = None;
    let decided = said.any(|one| match one {
        Ok(equal) => !equal,
        Err(why) => {
            fault = fault.take().or(Some(why));
            false
        }
    });
    if decided { Ok(false) } else { fault.map_or(Ok(true), Err) }
}
