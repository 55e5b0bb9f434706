//! JSON as a value of a type, the numbers in its base unit.

use std::sync::Arc;

use jiff::SignedDuration;
use runbook::types::{Fault, FaultKind, Type, Value};

pub fn typed(json: &serde_json::Value, ty: &Type) -> Value {
    let number = || json.as_f64().unwrap_or_else(|| panic!("{json} is no number"));
    let text = || json.as_str().unwrap_or_else(|| panic!("{json} is no text"));
    match ty {
        Type::Optional(_) if json.is_null() => Value::Null,
        Type::Optional(inner) => typed(json, inner),
        Type::Float => Value::Float(number()),
        Type::Percent => Value::Percent(number()),
        Type::Cores => Value::Cores(number()),
        Type::Rate(counted) => Value::Rate(number(), *counted),
        Type::Duration => Value::Duration(SignedDuration::from_secs_f64(number())),
        Type::Size => Value::Size(json.as_i64().unwrap_or_else(|| panic!("{json} is no size"))),
        Type::Time => Value::Time(text().parse().unwrap()),
        Type::Date => Value::Date(text().parse().unwrap()),
        Type::Data => Value::Data(Arc::new(json.clone())),
        Type::List(item) => {
            let items = json.as_array().unwrap_or_else(|| panic!("{json} is no list"));
            Value::list(items.iter().map(|json| typed(json, item)).collect())
        }
        Type::Record(record) => {
            let fields = json.as_object().unwrap_or_else(|| panic!("{json} is no record"));
            for name in fields.keys() {
                assert!(record.fields.contains_key(name.as_str()), "{record} has no `{name}`");
            }
            Value::record(record.fields.iter().map(|(name, field)| {
                let value = match fields.get(&**name) {
                    Some(json) => typed(json, &field.ty),
                    None => empty(&field.ty),
                };
                (Arc::clone(name), value)
            }))
        }
        _ => match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(_) => json.as_i64().map_or_else(|| Value::Float(number()), Value::Int),
            serde_json::Value::String(text) => Value::string(text.as_str()),
            serde_json::Value::Array(items) => {
                Value::list(items.iter().map(|json| typed(json, &Type::Unknown)).collect())
            }
            serde_json::Value::Object(fields) => {
                Value::record(fields.iter().map(|(name, json)| (name.as_str(), typed(json, &Type::Unknown))))
            }
        },
    }
}

/// What stands for a field that a canned record leaves out: nothing looks at it, or the case would name it.
fn empty(ty: &Type) -> Value {
    match ty {
        Type::Optional(_) => Value::Null,
        _ => Value::Faulted(Arc::new(Fault::new(FaultKind::Unsupported, "left out"))),
    }
}
