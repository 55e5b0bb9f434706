//! What is kept, and for how long.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::column::Bound;
use super::transaction::{Error, Tx, cells};
use super::{Kept, Ledger, fault, file};
use crate::types::Fault;

/// How long what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Samples as they were recorded. Older ones are put together by the hour.
    pub samples: SignedDuration,
    /// Hours of samples.
    pub hours: SignedDuration,
    /// Documents that were closed, messages that ended, what happened, and due times.
    pub history: SignedDuration,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: i64| SignedDuration::from_hours(days * 24);
        Self { samples: days(14), hours: days(400), history: days(400) }
    }
}

/// What a call has put together or removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tidied {
    /// Samples that are part of an hour now.
    pub samples: u64,
    /// Hours that are gone.
    pub hours: u64,
    pub documents: u64,
    pub messages: u64,
    pub happenings: u64,
    pub due: u64,
    /// There is more to do: call again.
    pub more: bool,
}

/// What [`Ledger::compact`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    pub tidied: Tidied,
    /// What it took on the disk.
    pub before: u64,
    pub after: u64,
}

/// Rows a call touches, of each kind, before it lets others write.
const AT_ONCE: u64 = 50_000;
const HOUR: i64 = 3_600_000_000_000;
/// Hours of a series that are put together in one statement.
const STRIDE: i64 = 24 * HOUR;

impl Ledger {
    /// Puts old samples together by the hour and removes what is older than is kept. A call does a bounded amount of
    /// work and says whether there is more.
    ///
    /// A sample of an hour that was put together already is added to it, so one that is recorded again then counts
    /// twice.
    pub fn tidy(&mut self, now: Timestamp, keep: &Retention) -> Result<Tidied, Fault> {
        let before = |age: SignedDuration| Bound(now.saturating_sub(age).unwrap_or(Timestamp::MIN)).nanoseconds();
        // Whole hours only.
        let samples = before(keep.samples).div_euclid(HOUR).saturating_mul(HOUR);
        let (hours, history) = (before(keep.hours), before(keep.history));
        self.write(|tx| {
            let samples = roll_up(tx, samples)?;
            let hours = remove_hours(tx, hours)?;
            let removed = |table: &str, key: &str, old: &str| {
                let sql =
                    format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {old} LIMIT ?2)");
                tx.execute(&sql, &cells![history, AT_ONCE.cast_signed()])
            };
            let documents = removed("document", "number", "closed_at < ?1")?;
            let messages = removed("outgoing", "id", "ended_at < ?1")?;
            let happenings = removed("happening", "number", "runbook IN (SELECT id FROM runbook) AND at < ?1")?;
            // The last due time of a section is what says when it is due next.
            let due = removed(
                "due",
                "runbook, section, at",
                "at < ?1 AND at < (SELECT max(o.at) FROM due AS o WHERE o.runbook = due.runbook AND o.section = due.section)",
            )?;
            let more = [samples, hours, documents, messages, happenings, due].iter().any(|n| *n >= AT_ONCE);
            Ok(Tidied { samples, hours, documents, messages, happenings, due, more })
        })
    }

    /// Tidies to the end, and gives the room that is free back to the disk. Others wait meanwhile.
    pub fn compact(&mut self, now: Timestamp, keep: &Retention) -> Result<Compacted, Fault> {
        let before = self.bytes()?;
        let mut tidied = Tidied { more: true, ..Tidied::default() };
        while tidied.more {
            let step = self.tidy(now, keep)?;
            tidied.samples += step.samples;
            tidied.hours += step.hours;
            tidied.documents += step.documents;
            tidied.messages += step.messages;
            tidied.happenings += step.happenings;
            tidied.due += step.due;
            tidied.more = step.more;
        }
        // Series of which nothing is left.
        self.write(|tx| {
            tx.execute(
                "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM sample WHERE sample.series = series.id)
                 AND NOT EXISTS (SELECT 1 FROM rollup WHERE rollup.series = series.id)",
                &[],
            )
        })?;
        match &self.kept {
            Kept::File { conn, path } => {
                let shrink = || {
                    conn.execute_batch("VACUUM; PRAGMA optimize")?;
                    // Somebody who reads keeps the log as long as it is; it is cut back at the next occasion.
                    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                };
                shrink().map_err(|error: rusqlite::Error| fault(path, &error))?;
            }
            Kept::Shared(store) => store.shrink()?,
        }
        Ok(Compacted { tidied, before, after: self.bytes()? })
    }

    fn bytes(&self) -> Result<u64, Fault> {
        match &self.kept {
            Kept::File { path, .. } => file::bytes(path),
            Kept::Shared(store) => store.bytes(),
        }
    }
}

