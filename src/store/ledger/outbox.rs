//! What has to be told: messages that wait until somebody has told them.
//!
//! A message is written in the same commit as what it follows from. Whoever tells messages claims them for a while; if
//! that process ends before it says what came of it, the claim runs out and somebody else tells it. So a message is
//! told at least once, and twice only where a process ended between telling it and saying so.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::column::{At, Bound, Json, at, json};
use super::transaction::{Error, FromCell, Row, Seen, Tx, cells};
use super::{Ledger, leases};
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

impl FromCell for OutgoingState {
    fn from_cell(seen: Seen<'_>) -> Result<Self, String> {
        let name = String::from_cell(seen)?;
        let found = Self::ALL.iter().copied().find(|state| state.name() == name);
        found.ok_or_else(|| format!("no message is `{name}`"))
    }
}

/// What waits for a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    pub channel: String,
    /// When the first of it can be claimed.
    pub at: Timestamp,
    /// How many messages can be claimed now.
    pub now: u64,
}

const COLUMNS: &str = "outgoing.id, name, channel, key, body, created_at, not_before, tries, state, last, ended_at";

impl Ledger {
    /// Hands out messages for a channel of a runbook whose time has come and that nobody holds, oldest first, for as long as
    /// `lease`. `behind`: those that were tried before as well, whatever their time, if they were written down behind this
    /// one.
    pub fn claim(
        &mut self,
        (runbook, channel): (&str, &str),
        holder: &str,
        now: Timestamp,
        lease: SignedDuration,
        at_most: usize,
        behind: Option<i64>,
    ) -> Result<Vec<Outgoing>, Fault> {
        let until = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let at_most = i64::try_from(at_most).unwrap_or(i64::MAX);
        self.write(|tx| {
            // What waits has an index of its own. `|| ''` keeps the one of all messages of a channel out of it, which holds
            // those of a year.
            let due = tx.rows(
                "SELECT outgoing.id FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook
                 WHERE due_at IS NOT NULL AND name = ?2 AND channel || '' = ?3
                   AND (due_at <= ?1 OR (state = 'waiting' AND tries > 0 AND outgoing.id > ?5))
                 ORDER BY outgoing.id LIMIT ?4",
                &cells![Bound(tx.shared(now)), runbook, channel, at_most, behind],
                |row| row.get::<i64>(0),
            )?;
            let (Some(first), Some(last)) = (due.first().copied(), due.last().copied()) else { return Ok(Vec::new()) };
            let until = Bound(tx.shared(until));
            let claims: Vec<_> = due.iter().map(|id| cells![holder, until, *id]).collect();
            tx.execute_all(
                "UPDATE outgoing SET state = 'claimed', holder = ?1, due_at = ?2, tries = tries + 1 WHERE id = ?3",
                &claims,
            )?;
            let sql = format!(
                "SELECT {COLUMNS} FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook
                 WHERE outgoing.id BETWEEN ?1 AND ?2 AND state = 'claimed' AND holder = ?3 ORDER BY outgoing.id"
            );
            let mut claimed = tx.rows(&sql, &cells![first, last, holder], outgoing)?;
            // Between them may be others that this holder has claimed before.
            claimed.retain(|one| due.binary_search(&one.id).is_ok());
            Ok(claimed)
        })
    }

