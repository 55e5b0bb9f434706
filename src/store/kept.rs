//! Values as a journal keeps them, so that a later run can go on with them: exactly, or not at all.
//!
//! What is shown to people is rounded and cut; this is neither. What cannot come back from a file, and what must not
//! be in one, says so in its place: whoever needs it gets that as a fault.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::types::{Connection, Counted, Fault, FaultKind, Line, Record, Regex, Value, Way};

/// How many bytes of a value are kept, as JSON: a list of pods has its place in the output, not here as well.
const MOST: usize = 64 << 10;

/// A value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    Null,
    Bool(bool),
    Int(i64),
    /// As text, like the others: readers of JSON may give the double beside the one that was written.
    Float(String),
    Percent(String),
    Duration(SignedDuration),
    Size(i64),
    Cores(String),
    Rate(String, Counted),
    String(String),
    /// A text that was taken out of a longer one.
    Part(String),
    Regex(String),
    Time(Timestamp),
    Date(civil::Date),
    Clock(civil::Time),
    Data(Json),
    List(Vec<Self>),
    Record(Vec<(String, Self)>),
    Line {
        text: String,
        number: i64,
        source: String,
        time: Option<Timestamp>,
    },
    /// The connection of this name, to be opened anew.
    Connection(String),
    /// It is not here, and why.
    Lost(String),
}

/// What `Kept::Lost` says of a secret.
pub const SECRET: &str = "it is a secret, or holds one, and no journal keeps those";

impl Kept {
    /// A value, as far as it can be kept.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        let kept = Self::whole(value);
        let back = serde_json::to_string(&kept).and_then(|text| Ok((text.len(), serde_json::from_str::<Self>(&text)?)));
        match back {
            Ok((len, _)) if len > MOST => {
                Self::Lost(format!("it has {len} bytes, and a journal keeps values of up to {MOST}"))
            }
            Ok((_, back)) if back == kept => kept,
            Ok(_) => Self::Lost("it would not come back as it was".to_owned()),
            Err(error) => Self::Lost(format!("it would not come back as it was: {error}")),
        }
    }

    fn whole(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Int(value) => Self::Int(*value),
            Value::Float(value) => Self::Float(value.to_string()),
            Value::Percent(value) => Self::Percent(value.to_string()),
            Value::Cores(value) => Self::Cores(value.to_string()),
            Value::Rate(value, counted) => Self::Rate(value.to_string(), *counted),
            Value::Duration(value) => Self::Duration(*value),
            Value::Size(value) => Self::Size(*value),
            Value::String(text) if text.is_part() => Self::Part(text.to_string()),
            Value::String(text) => Self::String(text.to_string()),
            Value::Regex(regex) => Self::Regex(regex.as_str().to_owned()),
            Value::Time(time) => Self::Time(*time),
            Value::Date(date) => Self::Date(*date),
            Value::Clock(clock) => Self::Clock(*clock),
            Value::Data(data) => Self::Data(data.as_ref().clone()),
            Value::List(items) => Self::List(items.iter().map(Self::whole).collect()),
            Value::Record(fields) => {
                Self::Record(fields.iter().map(|(name, value)| (name.to_string(), Self::whole(value))).collect())
            }
            Value::Line(line) => Self::Line {
                text: line.text.to_string(),
                number: line.number,
                source: line.source.to_string(),
                time: line.time,
            },
            // The way to a pod ends with the pod; the connection that it was found by is opened anew.
            Value::Connection(connection) if *connection.driver == *Way::NAME => {
                Self::Lost(format!("it is the way to {}, which is not open any more", connection.target))
            }
            Value::Connection(connection) => Self::Connection(connection.name.to_string()),
            Value::Secret(_) => Self::Lost(SECRET.to_owned()),
            Value::Log(log) => Self::Lost(format!("it is a log, `{}`, and is not read twice", log.name)),
            Value::Template(_) => Self::Lost("it is no value by itself".to_owned()),
            Value::Faulted(fault) => Self::Lost(fault.message.to_string()),
        }
    }

    /// Why it is not here, where the whole of it is not.
    #[must_use]
    pub fn lost(&self) -> Option<&str> {
        match self {
            Self::Lost(why) => Some(why),
            _ => None,
        }
    }

    /// The connections that it leads through.
    pub fn connections(&self, found: &mut Vec<String>) {
        match self {
            Self::Connection(name) => found.push(name.clone()),
            Self::List(items) => items.iter().for_each(|item| item.connections(found)),
            Self::Record(fields) => fields.iter().for_each(|(_, field)| field.connections(found)),
            _ => {}
        }
    }

    /// The value. `open` gives the connections of these names.
    ///
    /// # Errors
    /// Where the whole of it is not here. A part that is not stands in its place as a fault.
    pub fn value(&self, open: &dyn Fn(&str) -> Option<Arc<Connection>>) -> Result<Value, Fault> {
        let gone = |why: &str| Fault::new(FaultKind::NoValue, format!("it is not in the journal: {why}"));
        let number = |text: &str| text.parse::<f64>().map_err(|error| gone(&format!("`{text}`: {error}")));
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Float(text) => Value::Float(number(text)?),
            Self::Percent(text) => Value::Percent(number(text)?),
            Self::Cores(text) => Value::Cores(number(text)?),
            Self::Rate(text, counted) => Value::Rate(number(text)?, *counted),
            Self::Duration(duration) => Value::Duration(*duration),
            Self::Size(value) => Value::Size(*value),
            Self::String(text) => Value::string(text.as_str()),
            Self::Part(text) => Value::part(text.as_str()),
            Self::Regex(pattern) => Value::Regex(Regex::new(pattern).map_err(|error| gone(&error.to_string()))?),
            Self::Time(time) => Value::Time(*time),
            Self::Date(date) => Value::Date(*date),
            Self::Clock(clock) => Value::Clock(*clock),
            Self::Data(data) => Value::Data(Arc::new(data.clone())),
            Self::List(items) => Value::list(items.iter().map(|item| item.part(open)).collect()),
            Self::Record(fields) => {
                let fields = fields.iter().map(|(name, field)| (Arc::from(name.as_str()), field.part(open)));
                Value::Record(Arc::new(fields.collect::<Record>()))
            }
            Self::Line { text, number, source, time } => Value::Line(Arc::new(Line {
                text: text.as_str().into(),
                number: *number,
                source: source.as_str().into(),
                time: *time,
            })),
            Self::Connection(name) => {
                Value::Connection(open(name).ok_or_else(|| gone(&format!("`{name}` is no open connection")))?)
            }
            Self::Lost(why) => return Err(gone(why)),
        })
    }

    fn part(&self, open: &dyn Fn(&str) -> Option<Arc<Connection>>) -> Value {
        self.value(open).unwrap_or_else(|fault| Value::Faulted(Arc::new(fault)))
    }

    /// Each text in it, to be looked at: where one holds what no journal keeps, it is lost as a whole.
    pub fn without(&mut self, holds: &dyn Fn(&str) -> bool) {
        let found = match self {
            Self::String(text)
            | Self::Part(text)
            | Self::Regex(text)
            | Self::Float(text)
            | Self::Percent(text)
            | Self::Cores(text)
            | Self::Rate(text, _)
            | Self::Lost(text) => holds(text),
            Self::Line { text, source, .. } => holds(text) || holds(source),
            Self::Int(number) | Self::Size(number) => holds(&number.to_string()),
            Self::Data(json) => in_json(json, holds),
            Self::List(items) => {
                for item in items {
                    item.without(holds);
                }
                false
            }
            Self::Record(fields) => {
                for (_, field) in &mut *fields {
                    field.without(holds);
                }
                fields.iter().any(|(name, _)| holds(name))
            }
            _ => false,
        };
        if found {
            *self = Self::Lost(SECRET.to_owned());
        }
    }
}