/// An hour of a series. What is here is summed up here, so that it is the same in every database.
#[derive(Clone, Copy, Default)]
struct Hour {
    measured: i64,
    missed: i64,
    least: Option<f64>,
    most: Option<f64>,
    /// `None` where nothing was measured, or where it is not a number: infinity in both directions.
    sum: Option<f64>,
}

impl Hour {
    fn of(value: Option<f64>) -> Self {
        match value {
            None => Self { missed: 1, ..Self::default() },
            Some(_) => Self { measured: 1, missed: 0, least: value, most: value, sum: value },
        }
    }

    fn with(self, other: Self) -> Self {
        let both = |one: Option<f64>, other: Option<f64>, choose: fn(f64, f64) -> f64| match (one, other) {
            (Some(one), Some(other)) => Some(choose(one, other)),
            (one, other) => one.or(other),
        };
        let sum = match (self.measured, other.measured) {
            (0, _) => other.sum,
            (_, 0) => self.sum,
            _ => self.sum.zip(other.sum).map(|(one, other)| one + other).filter(|sum| !sum.is_nan()),
        };
        Self {
            measured: self.measured + other.measured,
            missed: self.missed + other.missed,
            least: both(self.least, other.least, f64::min),
            most: both(self.most, other.most, f64::max),
            sum,
        }
    }
}

/// Puts samples before a full hour together. An hour of a series is never left half done.
fn roll_up(tx: Tx<'_>, before: i64) -> Result<u64, Error> {
    let mut done = 0;
    for series in series(tx)? {
        loop {
            let from: Option<i64> =
                tx.value("SELECT min(at) FROM sample WHERE series = ?1", &cells![series])?.flatten();
            let Some(from) = from.filter(|from| *from < before) else { break };
            let from = from.div_euclid(HOUR).saturating_mul(HOUR);
            let to = from.saturating_add(STRIDE).min(before);
            together(tx, series, from, to)?;
            done +=
                tx.execute("DELETE FROM sample WHERE series = ?1 AND at >= ?2 AND at < ?3", &cells![series, from, to])?;
            if done >= AT_ONCE {
                return Ok(done);
            }
        }
    }
    Ok(done)
}

/// Adds the samples of a series between two full hours to their hours.
fn together(tx: Tx<'_>, series: i64, from: i64, to: i64) -> Result<(), Error> {
    let cells = cells![series, from, to];
    let known = tx.rows(
        "SELECT at, measured, missed, least, most, sum FROM rollup WHERE series = ?1 AND at >= ?2 AND at < ?3",
        &cells,
        |row| {
            let (measured, missed) = (row.get(1)?, row.get(2)?);
            let hour = Hour { measured, missed, least: row.get(3)?, most: row.get(4)?, sum: row.get(5)? };
            Ok((row.get::<i64>(0)?, hour))
        },
    )?;
    let known: BTreeMap<i64, Hour> = known.into_iter().collect();
    let samples = tx.rows(
        "SELECT at, value FROM sample WHERE series = ?1 AND at >= ?2 AND at < ?3 ORDER BY at",
        &cells,
        |row| Ok((row.get::<i64>(0)?, row.get::<Option<f64>>(1)?)),
    )?;
    let mut hours: BTreeMap<i64, Hour> = BTreeMap::new();
    for (at, value) in samples {
        let begin = at.div_euclid(HOUR).saturating_mul(HOUR);
        let hour = hours.entry(begin).or_insert_with(|| known.get(&begin).copied().unwrap_or_default());
        *hour = hour.with(Hour::of(value));
    }
    let rows: Vec<_> = hours
        .into_iter()
        .map(|(at, hour)| cells![series, at, hour.measured, hour.missed, hour.least, hour.most, hour.sum])
        .collect();
    tx.execute_all(
        "INSERT INTO rollup (series, at, measured, missed, least, most, sum) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (series, at) DO UPDATE SET measured = excluded.measured, missed = excluded.missed,
           least = excluded.least, most = excluded.most, sum = excluded.sum",
        &rows,
    )
    .map(|_| ())
}

fn remove_hours(tx: Tx<'_>, before: i64) -> Result<u64, Error> {
    let mut done = 0;
    for series in series(tx)? {
        done += tx.execute("DELETE FROM rollup WHERE series = ?1 AND at < ?2", &cells![series, before])?;
        if done >= AT_ONCE {
            break;
        }
    }
    Ok(done)
}

fn series(tx: Tx<'_>) -> Result<Vec<i64>, Error> {
    tx.rows("SELECT id FROM series ORDER BY id", &[], |row| row.get(0))
}
