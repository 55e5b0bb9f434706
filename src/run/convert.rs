//! Data from outside as what is wanted: strictly, or not at all.

use std::sync::Arc;

use serde_json::Value as Json;

use super::items::{collect, short};
use super::operators::as_number_of;
use crate::check::program::Tool;
use crate::types::{Fault, FaultKind, IN_A_TEXT, Record, RecordType, Type, Value, is_duration, is_number};

/// A value as a type. Nothing is guessed: `"5"` is no int, `1.5` is no int, `null` is only what may be missing.
pub(crate) fn convert(value: Value, ty: &Type) -> Result<Value, Fault> {
    match (value.read()?, ty) {
        (value, Type::Unknown) => Ok(value),
        (Value::Data(data), ty) => from_json(&data, ty, &Path::Root),
        (value, Type::Data) => Ok(Value::Data(Arc::new(value.to_json()))),
        (Value::Null, Type::Optional(_) | Type::Null) => Ok(Value::Null),
        (Value::Null, ty) => Err(missing(ty)),
        (value, Type::Optional(inner)) => convert(value, inner),
        (Value::List(items), Type::List(item)) => {
            items.iter().map(|value| convert(value.clone(), item)).collect::<Result<_, _>>().map(Value::list)
        }
        (Value::Record(fields), Type::Record(record)) => from_record(&fields, record),
        (value, ty) => match as_number_of(value, ty) {
            value if is_of(&value, ty) => Ok(value),
            value => Err(Fault::conversion(format!("wanted {ty}, got {}", short(&value)))),
        },
    }
}

fn missing(ty: &Type) -> Fault {
    let fault = Fault::no_value(format!("wanted {ty}, and it is missing"));
    match ty {
        Type::String | Type::Enum(_) => fault.help("say what stands in for it: `… ?? \"\"`"),
        _ => fault,
    }
}

/// Data as the number that it is, with all its digits: whole or not where a float is wanted, whole where an int is, also
/// where it is larger than one.
pub(super) fn number(value: Value, ty: &Type) -> Result<Value, Fault> {
    match value.read()? {
        Value::Data(data) if data.is_u64() || (data.is_number() && *ty == Type::Float) => {
            Ok(Value::Data(data).plainly())
        }
        other => convert(other, ty),
    }
}

/// What a tool printed as what it was declared to give. A text becomes the number, date or bool that it spells.
pub(super) fn returned(output: Value, tool: &Tool) -> Result<Value, Fault> {
    // Where it was not started, there is nothing that it printed.
    spelled(output.read()?, &tool.returns).map_err(|fault| Fault {
        kind: FaultKind::BadAnswer,
        message: format!("what `{}` printed: {}", tool.name, fault.message).into(),
        ..fault
    })
}

fn spelled(value: Value, ty: &Type) -> Result<Value, Fault> {
    match (value, ty) {
        // A cell that is empty has no number in it.
        (Value::String(text), Type::Optional(inner)) if text.trim().is_empty() && !inner.is_text() => Ok(Value::Null),
        (value, Type::Optional(inner)) if !matches!(value, Value::Null) => spelled(value, inner),
        (Value::String(text), Type::Int | Type::Float | Type::Bool) => match serde_json::from_str(text.trim()) {
            Ok(json) => from_json(&json, ty, &Path::Root),
            Err(_) => Err(misfit(&Json::String(text.to_string()), ty, &Path::Root)),
        },
        (Value::String(text), Type::Time | Type::Date) => {
            from_json(&Json::String(text.trim().to_owned()), ty, &Path::Root)
        }
        (Value::String(text), Type::Percent) => percent(&text),
        (Value::List(items), Type::List(item)) => {
            has_columns(&items, item)?;
            items.iter().map(|value| spelled(value.clone(), item)).collect::<Result<_, _>>().map(Value::list)
        }
        (Value::Record(fields), Type::Record(record)) => {
            let spelt = record.fields.iter().map(|(name, field)| {
                let value = match fields.get(name) {
                    // A cell that is empty is a text of nothing only where each row has to have one.
                    Some(Value::String(text)) if field.ty.is_optional() && text.is_empty() => Value::Null,
                    Some(value) => spelled(value.clone(), &field.ty)?,
                    None if field.ty.is_optional() => Value::Null,
                    None => return Err(Fault::no_value(format!("it has no column `{name}`"))),
                };
                Ok((name.clone(), value))
            });
            spelt.collect::<Result<Record, _>>().map(|spelt| Value::Record(Arc::new(spelt)))
        }
        (Value::Log(log), Type::List(item)) if **item == Type::String => {
            let lines = Arc::clone(&log.reader).lines().map(|line| line.map(|line| Value::part(line.text)));
            collect(Box::new(lines))
        }
        (value @ Value::Log(_), _) => Ok(value),
        (value, ty) => convert(value, ty),
    }
}

