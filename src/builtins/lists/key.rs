//! Keys: values that are equal have the same key, so that they can be counted in a table.

use std::collections::{BTreeMap, HashSet};

use crate::types::{Fault, Number, Value, is_number};

/// A value as bytes that are the same exactly where `==` holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key(Box<[u8]>);

impl Key {
    /// # Errors
    /// Where a value has no equality that could be counted: a log, a connection, a secret.
    pub(super) fn of(value: &Value) -> Result<Self, Fault> {
        let mut bytes = Vec::new();
        write(value, &mut bytes)?;
        Ok(Self(bytes.into()))
    }
}

/// What spells a number and is one in another item: nobody can tell the two apart where they are shown, and they are meant
/// to be the same.
#[derive(Default)]
pub(super) struct Spelled {
    texts: HashSet<Key>,
    numbers: HashSet<Key>,
}

impl Spelled {
    /// # Errors
    /// Where a text of data spells a number that another item is, or the other way round. It is asked for each key once.
    pub(super) fn meets(&mut self, value: &Value, key: &Key) -> Result<(), Fault> {
        let Value::Data(data) = value else { return Ok(()) };
        let meets = match data.as_ref() {
            serde_json::Value::Number(_) => {
                _ = self.numbers.insert(key.clone());
                self.texts.contains(key)
            }
            serde_json::Value::String(text) if is_number(text) => {
                let Ok(number) = serde_json::from_str::<serde_json::Value>(text) else { return Ok(()) };
                let key = Self::of_number(&number);
                let meets = self.numbers.contains(&key);
                _ = self.texts.insert(key);
                meets
            }
            _ => false,
        };
        if !meets {
            return Ok(());
        }
        let fault = Fault::conversion(format!(
            "{value} is a number in one item and a text in another, and nothing says that they are meant to be the same or not"
        ));
        Err(fault.help("make a text of both: `\"{.…}\"`; a tool says in its type what a column is: `…: int`"))
    }

    fn of_number(number: &serde_json::Value) -> Key {
        let mut bytes = Vec::new();
        json(number, &mut bytes);
        Key(bytes.into())
    }
}

fn write(value: &Value, out: &mut Vec<u8>) -> Result<(), Fault> {
    match value {
        Value::Null => out.push(b'0'),
        Value::Bool(value) => out.extend([b'b', u8::from(*value)]),
        Value::Int(value) => number(Number::Whole(i128::from(*value)), out),
        Value::Float(value) | Value::Percent(value) => number(Number::Real(*value), out),
        Value::Duration(value) => tagged(b'd', &value.as_nanos().to_be_bytes(), out),
        Value::Size(value) => tagged(b'z', &value.to_be_bytes(), out),
        Value::Cores(value) => tagged(b'c', &bits(*value), out),
        Value::Rate(value, counted) => {
            out.extend([b'r', *counted as u8]);
            out.extend(bits(*value));
        }
        Value::String(text) => sized(b's', text.as_bytes(), out),
        Value::Regex(regex) => sized(b'x', regex.as_str().as_bytes(), out),
        Value::Time(time) => tagged(b't', &time.as_nanosecond().to_be_bytes(), out),
        Value::Date(date) => sized(b'D', date.to_string().as_bytes(), out),
        Value::Clock(clock) => sized(b'C', clock.to_string().as_bytes(), out),
        Value::Data(data) => json(data, out),
        Value::List(items) => {
            tagged(b'[', &items.len().to_be_bytes(), out);
            items.iter().try_for_each(|item| write(item, out))?;
        }
        Value::Record(fields) => {
            tagged(b'{', &fields.len().to_be_bytes(), out);
            for (name, value) in fields.iter().collect::<BTreeMap<_, _>>() {
                sized(b's', name.as_bytes(), out);
                write(value, out)?;
            }
        }
        Value::Line(line) => {
            sized(b'l', line.text.as_bytes(), out);
            sized(b's', line.source.as_bytes(), out);
            out.extend(line.number.to_be_bytes());
        }
        Value::Faulted(fault) => return Err(fault.as_ref().clone()),
        Value::Log(_) | Value::Secret(_) | Value::Connection(_) | Value::Template(_) => {
            return Err(Fault::conversion(format!("a {} cannot be counted or compared", value.kind())));
        }
    }
    Ok(())
}

