//! Values inside texts, as their format says.

use std::fmt::{self, Write};

use jiff::tz::TimeZone;

use crate::check::program::Format;
use crate::types::{Fault, FaultKind, Value};

/// How long a text that is made of others may be: a log holds more, and is no text.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// A text up to a number of bytes; writing more of it fails.
struct Bounded {
    text: String,
    most: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = self.most.saturating_sub(self.text.len());
        self.text.push_str(piece.get(..piece.floor_char_boundary(room)).unwrap_or(piece));
        if piece.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

/// A value as text up to a number of bytes, and whether that is all of it. A list of lists of lists is long soon.
pub(super) fn beginning(value: &Value, most: usize) -> (String, bool) {
    let mut bounded = Bounded { text: String::new(), most };
    let is_whole = write!(bounded, "{value}").is_ok();
    (bounded.text, is_whole)
}

/// That a text is longer than it may be.
pub(super) fn too_long() -> Fault {
    Fault::new(FaultKind::TooLarge, "a text of more than 64MiB").help("show the parts one by one, or fewer of them")
}

/// An interpolated value as text. Times are written in the runbook's own zone.
pub(crate) fn written(value: &Value, format: Option<&Format>, zone: &TimeZone) -> Result<String, Fault> {
    let value = value.clone().plainly().read()?;
    match format {
        None => match beginning(&value, MAX_BYTES) {
            (text, true) => Ok(text),
            (_, false) => Err(too_long()),
        },
        Some(Format::Whole) if value.is_missing() => {
            Err(Fault::no_value("a missing value has no place in a text that may go to a program")
                .help("say what stands in for it: `{x ?? \"none\"}`"))
        }
        Some(Format::Whole) => match value.whole() {
            text if text.len() <= MAX_BYTES => Ok(text),
            _ => Err(too_long()),
        },
        Some(Format::Name) => Ok(as_a_name(&written(&value, Some(&Format::Whole), zone)?)),
        Some(Format::Time(pattern)) => moment(&value, pattern, zone),
        Some(Format::Number { decimals, grouped }) => number(&value, *decimals, *grouped),
    }
}

/// A text in which no character is a wildcard of files.
fn as_a_name(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '?' | '[') {
            name.extend(['[', c, ']']);
        } else {
            name.push(c);
        }
    }
    name
}

fn moment(value: &Value, pattern: &str, zone: &TimeZone) -> Result<String, Fault> {
    use jiff::fmt::strtime;
    let written = match value {
        Value::Time(time) => strtime::format(pattern, &time.to_zoned(zone.clone())),
        Value::Date(date) => strtime::format(pattern, *date),
        Value::Clock(clock) => strtime::format(pattern, *clock),
        other => return Err(Fault::conversion(format!("`{pattern}` writes times, and this is {}", other.kind()))),
    };
    written.map_err(|error| Fault::conversion(format!("`{pattern}` cannot write {value}: {error}")))
}

fn number(value: &Value, decimals: Option<u8>, grouped: bool) -> Result<String, Fault> {
    let (plain, unit) = match value {
        Value::Int(whole) => (with_decimals(whole.to_string(), decimals), ""),
        Value::Data(data) if data.is_number() => (with_decimals(data.to_string(), decimals), ""),
        Value::Percent(ratio) => (of_hundred(*ratio, decimals), "%"),
        Value::Float(number) => (fixed(*number, decimals), ""),
        Value::Cores(cores) => (fixed(*cores, decimals), " cores"),
        // With a unit that is chosen to read well, the digits are chosen with it.
        Value::Size(_) | Value::Duration(_) | Value::Rate(..) => return Ok(value.to_string()),
        other => {
            return Err(Fault::conversion(format!("a number's format is for numbers, and this is {}", other.kind())));
        }
    };
    Ok(format!("{}{unit}", if grouped { by_thousands(&plain) } else { plain }))
}

/// A whole number, all of whose digits stay.
fn with_decimals(digits: String, decimals: Option<u8>) -> String {
    match decimals {
        None | Some(0) => digits,
        Some(decimals) => format!("{digits}.{}", "0".repeat(usize::from(decimals))),
    }
}

fn fixed(value: f64, decimals: Option<u8>) -> String {
    match decimals {
        Some(decimals) => crate::units::fixed(value, usize::from(decimals)),
        None => crate::units::number(value),
    }
}

/// A ratio as a percent, rounded as it is: 28.5% is no 28.499999999999996.
fn of_hundred(ratio: f64, decimals: Option<u8>) -> String {
    let Some(decimals) = decimals else { return fixed(ratio * 100.0, None) };
    let rounded = crate::units::fixed(ratio, usize::from(decimals) + 2).parse().unwrap_or(ratio);
    fixed(rounded * 100.0, Some(decimals))
}

fn by_thousands(plain: &str) -> String {
    let (sign, digits) = plain.strip_prefix('-').map_or(("", plain), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let mut grouped = String::from(sign);
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if let Some(fraction) = fraction {
        grouped.push('.');
        grouped.push_str(fraction);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::written;
    use crate::check::program::Format;
    use crate::types::Value;
    use jiff::tz::TimeZone;

    #[test]
    fn writes_numbers_and_times_as_their_format_says() {
        let number = |value, decimals, grouped| {
            written(&value, Some(&Format::Number { decimals, grouped }), &TimeZone::UTC).unwrap()
        };
        assert_eq!(number(Value::Int(-1_234_567), None, true), "-1,234,567");
        assert_eq!(number(Value::Percent(0.123_45), Some(1), false), "12.3%");
        assert_eq!(number(Value::Float(1234.5), Some(2), true), "1,234.50");
        assert_eq!(number(Value::Percent(0.285), Some(0), false), "29%");
        assert_eq!(number(Value::Float(2.5), Some(0), false), "3");
        let time = Value::Time("2025-09-09T22:30:00Z".parse().unwrap());
        let zone = crate::units::zone("Europe/Berlin").unwrap();
        assert_eq!(written(&time, Some(&Format::Time("%Y/%m/%d %H".into())), &zone).unwrap(), "2025/09/10 00");
    }
}
