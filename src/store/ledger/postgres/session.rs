//! A session that is lent out for a transaction.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::try_join_all;
use jiff::SignedDuration;
use tokio::time::timeout;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::{BEGINNING, KEPT, Store};
use crate::store::ledger::transaction::{Cell, Columns, EachRow, Error, Row, Seen, Session};
use crate::types::{Fault, FaultKind};

/// How long a statement may take. The server gives it up a little earlier.
const LONGEST: Duration = Duration::from_mins(1);
/// Statements that are on their way at once.
const AT_ONCE: usize = 500;
/// Rows that are handed over at once.
const PAGE: usize = 2_000;

/// A session in a transaction. One that is not ended in good order is closed, and the server takes back what was done.
pub(super) struct Lent<'s> {
    pub(super) store: &'s Store,
    pub(super) client: Arc<Client>,
    /// The transaction's number; 0 where it only reads.
    pub(super) transaction: i64,
    pub(super) ahead: SignedDuration,
}

/// The fault of a server that says nothing.
pub(super) fn silent(limit: Duration) -> Error {
    Error::Told(Fault::new(
        FaultKind::Timeout,
        format!("the ledger's server has not answered within {} s", limit.as_secs()),
    ))
}

impl Lent<'_> {
    pub(super) fn commit(self) -> Result<(), Error> {
        self.control("COMMIT")?;
        self.give_back();
        Ok(())
    }

    /// Ends a transaction of which nothing is to stay.
    pub(super) fn end(self) {
        // Where the session was lost, so was the transaction.
        if self.control("ROLLBACK").is_ok() {
            self.give_back();
        }
    }

    fn control(&self, sql: &'static str) -> Result<(), Error> {
        let client = Arc::clone(&self.client);
        self.store.wait(async move {
            timeout(BEGINNING, client.batch_execute(sql)).await.map_err(|_| silent(BEGINNING))?.map_err(Error::Server)
        })
    }

    fn give_back(self) {
        let mut idle = self.store.idle.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if idle.len() < KEPT && !self.client.is_closed() {
            idle.push(self.client);
        }
    }

    fn rows(&self, sql: String, cells: &[Cell]) -> Result<Vec<tokio_postgres::Row>, Error> {
        let (client, cells) = (Arc::clone(&self.client), cells.to_vec());
        self.store.wait(async move {
            let values = cells.iter().map(value).collect::<Vec<_>>();
            let values = typed(&values);
            timeout(LONGEST, client.query_typed(&sql, &values))
                .await
                .map_err(|_| silent(LONGEST))?
                .map_err(Error::Server)
        })
    }
}

/// Parameters are `?1` in a file's SQL and `$1` in a server's.
fn own(sql: &str) -> String {
    sql.replace('?', "$")
}

/// A value with its type. A server keeps no text with a NUL in it, so the sign for it takes its place.
fn value(cell: &Cell) -> (Box<dyn ToSql + Sync + Send>, Type) {
    match cell {
        Cell::Int(value) => (Box::new(*value), Type::INT8),
        Cell::Real(value) => (Box::new(*value), Type::FLOAT8),
        Cell::Text(text) => (Box::new(text.as_ref().map(|text| text.replace('\0', "\u{2400}"))), Type::TEXT),
    }
}

fn typed(values: &[(Box<dyn ToSql + Sync + Send>, Type)]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|(value, ty)| (&**value as &(dyn ToSql + Sync), ty.clone())).collect()
}

impl Session for Lent<'_> {
    fn select(&self, sql: &str, cells: &[Cell], each: &mut EachRow<'_>) -> Result<(), Error> {
        for row in &self.rows(own(sql), cells)? {
            if !each(&Row(row))? {
                break;
            }
        }
        Ok(())
    }

    fn stream(&self, sql: &str, each: &mut EachRow<'_>) -> Result<(), Error> {
        self.execute(&format!("DECLARE pages NO SCROLL CURSOR FOR {sql}"), &[])?;
        loop {
            let page = self.rows(format!("FETCH {PAGE} FROM pages"), &[])?;
            for row in &page {
                if !each(&Row(row))? {
                    return self.execute("CLOSE pages", &[]).map(|_| ());
                }
            }
            if page.len() < PAGE {
                return self.execute("CLOSE pages", &[]).map(|_| ());
            }
        }
    }

    fn execute(&self, sql: &str, cells: &[Cell]) -> Result<u64, Error> {
        let touched = self.execute_all(sql, &[cells])?;
        Ok(touched.into_iter().sum())
    }

    /// They go out one behind the other, without waiting for each answer.
    fn execute_all(&self, sql: &str, all: &[&[Cell]]) -> Result<Vec<u64>, Error> {
        let mut touched = Vec::with_capacity(all.len());
        for some in all.chunks(AT_ONCE) {
            let (client, some, sql) =
                (Arc::clone(&self.client), some.iter().map(|cells| cells.to_vec()).collect::<Vec<_>>(), own(sql));
            touched.extend(self.store.wait(async move {
                let one = |cells: &Vec<Cell>| {
                    let values = cells.iter().map(value).collect::<Vec<_>>();
                    let (client, sql) = (&client, &sql);
                    async move { client.execute_typed(sql, &typed(&values)).await }
                };
                let all = try_join_all(some.iter().map(one));
                timeout(LONGEST, all).await.map_err(|_| silent(LONGEST))?.map_err(Error::Server)
            })?);
        }
        Ok(touched)
    }

    fn ahead(&self) -> SignedDuration {
        self.ahead
    }
}

impl Columns for tokio_postgres::Row {
    fn seen(&self, column: usize) -> Result<Seen<'_>, Error> {
        let ty = self.columns().get(column).map(tokio_postgres::Column::type_);
        let ty = ty.ok_or_else(|| Error::Stored(format!("there is no column {column}")))?;
        let seen = match *ty {
            Type::INT8 => self.try_get::<_, Option<i64>>(column).map(|value| value.map(Seen::Int)),
            Type::INT4 => {
                self.try_get::<_, Option<i32>>(column).map(|value| value.map(|value| Seen::Int(value.into())))
            }
            Type::FLOAT8 => self.try_get::<_, Option<f64>>(column).map(|value| value.map(Seen::Real)),
            Type::TEXT | Type::NAME | Type::VARCHAR => {
                self.try_get::<_, Option<&str>>(column).map(|value| value.map(Seen::Text))
            }
            _ => return Err(Error::Stored(format!("a column is of the type {ty}"))),
        };
        Ok(seen.map_err(Error::Server)?.unwrap_or(Seen::Nothing))
    }
}
