//! What a text of data spells. JSON and the cells of a table have texts for numbers and times, and those have another order
//! than texts have.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::{Fault, Value};
use crate::units;

impl Value {
    /// The value as it is put in order: data as what it plainly is, and a text of it that spells an instant or an interval
    /// as that.
    ///
    /// # Errors
    /// Where a text of data, or one that was taken out of a longer one, spells a number or a version. In the order of texts
    /// 10 comes before 9, and nobody has said which is meant. An interval of months has no one length.
    pub fn ordered(self) -> Result<Self, Fault> {
        if let Self::String(text) = &self {
            return match spelled(text).filter(|_| text.is_part()) {
                Some(unit) => Err(unordered(text).help(as_number(text, unit))),
                None if text.is_part() && is_version(text) => Err(unordered_version(text)),
                None if text.is_part() && begins_with_number(text) => Err(unordered_beginning(text)),
                None => Ok(self),
            };
        }
        let Self::Data(data) = &self else { return Ok(self) };
        let Json::String(text) = data.as_ref() else { return Ok(self.plainly()) };
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::Time(time));
        }
        if let Some(interval) = Interval::of(text) {
            return interval.length(text).map(Self::Duration);
        }
        match spelled(text) {
            Some("") if is_number(text) => Err(unordered(text)
                .help(format!("{}; a tool says in its type what a column is: `…: int`", as_number(text, "")))),
            Some(unit) => Err(unordered(text).help(as_number(text, unit))),
            None if is_version(text) => Err(unordered_version(text)),
            None if begins_with_number(text) => Err(unordered_beginning(text)),
            None => Ok(self.plainly()),
        }
    }

    /// A text beside a duration or an instant as the one that it spells: `age < "12:00:00"`. Two that spell a time of no
    /// zone are in the order of these, however they are written.
    ///
    /// # Errors
    /// Where it is an interval of months, or a time without a zone beside an instant.
    pub fn beside_in_order(self, other: &Self) -> Result<Self, Fault> {
        match (&self, other) {
            (Self::String(text), Self::Time(_)) => match text.trim().parse::<Timestamp>() {
                Ok(time) => Ok(Self::Time(time)),
                // A day begins at another instant in each zone; the days themselves have the order of texts.
                Err(_) if local(text).is_none() => Ok(self),
                Err(_) => {
                    Err(Fault::conversion(format!("the text \"{text}\" is a time without a zone, beside an instant"))
                        .help("write the instant without quotes, with its zone: `2026-11-28T11:00:00Z`"))
                }
            },
            (Self::String(text), Self::String(other)) => match (local(text), local(other)) {
                (Some(time), Some(_)) => TimeZone::UTC
                    .to_ambiguous_timestamp(time)
                    .compatible()
                    .map(Self::Time)
                    .map_err(|_| Fault::no_value(format!("the text \"{text}\" is a time that cannot be"))),
                _ => Ok(self),
            },
            (Self::String(text), Self::Duration(_)) => match Interval::of(text) {
                Some(interval) => interval.length(text).map(Self::Duration),
                None => Ok(self),
            },
            _ => Ok(self),
        }
    }
}

/// An interval as PostgreSQL writes it, `1 year 2 mons -3 days +04:05:06.5`, or as people write it to it: `3 hours`.
#[derive(Default)]
struct Interval {
    months: bool,
    nanoseconds: i128,
}

impl Interval {
    fn of(text: &str) -> Option<Self> {
        const SECOND: i128 = 1_000_000_000;
        let mut interval = Self::default();
        let mut words = text.split(' ');
        let mut word = words.next().filter(|word| !word.is_empty())?;
        loop {
            if word.contains(':') {
                interval.nanoseconds += clock(word)?;
                return words.next().is_none().then_some(interval);
            }
            let count: i32 = word.parse().ok()?;
            let seconds = match words.next()? {
                "second" | "seconds" | "sec" | "secs" => 1,
                "minute" | "minutes" | "min" | "mins" => 60,
                "hour" | "hours" | "hr" | "hrs" => 3600,
                "day" | "days" => 86_400,
                "week" | "weeks" => 604_800,
                "mon" | "mons" | "month" | "months" | "year" | "years" => {
                    interval.months = true;
                    0
                }
                _ => return None,
            };
            interval.nanoseconds += i128::from(count) * seconds * SECOND;
            match words.next() {
                Some(next) => word = next,
                None => return Some(interval),
            }
        }
    }