fn in_json(json: &Json, holds: &dyn Fn(&str) -> bool) -> bool {
    match json {
        Json::String(text) => holds(text),
        Json::Number(number) => holds(&number.to_string()),
        Json::Array(items) => items.iter().any(|item| in_json(item, holds)),
        Json::Object(object) => object.iter().any(|(key, value)| holds(key) || in_json(value, holds)),
        Json::Null | Json::Bool(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::{Kept, SECRET};
    use crate::types::{Counted, SecretText, Value};

    fn back(value: &Value) -> String {
        let text = serde_json::to_string(&Kept::of(value)).unwrap();
        let kept: Kept = serde_json::from_str(&text).unwrap();
        kept.value(&|_| None).map_or_else(|fault| fault.message.to_string(), |value| format!("{value:?}"))
    }

    #[test]
    fn a_value_comes_back_as_it_was() {
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float(0.1 + 0.2),
            Value::Float(f64::NAN),
            Value::Percent(0.05),
            Value::Duration(SignedDuration::new(i64::MAX, 999_999_999)),
            Value::Size(i64::MAX),
            Value::Cores(0.25),
            Value::Rate(3.5, Counted::Bytes),
            Value::string("ä\n\"…"),
            Value::Time("2026-11-23T16:55:30.123456789Z".parse().unwrap()),
            Value::Date("2026-11-23".parse().unwrap()),
            Value::Clock("16:55:30".parse().unwrap()),
            Value::Data(Arc::new(serde_json::json!({"b": [1, null], "a": 1.5}))),
            Value::list(vec![Value::Int(1), Value::string("x")]),
            Value::record([("b", Value::Int(1)), ("a", Value::Null)]),
        ];
        for value in values {
            assert_eq!(back(&value), format!("{value:?}"));
        }
    }

    #[test]
    fn what_cannot_come_back_says_so_in_its_place() {
        assert!(back(&Value::Secret(SecretText::new("hunter2".to_owned()))).contains(SECRET));
        assert!(back(&Value::string("x".repeat(100_000))).contains("keeps values of up to"));
        let secret =
            Value::record([("a", Value::Int(1)), ("key", Value::Secret(SecretText::new("hunter2".to_owned())))]);
        let Ok(Value::Record(fields)) = Kept::of(&secret).value(&|_| None) else { panic!("no record") };
        assert!(matches!(fields.get("a"), Some(Value::Int(1))));
        assert!(fields.get("key").is_some_and(|key| key.clone().read().is_err()));
        let mut text = Kept::of(&Value::list(vec![Value::string("hunter2!"), Value::Int(5)]));
        text.without(&|text| text.contains("hunter2"));
        assert_eq!(text, Kept::List(vec![Kept::Lost(SECRET.to_owned()), Kept::Int(5)]));
    }
}
