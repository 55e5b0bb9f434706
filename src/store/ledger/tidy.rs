//! What is kept, and for how long.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, params};

use super::column::Bound;
use super::{Ledger, fault, file};
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
    /// What the file and its log took on the disk.
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
        self.write(|conn| {
            let samples = roll_up(conn, samples)?;
            let hours = remove_hours(conn, hours)?;
            let removed = |table: &str, key: &str, old: &str| {
                let sql = format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {old} LIMIT ?)");
                conn.prepare_cached(&sql)?.execute(params![history, AT_ONCE.cast_signed()]).map(|n| n as u64)
            };
            let documents = removed("document", "number", "closed_at < ?")?;
            let messages = removed("outgoing", "id", "ended_at < ?")?;
            let happenings = removed("happening", "number", "runbook IN (SELECT id FROM runbook) AND at < ?")?;
            // The last due time of a section is what says when it is due next.
            let due = removed(
                "due",
                "runbook, section, at",
                "at < ? AND at < (SELECT max(at) FROM due AS o WHERE o.runbook = due.runbook AND o.section = due.section)",
            )?;
            let more = [samples, hours, documents, messages, happenings, due].iter().any(|n| *n >= AT_ONCE);
            Ok(Tidied { samples, hours, documents, messages, happenings, due, more })
        })
    }

    /// Tidies to the end, and gives the room in the file back to the disk. Others wait meanwhile.
    pub fn compact(&mut self, now: Timestamp, keep: &Retention) -> Result<Compacted, Fault> {
        let before = file::bytes(&self.path)?;
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
        let shrink = || {
            // Series of which nothing is left.
            self.conn.execute(
                "DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM sample WHERE series = id)
                 AND NOT EXISTS (SELECT 1 FROM rollup WHERE series = id)",
                [],
            )?;
            self.conn.execute_batch("VACUUM; PRAGMA optimize")?;
            // Somebody who reads keeps the log as long as it is; it is cut back at the next occasion.
            self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        };
        shrink().map_err(|error: rusqlite::Error| fault(&self.path, &error))?;
        Ok(Compacted { tidied, before, after: file::bytes(&self.path)? })
    }
}

/// Puts samples before a full hour together. An hour of a series is never left half done.
fn roll_up(conn: &Connection, before: i64) -> rusqlite::Result<u64> {
    let mut oldest = conn.prepare_cached("SELECT min(at) FROM sample WHERE series = ?")?;
    let mut together = conn.prepare_cached(
        // A time before 1970 divides towards zero; the hour it is in begins below.
        "INSERT INTO rollup (series, at, measured, missed, least, most, sum)
         SELECT series, (at - (at % ?4 + ?4) % ?4) AS hour,
                count(value), count(*) - count(value), min(value), max(value), sum(value)
         FROM sample WHERE series = ?1 AND at >= ?2 AND at < ?3 GROUP BY hour
         ON CONFLICT (series, at) DO UPDATE SET
           measured = measured + excluded.measured, missed = missed + excluded.missed,
           least = min(coalesce(least, excluded.least), coalesce(excluded.least, least)),
           most = max(coalesce(most, excluded.most), coalesce(excluded.most, most)),
           sum = CASE WHEN measured = 0 THEN excluded.sum WHEN excluded.measured = 0 THEN sum
                 ELSE sum + excluded.sum END",
    )?;
    let mut remove = conn.prepare_cached("DELETE FROM sample WHERE series = ? AND at >= ? AND at < ?")?;
    let mut done = 0;
    for series in series(conn)? {
        loop {
            let from: Option<i64> = oldest.query_row([series], |row| row.get(0))?;
            let Some(from) = from.filter(|from| *from < before) else { break };
            let from = from.div_euclid(HOUR).saturating_mul(HOUR);
            let to = from.saturating_add(STRIDE).min(before);
            together.execute(params![series, from, to, HOUR])?;
            done += remove.execute(params![series, from, to])? as u64;
            if done >= AT_ONCE {
                return Ok(done);
            }
        }
    }
    Ok(done)
}

fn remove_hours(conn: &Connection, before: i64) -> rusqlite::Result<u64> {
    let mut remove = conn.prepare_cached("DELETE FROM rollup WHERE series = ? AND at < ?")?;
    let mut done = 0;
    for series in series(conn)? {
        done += remove.execute(params![series, before])? as u64;
        if done >= AT_ONCE {
            break;
        }
    }
    Ok(done)
}

fn series(conn: &Connection) -> rusqlite::Result<Vec<i64>> {
    conn.prepare_cached("SELECT id FROM series ORDER BY id")?.query_map([], |row| row.get(0))?.collect()
}