    fn length(&self, text: &str) -> Result<SignedDuration, Fault> {
        if self.months {
            return Err(Fault::conversion(format!("\"{text}\" has months, which have no one length, and so no order"))
                .help("let SQL say how long it is: `extract(epoch FROM …) AS seconds`"));
        }
        let seconds =
            i64::try_from(self.nanoseconds / 1_000_000_000).map_err(|_| Fault::conversion("it is too long"))?;
        let rest = i32::try_from(self.nanoseconds % 1_000_000_000).unwrap_or_default();
        Ok(SignedDuration::new(seconds, rest))
    }
}

/// `-04:05:06.5` in nanoseconds.
fn clock(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut parts = digits.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i128>().ok()).flatten();
    let is_clock = parts.next().is_none() && minutes.len() == 2 && seconds.len() == 2 && fraction.len() <= 9;
    if !is_clock || hours.len() < 2 {
        return None;
    }
    let fraction = number(&format!("{fraction:0<9}"))?;
    let seconds = number(hours)? * 3600 + number(minutes)? * 60 + number(seconds)?;
    Some(sign * (seconds * 1_000_000_000 + fraction))
}

/// Whether a text spells a version: three numbers or more with dots between, or two behind a `v` or before a suffix. An
/// address of four numbers is none.
#[must_use]
pub fn is_version(text: &str) -> bool {
    let text = text.trim();
    let (has_v, rest) = text.strip_prefix('v').map_or((false, text), |rest| (true, rest));
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (numbers, suffix) = rest.split_at(end);
    let parts: Vec<&str> = numbers.split('.').collect();
    // `2026.11.27` has the order of texts.
    let is_date = matches!(parts.as_slice(), [year, month, day] if (year.len(), month.len(), day.len()) == (4, 2, 2));
    let suffixed = suffix.starts_with(['-', '+', '~', '_']);
    parts.iter().all(|part| !part.is_empty())
        && (suffix.is_empty() || suffixed)
        && parts.len() >= if has_v || suffixed { 2 } else { 3 }
        && !is_date
        && (has_v || suffixed || text.parse::<std::net::Ipv4Addr>().is_err())
}

fn unordered_version(text: &str) -> Fault {
    Fault::conversion(format!(
        "the text \"{text}\" spells a version, and the order of texts is another one: \"1.10\" is before \"1.9\""
    ))
    .help("compare its numbers: `(.… | capture(/(\\d+)/) ?? \"0\") | parse_json` is the first, and `\"{.…}\"` the text")
}

/// A date with a time on a wall, of no zone.
fn local(text: &str) -> Option<DateTime> {
    let text = text.trim();
    // A date alone is one, too.
    text.parse().ok().filter(|_| text.contains(':') && text.parse::<Timestamp>().is_err())
}

/// Whether more stands behind a number, as in `12 (3m4s ago)` and `15.18 (Debian)`.
fn begins_with_number(text: &str) -> bool {
    let first = text.trim().split_once(char::is_whitespace).map(|(first, _)| first);
    first.is_some_and(|first| spelled(first).is_some() || is_version(first))
}

fn unordered_beginning(text: &str) -> Fault {
    Fault::conversion(format!(
        "the text \"{text}\" begins with a number, and the order of texts is another one: \"10\" is before \"9\""
    ))
    .help("`.… | words | first` is what it begins with: read it by `parse_json` or `parse_duration`; `\"{.…}\"` is the text")
}

/// Whether a text spells a duration, or an interval of PostgreSQL.
#[must_use]
pub fn is_duration(text: &str) -> bool {
    let text = text.trim();
    Interval::of(text).is_some() || matches!(units::parse_quantity(text), Ok(units::Quantity::Duration(_)))
}

/// Whether a text spells a number, with a unit or without.
#[must_use]
pub fn is_quantity(text: &str) -> bool {
    spelled(text).is_some()
}

fn unordered(text: &str) -> Fault {
    Fault::conversion(format!(
        "the text \"{text}\" spells a number, and the order of texts is another one: \"10\" is before \"9\""
    ))
}

/// How the number is read that a text spells. `.…` is the field: [`Fault::about`].
fn as_number(text: &str, unit: &str) -> String {
    if is_duration(text) {
        return "`.… | parse_duration` is the duration, and `\"{.…}\"` the text".to_owned();
    }
    let mut read = String::from(".…");
    for letters in [unit, ","].into_iter().filter(|letters| !letters.is_empty() && text.contains(letters)) {
        read.push_str(" | replace(\"");
        read.push_str(letters);
        read.push_str("\", \"\")");
    }
    format!("`{read} | parse_json` is the number, and `\"{{.…}}\"` the text")
}

/// The unit of the number that a text spells, empty where it has none; `None` where it spells no number.
fn spelled(text: &str) -> Option<&str> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if digits.parse::<f64>().is_ok() {
        return Some("");
    }
    let end = digits.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '_')).unwrap_or(digits.len());
    let (number, unit) = digits.split_at(end);
    let is_number = number.chars().filter(|c| *c == '.').count() <= 1;
    if units::parse_quantity(digits).is_ok() {
        return Some(unit);
    }
    let is_unit = unit.is_empty() || unit.trim() == "%" || units::meant(unit.trim()).is_some();
    (is_number && is_unit).then_some(unit)
}

