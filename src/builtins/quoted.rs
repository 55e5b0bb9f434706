//! A query with its values in it: each stands between quotes that it cannot end, or is a number.

use crate::builtins::plain_text::plain_text;
use crate::catalog::{Inside, Quoting};
use crate::types::{Fault, FaultKind, Piece, Template, Value};

/// The text of a query.
///
/// # Errors
/// Where a value has no plain text, or none that can stand where it does.
pub(super) fn quoted(template: &Template, quoting: &'static Quoting) -> Result<String, Fault> {
    let mut reading = quoting.read();
    let mut text = String::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(literal) => {
                reading.piece(literal);
                text.push_str(literal);
            }
            Piece::Value(value) => {
                match reading.inside() {
                    Inside::Quotes { mark, pattern } => {
                        let part = if pattern { one_of(value)? } else { plain(value)? };
                        text.push_str(&between(&part, mark, quoting)?);
                    }
                    Inside::Nothing | Inside::Comment => text.push_str(&number(value, quoting)?),
                }
                reading.value();
            }
        }
    }
    Ok(text)
}

fn plain(value: &Value) -> Result<String, Fault> {
    plain_text(value, "a query")
}

/// What a pattern matches that stands for a value: the value itself, or one of a list.
fn one_of(value: &Value) -> Result<String, Fault> {
    let literally = |value: &Value| plain(value).map(|text| regex::escape(&text));
    match value {
        Value::List(items) if items.is_empty() => {
            Err(Fault::no_value("an empty list matches nothing, and a query for nothing has no answer"))
        }
        Value::List(items) => {
            Ok(format!("(?:{})", items.iter().map(literally).collect::<Result<Vec<_>, _>>()?.join("|")))
        }
        one => literally(one),
    }
}

/// A text between quotes.
fn between(text: &str, mark: char, quoting: &Quoting) -> Result<String, Fault> {
    if quoting.raw == Some(mark) {
        return if text.contains(mark) {
            Err(Fault::conversion(format!("a value with a `{mark}` in it cannot stand between two of them"))
                .help("put the text between double quotes"))
        } else {
            Ok(text.to_owned())
        };
    }
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\\' => written.push_str("\\\\"),
            c if c == mark => written.extend(['\\', c]),
            c => written.push(c),
        }
    }
    Ok(written)
}

/// A number, or a duration where the language has some.
fn number(value: &Value, quoting: &Quoting) -> Result<String, Fault> {
    let value = value.clone().plainly();
    let milliseconds = match &value {
        Value::Duration(duration) if quoting.durations => Some(duration.as_millis()),
        _ => None,
    };
    match milliseconds {
        Some(milliseconds) if milliseconds > 0 => Ok(format!("{milliseconds}ms")),
        Some(_) => Err(Fault::conversion(format!("a duration in {} is longer than nothing", quoting.language))),
        None => {
            let text = plain(&value)?;
            if text.parse::<f64>().is_ok_and(f64::is_finite) {
                Ok(text)
            } else {
                let message = format!("`{text}` stands outside of quotes, where only a number can");
                Err(Fault::new(FaultKind::Setup, message)
                    .help(format!("put quotes around the value: `{}`", quoting.example)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use crate::builtins::elasticsearch::LUCENE;
    use crate::builtins::prometheus::PROMQL;
    use crate::catalog::Quoting;
    use crate::types::{Piece, Template, Value};
    use jiff::SignedDuration;

    fn of(quoting: &'static Quoting, before: &str, value: Value, behind: &str) -> Result<String, String> {
        let pieces = vec![Piece::Text(before.into()), Piece::Value(value), Piece::Text(behind.into())];
        quoted(&Template { pieces }, quoting).map_err(|fault| fault.message.to_string())
    }

    #[test]
    fn a_value_cannot_end_its_quotes() {
        let promql = |before, value: &str, behind| of(&PROMQL, before, Value::string(value), behind).unwrap();
        assert_eq!(promql("up{job=\"", "a\"} or up{x=\"", "\"}"), r#"up{job="a\"} or up{x=\""}"#);
        assert_eq!(promql("up{job='", "a'\\", "'}"), r"up{job='a\'\\'}");
        assert_eq!(promql("up{job=\"", "a\nb", "\"}"), r#"up{job="a\nb"}"#);
        // A backslash before the value would take the escape from its quote.
        assert_eq!(promql("up{job=\"\\\\", "\"", "\"}"), r#"up{job="\\\""}"#);
        assert!(of(&PROMQL, "up{job=`", Value::string("a`b"), "`}").is_err());
        assert_eq!(of(&LUCENE, "host:\"", Value::string("a\" OR *:*"), "\"").unwrap(), "host:\"a\\\" OR *:*\"");
    }

    #[test]
    fn in_a_pattern_a_value_stands_for_itself() {
        let promql = |value| of(&PROMQL, "up{job=~\"", value, "\"}");
        assert_eq!(promql(Value::string("a.*")).unwrap(), r#"up{job=~"a\\.\\*"}"#);
        let list = Value::list(vec![Value::string("a"), Value::string("b|c")]);
        assert_eq!(promql(list).unwrap(), r#"up{job=~"(?:a|b\\|c)"}"#);
        assert!(promql(Value::list(Vec::new())).is_err());
    }

    #[test]
    fn outside_of_quotes_stand_numbers_and_durations() {
        let promql = |value| of(&PROMQL, "rate(x[", value, "])");
        assert_eq!(promql(Value::Duration(SignedDuration::from_mins(5))).unwrap(), "rate(x[300000ms])");
        assert_eq!(of(&PROMQL, "up > ", Value::Percent(0.05), "").unwrap(), "up > 0.05");
        assert!(of(&PROMQL, "up > ", Value::string("0 or up"), "").is_err());
        assert!(of(&PROMQL, "up{", Value::string("job"), "=\"x\"}").is_err());
        assert!(of(&PROMQL, "up > ", Value::string("inf"), "").is_err());
        assert!(of(&LUCENE, "took:>", Value::Duration(SignedDuration::from_mins(5)), "").is_err());
    }
}
