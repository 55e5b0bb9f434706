//! The way between Rust's types and the language's: one declaration gives a type, a value and a conversion.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil};

use super::{Connection, Counted, EnumType, Fault, Line, Log, Record, SecretText, Template, Type, Value, Way};

/// Declares records of the language: `struct` makes the Rust type as well, `type … for` describes one that is there.
///
/// ```text
/// records! {
///     /// A mounted file system.
///     struct Disk "disk" {
///         /// Where it is mounted.
///         mount: Arc<str>,
///     }
/// }
/// ```
macro_rules! records {
    () => {};
    ($(#[doc = $about:literal])* struct $rust:ident $name:literal { $($(#[doc = $doc:literal])+ $field:ident: $ty:ty,)+ } $($rest:tt)*) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug)]
        pub struct $rust { $($(#[doc = $doc])+ pub $field: $ty,)+ }

        impl From<$rust> for $crate::types::Value {
            fn from(record: $rust) -> Self {
                static SHAPE: std::sync::LazyLock<$crate::types::Shape> =
                    std::sync::LazyLock::new(|| $rust::record_type().fields.keys().cloned().collect());
                Self::Record($crate::types::Record::of(&SHAPE, [$(Self::from(record.$field),)+]).into())
            }
        }

        $crate::types::records! { type $name for $rust { $($(#[doc = $doc])+ $field: $ty,)+ } $($rest)* }
    };
    ($(#[doc = $about:literal])* type $name:literal for $rust:ident { $($(#[doc = $doc:literal])+ $field:ident: $ty:ty,)+ } $($rest:tt)*) => {
        impl $rust {
            fn record_type() -> &'static std::sync::Arc<$crate::types::RecordType> {
                static RECORD: std::sync::LazyLock<std::sync::Arc<$crate::types::RecordType>> =
                    std::sync::LazyLock::new(|| {
                        std::sync::Arc::new($crate::types::RecordType {
                            name: Some($name.into()),
                            // A field may have the name of a Rust keyword: `r#type` is `type`.
                            fields: [$((
                                std::sync::Arc::from(stringify!($field).trim_start_matches("r#")),
                                $crate::types::Field {
                                    ty: <$ty as $crate::types::Typed>::ty(),
                                    doc: concat!($($doc,)+).trim().into(),
                                },
                            ),)+]
                            .into_iter()
                            .collect(),
                        })
                    });
                &RECORD
            }
        }

        impl $crate::types::Typed for $rust {
            fn ty() -> $crate::types::Type {
                $crate::types::Type::Record(std::sync::Arc::clone(Self::record_type()))
            }
        }
        $crate::types::records! { $($rest)* }
    };
}
pub(crate) use records;

/// A Rust type that the language knows.
pub trait Typed {
    fn ty() -> Type;
}

/// A Rust type that an argument can be taken as. The checker has seen to it that the value fits.
pub trait FromValue: Sized {
    /// # Errors
    /// A conversion fault where data from outside is not what was wanted.
    fn from_value(value: Value) -> Result<Self, Fault>;
}

/// Bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub i64);

/// A ratio: 0.05 is 5%.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Percent(pub f64);

/// CPU cores.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Cores(pub f64);

/// So many a second.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// Text whose values are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<W>(pub Arc<str>, std::marker::PhantomData<W>);

/// The known values of a [`Word`].
pub trait Words {
    const ENUM: &'static EnumType;
}

impl<W> Word<W> {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into(), std::marker::PhantomData)
    }
}

fn unexpected<T>(wanted: &str, value: &Value) -> Result<T, Fault> {
    if let Value::Faulted(fault) = value {
        return Err(fault.as_ref().clone());
    }
    Err(Fault::conversion(format!("wanted {wanted}, got {}: {value}", value.kind())))
}

macro_rules! simple {
    ($($rust:ty, $ty:expr, $name:literal: $pattern:pat => $into:expr, $own:ident => $from:expr;)*) => {$(
        impl Typed for $rust {
            fn ty() -> Type { $ty }
        }
        impl FromValue for $rust {
            fn from_value(value: Value) -> Result<Self, Fault> {
                match value { $pattern => Ok($into), other => unexpected($name, &other) }
            }
        }
        impl From<$rust> for Value {
            fn from($own: $rust) -> Self { $from }
        }
    )*};
}

simple! {
    bool, Type::Bool, "a bool": Value::Bool(v) => v, v => Self::Bool(v);
    i64, Type::Int, "an int": Value::Int(v) => v, v => Self::Int(v);
    Size, Type::Size, "a size": Value::Size(v) => Self(v), v => Self::Size(v.0);
    Cores, Type::Cores, "cores": Value::Cores(v) => Self(v), v => Self::Cores(v.0);
    Rate, Type::Rate(Counted::Items), "a rate": Value::Rate(v, Counted::Items) => Self(v), v => Self::Rate(v.0, Counted::Items);
    SignedDuration, Type::Duration, "a duration": Value::Duration(v) => v, v => Self::Duration(v);
    Timestamp, Type::Time, "a time": Value::Time(v) => v, v => Self::Time(v);
    civil::Date, Type::Date, "a date": Value::Date(v) => v, v => Self::Date(v);
    civil::Time, Type::Clock, "a time of day": Value::Clock(v) => v, v => Self::Clock(v);
    Arc<str>, Type::String, "a string": Value::String(v) => v.into_inner(), v => Self::string(v);
    String, Type::String, "a string": Value::String(v) => v.to_string(), v => Self::string(v);
    super::Regex, Type::Regex, "a regex": Value::Regex(v) => v, v => Self::Regex(v);
    SecretText, Type::Secret, "a secret": Value::Secret(v) => v, v => Self::Secret(v);
    Arc<serde_json::Value>, Type::Data, "data": Value::Data(v) => v, v => Self::Data(v);
    Log, Type::list(Line::ty()), "a log": Value::Log(v) => Arc::unwrap_or_clone(v), v => Self::Log(Arc::new(v));
    Arc<Line>, Line::ty(), "a line": Value::Line(v) => v, v => Self::Line(v);
}

impl Typed for f64 {
    fn ty() -> Type {
        Type::Float
    }
}

impl FromValue for f64 {
    fn from_value(value: Value) -> Result<Self, Fault> {
        value.plain_number().map_or_else(|| unexpected("a number", &value), Ok)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl Typed for Percent {
    fn ty() -> Type {
        Type::Percent
    }
}

impl FromValue for Percent {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Percent(ratio) | Value::Float(ratio) => Ok(Self(ratio)),
            other => unexpected("a percent", &other),
        }
    }
}

impl From<Percent> for Value {
    fn from(value: Percent) -> Self {
        Self::Percent(value.0)
    }
}

impl<W: Words> Typed for Word<W> {
    fn ty() -> Type {
        Type::Enum(W::ENUM)
    }
}

impl<W: Words> FromValue for Word<W> {
    fn from_value(value: Value) -> Result<Self, Fault> {
        Arc::<str>::from_value(value).map(Self::new)
    }
}

impl<W> From<Word<W>> for Value {
    fn from(word: Word<W>) -> Self {
        Self::string(word.0)
    }
}

impl<T: Typed> Typed for Option<T> {
    fn ty() -> Type {
        T::ty().optional()
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Null => Ok(None),
            other => T::from_value(other).map(Some),
        }
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A field of a record that may be a fault without the record being one: read it, and the fault is there.
impl<T: Typed> Typed for Result<T, Fault> {
    fn ty() -> Type {
        T::ty()
    }
}

impl<T: Into<Self>> From<Result<T, Fault>> for Value {
    fn from(value: Result<T, Fault>) -> Self {
        value.map_or_else(|fault| Self::Faulted(Arc::new(fault)), Into::into)
    }
}

impl<T: Typed> Typed for Vec<T> {
    fn ty() -> Type {
        Type::list(T::ty())
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::List(items) => items.iter().cloned().map(T::from_value).collect(),
            other => unexpected("a list", &other),
        }
    }
}

impl<T: Into<Self>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::list(items.into_iter().map(Into::into).collect())
    }
}

impl FromValue for Arc<Connection> {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Connection(connection) => Ok(connection),
            other => unexpected("a connection", &other),
        }
    }
}

impl Typed for Way {
    fn ty() -> Type {
        Type::way()
    }
}

impl FromValue for Way {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Connection(connection) => Ok(Self(connection)),
            other => unexpected("the way to it", &other),
        }
    }
}

impl From<Way> for Value {
    fn from(way: Way) -> Self {
        Self::Connection(way.0)
    }
}

impl FromValue for Arc<Record> {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Record(record) => Ok(record),
            other => unexpected("a record", &other),
        }
    }
}

impl FromValue for Arc<Template> {
    fn from_value(value: Value) -> Result<Self, Fault> {
        match value {
            Value::Template(template) => Ok(template),
            other => unexpected("a literal text", &other),
        }
    }
}

impl FromValue for Value {
    fn from_value(value: Value) -> Result<Self, Fault> {
        Ok(value)
    }
}

records! {
    /// A line of a log.
    type "line" for Line {
        /// The line without its end. Bytes that are not UTF-8 are shown as �.
        text: Arc<str>,
        /// Counted from 1 in its source.
        number: i64,
        /// The file or pod it came from.
        source: Arc<str>,
        /// The time it begins with, where it begins with one that is understood.
        time: Option<Timestamp>,
    }
}
