//! `--set name=value`: a text from the command line as a value of a param's type.

use jiff::{Timestamp, civil};

use super::literals::{clock, pattern, value_of};
use super::wording::{a, alternatives};
use crate::diagnostics::nearest;
use crate::types::{Type, Value};
use crate::units::{self, Counted, Quantity, QuantityFault, parse_percent, parse_quantity, parse_rate};

/// The value that a text says for a param: text as it is, numbers with their unit, `a,b` for a list.
///
/// # Errors
/// Why the text is no value of the type, with what to write.
pub fn setting(ty: &Type, text: &str) -> Result<Value, String> {
    match ty {
        Type::Optional(inner) if text.is_empty() || text == "null" => {
            Ok(if inner.is_text() && text == "null" { Value::string(text) } else { Value::Null })
        }
        Type::Optional(inner) => setting(inner, text),
        Type::List(_) if text.is_empty() => Ok(Value::list(Vec::new())),
        // Taken as it is, it would be one item with brackets and quotes in it.
        Type::List(_) if is_bracketed(text) || text.split(',').any(is_quoted) => {
            Err("a list is written without brackets and quotes, as `a,b`".to_owned())
        }
        Type::List(item) => {
            text.split(',').map(|part| setting(item, part.trim())).collect::<Result<_, _>>().map(Value::list)
        }
        Type::String => Ok(Value::string(text)),
        Type::Enum(words) if words.values.contains(&text) || words.open => Ok(Value::string(text)),
        Type::Enum(words) => Err(match nearest(text, words.values.iter().copied()) {
            Some(meant) => format!("there is no `{text}`; did you mean `{meant}`?"),
            None => format!("there is no `{text}`; write {}", alternatives(words.values.iter().copied())),
        }),
        _ => value(ty, text.trim()).ok_or_else(|| refusal(ty, text)),
    }
}

/// Whether a text is written as a list in a program, or begins as one. `[::1]:80` is none.
fn is_bracketed(text: &str) -> bool {
    let text = text.trim();
    let is_json = || serde_json::from_str::<Vec<serde_json::Value>>(text).is_ok();
    let is_torn = |part: &str| part.matches('[').count() != part.matches(']').count();
    text.starts_with('[') && (is_json() || text.split(',').any(is_torn))
}

/// Whether an item begins or ends with a quote, as it does in a program.
fn is_quoted(part: &str) -> bool {
    let part = part.trim();
    part.starts_with('"') || part.ends_with('"')
}

/// `/error/i` as it is written in a program.
fn regex(text: &str) -> Option<Value> {
    let (source, flags) = text.strip_prefix('/')?.rsplit_once('/')?;
    // A slash that is written with a `\\` in a program.
    pattern(&source.replace("\\/", "/"), flags).ok().map(Value::Regex)
}

fn value(ty: &Type, text: &str) -> Option<Value> {
    let digits = || text.replace('_', "");
    let float = || digits().parse::<f64>().ok().filter(|value| value.is_finite());
    match ty {
        Type::Bool => match text {
            "true" | "yes" => Some(Value::Bool(true)),
            "false" | "no" => Some(Value::Bool(false)),
            _ => None,
        },
        Type::Int => digits().parse().ok().map(Value::Int),
        Type::Float => float().map(Value::Float),
        Type::Percent if text.ends_with('%') => {
            parse_percent(text).ok().filter(|ratio| ratio.is_finite()).map(Value::Percent)
        }
        Type::Duration | Type::Size | Type::Cores => quantity(ty, text),
        Type::Rate(_) => parse_rate(text).ok().map(value_of).filter(|(_, found)| found == ty).map(|(value, _)| value),
        Type::Time => text.parse::<Timestamp>().ok().map(Value::Time),
        Type::Date => text.parse::<civil::Date>().ok().map(Value::Date),
        Type::Clock => clock(text).map(Value::Clock),
        Type::Regex => regex(text),
        Type::Data => serde_json::from_str(text).ok().map(|data| Value::Data(std::sync::Arc::new(data))),
        _ => None,
    }
}

fn quantity(ty: &Type, text: &str) -> Option<Value> {
    // Nothing but digits before letters, in turn, is what the language's own numbers with units look like.
    let shaped = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_'));
    let (value, found) = value_of(parse_quantity(text).ok().filter(|_| shaped)?);
    (found == *ty).then_some(value)
}