/// What to do where a number is wanted and a text spells one. `.…` is the field: [`Fault::about`].
pub const IN_A_TEXT: &str =
    "`.… | parse_json` reads the number in a text; a tool says in its type what a column is: `…: int`";

/// Whether a text is one JSON number, which `parse_json` reads.
#[must_use]
pub fn is_number(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Json::Number(_)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{is_version, spelled};
    use crate::types::Value;

    #[test]
    fn what_begins_with_a_number_has_no_order_and_what_is_called_so_has() {
        for text in
            ["12 (3m4s ago)", "15.18 (Debian 15.18-0)", "9 hours ago", "9.6.24 (Debian)", "4d2h", "1m5s", "10d4h"]
        {
            assert!(Value::part(text).ordered().is_err(), "{text}");
            assert!(Value::Data(Arc::new(text.into())).ordered().is_err(), "{text}");
        }
        for text in ["2026-11-28 10:00:00 started", "7f9c-abc", "3com card", "28/Nov/2026", "10.0.0.1 web", "api-1 x"] {
            assert!(Value::part(text).ordered().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_spells_a_number_is_told_apart_from_names() {
        for (text, unit) in [
            ("10", ""),
            ("-3.5", ""),
            (" 7 ", ""),
            ("1e3", ""),
            ("1,204", ""),
            ("45%", "%"),
            ("10G", "G"),
            ("5 MB", " MB"),
        ] {
            assert_eq!(spelled(text), Some(unit), "{text}");
        }
        for text in ["", "-", "a", "10.0.0.1", "1.2.3", "2026-11-27", "08:00", "3rd", "a10", "10-20", "inf", "nan"] {
            assert_eq!(spelled(text), None, "{text}");
        }
    }

    #[test]
    fn a_version_is_told_apart_from_names_and_addresses() {
        for text in ["1.2.3", "v1.9", "v1.10.0", "5.4.0-42-generic", "5.10-rc1", "120.0.6099.71", "1.27.3+k3s1"] {
            assert!(is_version(text), "{text}");
        }
        for text in [
            "",
            "v",
            "1.5",
            "10",
            "10.0.0.1",
            "web-1.2",
            "2026-11-27",
            "1..2",
            "v2",
            "a.b.c",
            "1.2.x",
            "3-4",
            "2026.11.27",
        ] {
            assert!(!is_version(text), "{text}");
        }
    }

    #[test]
    fn an_interval_has_the_order_of_durations() {
        let ordered = |text: &str| Value::Data(Arc::new(serde_json::json!(text))).ordered();
        for (text, seconds) in [
            ("1 day 00:00:01", 86_401),
            ("10:00:00", 36_000),
            ("-1 days +02:00:00", -79_200),
            ("45 days", 45 * 86_400),
            ("100:00:00", 360_000),
            ("-00:00:05", -5),
        ] {
            let Value::Duration(length) = ordered(text).unwrap() else { panic!("{text}") };
            assert_eq!(length.as_secs(), seconds, "{text}");
        }
        assert!(ordered("1 mon").unwrap_err().message.contains("months"));
        assert!(ordered("1 year 3 days 00:00:01").is_err());
        for text in ["3 pods", "08:00", "day", "1 day ago", "1 day 2"] {
            assert!(matches!(ordered(text), Ok(Value::String(_)) | Err(_)), "{text}");
        }
    }

    #[test]
    fn an_instant_is_one_however_its_zone_is_written() {
        let time = |text: &str| Value::Data(Arc::new(serde_json::json!(text))).ordered().unwrap();
        assert!(matches!(time("2026-11-27T23:00:00+01:00"), Value::Time(_)));
        assert!(matches!(time("2026-11-27"), Value::String(_)));
        assert!(
            matches!(Value::string("10").ordered().unwrap(), Value::String(_)),
            "what is a text by its type is one"
        );
    }

    #[test]
    fn what_was_taken_out_of_a_text_is_a_number_where_it_spells_one() {
        let help = |text: &str| Value::part(text).ordered().unwrap_err().help.unwrap_or_default().to_string();
        assert_eq!(help("10"), "`.… | parse_json` is the number, and `\"{.…}\"` the text");
        assert!(help("1,204%").starts_with("`.… | replace(\"%\", \"\") | replace(\",\", \"\") | parse_json`"));
        assert!(matches!(Value::part("web-1").ordered().unwrap(), Value::String(_)));
    }
}
