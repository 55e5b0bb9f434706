//! How times and documents stand in a column.

use jiff::Timestamp;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use serde_json::Value;

/// A time in a column: nanoseconds since 1970. It is read as exactly what was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct At(pub(super) Timestamp);

/// A time to compare with: one that no column could hold is the nearest that one can.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound(pub(super) Timestamp);

/// A document in a column: JSON as text.
#[derive(Clone, Debug)]
pub(super) struct Json<T>(pub(super) T);

impl ToSql for At {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        i64::try_from(self.0.as_nanosecond()).map(ToSqlOutput::from).map_err(|_| {
            rusqlite::Error::ToSqlConversionFailure(format!("the time {} is not between 1678 and 2262", self.0).into())
        })
    }
}

impl FromSql for At {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let nanoseconds = value.as_i64()?;
        Timestamp::from_nanosecond(nanoseconds.into()).map(Self).map_err(|error| FromSqlError::Other(error.into()))
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

impl ToSql for Bound {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.nanoseconds().into())
    }
}

impl ToSql for Json<&Value> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = serde_json::to_string(self.0);
        text.map(ToSqlOutput::from).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Json<Value> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map(Self).map_err(|error| FromSqlError::Other(error.into()))
    }
}
