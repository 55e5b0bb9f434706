//! Samples: what a metric was at a time, or that it was not measured.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::Ledger;
use super::column::{At, Bound, at};
use super::state::{find, new, number};
use super::transaction::{Error, FromCell, Row, Seen, Tx, cells};
use crate::types::{Fault, Labels};

/// One value of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    pub metric: Arc<str>,
    /// Their order is not part of the series; they are given back sorted.
    pub labels: Labels,
    pub at: Timestamp,
    /// `None`: it was not measured. A value that is not a number is not measured either.
    pub value: Option<f64>,
    /// Why it was not measured.
    pub why: Option<String>,
}

/// In a column: pairs, as JSON.
impl FromCell for Labels {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        serde_json::from_str(&String::from_cell(seen)?).map_err(|error| error.to_string())
    }
}

impl Ledger {
    /// Keeps samples. The same metric, labels and time twice is one sample: what was measured takes the place of what
    /// was there, and that it was not measured does not.
    pub fn record(&mut self, runbook: &str, samples: &[Sample]) -> Result<(), Fault> {
        if samples.is_empty() {
            return Ok(());
        }
        self.write(|tx| {
            let runbook = number(tx, runbook)?;
            let mut known = HashMap::new();
            let mut rows = Vec::with_capacity(samples.len());
            for sample in samples {
                let series = series(tx, runbook, sample, &mut known)?;
                let value = sample.value.filter(|value| !value.is_nan());
                let why = match sample.value {
                    Some(value) if value.is_nan() => Some("the value is not a number"),
                    Some(_) => None,
                    None => sample.why.as_deref(),
                };
                rows.push(cells![series, at(sample.at)?, value, why]);
            }
            tx.execute_all(
                "INSERT INTO sample (series, at, value, why) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (series, at) DO UPDATE SET value = excluded.value, why = excluded.why
                 WHERE excluded.value IS NOT NULL OR sample.value IS NULL",
                &rows,
            )
            .map(|_| ())
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
        self.read(|tx| {
            let mut found = Vec::new();
            for (series, labels) in all_series(tx, runbook, metric)? {
                for table in [Table::Rollup, Table::Sample] {
                    let sql = format!("{} WHERE series = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at", table.select());
                    let cells = cells![series, Bound(since), Bound(until)];
                    found.extend(tx.rows(&sql, &cells, |row| table.sample(row, &name, &labels))?);
                }
            }
            found.sort_by_key(|sample| sample.at);
            Ok(found)
        })
    }

    /// The last sample of each set of labels, however old it is.
    pub fn latest(&self, runbook: &str, metric: &str) -> Result<Vec<Sample>, Fault> {
        let name: Arc<str> = metric.into();
        self.read(|tx| {
            let mut found = Vec::new();
            for (series, labels) in all_series(tx, runbook, metric)? {
                for table in [Table::Sample, Table::Rollup] {
                    let sql = format!("{} WHERE series = ?1 ORDER BY at DESC LIMIT 1", table.select());
                    let last = tx.row(&sql, &cells![series], |row| table.sample(row, &name, &labels))?;
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

    fn sample(self, row: &Row<'_>, metric: &Arc<str>, labels: &Labels) -> Result<Sample, Error> {
        let at = row.get::<At>(0)?.0;
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
fn series(
    tx: Tx<'_>,
    runbook: i64,
    sample: &Sample,
    known: &mut HashMap<(Arc<str>, String), i64>,
) -> Result<i64, Error> {
    let mut labels: Vec<(&str, &str)> = sample.labels.iter().map(|(name, value)| (&**name, &**value)).collect();
    labels.sort_unstable();
    let labels = serde_json::to_string(&labels).map_err(|error| Error::Given(error.to_string()))?;
    let key = (Arc::clone(&sample.metric), labels);
    if let Some(series) = known.get(&key) {
        return Ok(*series);
    }
    let cells = cells![runbook, &*key.0, &key.1];
    let found = tx.value("SELECT id FROM series WHERE runbook = ?1 AND metric = ?2 AND labels = ?3", &cells)?;
    let series = match found {
        Some(series) => series,
        None => new(tx, "INSERT INTO series (runbook, metric, labels) VALUES (?1, ?2, ?3) RETURNING id", &cells)?,
    };
    known.insert(key, series);
    Ok(series)
}

fn all_series(tx: Tx<'_>, runbook: &str, metric: &str) -> Result<Vec<(i64, Labels)>, Error> {
    let Some((runbook, _)) = find(tx, runbook)? else { return Ok(Vec::new()) };
    let sql = "SELECT id, labels FROM series WHERE runbook = ?1 AND metric = ?2 ORDER BY id";
    tx.rows(sql, &cells![runbook, metric], |row| Ok((row.get(0)?, row.get(1)?)))
}
