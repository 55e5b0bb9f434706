//! What has to be told: messages that wait until somebody has told them.
//!
//! A message is written in the same commit as what it follows from. Whoever tells messages claims them for a while; if
//! that process ends before it says what came of it, the claim runs out and somebody else tells it. So a message is
//! told at least once, and twice only where a process ended between telling it and saying so.

use jiff::{SignedDuration, Timestamp};
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde_json::Value;

use super::Ledger;
use super::column::{At, Bound, Json};
use crate::types::{Fault, FaultKind};

/// Something to tell. The same channel and key twice, in one runbook, is one message: the first one.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    pub channel: String,
    pub key: String,
    pub body: Value,
    pub not_before: Timestamp,
}

/// A message, and how far it got.
#[derive(Clone, Debug, PartialEq)]
pub struct Outgoing {
    pub id: i64,
    pub runbook: String,
    pub channel: String,
    pub key: String,
    pub body: Value,
    pub created_at: Timestamp,
    /// When it is tried next, or was tried last.
    pub not_before: Timestamp,
    /// How often it was claimed, the present claim included.
    pub tries: u32,
    pub state: OutgoingState,
    /// What the other side said last, or why it could not be told.
    pub last: Option<String>,
    pub ended_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutgoingState {
    Waiting,
    /// Somebody is telling it, or ended while doing so.
    Claimed,
    Told,
    GivenUp,
    Withdrawn,
}

impl OutgoingState {
    const ALL: &'static [Self] = &[Self::Waiting, Self::Claimed, Self::Told, Self::GivenUp, Self::Withdrawn];

    /// Whether it still has to be told.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Waiting | Self::Claimed)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Claimed => "claimed",
            Self::Told => "told",
            Self::GivenUp => "given_up",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl FromSql for OutgoingState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        let found = Self::ALL.iter().copied().find(|state| state.name() == name);
        found.ok_or_else(|| FromSqlError::Other(format!("no message is `{name}`").into()))
    }
}

const COLUMNS: &str = "outgoing.id, name, channel, key, body, created_at, not_before, tries, state, last, ended_at";

impl Ledger {
    /// Hands out messages of a runbook whose time has come and that nobody holds, oldest first, for as long as `lease`.
    pub fn claim(
        &mut self,
        runbook: &str,
        holder: &str,
        now: Timestamp,
        lease: SignedDuration,
        at_most: usize,
    ) -> Result<Vec<Outgoing>, Fault> {
        let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        self.write(|conn| {
            let due: Vec<i64> = conn
                .prepare_cached(
                    "SELECT outgoing.id FROM outgoing JOIN runbook ON runbook.id = runbook
                     WHERE due_at <= ? AND name = ? ORDER BY outgoing.id LIMIT ?",
                )?
                .query_map(params![Bound(now), runbook, at_most], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let mut claim = conn.prepare_cached(
                "UPDATE outgoing SET state = 'claimed', holder = ?, due_at = ?, tries = tries + 1 WHERE id = ?",
            )?;
            due.into_iter()
                .map(|id| {
                    claim.execute(params![holder, Bound(until), id])?;
                    one(conn, id)
                })
                .collect()
        })
    }

    /// Makes sure of messages right before they are told: prolongs the claim on those that still are this holder's, and
    /// gives their numbers. The others were withdrawn, or are somebody else's by now, and must not be told.
    ///
    /// Between this and the moment when a message is out, a process can still be suspended; nobody but the other side could
    /// tell then, by the key.
    pub fn prolong(
        &mut self,
        ids: &[i64],
        holder: &str,
        now: Timestamp,
        lease: SignedDuration,
    ) -> Result<Vec<i64>, Fault> {
        let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        self.write(|conn| {
            let mut prolong = conn
                .prepare_cached("UPDATE outgoing SET due_at = ? WHERE id = ? AND state = 'claimed' AND holder = ?")?;
            let mut own = Vec::new();
            for id in ids {
                if prolong.execute(params![Bound(until), id, holder])? > 0 {
                    own.push(*id);
                }
            }
            Ok(own)
        })
    }

    /// The message was told. It is so even where the claim had run out or the message was withdrawn meanwhile: it is
    /// out. For the same reason it is written whoever leads by now. Gives whether the claim still was this holder's.
    pub fn told(&mut self, id: i64, holder: &str, at: Timestamp, said: &str) -> Result<bool, Fault> {
        let settled = self.write_anyway(settle(id, holder, |conn, state, held| {
            if state != OutgoingState::Told {
                conn.prepare_cached(
                    "UPDATE outgoing SET state = 'told', holder = NULL, due_at = NULL, last = ?, ended_at = ?
                     WHERE id = ?",
                )?
                .execute(params![said, At(at), id])?;
            }
            Ok(held)
        }))?;
        self.known(id, settled)
    }

    /// The message could not be told, and is to be tried again, or (`None`) not any more. Gives whether the claim still
    /// was this holder's; where it was not, nothing is written.
    pub fn not_told(
        &mut self,
        id: i64,
        holder: &str,
        at: Timestamp,
        why: &str,
        again: Option<Timestamp>,
    ) -> Result<bool, Fault> {
        let settled = self.write(settle(id, holder, |conn, state, held| {
            match (held, again) {
                (true, Some(again)) => conn
                    .prepare_cached(
                        "UPDATE outgoing SET state = 'waiting', holder = NULL, last = ?2, not_before = ?3, due_at = ?3
                         WHERE id = ?1",
                    )?
                    .execute(params![id, why, At(again)])?,
                (true, None) => conn
                    .prepare_cached(
                        "UPDATE outgoing SET state = 'given_up', holder = NULL, due_at = NULL, last = ?2, ended_at = ?3
                         WHERE id = ?1",
                    )?
                    .execute(params![id, why, At(at)])?,
                // It was withdrawn while it was tried: what came of that is still worth knowing.
                (false, _) if state == OutgoingState::Withdrawn => conn
                    .prepare_cached("UPDATE outgoing SET last = ?2, holder = NULL WHERE id = ?1 AND holder = ?3")?
                    .execute(params![id, why, holder])?,
                (false, _) => 0,
            };
            Ok(held)
        }))?;
        self.known(id, settled)
    }

    /// When the next message can be claimed. One that is claimed can be when its claim runs out.
    pub fn next_due(&self, runbook: &str) -> Result<Option<Timestamp>, Fault> {
        self.read(|conn| {
            let due: Option<At> = conn
                .prepare_cached(
                    "SELECT min(due_at) FROM outgoing JOIN runbook ON runbook.id = runbook
                     WHERE due_at IS NOT NULL AND name = ?",
                )?
                .query_row([runbook], |row| row.get(0))?;
            Ok(due.map(|at| at.0))
        })
    }

    /// Messages that have not ended, or ended at `since` or later (`None`: all), newest first.
    pub fn outgoing(&self, runbook: Option<&str>, since: Option<Timestamp>) -> Result<Vec<Outgoing>, Fault> {
        self.read(|conn| {
            conn.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM outgoing JOIN runbook ON runbook.id = runbook
                 WHERE (?1 IS NULL OR name = ?1) AND (due_at IS NOT NULL OR ended_at >= ?2)
                 ORDER BY outgoing.id DESC"
            ))?
            .query_map(params![runbook, Bound::or_ever(since)], outgoing)?
            .collect()
        })
    }

    fn known(&self, id: i64, settled: Option<bool>) -> Result<bool, Fault> {
        settled.ok_or_else(|| {
            let message = format!("the ledger `{}` has no message {id}", self.path().display());
            Fault::new(FaultKind::NotFound, message)
        })
    }
}

