//! A value as plain text for a place outside: a part of a URL, a word of a command, a header.
//!
//! Only what has one plain form lands there. A quantity has none (`90s` is 90, 1.5 or `1m30s`, as the other side likes
//! it): `{x / 1s}` says which is meant. What is missing lands nowhere, for `/tasks/` deletes more than `/tasks/7`.

use crate::types::{Fault, SecretText, Value};

/// The plain text of a value.
///
/// # Errors
/// Where it has none: a quantity, a list, a missing value, a secret.
pub(super) fn plain_text(value: &Value, place: &str) -> Result<String, Fault> {
    let json = match value {
        Value::String(text) => return Ok(text.to_string()),
        Value::Data(data) => data.as_ref().clone(),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Percent(_) => value.to_json(),
        Value::Time(_) | Value::Date(_) | Value::Clock(_) => return Ok(value.to_string()),
        Value::Line(line) => return Ok(line.text.to_string()),
        Value::Faulted(fault) => return Err(fault.as_ref().clone()),
        Value::Null => return Err(missing(place)),
        other => return Err(unfit(other.kind(), place)),
    };
    match json {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Bool(flag) => Ok(flag.to_string()),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Null => Err(missing(place)),
        _ => Err(unfit("data with fields or items", place)),
    }
}

/// The plain text of a value for a place that keeps secrets: an environment, a header, a standard input.
///
/// # Errors
/// As [`plain_text`], but for secrets.
pub(super) fn plain_or_secret(value: &Value, place: &str) -> Result<String, Fault> {
    match value {
        Value::Secret(secret) => Ok(secret.expose().to_owned()),
        other => plain_text(other, place),
    }
}

/// The text without the secrets in it: what comes back from outside may repeat them.
pub(super) fn redacted(text: &str, secrets: &[SecretText]) -> String {
    secrets.iter().map(SecretText::expose).filter(|secret| !secret.is_empty()).fold(text.to_owned(), |text, secret| {
        if text.contains(secret) { text.replace(secret, "(secret)") } else { text }
    })
}

fn missing(place: &str) -> Fault {
    Fault::no_value(format!("a missing value cannot stand in {place}"))
}

fn unfit(kind: &str, place: &str) -> Fault {
    Fault::conversion(format!("a {kind} has no plain text to stand in {place}"))
        .help("say how it is meant, such as `{x / 1s}` for a number of seconds")
}
