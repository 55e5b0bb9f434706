//! Types, values and faults: what an expression can be, and what it gives.

mod digits;
mod fault;
mod fields;
mod labels;
mod measure;
mod number;
mod record;
mod regex;
mod scan;
mod severity;
mod spelled;
mod text;
mod typed;
mod value;

use std::fmt;
use std::sync::Arc;

pub use self::fault::{Fault, FaultKind};
pub use self::fields::{Record, Shape};
pub use self::labels::{Labels, labels_text};
pub use self::measure::Measure;
pub use self::number::Number;
pub use self::record::{Field, RecordType};
pub use self::regex::Regex;
pub use self::scan::{Answer, Condition, End, Part, Query, Scanner};
pub use self::severity::Severity;
pub use self::spelled::{IN_A_TEXT, is_duration, is_number, is_quantity, is_version};
pub use self::text::Text;
pub(crate) use self::typed::records;
pub use self::typed::{Cores, FromValue, Percent, Rate, Size, Typed, Word, Words};
pub use self::value::{Connection, Line, Log, LogReader, Partial, Piece, SecretText, Template, Value, Way};
pub use crate::units::Counted;

/// What an expression gives. Units are part of the type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Type {
    Bool,
    Int,
    Float,
    /// A ratio, written and shown as a percent: `5%` is 0.05.
    Percent,
    Duration,
    Size,
    Cores,
    Rate(Counted),
    String,
    /// Text whose values are known: a pod's status, a unit's state.
    Enum(&'static EnumType),
    Regex,
    /// An instant.
    Time,
    Date,
    /// A time of day.
    Clock,
    /// JSON or an SQL cell: converted strictly to the type that is wanted.
    Data,
    Secret,
    /// The type of `null`.
    Null,
    List(Arc<Type>),
    Record(Arc<RecordType>),
    /// May be missing: `T?`.
    Optional(Arc<Type>),
    /// A connection, by its driver: `http`, `postgres`.
    Connection(Arc<str>),
    /// After an error that has been reported: agrees with everything.
    Unknown,
}

impl Type {
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List(Arc::new(item))
    }

    /// `T?`. Missing is not nested: `T??` is `T?`.
    #[must_use]
    pub fn optional(self) -> Self {
        match self {
            Self::Optional(_) | Self::Null | Self::Unknown => self,
            other => Self::Optional(Arc::new(other)),
        }
    }

    /// The type of a field that holds the way to what its record is of: see [`Way`].
    #[must_use]
    pub fn way() -> Self {
        Self::Connection(Arc::from(Way::NAME))
    }

    /// The type without its `?`.
    #[must_use]
    pub fn present(&self) -> &Self {
        match self {
            Self::Optional(inner) => inner,
            other => other,
        }
    }

    #[must_use]
    pub const fn is_optional(&self) -> bool {
        matches!(self, Self::Optional(_) | Self::Null)
    }

    #[must_use]
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether text operations apply: a string or an enum.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self, Self::String | Self::Enum(_))
    }

    /// Whether it has no dimension: a count or a ratio.
    #[must_use]
    pub const fn is_plain_number(&self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Percent)
    }

    /// Whether it can be added up and averaged.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        self.is_plain_number() || matches!(self, Self::Duration | Self::Size | Self::Cores | Self::Rate(_))
    }

    /// Whether its values have an order.
    #[must_use]
    pub const fn is_ordered(&self) -> bool {
        self.is_number() || self.is_text() || matches!(self, Self::Time | Self::Date | Self::Clock | Self::Bool)
    }

    /// Whether a value of this type can stand where `wanted` is asked for, perhaps through a conversion that loses
    /// nothing: an int as a float, a float as a percent and back, an enum as a string, `T` as `T?`, data as anything
    /// (strictly, when the value is there).
    #[must_use]
    pub fn fits(&self, wanted: &Self) -> bool {
        match (self, wanted) {
            (a, b) if a == b => true,
            (Self::Unknown, _)
            | (_, Self::Unknown)
            | (Self::Null, Self::Optional(_) | Self::Data)
            | (Self::Int | Self::Percent, Self::Float)
            | (Self::Float, Self::Percent)
            | (Self::Enum(_), Self::String) => true,
            (Self::Optional(a), Self::Optional(b)) | (Self::List(a), Self::List(b)) => a.fits(b),
            (a, Self::Optional(b)) => a.fits(b),
            (Self::Data, other) | (other, Self::Data) => other.is_data_like(),
            (Self::Record(a), Self::Record(b)) => a.fits(b),
            _ => false,
        }
    }

    /// Whether it has one meaning as JSON. A quantity has none: `x / 1s` says in which unit it is meant.
    #[must_use]
    pub fn is_data_like(&self) -> bool {
        match self {
            Self::Bool
            | Self::Int
            | Self::Float
            | Self::Percent
            | Self::String
            | Self::Enum(_)
            | Self::Time
            | Self::Date
            | Self::Data
            | Self::Null
            | Self::Unknown => true,
            Self::List(item) | Self::Optional(item) => item.is_data_like(),
            Self::Record(record) => record.fields.values().all(|field| field.ty.is_data_like()),
            _ => false,
        }
    }

    /// The one type that holds both, for the branches of an `if` and the items of a list.
    #[must_use]
    pub fn join(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Self::Unknown, other) | (other, Self::Unknown) => Some(other.clone()),
            (Self::Null, other) | (other, Self::Null) => Some(other.clone().optional()),
            (Self::Optional(a), b) | (b, Self::Optional(a)) => a.join(b.present()).map(Self::optional),
            (Self::Data, other) | (other, Self::Data) if other.is_data_like() => Some(Self::Data),
            (Self::Enum(_), b) | (b, Self::Enum(_)) if b.is_text() => Some(Self::String),
            (Self::List(a), Self::List(b)) => a.join(b).map(Self::list),
            (a, b) if a.is_plain_number() && b.is_plain_number() => match (a, b) {
                (Self::Int, Self::Percent) | (Self::Percent, Self::Int) => None,
                _ => Some(Self::Float),
            },
            (Self::Record(a), Self::Record(b)) => a.join(b).map(|record| Self::Record(Arc::new(record))),
            _ => None,
        }
    }
}

