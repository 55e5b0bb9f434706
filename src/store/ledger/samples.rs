//! Samples: what a metric was at a time, or that it was not measured.

use std::sync::Arc;

use jiff::Timestamp;
use rusqlite::types::{FromSqlError, Type, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Ledger;
use super::column::{At, Bound};
use super::state::{find, number};
use crate::types::Fault;

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub metric: Arc<str>,
    /// Their order is not part of the series; they are given back sorted.
    pub labels: Vec<(Arc<str>, Arc<str>)>,
    pub at: Timestamp,
    /// `None`: it was not measured. A value that is not a number is not measured either.
    pub value: Option<f64>,
    /// Why it was not measured.
    pub why: Option<String>,
}

type Labels = Vec<(Arc<str>, Arc<str>)>;

impl Ledger {
    /// Keeps samples. The same metric, labels and time twice is one sample: what was measured takes the place of what
    /// was there, and that it was not measured does not.
    pub fn record(&mut self, runbook: &str, samples: &[Sample]) -> Result<(), Fault> {
        if samples.is_empty() {
            return Ok(());
        }
        self.write(|conn| {
            let runbook = number(conn, runbook)?;
            let mut insert = conn.prepare_cached(
                "INSERT INTO sample (series, at, value, why) VALUES (?, ?, ?, ?)
                 ON CONFLICT (series, at) DO UPDATE SET value = excluded.value, why = excluded.why
                 WHERE excluded.value IS NOT NULL OR value IS NULL",
            )?;
            for sample in samples {
                let series = series(conn, runbook, sample)?;
                let value = sample.value.filter(|value| !value.is_nan());
                let why = match sample.value {
                    Some(value) if value.is_nan() => Some("the value is not a number"),
                    Some(_) => None,
                    None => sample.why.as_deref(),
                };
                insert.execute(params![series, At(sample.at), value, why])?;
            }
            Ok(())
        })
    }

    /// The samples of a metric from `since` to `until`, both included, oldest first. Where [`Ledger::tidy`] has put
    /// hours together, an hour is one sample at its beginning: the mean of what was measured.
    pub fn samples(
        &self,
        runbook: &str,
        metric: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Sample>, Fault> {
        let name: Arc<str> = metric.into();
        self.read(|conn| {
            let mut found = Vec::new();
            for (series, labels) in all_series(conn, runbook, metric)? {
                for table in [Table::Rollup, Table::Sample] {
                    let sql = format!("{} WHERE series = ? AND at BETWEEN ? AND ?", table.select());
                    let mut select = conn.prepare_cached(&sql)?;
                    let mut rows = select.query(params![series, Bound(since), Bound(until)])?;
                    while let Some(row) = rows.next()? {
                        found.push(table.sample(row, &name, &labels)?);
                    }
                }
            }
            found.sort_by_key(|sample| sample.at);
            Ok(found)
        })
    }

    /// The last sample of each set of labels, however old it is.
    pub fn latest(&self, runbook: &str, metric: &str) -> Result<Vec<Sample>, Fault> {
        let name: Arc<str> = metric.into();
        self.read(|conn| {
            let mut found = Vec::new();
            for (series, labels) in all_series(conn, runbook, metric)? {
                for table in [Table::Sample, Table::Rollup] {
                    let sql = format!("{} WHERE series = ? ORDER BY at DESC LIMIT 1", table.select());
                    let last = conn
                        .prepare_cached(&sql)?
                        .query_row([series], |row| table.sample(row, &name, &labels))
                        .optional()?;
                    if let Some(last) = last {
                        found.push(last);
                        break;
                    }
                }
            }
            Ok(found)
        })
    }
}

#[derive(Clone, Copy)]
enum Table {
    Sample,
    Rollup,
}

impl Table {
    const fn select(self) -> &'static str {
        match self {
            Self::Sample => "SELECT at, value, why FROM sample",
            Self::Rollup => "SELECT at, measured, missed, sum FROM rollup",
        }
    }

    fn sample(self, row: &Row<'_>, metric: &Arc<str>, labels: &Labels) -> rusqlite::Result<Sample> {
        let at = row.get::<_, At>(0)?.0;
        let (value, why) = match self {
            Self::Sample => (row.get(1)?, row.get(2)?),
            Self::Rollup => mean(row.get(1)?, row.get(2)?, row.get(3)?),
        };
        Ok(Sample { metric: Arc::clone(metric), labels: labels.clone(), at, value, why })
    }
}

/// What an hour says as one sample.
fn mean(measured: u32, missed: u32, sum: Option<f64>) -> (Option<f64>, Option<String>) {
    match sum {
        _ if measured == 0 => (None, Some(format!("not measured in this hour, tried {missed} times"))),
        Some(sum) => (Some(sum / f64::from(measured)), None),
        // Infinity in both directions.
        None => (None, Some("the mean of this hour is not a number".to_owned())),
    }
}

/// The number of a sample's series, which may be new.
fn series(conn: &Connection, runbook: i64, sample: &Sample) -> rusqlite::Result<i64> {
    let mut labels: Vec<(&str, &str)> = sample.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
    labels.sort_unstable();
    let labels =
        serde_json::to_string(&labels).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let found = conn
        .prepare_cached("SELECT id FROM series WHERE runbook = ? AND metric = ? AND labels = ?")?
        .query_row(params![runbook, &*sample.metric, labels], |row| row.get(0))
        .optional()?;
    match found {
        Some(series) => Ok(series),
        None => conn
            .prepare_cached("INSERT INTO series (runbook, metric, labels) VALUES (?, ?, ?) RETURNING id")?
            .query_row(params![runbook, &*sample.metric, labels], |row| row.get(0)),
    }
}

fn all_series(conn: &Connection, runbook: &str, metric: &str) -> rusqlite::Result<Vec<(i64, Labels)>> {
    let Some((runbook, _)) = find(conn, runbook)? else { return Ok(Vec::new()) };
    conn.prepare_cached("SELECT id, labels FROM series WHERE runbook = ? AND metric = ? ORDER BY id")?
        .query_map(params![runbook, metric], |row| Ok((row.get(0)?, labels(row, 1)?)))?
        .collect()
}

/// The labels in a column.
pub(super) fn labels(row: &Row<'_>, column: usize) -> rusqlite::Result<Labels> {
    let text = match row.get_ref(column)? {
        ValueRef::Text(text) => text,
        other => return Err(rusqlite::Error::InvalidColumnType(column, "labels".to_owned(), other.data_type())),
    };
    serde_json::from_slice(text).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(FromSqlError::Other(error.into())))
    })
}
