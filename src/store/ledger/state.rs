//! What the engine knows of a runbook: documents by kind and id, and what happened to them.

use jiff::Timestamp;
use serde_json::Value;

use super::Ledger;
use super::column::{At, Bound, Json, at, json};
use super::outbox::{self, NewMessage};
use super::transaction::{Cell, Error, Row, Tx, cells};
use crate::types::{Fault, FaultKind};

/// The open documents of a runbook, and the version that a commit has to name.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub version: u64,
    pub documents: Vec<Document>,
}

/// Something that the engine keeps: an alert, an incident, a silence. It is open until it has an end.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub kind: String,
    pub id: String,
    pub body: Value,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
}

/// All that follows from one decision. It is kept as a whole or not at all.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    pub at: Timestamp,
    /// Takes the place of the documents of the same kind and id.
    pub put: Vec<Document>,
    /// Kind and id. What is put in the same commit is put afterwards.
    pub remove: Vec<(String, String)>,
    pub happened: Vec<Happening>,
    pub tell: Vec<NewMessage>,
    /// The keys of messages that nobody needs any more. Those already told stay told; those told in the same commit
    /// are told.
    pub withdraw: Vec<String>,
}

/// Whether a commit was the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a stale commit has written nothing"]
pub enum Committed {
    Done {
        version: u64,
    },
    /// Somebody else has committed since. Nothing was written: load again and decide anew.
    Stale {
        version: u64,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    pub at: Timestamp,
    /// `alert/12`, `incident/3`
    pub about: String,
    pub body: Value,
}

impl Commit {
    /// One of which nothing follows yet.
    #[must_use]
    pub fn at(at: Timestamp) -> Self {
        let (put, remove, happened, tell, withdraw) = Default::default();
        Self { at, put, remove, happened, tell, withdraw }
    }
}

impl Ledger {
    /// The version and all open documents, as they were at one moment. A runbook that never committed is at version 0.
    pub fn load(&self, runbook: &str) -> Result<Snapshot, Fault> {
        self.read(|tx| {
            let Some((number, version)) = find(tx, runbook)? else {
                return Ok(Snapshot { version: 0, documents: Vec::new() });
            };
            let documents = tx.rows(
                "SELECT kind, id, body, opened_at, closed_at FROM document
                 WHERE runbook = ?1 AND closed_at IS NULL ORDER BY number",
                &cells![number],
                document,
            )?;
            Ok(Snapshot { version, documents })
        })
    }

    /// The version alone: whether anything was committed since.
    pub fn version(&self, runbook: &str) -> Result<u64, Fault> {
        self.read(|tx| Ok(find(tx, runbook)?.map_or(0, |(_, version)| version)))
    }

    /// Keeps all of a commit, if nobody has committed since version `expected`.
    pub fn commit(&mut self, runbook: &str, expected: u64, commit: &Commit) -> Result<Committed, Fault> {
        self.write(|tx| {
            let version = find(tx, runbook)?.map_or(0, |(_, version)| version);
            if version != expected {
                return Ok(Committed::Stale { version });
            }
            let number = number(tx, runbook)?;
            apply(tx, number, commit)?;
            tx.execute("UPDATE runbook SET version = version + 1 WHERE id = ?1", &cells![number])?;
            Ok(Committed::Done { version: version + 1 })
        })
    }

    /// Documents of a kind that are open or were closed at `since` or later (`None`: all), newest first.
    pub fn documents(
        &self,
        runbook: Option<&str>,
        kind: &str,
        since: Option<Timestamp>,
    ) -> Result<Vec<Document>, Fault> {
        self.read(|tx| {
            tx.rows(
                "SELECT kind, document.id, body, opened_at, closed_at
                 FROM document JOIN runbook ON runbook.id = document.runbook
                 WHERE (?1 IS NULL OR name = ?1) AND kind = ?2
                   AND (closed_at IS NULL OR closed_at >= ?3)
                 ORDER BY opened_at DESC, number DESC",
                &cells![runbook, kind, Bound::or_ever(since)],
                document,
            )
        })
    }

