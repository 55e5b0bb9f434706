//! Dimensions and units: what `10GiB`, `1h30m` and `3/min` say, and how they are written back.

mod parse;
mod write;

pub use self::parse::{QuantityFault, parse_percent, parse_quantity, parse_rate};
pub use self::write::{duration, number, percent, rate, size};

/// What is counted per time in a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
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
