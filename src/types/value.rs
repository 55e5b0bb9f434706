//! Values: what an expression gave.

use std::any::Any;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::{Fault, Number, Record, Regex, Scanner, Text};
use crate::units::{self, Counted};

/// What an expression gave. Cheap to clone.
#[derive(Clone)]
pub enum Value {
    /// A value that may be missing and is.
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    /// A ratio: 0.05 is 5%.
    Percent(f64),
    Duration(SignedDuration),
    /// Bytes.
    Size(i64),
    Cores(f64),
    /// Per second.
    Rate(f64, Counted),
    String(Text),
    Regex(Regex),
    Time(Timestamp),
    Date(civil::Date),
    Clock(civil::Time),
    Data(Arc<serde_json::Value>),
    List(Arc<Vec<Self>>),
    Record(Arc<Record>),
    /// A line of a log: a record in the language, smaller than one in memory.
    Line(Arc<Line>),
    /// A list of lines that is not in memory.
    Log(Arc<Log>),
    Secret(SecretText),
    Connection(Arc<Connection>),
    /// A literal text with its interpolated values still apart, for a place that knows how to join them.
    Template(Arc<Template>),
    /// A field of a record that could not be had: `.json` of an answer that is no JSON. The record is fine without it;
    /// whoever reads the field gets the fault.
    Faulted(Arc<Fault>),
}

/// A line of a log, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Bytes that are not UTF-8 are replaced by U+FFFD.
    pub text: Arc<str>,
    /// Counted from 1 in its source.
    pub number: i64,
    /// The file or pod it came from.
    pub source: Arc<str>,
    /// Where the line begins with a time that is understood.
    pub time: Option<Timestamp>,
}

/// A log as it was when it was read: read it as often as you like, it does not change.
#[derive(Clone)]
pub struct Log {
    /// What it is, for messages: `/var/log/syslog since 2h`.
    pub name: Arc<str>,
    pub reader: Arc<dyn LogReader>,
    /// Set where it is known to be cut short.
    pub partial: Option<Arc<Partial>>,
}

/// The lines of a snapshot, from the first to the last, in constant memory.
pub trait LogReader: Send + Sync {
    /// Every call reads anew.
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send>;

    /// Itself, where it can be asked several things in one pass over its bytes.
    fn scanner(self: Arc<Self>) -> Option<Arc<dyn Scanner>> {
        None
    }
}

/// Why something is not whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partial {
    /// `the log of gateway-1 begins at 07:12, 48m later than asked for`
    pub reason: Arc<str>,
}

/// A connection that was opened: the built-ins of its driver know what the handle is.
pub struct Connection {
    /// Its name in the runbook.
    pub name: Arc<str>,
    pub driver: Arc<str>,
    /// What it leads to, for the output: `https://api.example.com`.
    pub target: Arc<str>,
    pub handle: Arc<dyn Any + Send + Sync>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.name, self.target)
    }
}

/// The way to what a record is of: a pod's leads to its cluster. A field of this type makes calls on the record possible
/// (`cluster.pod("x").disks()`, `through: cluster.pod("x")`); it is no value that could be shown, sent or compared.
#[derive(Clone, Debug)]
pub struct Way(pub Arc<Connection>);

impl Way {
    /// What stands for the driver in its type. No built-in is called on it.
    pub const NAME: &'static str = "way";
}

