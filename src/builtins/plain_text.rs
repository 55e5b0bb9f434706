//! A value as plain text for a place outside: a part of a URL, a word of a command, a header.
//!
//! Only what has one plain form lands there. A quantity has none (`90s` is 90, 1.5 or `1m30s`, as the other side likes
//! it): `{x / 1s}` says which is meant. What is missing lands nowhere, for `/tasks/` deletes more than `/tasks/7`.

use crate::types::{Counted, Fault, SecretText, Value};

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
        other => return Err(unfit(other, place)),
    };
    match json {
        serde_json::Value::String(text) => Ok(text),
        serde_json::Value::Bool(flag) => Ok(flag.to_string()),
        serde_json::Value::Number(number) => Ok(number.to_string()),
        serde_json::Value::Null => Err(missing(place)),
        _ => Err(Fault::conversion(format!("data with fields or items has no plain text to stand in {place}"))
            .help("take what is meant out of it: `{x.field}`")),
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

fn unfit(value: &Value, place: &str) -> Fault {
    let kind = value.kind();
    let fault = Fault::conversion(format!("a {kind} has no plain text to stand in {place}"));
    let unit = match value {
        Value::Duration(_) => "{x / 1s}` for a number of seconds",
        Value::Size(_) => "{x / 1B}` for a number of bytes",
        Value::Cores(_) => "{x / 1cores}` for a number of cores",
        Value::Rate(_, Counted::Items) => "{x / 1/s}` for a number a second",
        Value::Rate(_, Counted::Bytes) => "{x / 1B/s}` for a number of bytes a second",
        _ => return fault,
    };
    fault.help(format!("say how it is meant, such as `{unit}"))
}

#[cfg(test)]
mod tests {
    use super::plain_text;
    use crate::types::Value;

    #[test]
    fn what_is_whole_goes_out_without_a_point() {
        let plain = |number| plain_text(&Value::Float(number), "a word").unwrap();
        assert_eq!(plain(3.0), "3");
        assert_eq!(plain(-0.0), "0");
        assert_eq!(plain(2.5), "2.5");
        // 9PiB / 1B, which no float of its own writes so.
        assert_eq!(plain(10_133_099_161_583_616.0), "10133099161583616");
    }

    #[test]
    fn a_quantity_says_its_own_unit() {
        let help = |value: Value| plain_text(&value, "the SQL").unwrap_err().help.unwrap();
        assert_eq!(&*help(Value::Size(3)), "say how it is meant, such as `{x / 1B}` for a number of bytes");
        assert_eq!(&*help(Value::Cores(3.0)), "say how it is meant, such as `{x / 1cores}` for a number of cores");
    }
}