impl Type {
    /// One of the unit that a quantity is divided by to be a plain number.
    #[must_use]
    pub const fn one(&self) -> Option<&'static str> {
        Some(match self {
            Self::Duration => "1s",
            Self::Size => "1B",
            Self::Cores => "1cores",
            Self::Rate(Counted::Items) => "1/s",
            Self::Rate(Counted::Bytes) => "1B/s",
            _ => return None,
        })
    }

    /// An example of what could stand in for a missing value.
    #[must_use]
    pub fn stand_in(&self) -> &'static str {
        match self.present() {
            Self::Int | Self::Float | Self::Data => "0",
            Self::Percent => "0%",
            Self::Duration => "0s",
            Self::Size => "0B",
            Self::Cores => "0cores",
            Self::Rate(Counted::Items) => "0/s",
            Self::Rate(Counted::Bytes) => "0B/s",
            Self::Bool => "false",
            Self::String | Self::Enum(_) => "\"none\"",
            // Nobody takes it for a time that something happened at.
            Self::Time => "1970-01-01T00:00:00Z",
            Self::Date => "1970-01-01",
            Self::List(_) => "[]",
            _ => "…",
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Percent => "percent",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Cores => "cores",
            Self::Rate(Counted::Items) => "rate",
            Self::Rate(Counted::Bytes) => "rate<size>",
            Self::String => "string",
            Self::Enum(words) => words.name,
            Self::Regex => "regex",
            Self::Time => "time",
            Self::Date => "date",
            Self::Clock => "clock",
            Self::Data => "data",
            Self::Secret => "secret",
            Self::Null => "null",
            Self::List(item) => return write!(f, "list<{item}>"),
            Self::Record(record) => return record.fmt(f),
            Self::Optional(inner) => return write!(f, "{inner}?"),
            Self::Connection(driver) => driver,
            Self::Unknown => "unknown",
        })
    }
}

/// Text with known values, checked wherever it is compared.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    pub name: &'static str,
    pub values: &'static [&'static str],
    /// Other values happen too: a near miss is a warning, anything else passes.
    pub open: bool,
}
