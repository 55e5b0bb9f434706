//! What an answer says: as text, as a number, as pairs, as data.

use redis::Value;
use serde_json::{Map, Number, Value as Json};

use crate::types::{Fault, FaultKind};

/// An answer that is not what this command is known to give.
pub(super) fn unexpected(what: &str) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("the server answers with something else than {what}"))
}

/// Bytes that are not UTF-8 are shown as �.
pub(super) fn text(value: Value) -> Result<String, Fault> {
    match value {
        Value::BulkString(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(text),
        Value::Okay => Ok("OK".to_owned()),
        Value::Int(number) => Ok(number.to_string()),
        Value::Attribute { data, .. } => text(*data),
        _ => Err(unexpected("a text")),
    }
}

pub(super) fn int(value: &Value) -> Result<i64, Fault> {
    match value {
        Value::Int(number) => Some(*number),
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok().and_then(|text| text.parse().ok()),
        Value::SimpleString(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| unexpected("a number"))
}

pub(super) fn items(value: Value) -> Result<Vec<Value>, Fault> {
    match value {
        Value::Array(items) | Value::Set(items) => Ok(items),
        Value::Attribute { data, .. } => items(*data),
        _ => Err(unexpected("a list")),
    }
}

/// A map, also as servers before RESP3 write it: names and values in turn.
pub(super) fn pairs(value: Value) -> Result<Vec<(Value, Value)>, Fault> {
    match value {
        Value::Map(pairs) => Ok(pairs),
        Value::Array(items) if items.len() % 2 == 0 => {
            let mut items = items.into_iter();
            let mut pairs = Vec::new();
            while let (Some(name), Some(value)) = (items.next(), items.next()) {
                pairs.push((name, value));
            }
            Ok(pairs)
        }
        _ => Err(unexpected("names with values")),
    }
}

/// Any answer. Bytes that are not UTF-8 are shown as �.
pub(super) fn data(value: Value) -> Result<Json, Fault> {
    Ok(match value {
        Value::Nil => Json::Null,
        Value::Int(number) => Json::from(number),
        Value::Boolean(flag) => Json::from(flag),
        Value::Double(number) => Number::from_f64(number).map_or_else(|| Json::from(number.to_string()), Json::Number),
        Value::BigNumber(digits) => Json::from(String::from_utf8_lossy(&digits)),
        Value::Array(items) | Value::Set(items) | Value::Push { data: items, .. } => {
            Json::Array(items.into_iter().map(data).collect::<Result<_, _>>()?)
        }
        Value::Map(pairs) => Json::Object(
            pairs
                .into_iter()
                .map(|(name, value)| Ok((key(name)?, data(value)?)))
                .collect::<Result<Map<String, Json>, Fault>>()?,
        ),
        Value::Attribute { data: inner, .. } => data(*inner)?,
        // One of several things that were done together.
        Value::ServerError(error) => {
            let message = format!("a part of it failed: {} {}", error.code(), error.details().unwrap_or_default());
            return Err(Fault::new(FaultKind::BadAnswer, message.trim_end()).sent());
        }
        other => Json::from(text(other)?),
    })
}

/// Names of a map are texts, or nearly.
fn key(name: Value) -> Result<String, Fault> {
    Ok(match data(name)? {
        Json::String(text) => text,
        other => other.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use redis::Value;
    use serde_json::json;

    use super::{data, int, pairs};

    #[test]
    fn answers_as_data() {
        let bulk = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
        let nested = Value::Map(vec![
            (bulk(b"a"), Value::Array(vec![Value::Int(1), Value::Nil, Value::Double(0.5), Value::Boolean(true)])),
            (Value::Int(7), bulk(b"\xff\x00b")),
        ]);
        assert_eq!(data(nested).expect("data"), json!({ "a": [1, null, 0.5, true], "7": "\u{fffd}\u{0}b" }));
        assert_eq!(data(Value::Double(f64::INFINITY)).expect("data"), json!("inf"));
        assert_eq!(int(&bulk(b"12")).expect("a number"), 12);
        assert!(int(&bulk(b"12a")).is_err());
        let flat = Value::Array(vec![bulk(b"a"), Value::Int(1)]);
        assert_eq!(pairs(flat).expect("pairs").len(), 1);
        assert!(pairs(Value::Array(vec![Value::Nil])).is_err());
    }
}