    /// For which channels of a runbook something waits: when the first of it can be claimed, and how much can be now. What
    /// is claimed of a channel whose line nobody has is free for whoever takes that.
    pub fn due(&self, runbook: &str, now: Timestamp) -> Result<Vec<Due>, Fault> {
        let (waiting, told) = self.read(|tx| {
            let waiting = tx.rows(
                "SELECT channel, due_at, state FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook
                 WHERE due_at IS NOT NULL AND name = ?1",
                &cells![runbook],
                |row| Ok((row.get::<String>(0)?, tx.own(row.get::<At>(1)?.0), row.get::<OutgoingState>(2)?)),
            )?;
            let mut told: BTreeMap<String, bool> = BTreeMap::new();
            for (channel, ..) in waiting.iter().filter(|(.., state)| *state == OutgoingState::Claimed) {
                if !told.contains_key(channel) {
                    told.insert(channel.clone(), leases::is_told(tx, runbook, channel, now)?);
                }
            }
            Ok((waiting, told))
        })?;
        let mut due: BTreeMap<String, Due> = BTreeMap::new();
        for (channel, at, state) in waiting {
            let is_free = state == OutgoingState::Claimed && told.get(&channel) == Some(&false);
            let at = if is_free { at.min(now) } else { at };
            let one = due.entry(channel).or_insert_with_key(|channel| Due { channel: channel.clone(), at, now: 0 });
            one.at = one.at.min(at);
            one.now += u64::from(at <= now);
        }
        Ok(due.into_values().collect())
    }

    /// How many messages of a channel can be claimed now.
    pub fn waiting(&self, runbook: &str, channel: &str, now: Timestamp) -> Result<usize, Fault> {
        self.read(|tx| {
            let count = tx.value(
                "SELECT count(*) FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook
                 WHERE due_at <= ?1 AND name = ?2 AND channel || '' = ?3",
                &cells![Bound(tx.shared(now)), runbook, channel],
            )?;
            Ok(count.map_or(0, |count: u64| usize::try_from(count).unwrap_or(usize::MAX)))
        })
    }

    /// What is due for a channel waits until a time: it takes no more now. That is no try.
    pub fn postpone(
        &mut self,
        runbook: &str,
        channel: &str,
        now: Timestamp,
        until: Timestamp,
        why: &str,
    ) -> Result<(), Fault> {
        self.write(|tx| {
            tx.execute(
                "UPDATE outgoing SET not_before = ?1, due_at = ?2, last = ?3
                 WHERE runbook = (SELECT id FROM runbook WHERE name = ?4) AND channel || '' = ?5
                   AND state = 'waiting' AND due_at <= ?6",
                &cells![at(until)?, at(tx.shared(until))?, why, runbook, channel, Bound(tx.shared(now))],
            )
            .map(|_| ())
        })
    }

    /// What was tried and waits to be tried again is due at once: something may have been mended.
    pub fn hurry(&mut self, runbook: &str, now: Timestamp) -> Result<u64, Fault> {
        self.write(|tx| {
            tx.execute(
                "UPDATE outgoing SET not_before = ?1, due_at = ?2
                 WHERE runbook = (SELECT id FROM runbook WHERE name = ?3) AND state = 'waiting' AND tries > 0
                   AND due_at > ?4",
                &cells![at(now)?, at(tx.shared(now))?, runbook, Bound(tx.shared(now))],
            )
        })
    }

    /// Messages that wait for their time and were not tried are due at once.
    pub fn hold_no_longer(&mut self, runbook: &str, messages: &[(&str, &str)], now: Timestamp) -> Result<(), Fault> {
        self.write(|tx| {
            let due = at(now)?;
            let shared = at(tx.shared(now))?;
            let rows: Vec<_> =
                messages.iter().map(|(channel, key)| cells![due, shared, runbook, *channel, *key]).collect();
            tx.execute_all(
                "UPDATE outgoing SET not_before = ?1, due_at = ?2
                 WHERE runbook = (SELECT id FROM runbook WHERE name = ?3) AND channel = ?4 AND key = ?5
                   AND state = 'waiting' AND tries = 0 AND due_at > ?2",
                &rows,
            )
            .map(|_| ())
        })
    }

    /// A holder tells nothing more: what it has claimed is free at once. Gives how many messages that are.
    pub fn let_go(&mut self, runbook: &str, holder: &str, now: Timestamp, why: &str) -> Result<u64, Fault> {
        self.write_anyway(|tx| let_go(tx, runbook, holder, now, why))
    }