/// A share as programs print it: `69%`.
fn percent(text: &str) -> Result<Value, Fault> {
    let number = text.trim().strip_suffix('%').and_then(|number| serde_json::from_str::<f64>(number.trim_end()).ok());
    number.map(|number| Value::Percent(number / 100.0)).ok_or_else(|| {
        Fault::conversion(format!("wanted percent, got the text {}", quoted(text)))
            .help("a percent has its sign: `69%`; a number without one is an `int` or a `float`")
    })
}

/// A cell may be missing where the type says so. A column that no row has is another thing: its name is not that of the header.
fn has_columns(rows: &[Value], row: &Type) -> Result<(), Fault> {
    let (Type::Record(record), Some(Value::Record(first))) = (row, rows.first()) else { return Ok(()) };
    let has = |row: &Value, name: &str| !matches!(row, Value::Record(fields) if fields.get(name).is_none());
    let Some(name) = record.fields.keys().find(|name| !rows.iter().any(|row| has(row, name))) else { return Ok(()) };
    let columns: Vec<&str> = first.iter().map(|(name, _)| &**name).collect();
    let near = crate::diagnostics::nearest(name, columns.iter().copied());
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    Err(Fault::no_value(format!("it has no column `{name}`"))
        .help(format!("{near}its columns are `{}`", columns.join("`, `"))))
}

/// Whether a value is of a type, as far as its outermost kind says.
const fn is_of(value: &Value, ty: &Type) -> bool {
    matches!(
        (value, ty),
        (Value::Bool(_), Type::Bool)
            | (Value::Int(_), Type::Int)
            | (Value::Float(_), Type::Float)
            | (Value::Percent(_), Type::Percent)
            | (Value::Duration(_), Type::Duration)
            | (Value::Size(_), Type::Size)
            | (Value::Cores(_), Type::Cores)
            | (Value::Rate(..), Type::Rate(_))
            | (Value::String(_), Type::String | Type::Enum(_))
            | (Value::Regex(_), Type::Regex)
            | (Value::Time(_), Type::Time)
            | (Value::Date(_), Type::Date)
            | (Value::Clock(_), Type::Clock)
            | (Value::Secret(_), Type::Secret)
            | (Value::Log(_), Type::List(_))
            | (Value::Line(_), Type::Record(_))
            | (Value::Connection(_), Type::Connection(_))
    )
}

fn from_record(fields: &Record, record: &RecordType) -> Result<Value, Fault> {
    let converted = fields.map(|name, value| match (value, record.fields.get(name)) {
        // A field that could not be had stays one: the record is fine without it.
        (Value::Faulted(_), _) | (_, None) => Ok(value.clone()),
        (value, Some(field)) => convert(value.clone(), &field.ty),
    });
    converted.map(|converted| Value::Record(Arc::new(converted)))
}

/// Where in the data something is, for messages.
enum Path<'a> {
    Root,
    Key(&'a Path<'a>, &'a str),
    Index(&'a Path<'a>, usize),
}

impl std::fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

fn from_json(json: &Json, ty: &Type, path: &Path<'_>) -> Result<Value, Fault> {
    let misfit = || Err(misfit(json, ty, path));
    match (ty, json) {
        (Type::Optional(_) | Type::Null, Json::Null) => Ok(Value::Null),
        (Type::Optional(inner), json) => from_json(json, inner, path),
        (Type::Data | Type::Unknown, json) => Ok(Value::Data(Arc::new(json.clone()))),
        (Type::Bool, Json::Bool(value)) => Ok(Value::Bool(*value)),
        (Type::Int, Json::Number(number)) => whole(number).map_or_else(misfit, |value| Ok(Value::Int(value))),
        (Type::Float, Json::Number(number)) => number.as_f64().map_or_else(misfit, |value| Ok(Value::Float(value))),
        (Type::Percent, Json::Number(number)) => number.as_f64().map_or_else(misfit, |value| Ok(Value::Percent(value))),
        (Type::String, Json::String(text)) => Ok(Value::string(text.as_str())),
        (Type::Enum(words), Json::String(text)) if words.open || words.values.contains(&text.as_str()) => {
            Ok(Value::string(text.as_str()))
        }
        (Type::Time, Json::String(text)) => text.parse().map_or_else(|_| misfit(), |time| Ok(Value::Time(time))),
        (Type::Date, Json::String(text)) => text.parse().map_or_else(|_| misfit(), |date| Ok(Value::Date(date))),
        (Type::List(item), Json::Array(items)) => {
            let item = |(index, json)| from_json(json, item, &Path::Index(path, index));
            items.iter().enumerate().map(item).collect::<Result<_, _>>().map(Value::list)
        }
        (Type::Record(record), Json::Object(object)) => {
            let fields = record.fields.iter().map(|(name, field)| {
                let value = match object.get(&**name) {
                    Some(json) => from_json(json, &field.ty, &Path::Key(path, name))?,
                    None if field.ty.is_optional() => Value::Null,
                    None => {
                        let fault = absent(name, object.keys(), path, "it");
                        let is_near = fault.help.as_deref().is_some_and(|help| help.starts_with("did you mean"));
                        let help = format!("where it may be missing, its type says so: `{name}: {}?`", field.ty);
                        return Err(if is_near { fault } else { fault.help(help) });
                    }
                };
                Ok((name.clone(), value))
            });
            fields.collect::<Result<Record, _>>().map(|fields| Value::Record(Arc::new(fields)))
        }
        _ => misfit(),
    }
}