fn refusal(ty: &Type, text: &str) -> String {
    let wanted = format!("`{text}` is not {}", a(ty));
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    match ty {
        Type::Percent if bare => match text.parse::<f64>() {
            // The ratio that a percent is, or a part of a percent: nobody but the writer knows.
            Ok(ratio) if ratio > 0.0 && ratio <= 1.0 => {
                format!("`{text}` what? write `{}` for the ratio, or `{text}%`", units::percent(ratio))
            }
            _ => format!("`{text}` what? write `{text}%`"),
        },
        Type::Duration if bare => format!("`{text}` what? write a duration, e.g. `{text}s` or `{text}m`"),
        Type::Size if bare => format!("`{text}` what? write a size, e.g. `{text}GiB`"),
        Type::Cores if bare => format!("`{text}` what? write `{text}cores`"),
        Type::Duration => with_unit(&wanted, text, "duration", "15m, 1h30m"),
        Type::Size => with_unit(&wanted, text, "size", "10GiB, 500MB"),
        Type::Bool => format!("{wanted}; write `true` or `false`"),
        Type::Int => format!("{wanted}; write a whole number"),
        Type::Percent => format!("{wanted}; write e.g. `5%`"),
        Type::Rate(Counted::Items) => format!("{wanted}; write e.g. `3/min`"),
        Type::Rate(Counted::Bytes) => format!("{wanted}; write e.g. `10MiB/s`"),
        Type::Date => format!("{wanted}; write e.g. `2025-09-09`"),
        Type::Time => format!("{wanted}; write e.g. `2025-09-09T08:00:00Z`"),
        Type::Clock => format!("{wanted}; write e.g. `08:00`"),
        Type::Data => format!("{wanted}; write JSON"),
        Type::Regex => format!("{wanted}; write it between slashes, e.g. `/error/i`"),
        Type::Record(_) => format!("{wanted}, and a record cannot be given on the command line"),
        _ => wanted,
    }
}

fn with_unit(wanted: &str, text: &str, measures: &str, examples: &str) -> String {
    match parse_quantity(text) {
        Err(QuantityFault::UnknownUnit(unit)) if !unit.is_empty() && unit != text => {
            // `500M` is no duration where a size is wanted.
            let measured = |meant: &&str| units::UNITS.iter().any(|(known, what)| known == meant && *what == measures);
            let as_size = (measures == "size").then(|| units::meant(&format!("{unit}B"))).flatten();
            let meant = units::meant(&unit).filter(measured).or(as_size.filter(measured));
            let example = meant.map(|meant| format!("`{}`", text.replace(&unit, meant)));
            format!("{wanted}: there is no unit `{unit}`; write e.g. {}", example.as_deref().unwrap_or(examples))
        }
        Err(QuantityFault::Overflow) => format!("{wanted}: it is too large"),
        Ok(Quantity::Duration(_) | Quantity::Size(_) | Quantity::Cores(_) | Quantity::Rate(..)) | Err(_) => {
            format!("{wanted}; write e.g. {examples}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::setting;
    use crate::types::{Counted, Type, Value};

    #[test]
    fn a_list_in_brackets_is_not_cut_at_its_commas() {
        let texts = Type::list(Type::String);
        for wrong in ["[\"a\", \"b\"]", "[\"a\",1]", "[", "[a, b]", " [a,b]", &"[".repeat(50_000)] {
            assert!(setting(&texts, wrong).is_err(), "{}", &wrong[..wrong.len().min(20)]);
        }
        assert!(setting(&texts, "a,\"b\"").is_err(), "it would be a text with quotes");
        for fine in ["[::1]:80,b", "a[0],b[1]"] {
            assert!(setting(&texts, fine).is_ok(), "{fine}");
        }
    }

    #[test]
    fn texts_become_values_of_the_type() {
        let cases: Vec<(Type, &str, Value)> = vec![
            (Type::String, "a, b", Value::string("a, b")),
            (Type::Int, "3", Value::Int(3)),
            (Type::Bool, "true", Value::Bool(true)),
            (Type::Percent, "5%", Value::Percent(0.05)),
            (Type::Duration, "1h30m", Value::Duration(SignedDuration::from_mins(90))),
            (Type::Size, "1GiB", Value::Size(1 << 30)),
            (Type::list(Type::String), "a, b", Value::list(vec![Value::string("a"), Value::string("b")])),
            (Type::list(Type::String), "", Value::list(Vec::new())),
            (Type::Optional(Arc::new(Type::Int)), "", Value::Null),
        ];
        for (ty, text, wanted) in cases {
            let found = setting(&ty, text).unwrap();
            assert!(found.equals(&wanted) && found.kind() == wanted.kind(), "{text}: {found:?}");
        }
    }

    #[test]
    fn a_regex_is_written_as_in_a_program() {
        for (text, wanted) in [("/Y/i", "(?i)Y"), (r"/a\/b/", "a/b")] {
            assert!(
                matches!(setting(&Type::Regex, text), Ok(Value::Regex(regex)) if regex.as_str() == wanted),
                "{text}"
            );
        }
        assert!(setting(&Type::Regex, "Y").is_err_and(|message| message.contains("between slashes")));
        assert!(setting(&Type::Regex, "/(/").is_err());
    }

    #[test]
    fn texts_that_are_none_say_what_to_write() {
        for (ty, text, part) in [
            (Type::Percent, "80", "write `80%`"),
            (Type::Percent, "0.9", "write `90%` for the ratio, or `0.9%`"),
            (Type::Rate(Counted::Bytes), "3/min", "10MiB/s"),
            (Type::Duration, "15", "15s"),
            (Type::Duration, "15x", "`x`"),
            (Type::Size, "1h", "10GiB"),
            (Type::Size, "500M", "write e.g. `500MB`"),
            (Type::Size, "5G", "write e.g. `5GB`"),
            (Type::Duration, "5M", "write e.g. `5m`"),
            (Type::Int, "many", "whole number"),
            (Type::list(Type::Int), "1,x", "`x`"),
        ] {
            let message = setting(&ty, text).unwrap_err();
            assert!(message.contains(part), "{message}");
        }
    }
}