fn json(data: &serde_json::Value, out: &mut Vec<u8>) {
    use serde_json::Value as Json;
    match data {
        Json::Null => out.push(b'0'),
        Json::Bool(value) => out.extend([b'b', u8::from(*value)]),
        Json::Number(value) => number(Number::of_json(value), out),
        Json::String(text) => sized(b's', text.as_bytes(), out),
        Json::Array(items) => {
            tagged(b'[', &items.len().to_be_bytes(), out);
            for item in items {
                json(item, out);
            }
        }
        Json::Object(fields) => {
            tagged(b'{', &fields.len().to_be_bytes(), out);
            for (name, value) in fields.iter().collect::<BTreeMap<_, _>>() {
                sized(b's', name.as_bytes(), out);
                json(value, out);
            }
        }
    }
}

/// 3 and 3.0 are equal, so they are written alike.
fn number(value: Number, out: &mut Vec<u8>) {
    match value.plainest() {
        Number::Whole(whole) => tagged(b'i', &whole.to_be_bytes(), out),
        Number::Real(real) => tagged(b'n', &bits(real), out),
    }
}

/// -0.0 equals 0.0.
fn bits(value: f64) -> [u8; 8] {
    (value + 0.0).to_bits().to_be_bytes()
}

fn tagged(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(tag);
    out.extend(bytes);
}

fn sized(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    tagged(tag, &bytes.len().to_be_bytes(), out);
    out.extend(bytes);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Key, Spelled};
    use crate::types::Value;

    #[test]
    fn a_number_and_the_text_that_spells_it_do_not_meet_in_silence() {
        let meet = |values: &[serde_json::Value]| {
            let mut spelled = Spelled::default();
            values.iter().map(|json| Value::Data(Arc::new(json.clone()))).try_for_each(|value| {
                let key = Key::of(&value).unwrap();
                spelled.meets(&value, &key)
            })
        };
        let json = serde_json::json!([1, "2", "x", 3.0, "", null, true, "true"]);
        assert!(meet(json.as_array().unwrap()).is_ok());
        for (one, other) in [(1, "1"), (3, "3.0")] {
            assert!(meet(&[one.into(), other.into()]).is_err());
            assert!(meet(&[other.into(), one.into()]).is_err());
        }
    }

    #[test]
    fn keys_are_equal_exactly_where_values_are() {
        let data = |json: serde_json::Value| Value::Data(Arc::new(json));
        let values = [
            Value::Null,
            Value::Int(3),
            Value::Float(3.0),
            Value::Float(-0.0),
            Value::Int(0),
            Value::Percent(0.0),
            Value::Size(3),
            Value::Int(i64::MAX),
            Value::Int(i64::MAX - 1),
            Value::Int(9_007_199_254_740_993),
            Value::Float(9_007_199_254_740_992.0),
            data(serde_json::json!(9_007_199_254_740_993_i64)),
            data(serde_json::json!(u64::MAX)),
            data(serde_json::json!(u64::MAX - 1)),
            data(serde_json::json!(i64::MAX)),
            data(serde_json::json!(18_446_744_073_709_551_616.0)),
            data(serde_json::json!(3.0)),
            data(serde_json::json!(0.1)),
            data(serde_json::json!({"a": 1.0, "b": [1, "x"]})),
            data(serde_json::json!({"a": 1, "b": 2.0})),
            data(serde_json::json!(["a", "b"])),
            Value::string("3"),
            Value::string(""),
            Value::Bool(true),
            data(serde_json::json!(3)),
            data(serde_json::json!("3")),
            data(serde_json::json!(null)),
            data(serde_json::json!({"a": 1, "b": [1, "x"]})),
            data(serde_json::json!({"b": [1, "x"], "a": 1})),
            Value::list(vec![Value::string("a"), Value::string("b")]),
            Value::list(vec![Value::string("ab")]),
            Value::record([("a", Value::Int(1)), ("b", Value::Int(2))]),
            Value::record([("b", Value::Int(2)), ("a", Value::Int(1))]),
        ];
        for a in &values {
            for b in &values {
                let same = Key::of(a).unwrap() == Key::of(b).unwrap();
                assert_eq!(same, a.equals(b), "{a:?} and {b:?}");
            }
        }
    }
}
