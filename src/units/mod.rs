//! Dimensions and units: what `10GiB`, `1h30m` and `3/min` say, and how they are written back.

mod parse;
mod write;
mod zone;

pub use self::parse::{QuantityFault, parse_percent, parse_quantity, parse_rate};
pub use self::write::{
    MANY, duration, fixed, number, number_to, percent, percent_to, rate, rate_to, size, size_to, whole_duration,
    whole_percent,
};
pub use self::zone::{zone, zones};

/// What is counted per time in a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Counted {
    /// Things: `3/min`.
    Items,
    /// Bytes: `10MiB/s`.
    Bytes,
}

/// A number with its unit, in the base unit of its dimension.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// Nanoseconds.
    Duration(i64),
    /// Bytes.
    Size(i64),
    /// CPU cores.
    Cores(f64),
    /// Per second.
    Rate(f64, Counted),
}

/// How units are written elsewhere, and how here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("nsec", "ns"),
    ("usec", "us"),
    ("µs", "us"),
    ("μs", "us"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("millisecond", "ms"),
    ("milliseconds", "ms"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("week", "w"),
    ("weeks", "w"),
    ("byte", "B"),
    ("bytes", "B"),
    ("K", "kB"),
    ("M", "MB"),
    ("G", "GB"),
    ("T", "TB"),
    ("Ki", "KiB"),
    ("Mi", "MiB"),
    ("Gi", "GiB"),
    ("Ti", "TiB"),
    ("cpu", "cores"),
    ("cpus", "cores"),
    ("percent", "%"),
    ("pct", "%"),
];

/// The unit that is meant by another way to write it; the case of a unit is part of it, of a word it is not.
#[must_use]
pub fn meant(written: &str) -> Option<&'static str> {
    let own = UNITS.iter().map(|(unit, _)| *unit).find(|unit| unit.eq_ignore_ascii_case(written));
    let exact = ELSEWHERE.iter().find(|(word, _)| *word == written);
    let word = || ELSEWHERE.iter().find(|(word, _)| word.len() > 2 && word.eq_ignore_ascii_case(written));
    own.or_else(|| exact.or_else(word).map(|(_, unit)| *unit))
}

/// Every unit that a number may carry, with what it measures: for messages and completion.
pub const UNITS: &[(&str, &str)] = &[
    ("ns", "duration"),
    ("us", "duration"),
    ("ms", "duration"),
    ("s", "duration"),
    ("m", "duration"),
    ("min", "duration"),
    ("h", "duration"),
    ("d", "duration"),
    ("w", "duration"),
    ("B", "size"),
    ("kB", "size"),
    ("MB", "size"),
    ("GB", "size"),
    ("TB", "size"),
    ("PB", "size"),
    ("KiB", "size"),
    ("MiB", "size"),
    ("GiB", "size"),
    ("TiB", "size"),
    ("PiB", "size"),
    ("core", "cores"),
    ("cores", "cores"),
];