/// A JSON number without a fraction: `3` and `3.0`, not `3.5`.
#[expect(clippy::cast_possible_truncation, reason = "a whole double below 2^53 is an i64")]
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
    })
}

/// The fault of a key that is not there, with those that are. `written`: what should have it, as a help writes it.
pub(super) fn absent<'a>(
    wanted: &str,
    keys: impl Iterator<Item = &'a String>,
    path: impl std::fmt::Display,
    written: &str,
) -> Fault {
    let all: Vec<&str> = keys.map(String::as_str).collect();
    let near = crate::diagnostics::nearest(wanted, all.iter().copied()).map(|near| {
        if is_name(near) {
            format!("did you mean `.{near}`?")
        } else {
            format!("did you mean `[\"{near}\"]`? It stands in the place of `.name`")
        }
    });
    let shown: Vec<String> = all.iter().take(12).map(|key| format!("`{key}`")).collect();
    let rest = all.len().saturating_sub(shown.len());
    let there = match (shown.is_empty(), rest) {
        (true, _) => "it is empty".to_owned(),
        (false, 0) => format!("it has {}", shown.join(", ")),
        (false, rest) => format!("it has {} and {rest} more", shown.join(", ")),
    };
    let fault = Fault::no_value(format!("`{path}.{wanted}` is not there: {there}"));
    match near {
        Some(near) => fault.help(near),
        None if is_name(wanted) => fault.help(format!(
            "where it may be missing, write `{written}?.{wanted}` and say what stands in: `{written}?.{wanted} ?? \"\"` for a text, `… ?? 0` for a number; `| where({written}?.{wanted} != null)` before it leaves out what has none"
        )),
        None => fault,
    }
}

/// Whether a key can stand behind a `.`.
fn is_name(key: &str) -> bool {
    key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Data in a message: its kind, and what it is.
pub(super) fn told(json: &Json) -> String {
    match json {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => format!("the bool {value}"),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) => format!("the text {}", quoted(text)),
        Json::Array(items) => format!("a list of {}", items.len()),
        Json::Object(object) => format!("an object with {} keys", object.len()),
    }
}

fn misfit(json: &Json, ty: &Type, path: &Path<'_>) -> Fault {
    let found = told(json);
    let place = match path {
        Path::Root => String::new(),
        path => format!("`{path}`: "),
    };
    let fault = Fault::conversion(format!("{place}wanted {ty}, got {found}"));
    if ty.is_number() && !ty.is_plain_number() {
        return fault.help("data has no units: convert it to a number and multiply it by one, e.g. `* 1s`");
    }
    match (ty, json) {
        (ty, Json::String(text)) if ty.is_number() && is_duration(text) => {
            fault.help("`.… | parse_duration` reads it, in place of `* 1s`")
        }
        (ty, Json::String(text)) if ty.is_plain_number() && is_number(text) => fault.help(IN_A_TEXT),
        (Type::Bool, Json::String(text)) if matches!(text.as_str(), "true" | "false") => {
            fault.help("`.… | parse_json` reads it; a tool says in its type what a column is: `…: bool`")
        }
        (Type::Time, Json::Number(_)) => {
            fault.help("seconds since 1970 are a time as `1970-01-01T00:00:00Z + .… * 1s`, milliseconds with `* 1ms`")
        }
        (Type::Time, Json::String(_)) => fault.help("a time in a text says its zone: `2026-11-27T08:00:00Z`"),
        _ => fault,
    }
}

fn quoted(text: &str) -> String {
    const SHOWN: usize = 40;
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::convert;
    use crate::types::{FaultKind, Type, Value};

    fn data(json: serde_json::Value) -> Value {
        Value::Data(json.into())
    }

    #[test]
    fn takes_only_what_it_plainly_is() {
        let fits = |json, ty: Type| convert(data(json), &ty).map(|value| format!("{value:?}"));
        assert_eq!(fits(json!(3.0), Type::Int).unwrap(), "int(3)");
        assert_eq!(fits(json!(0.5), Type::Percent).unwrap(), "percent(50%)");
        assert_eq!(fits(json!(null), Type::Int.optional()).unwrap(), "null(-)");
        assert_eq!(fits(json!([1, 2]), Type::list(Type::Int)).unwrap(), "list(1, 2)");
        for (json, ty) in [
            (json!(3.5), Type::Int),
            (json!("3"), Type::Int),
            (json!(null), Type::Int),
            (json!(1), Type::Bool),
            (json!(5), Type::Duration),
            (json!(u64::MAX), Type::Int),
            (json!([1, "b"]), Type::list(Type::Int)),
        ] {
            assert_eq!(fits(json, ty).unwrap_err().kind, FaultKind::Conversion);
        }
    }
}
