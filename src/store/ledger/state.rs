//! What the engine knows of a runbook: documents by kind and id, and what happened to them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value;

use super::Ledger;
use super::column::{At, Bound, Json};
use super::outbox::{self, NewMessage};
use crate::types::Fault;

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
        self.read(|conn| {
            let Some((number, version)) = find(conn, runbook)? else {
                return Ok(Snapshot { version: 0, documents: Vec::new() });
            };
            let documents = conn
                .prepare_cached(
                    "SELECT kind, id, body, opened_at, closed_at FROM document
                     WHERE runbook = ? AND closed_at IS NULL ORDER BY number",
                )?
                .query_map([number], document)?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Snapshot { version, documents })
        })
    }

    /// The version alone: whether anything was committed since.
    pub fn version(&self, runbook: &str) -> Result<u64, Fault> {
        self.read(|conn| Ok(find(conn, runbook)?.map_or(0, |(_, version)| version)))
    }

    /// Keeps all of a commit, if nobody has committed since version `expected`.
    pub fn commit(&mut self, runbook: &str, expected: u64, commit: &Commit) -> Result<Committed, Fault> {
        self.write(|conn| {
            let version = find(conn, runbook)?.map_or(0, |(_, version)| version);
            if version != expected {
                return Ok(Committed::Stale { version });
            }
            let number = number(conn, runbook)?;
            apply(conn, number, commit)?;
            conn.prepare_cached("UPDATE runbook SET version = version + 1 WHERE id = ?")?.execute([number])?;
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
        self.read(|conn| {
            conn.prepare_cached(
                "SELECT kind, document.id, body, opened_at, closed_at
                 FROM document JOIN runbook ON runbook.id = document.runbook
                 WHERE (?1 IS NULL OR name = ?1) AND kind = ?2
                   AND (closed_at IS NULL OR closed_at >= ?3)
                 ORDER BY opened_at DESC, number DESC",
            )?
            .query_map(params![runbook, kind, Bound::or_ever(since)], document)?
            .collect()
        })
    }

    /// What happened at `since` or later (`None`: ever), of one thing or of all, oldest first.
    pub fn happenings(
        &self,
        runbook: &str,
        about: Option<&str>,
        since: Option<Timestamp>,
    ) -> Result<Vec<Happening>, Fault> {
        self.read(|conn| {
            let Some((number, _)) = find(conn, runbook)? else { return Ok(Vec::new()) };
            // Two statements, so that each has its index.
            let only = if about.is_some() { "about = ?3" } else { "?3 IS NULL" };
            conn.prepare_cached(&format!(
                "SELECT at, about, body FROM happening
                 WHERE runbook = ?1 AND at >= ?2 AND {only} ORDER BY at, number"
            ))?
            .query_map(params![number, Bound::or_ever(since), about], |row| {
                Ok(Happening { at: row.get::<_, At>(0)?.0, about: row.get(1)?, body: row.get::<_, Json<Value>>(2)?.0 })
            })?
            .collect()
        })
    }

    /// The names of all runbooks that the ledger knows.
    pub fn runbooks(&self) -> Result<Vec<String>, Fault> {
        self.read(|conn| {
            conn.prepare_cached("SELECT name FROM runbook ORDER BY name")?.query_map([], |row| row.get(0))?.collect()
        })
    }
}

/// The number and the version of a runbook.
pub(super) fn find(conn: &Connection, runbook: &str) -> rusqlite::Result<Option<(i64, u64)>> {
    conn.prepare_cached("SELECT id, version FROM runbook WHERE name = ?")?
        .query_row([runbook], |row| Ok((row.get(0)?, unsigned(row, 1)?)))
        .optional()
}

/// The number of a runbook, which may be new.
pub(super) fn number(conn: &Connection, runbook: &str) -> rusqlite::Result<i64> {
    conn.prepare_cached("INSERT INTO runbook (name) VALUES (?) ON CONFLICT DO NOTHING")?.execute([runbook])?;
    conn.prepare_cached("SELECT id FROM runbook WHERE name = ?")?.query_row([runbook], |row| row.get(0))
}

/// A count in a column.
pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document {
        kind: row.get(0)?,
        id: row.get(1)?,
        body: row.get::<_, Json<Value>>(2)?.0,
        opened_at: row.get::<_, At>(3)?.0,
        closed_at: row.get::<_, Option<At>>(4)?.map(|at| at.0),
    })
}

fn apply(conn: &Connection, runbook: i64, commit: &Commit) -> rusqlite::Result<()> {
    let mut remove = conn.prepare_cached("DELETE FROM document WHERE runbook = ? AND kind = ? AND id = ?")?;
    for (kind, id) in &commit.remove {
        remove.execute(params![runbook, kind, id])?;
    }
    let mut put = conn.prepare_cached(
        "INSERT INTO document (runbook, kind, id, body, opened_at, closed_at) VALUES (?, ?, ?, ?, ?, ?)
         ON CONFLICT (runbook, kind, id) DO UPDATE
         SET body = excluded.body, opened_at = excluded.opened_at, closed_at = excluded.closed_at",
    )?;
    for one in &commit.put {
        let closed = one.closed_at.map(At);
        put.execute(params![runbook, one.kind, one.id, Json(&one.body), At(one.opened_at), closed])?;
    }
    let mut happened = conn.prepare_cached("INSERT INTO happening (runbook, at, about, body) VALUES (?, ?, ?, ?)")?;
    for one in &commit.happened {
        happened.execute(params![runbook, At(one.at), one.about, Json(&one.body)])?;
    }
    outbox::withdraw(conn, runbook, commit.at, &commit.withdraw)?;
    outbox::tell(conn, runbook, commit.at, &commit.tell)
}