/// Looks up how a message stands and whether the holder's claim is on it, and lets `work` write what follows. `None` where
/// there is no such message.
fn settle(
    id: i64,
    holder: &str,
    work: impl FnOnce(&Connection, OutgoingState, bool) -> rusqlite::Result<bool>,
) -> impl FnOnce(&Transaction<'_>) -> rusqlite::Result<Option<bool>> {
    move |conn| {
        let found: Option<(OutgoingState, Option<String>)> = conn
            .prepare_cached("SELECT state, holder FROM outgoing WHERE id = ?")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((state, whose)) = found else { return Ok(None) };
        let held = state == OutgoingState::Claimed && whose.as_deref() == Some(holder);
        work(conn, state, held).map(Some)
    }
}

/// Writes messages that are not there yet.
pub(super) fn tell(conn: &Connection, runbook: i64, at: Timestamp, messages: &[NewMessage]) -> rusqlite::Result<()> {
    let mut insert = conn.prepare_cached(
        "INSERT INTO outgoing (runbook, channel, key, body, created_at, not_before, due_at, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6, 'waiting') ON CONFLICT (runbook, channel, key) DO NOTHING",
    )?;
    for one in messages {
        insert.execute(params![runbook, one.channel, one.key, Json(&one.body), At(at), At(one.not_before)])?;
    }
    Ok(())
}

/// Withdraws messages that are not told yet. Who holds one keeps its name on it, for what comes of the try.
pub(super) fn withdraw(conn: &Connection, runbook: i64, at: Timestamp, keys: &[String]) -> rusqlite::Result<()> {
    let mut withdraw = conn.prepare_cached(
        "UPDATE outgoing SET state = 'withdrawn', due_at = NULL, ended_at = ?
         WHERE runbook = ? AND key = ? AND due_at IS NOT NULL",
    )?;
    for key in keys {
        withdraw.execute(params![At(at), runbook, key])?;
    }
    Ok(())
}

fn one(conn: &Connection, id: i64) -> rusqlite::Result<Outgoing> {
    conn.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outgoing JOIN runbook ON runbook.id = runbook WHERE outgoing.id = ?"
    ))?
    .query_row([id], outgoing)
}

fn outgoing(row: &Row<'_>) -> rusqlite::Result<Outgoing> {
    Ok(Outgoing {
        id: row.get(0)?,
        runbook: row.get(1)?,
        channel: row.get(2)?,
        key: row.get(3)?,
        body: row.get::<_, Json<Value>>(4)?.0,
        created_at: row.get::<_, At>(5)?.0,
        not_before: row.get::<_, At>(6)?.0,
        tries: row.get(7)?,
        state: row.get(8)?,
        last: row.get(9)?,
        ended_at: row.get::<_, Option<At>>(10)?.map(|at| at.0),
    })
}