    /// A message, as far as it got.
    pub fn message(&self, runbook: &str, channel: &str, key: &str) -> Result<Option<Outgoing>, Fault> {
        self.read(|tx| {
            let sql = format!(
                "SELECT {COLUMNS} FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook
                 WHERE name = ?1 AND channel = ?2 AND key = ?3"
            );
            tx.row(&sql, &cells![runbook, channel, key], outgoing)
        })
    }

    /// The message was told. It is so even where the claim had run out or the message was withdrawn meanwhile: it is
    /// out. For the same reason it is written whoever leads by now. Gives whether the claim still was this holder's.
    pub fn told(&mut self, id: i64, holder: &str, ended: Timestamp, said: &str) -> Result<bool, Fault> {
        let settled = self.write_anyway(|tx| {
            let Some((state, held)) = stands(tx, id, holder)? else { return Ok(None) };
            if state != OutgoingState::Told {
                tx.execute(
                    "UPDATE outgoing SET state = 'told', holder = NULL, due_at = NULL, last = ?1, ended_at = ?2
                     WHERE id = ?3",
                    &cells![said, at(ended)?, id],
                )?;
            }
            Ok(Some(held))
        })?;
        self.known(id, settled)
    }

    /// The message could not be told, and is to be tried again, or (`None`) not any more. Gives whether the claim still
    /// was this holder's; where it was not, nothing is written.
    pub fn not_told(
        &mut self,
        id: i64,
        holder: &str,
        ended: Timestamp,
        why: &str,
        again: Option<Timestamp>,
    ) -> Result<bool, Fault> {
        let settled = self.write(|tx| {
            let Some((state, held)) = stands(tx, id, holder)? else { return Ok(None) };
            match (held, again) {
                (true, Some(again)) => tx.execute(
                    "UPDATE outgoing SET state = 'waiting', holder = NULL, last = ?2, not_before = ?3, due_at = ?4
                     WHERE id = ?1",
                    &cells![id, why, at(again)?, at(tx.shared(again))?],
                )?,
                (true, None) => tx.execute(
                    "UPDATE outgoing SET state = 'given_up', holder = NULL, due_at = NULL, last = ?2, ended_at = ?3
                     WHERE id = ?1",
                    &cells![id, why, at(ended)?],
                )?,
                // It was withdrawn while it was tried: what came of that is still worth knowing.
                (false, _) if state == OutgoingState::Withdrawn => tx.execute(
                    "UPDATE outgoing SET last = ?2, holder = NULL WHERE id = ?1 AND holder = ?3",
                    &cells![id, why, holder],
                )?,
                (false, _) => 0,
            };
            Ok(Some(held))
        })?;
        self.known(id, settled)
    }

    /// When the next message can be claimed. One that is claimed can be when its claim runs out.
    pub fn next_due(&self, runbook: &str) -> Result<Option<Timestamp>, Fault> {
        self.read(|tx| {
            let due = tx.value::<Option<At>>(
                "SELECT min(due_at) FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook
                 WHERE due_at IS NOT NULL AND name = ?1",
                &cells![runbook],
            )?;
            Ok(due.flatten().map(|at| tx.own(at.0)))
        })
    }

    /// Messages that have not ended, or ended at `since` or later (`None`: all), newest first.
    pub fn outgoing(&self, runbook: Option<&str>, since: Option<Timestamp>) -> Result<Vec<Outgoing>, Fault> {
        self.read(|tx| {
            let sql = format!(
                "SELECT {COLUMNS} FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook
                 WHERE (?1 IS NULL OR name = ?1) AND (due_at IS NOT NULL OR ended_at >= ?2)
                 ORDER BY outgoing.id DESC"
            );
            tx.rows(&sql, &cells![runbook, Bound::or_ever(since)], outgoing)
        })
    }

    fn known(&self, id: i64, settled: Option<bool>) -> Result<bool, Fault> {
        settled.ok_or_else(|| {
            let message = format!("the ledger `{}` has no message {id}", self.shown());
            Fault::new(FaultKind::NotFound, message)
        })
    }
}

