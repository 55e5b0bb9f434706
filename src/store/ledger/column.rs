//! How times and documents stand in a column.

use jiff::Timestamp;
use serde_json::Value;

use super::transaction::{Cell, Error, FromCell, Seen};

/// A time in a column: nanoseconds since 1970. It is read as exactly what was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(pub(super) Timestamp);

/// A time to compare with: one that no column could hold is the nearest that one can.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound(pub(super) Timestamp);

/// A document in a column: JSON as text.
#[derive(Clone, Debug)]
pub(super) struct Json<T>(pub(super) T);

/// A time to keep.
///
/// # Errors
/// Where no column can hold it.
pub(super) fn at(time: Timestamp) -> Result<i64, Error> {
    i64::try_from(time.as_nanosecond())
        .map_err(|_| Error::Given(format!("the time {time} is not between 1678 and 2262")))
}

/// A document to keep.
pub(super) fn json(value: &Value) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| Error::Given(error.to_string()))
}

impl FromCell for At {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        let nanoseconds = i64::from_cell(seen)?;
        Timestamp::from_nanosecond(nanoseconds.into()).map(Self).map_err(|error| error.to_string())
    }
}

impl Bound {
    pub(super) fn or_ever(since: Option<Timestamp>) -> Self {
        Self(since.unwrap_or(Timestamp::MIN))
    }

    pub(super) fn nanoseconds(self) -> i64 {
        let nanoseconds = self.0.as_nanosecond();
        i64::try_from(nanoseconds).unwrap_or(if nanoseconds < 0 { i64::MIN } else { i64::MAX })
    }
}

impl From<Bound> for Cell {
    fn from(bound: Bound) -> Self {
        Self::Int(Some(bound.nanoseconds()))
    }
}

impl FromCell for Json<Value> {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        match seen {
            Seen::Text(text) => serde_json::from_str(text).map(Self).map_err(|error| error.to_string()),
            _ => String::from_cell(seen).map(|text| Self(text.into())),
        }
    }
}