/// Text and values in turn, as they were written.
#[derive(Clone, Debug)]
pub struct Template {
    pub pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub enum Piece {
    Text(Arc<str>),
    Value(Value),
}

/// A secret's text. It has no `Display` and no `Debug`: [`Self::expose`] is the only way to it, and easy to find.
#[derive(Clone)]
pub struct SecretText(Arc<SecretString>);

impl SecretText {
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Arc::new(SecretString::from(text)))
    }

    /// The text, for the one place that sends it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl Value {
    #[must_use]
    pub fn list(items: Vec<Self>) -> Self {
        Self::List(Arc::new(items))
    }

    pub fn record<K: Into<Arc<str>>>(fields: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Record(Arc::new(fields.into_iter().map(|(name, value)| (name.into(), value)).collect()))
    }

    /// A percent that is computed, to 12 decimals: 10% and 20% are 30%, and no 30.000000000000004%.
    #[must_use]
    pub fn percent(ratio: f64) -> Self {
        Self::Percent(Self::ratio(ratio))
    }

    /// A number that is computed with percents, to as many decimals.
    #[must_use]
    pub fn ratio(computed: f64) -> f64 {
        const DECIMALS: f64 = 1e14;
        // Beyond, a double has no digits left for them.
        if computed.abs() < 50.0 { (computed * DECIMALS).round() / DECIMALS } else { computed }
    }

    /// A duration that is computed. It is no longer than one that can be written: 292 years.
    #[must_use]
    pub fn duration(nanoseconds: i128) -> Option<Self> {
        i64::try_from(nanoseconds).ok().map(|nanoseconds| Self::Duration(SignedDuration::from_nanos(nanoseconds)))
    }

    /// The fields of a record that can be shown and sent: all but the ways to what it is of.
    pub fn plain_fields(record: &Record) -> impl Iterator<Item = (&Arc<str>, &Self)> {
        record.iter().filter(|(_, value)| !matches!(value, Self::Connection(_)))
    }

    /// The connection that a call on the value goes through: itself, or the way of a record.
    #[must_use]
    pub fn connection(&self) -> Option<&Arc<Connection>> {
        match self {
            Self::Connection(connection) => Some(connection),
            Self::Record(fields) => fields.values().find_map(|field| match field {
                Self::Connection(connection) => Some(connection),
                _ => None,
            }),
            _ => None,
        }
    }

    /// Whether it is of a type of numbers: one in data is not.
    #[must_use]
    pub const fn is_number(&self) -> bool {
        matches!(
            self,
            Self::Int(_)
                | Self::Float(_)
                | Self::Percent(_)
                | Self::Duration(_)
                | Self::Size(_)
                | Self::Cores(_)
                | Self::Rate(..)
        )
    }

    /// What kind of value it is, for messages.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Percent(_) => "percent",
            Self::Duration(_) => "duration",
            Self::Size(_) => "size",
            Self::Cores(_) => "cores",
            Self::Rate(..) => "rate",
            Self::String(_) => "string",
            Self::Regex(_) => "regex",
            Self::Time(_) => "time",
            Self::Date(_) => "date",
            Self::Clock(_) => "clock",
            Self::Data(_) => "data",
            Self::List(_) => "list",
            Self::Record(_) => "record",
            Self::Line(_) => "line",
            Self::Log(_) => "log",
            Self::Secret(_) => "secret",
            Self::Connection(_) => "connection",
            Self::Template(_) => "text",
            Self::Faulted(_) => "fault",
        }
    }

    /// Equality as `==` means it. Numbers without a unit compare by their value.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Regex(a), Self::Regex(b)) => a.as_str() == b.as_str(),
            (Self::Data(a), Self::Data(b)) => json_equals(a, b),
            (Self::Data(a), b) | (b, Self::Data(a)) => data_equals(a, b),
            (Self::List(a), Self::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b)),
            (Self::Record(a), Self::Record(b)) => {
                a.len() == b.len() && a.iter().all(|(name, value)| b.get(name).is_some_and(|own| own.equals(value)))
            }
            (Self::Line(a), Self::Line(b)) => a == b,
            (Self::Connection(a), Self::Connection(b)) => a.name == b.name,
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// The order of two values of one dimension. `None` where there is none: the checker lets no such pair through.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        if let (Some(a), Some(b)) = (Number::of(self), Number::of(other)) {
            return a.order(b);
        }
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::Size(a), Self::Size(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Cores(a), Self::Cores(b)) => a.partial_cmp(b),
            (Self::Rate(a, kind), Self::Rate(b, other)) if kind == other => a.partial_cmp(b),
            (Self::String(a), Self::String(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Self::Time(a), Self::Time(b)) => Some(a.cmp(b)),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            (Self::Clock(a), Self::Clock(b)) => Some(a.cmp(b)),
            (Self::Data(a), b) if !a.is_number() => Self::from_scalar(a)?.order(b),
            (a, Self::Data(b)) if !b.is_number() => a.order(&Self::from_scalar(b)?),
            _ => None,
        }
    }

    /// A number without a unit, as the nearest double.
    #[must_use]
    pub fn plain_number(&self) -> Option<f64> {
        Number::of(self).map(Number::nearest)
    }

    /// Data that is a number, a text, a bool or null as that value; everything else as it is. So is an integer that is
    /// larger than an int: nothing else has all its digits.
    #[must_use]
    pub fn plainly(self) -> Self {
        match self {
            Self::Data(data) if data.is_null() => Self::Null,
            Self::Data(data) => Self::from_scalar(&data).unwrap_or(Self::Data(data)),
            other => other,
        }
    }

    /// Whether it is null, also in data.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Data(data) => data.is_null(),
            _ => false,
        }
    }

    /// A JSON scalar as the value it plainly is.
    fn from_scalar(data: &serde_json::Value) -> Option<Self> {
        match data {
            serde_json::Value::Bool(value) => Some(Self::Bool(*value)),
            serde_json::Value::Number(number) => match Number::of_json(number) {
                Number::Whole(whole) => i64::try_from(whole).ok().map(Self::Int),
                Number::Real(real) => Some(Self::Float(real)),
            },
            serde_json::Value::String(text) => Some(Self::string(text.as_str())),
            _ => None,
        }
    }

    /// As JSON, for machines: sizes in bytes, durations in seconds, ratios as numbers, times in RFC 3339.
    ///
    /// A secret is `"(secret)"`, a log its name, a field that could not be had `{ "fault": kind, "message": why }`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::from(*value),
            Self::Int(value) | Self::Size(value) => Json::from(*value),
            // `size / 1B` is a float, and whole: others take `3.0` for no number of bytes.
            Self::Float(value) => Number::Real(*value).int().map_or_else(|| Json::from(*value), Json::from),
            Self::Percent(value) | Self::Cores(value) | Self::Rate(value, _) => Json::from(*value),
            Self::Duration(value) => Json::from(value.as_secs_f64()),
            Self::Data(data) => data.as_ref().clone(),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Record(fields) => Json::Object(
                Self::plain_fields(fields).map(|(name, value)| (name.to_string(), value.to_json())).collect(),
            ),
            Self::Faulted(fault) => serde_json::json!({ "fault": fault.kind.name(), "message": &*fault.message }),
            other => Json::String(other.to_string()),
        }
    }

    /// The value, or the fault that stands in its place: what reading a field of a record gives.
    ///
    /// # Errors
    /// The fault of a [`Self::Faulted`].
    pub fn read(self) -> Result<Self, Fault> {
        match self {
            Self::Faulted(fault) => Err(fault.as_ref().clone()),
            value => Ok(value),
        }
    }
}