/// Frees what a holder has claimed of a runbook. What it has told by now may be told again, under the same key.
pub(super) fn let_go(tx: Tx<'_>, runbook: &str, holder: &str, now: Timestamp, why: &str) -> Result<u64, Error> {
    freed(tx, runbook, ("holder", holder), now, why)
}

/// Frees what is claimed of a channel: whoever has claimed it does not tell it any more.
pub(super) fn free(tx: Tx<'_>, runbook: &str, channel: &str, now: Timestamp, why: &str) -> Result<u64, Error> {
    freed(tx, runbook, ("channel || ''", channel), now, why)
}

/// Frees what is claimed of a runbook and has this in a column.
fn freed(tx: Tx<'_>, runbook: &str, (column, has): (&str, &str), now: Timestamp, why: &str) -> Result<u64, Error> {
    let sql = format!(
        "UPDATE outgoing SET state = 'waiting', holder = NULL, not_before = ?1, due_at = ?2, last = ?3
         WHERE runbook = (SELECT id FROM runbook WHERE name = ?4) AND due_at IS NOT NULL AND state = 'claimed'
           AND {column} = ?5"
    );
    tx.execute(&sql, &cells![at(now)?, at(tx.shared(now))?, why, runbook, has])
}

/// How a message stands, and whether the holder's claim is on it. `None` where there is no such message.
fn stands(tx: Tx<'_>, id: i64, holder: &str) -> Result<Option<(OutgoingState, bool)>, Error> {
    let found = tx.row("SELECT state, holder FROM outgoing WHERE id = ?1", &cells![id], |row| {
        Ok((row.get::<OutgoingState>(0)?, row.get::<Option<String>>(1)?))
    })?;
    let held = |state, whose: Option<String>| state == OutgoingState::Claimed && whose.as_deref() == Some(holder);
    Ok(found.map(|(state, whose)| (state, held(state, whose))))
}

/// Writes messages that are not there yet.
pub(super) fn tell(tx: Tx<'_>, runbook: i64, now: Timestamp, messages: &[NewMessage]) -> Result<(), Error> {
    let rows = messages.iter().map(|one| {
        let (created, due) = (at(now)?, at(one.not_before)?);
        Ok(cells![runbook, &one.channel, &one.key, json(&one.body)?, created, due, at(tx.shared(one.not_before))?])
    });
    // What is there already takes no number.
    tx.execute_all(
        "INSERT INTO outgoing (runbook, channel, key, body, created_at, not_before, due_at, state)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, 'waiting'
         WHERE NOT EXISTS (SELECT 1 FROM outgoing WHERE runbook = ?1 AND channel = ?2 AND key = ?3)",
        &rows.collect::<Result<Vec<_>, Error>>()?,
    )
    .map(|_| ())
}

/// Withdraws messages that are not told yet. Who holds one keeps its name on it, for what comes of the try.
pub(super) fn withdraw(tx: Tx<'_>, runbook: i64, now: Timestamp, keys: &[String]) -> Result<(), Error> {
    let now = at(now)?;
    let rows: Vec<_> = keys.iter().map(|key| cells![now, runbook, key]).collect();
    tx.execute_all(
        "UPDATE outgoing SET state = 'withdrawn', due_at = NULL, ended_at = ?1
         WHERE runbook = ?2 AND key = ?3 AND due_at IS NOT NULL",
        &rows,
    )
    .map(|_| ())
}

fn outgoing(row: &Row<'_>) -> Result<Outgoing, Error> {
    Ok(Outgoing {
        id: row.get(0)?,
        runbook: row.get(1)?,
        channel: row.get(2)?,
        key: row.get(3)?,
        body: row.get::<Json<Value>>(4)?.0,
        created_at: row.get::<At>(5)?.0,
        not_before: row.get::<At>(6)?.0,
        tries: row.get(7)?,
        state: row.get(8)?,
        last: row.get(9)?,
        ended_at: row.get::<Option<At>>(10)?.map(|at| at.0),
    })
}