    /// What happened at `since` or later (`None`: ever), of one thing or of all, oldest first.
    pub fn happenings(
        &self,
        runbook: &str,
        about: Option<&str>,
        since: Option<Timestamp>,
    ) -> Result<Vec<Happening>, Fault> {
        self.read(|tx| {
            let Some((number, _)) = find(tx, runbook)? else { return Ok(Vec::new()) };
            // Two statements, so that each has its index.
            let only = if about.is_some() { "about = ?3" } else { "?3 IS NULL" };
            let sql = format!(
                "SELECT at, about, body FROM happening
                 WHERE runbook = ?1 AND at >= ?2 AND {only} ORDER BY at, number"
            );
            tx.rows(&sql, &cells![number, Bound::or_ever(since), about], |row| {
                Ok(Happening { at: row.get::<At>(0)?.0, about: row.get(1)?, body: row.get::<Json<Value>>(2)?.0 })
            })
        })
    }

    /// The names of all runbooks that the ledger knows.
    pub fn runbooks(&self) -> Result<Vec<String>, Fault> {
        self.read(|tx| tx.rows("SELECT name FROM runbook ORDER BY name", &[], |row| row.get(0)))
    }
}

/// The number and the version of a runbook.
pub(super) fn find(tx: Tx<'_>, runbook: &str) -> Result<Option<(i64, u64)>, Error> {
    tx.row("SELECT id, version FROM runbook WHERE name = ?1", &cells![runbook], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// The number of a runbook, which may be new.
pub(super) fn number(tx: Tx<'_>, runbook: &str) -> Result<i64, Error> {
    match find(tx, runbook)? {
        Some((number, _)) => Ok(number),
        None => new(tx, "INSERT INTO runbook (name) VALUES (?1) RETURNING id", &cells![runbook]),
    }
}

/// Inserts a row that is not there, and gives its number.
pub(super) fn new(tx: Tx<'_>, insert: &str, cells: &[Cell]) -> Result<i64, Error> {
    let number = tx.value(insert, cells)?;
    number.ok_or_else(|| Fault::new(FaultKind::BadAnswer, "the ledger does not say the number of a new row").into())
}

fn document(row: &Row<'_>) -> Result<Document, Error> {
    Ok(Document {
        kind: row.get(0)?,
        id: row.get(1)?,
        body: row.get::<Json<Value>>(2)?.0,
        opened_at: row.get::<At>(3)?.0,
        closed_at: row.get::<Option<At>>(4)?.map(|at| at.0),
    })
}

fn apply(tx: Tx<'_>, runbook: i64, commit: &Commit) -> Result<(), Error> {
    let removed: Vec<_> = commit.remove.iter().map(|(kind, id)| cells![runbook, kind, id]).collect();
    tx.execute_all("DELETE FROM document WHERE runbook = ?1 AND kind = ?2 AND id = ?3", &removed)?;
    let put = commit.put.iter().map(|one| {
        let closed = one.closed_at.map(at).transpose()?;
        Ok(cells![runbook, &one.kind, &one.id, json(&one.body)?, at(one.opened_at)?, closed])
    });
    tx.execute_all(
        "INSERT INTO document (runbook, kind, id, body, opened_at, closed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (runbook, kind, id) DO UPDATE
         SET body = excluded.body, opened_at = excluded.opened_at, closed_at = excluded.closed_at",
        &put.collect::<Result<Vec<_>, Error>>()?,
    )?;
    let happened = commit.happened.iter().map(|one| Ok(cells![runbook, at(one.at)?, &one.about, json(&one.body)?]));
    tx.execute_all(
        "INSERT INTO happening (runbook, at, about, body) VALUES (?1, ?2, ?3, ?4)",
        &happened.collect::<Result<Vec<_>, Error>>()?,
    )?;
    outbox::withdraw(tx, runbook, commit.at, &commit.withdraw)?;
    outbox::tell(tx, runbook, commit.at, &commit.tell)
}