fn data_equals(data: &serde_json::Value, other: &Value) -> bool {
    use serde_json::Value as Json;
    match (data, other) {
        (Json::Null, Value::Null) => true,
        (Json::Array(items), Value::List(others)) => {
            items.len() == others.len() && items.iter().zip(others.iter()).all(|(item, other)| data_equals(item, other))
        }
        (Json::Object(fields), Value::Record(others)) => {
            fields.len() == Value::plain_fields(others).count()
                && fields.iter().all(|(name, field)| others.get(name).is_some_and(|other| data_equals(field, other)))
        }
        (Json::Array(_) | Json::Object(_), Value::Data(other)) => json_equals(data, other),
        (Json::Array(_) | Json::Object(_), _) => false,
        (Json::Number(number), other) => {
            Number::of(other).is_some_and(|other| Number::of_json(number).order(other) == Some(Ordering::Equal))
        }
        _ => Value::from_scalar(data).is_some_and(|scalar| scalar.equals(other)),
    }
}

/// JSON as it was meant, not as it was written: 1 and 1.0 are equal, and the order of keys means nothing.
fn json_equals(a: &serde_json::Value, b: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => Number::of_json(a).order(Number::of_json(b)) == Some(Ordering::Equal),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| json_equals(a, b)),
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(name).is_some_and(|b| json_equals(a, b)))
        }
        (a, b) => a == b,
    }
}

/// As a person reads it, on one line: `74.5GiB`, `1h30m`, `5%`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("-"),
            Self::Bool(true) => f.write_str("yes"),
            Self::Bool(false) => f.write_str("no"),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => f.write_str(&units::number(*value)),
            Self::Percent(value) => f.write_str(&units::percent(*value)),
            Self::Duration(value) => f.write_str(&units::duration(value.as_nanos())),
            Self::Size(value) => f.write_str(&units::size(*value)),
            Self::Cores(value) => write!(f, "{} cores", units::number(*value)),
            Self::Rate(value, counted) => f.write_str(&units::rate(*value, *counted)),
            Self::String(text) => f.write_str(text),
            Self::Regex(regex) => regex.fmt(f),
            Self::Time(time) => write!(f, "{time:.0}"),
            Self::Date(date) => date.fmt(f),
            Self::Clock(clock) => write!(f, "{:02}:{:02}", clock.hour(), clock.minute()),
            Self::Data(data) => match data.as_ref() {
                serde_json::Value::Null => f.write_str("-"),
                serde_json::Value::String(text) => f.write_str(text),
                other => other.fmt(f),
            },
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Record(fields) => {
                for (index, (name, value)) in Self::plain_fields(fields).enumerate() {
                    write!(f, "{}{name}: {value}", if index == 0 { "" } else { ", " })?;
                }
                Ok(())
            }
            Self::Line(line) => f.write_str(&line.text),
            Self::Log(log) => f.write_str(&log.name),
            Self::Secret(_) => f.write_str("(secret)"),
            Self::Connection(connection) => f.write_str(&connection.target),
            Self::Template(template) => template.pieces.iter().try_for_each(|piece| match piece {
                Piece::Text(text) => f.write_str(text),
                Piece::Value(value) => value.fmt(f),
            }),
            Self::Faulted(fault) => write!(f, "({fault})"),
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({self})", self.kind())
    }
}

/// Lists hold a hundred thousand of them.
const _: () = assert!(size_of::<Value>() <= 24);
