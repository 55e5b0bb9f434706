//! What `==` and `in` say of data: it becomes what it is compared with, or there is no answer.

use serde_json::Value as Json;

use super::convert;
use crate::types::{Fault, IN_A_TEXT, Number, Type, Value, is_number};

/// Whether two values are equal. A text of data is not simply another value than a number: it is a fault, also inside lists.
pub(super) fn equal(left: &Value, right: &Value) -> Result<bool, Fault> {
    match (left, right) {
        (Value::Faulted(fault), _) | (_, Value::Faulted(fault)) => Err(fault.as_ref().clone()),
        (Value::Data(one), Value::Data(other)) => same(one, other),
        (Value::Data(data), other) | (other, Value::Data(data)) => data_is(data, other),
        (Value::List(a), Value::List(b)) if a.len() == b.len() => all(a.iter().zip(b.iter()).map(|(a, b)| equal(a, b))),
        (Value::Record(a), Value::Record(b)) if a.len() == b.len() => {
            all(a.iter().map(|(name, value)| b.get(name).map_or(Ok(false), |own| equal(value, own))))
        }
        _ => Ok(left.equals(right)),
    }
}

/// Whether data is the same. A number and a text are not simply different: a join of a column of texts with one of numbers
/// would find nothing.
fn same(one: &Json, other: &Json) -> Result<bool, Fault> {
    match (one, other) {
        (Json::Null, other) | (other, Json::Null) => Ok(other.is_null()),
        (Json::Bool(one), Json::Bool(other)) => Ok(one == other),
        (Json::String(one), Json::String(other)) => Ok(one == other),
        (Json::Number(one), Json::Number(other)) => {
            Ok(Number::of_json(one).order(Number::of_json(other)) == Some(std::cmp::Ordering::Equal))
        }
        (Json::Array(one), Json::Array(other)) if one.len() != other.len() => Ok(false),
        (Json::Array(one), Json::Array(other)) => {
            all(one.iter().zip(other).map(|(one, other)| same(one, other))).map_err(of_a_part)
        }
        (Json::Object(one), Json::Object(other)) if one.len() != other.len() => Ok(false),
        (Json::Object(one), Json::Object(other)) => {
            all(one.iter().map(|(key, value)| other.get(key).map_or(Ok(false), |other| same(value, other))))
                .map_err(of_a_part)
        }
        (one, other) => Err(of_two_kinds(one, other)),
    }
}

/// What is wrong with a part is not about the whole, which the help would name.
fn of_a_part(fault: Fault) -> Fault {
    fault.about("…", None)
}

fn of_two_kinds(one: &Json, other: &Json) -> Fault {
    let (first, second) = (convert::told(one), convert::told(other));
    let fault = Fault::conversion(format!(
        "{first} and {second} are of two kinds, and nothing says that they are meant to be equal or not"
    ));
    let spells = |json: &Json| json.as_str().is_some_and(is_number);
    if (spells(one) && other.is_number()) || (one.is_number() && spells(other)) {
        return fault.help(IN_A_TEXT);
    }
    fault.help("where texts are meant, make one of each side: `\"{…}\"`")
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
