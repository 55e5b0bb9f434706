//! Transactions of the file.

use jiff::SignedDuration;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::transaction::{Cell, Columns, EachRow, Error, Row, Seen, Session};

impl Session for Connection {
    fn select(&self, sql: &str, cells: &[Cell], each: &mut EachRow<'_>) -> Result<(), Error> {
        let mut select = self.prepare_cached(sql)?;
        let mut rows = select.query(params_from_iter(cells))?;
        while let Some(row) = rows.next()? {
            if !each(&Row(row))? {
                break;
            }
        }
        Ok(())
    }

    fn stream(&self, sql: &str, each: &mut EachRow<'_>) -> Result<(), Error> {
        self.select(sql, &[], each)
    }

    fn execute(&self, sql: &str, cells: &[Cell]) -> Result<u64, Error> {
        Ok(self.prepare_cached(sql)?.execute(params_from_iter(cells))? as u64)
    }

    fn execute_all(&self, sql: &str, all: &[&[Cell]]) -> Result<Vec<u64>, Error> {
        let mut statement = self.prepare_cached(sql)?;
        all.iter().map(|cells| Ok(statement.execute(params_from_iter(*cells))? as u64)).collect()
    }

    /// A file is of one machine, with one clock.
    fn ahead(&self) -> SignedDuration {
        SignedDuration::ZERO
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Int(Some(value)) => (*value).into(),
            Self::Real(Some(value)) => (*value).into(),
            Self::Text(Some(text)) => text.as_str().into(),
            Self::Int(None) | Self::Real(None) | Self::Text(None) => ToSqlOutput::Owned(Value::Null),
        })
    }
}

impl Columns for rusqlite::Row<'_> {
    fn seen(&self, column: usize) -> Result<Seen<'_>, Error> {
        Ok(match self.get_ref(column)? {
            ValueRef::Null => Seen::Nothing,
            ValueRef::Integer(value) => Seen::Int(value),
            ValueRef::Real(value) => Seen::Real(value),
            ValueRef::Text(text) => {
                Seen::Text(std::str::from_utf8(text).map_err(|error| Error::Stored(error.to_string()))?)
            }
            ValueRef::Blob(_) => return Err(Error::Stored("there are bytes in the place of text".to_owned())),
        })
    }
}
