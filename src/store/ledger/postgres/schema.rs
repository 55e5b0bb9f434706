//! The tables in a database, version by version, and how they come to be.

use super::Store;
use crate::store::ledger::transaction::{Error, Tx, cells};
use crate::types::{Fault, FaultKind};

/// Step `n` leads from version `n` to `n + 1`. A step that was ever released is never changed.
const STEPS: &[&[&str]] = &[V1, V2, V3];

/// The oldest server that has all that is asked of it.
const OLDEST: i64 = 120_000;

/// As in the file: all times are nanoseconds since 1970, all bodies are JSON, text has the order of its bytes.
const V1: &[&str] = &[
    "CREATE TABLE runbook (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name TEXT COLLATE \"C\" NOT NULL UNIQUE,
  version BIGINT NOT NULL DEFAULT 0 CHECK (version >= 0)
)",
    "CREATE TABLE document (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  runbook BIGINT NOT NULL REFERENCES runbook (id),
  kind TEXT COLLATE \"C\" NOT NULL,
  id TEXT COLLATE \"C\" NOT NULL,
  body TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  closed_at BIGINT,
  UNIQUE (runbook, kind, id)
)",
    "CREATE INDEX document_open ON document (runbook) WHERE closed_at IS NULL",
    "CREATE INDEX document_closed ON document (closed_at) WHERE closed_at IS NOT NULL",
    "CREATE TABLE happening (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  runbook BIGINT NOT NULL REFERENCES runbook (id),
  at BIGINT NOT NULL,
  about TEXT COLLATE \"C\" NOT NULL,
  body TEXT NOT NULL
)",
    "CREATE INDEX happening_at ON happening (runbook, at)",
    "CREATE INDEX happening_about ON happening (runbook, about, at)",
    "CREATE TABLE outgoing (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  runbook BIGINT NOT NULL REFERENCES runbook (id),
  channel TEXT COLLATE \"C\" NOT NULL,
  key TEXT COLLATE \"C\" NOT NULL,
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  not_before BIGINT NOT NULL,
  tries BIGINT NOT NULL DEFAULT 0 CHECK (tries >= 0),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'told', 'given_up', 'withdrawn')),
  holder TEXT,
  due_at BIGINT,
  last TEXT,
  ended_at BIGINT,
  UNIQUE (runbook, channel, key),
  CHECK ((state IN ('waiting', 'claimed')) = (due_at IS NOT NULL)),
  CHECK ((state IN ('waiting', 'claimed')) = (ended_at IS NULL)),
  CHECK (state <> 'waiting' OR holder IS NULL),
  CHECK (state <> 'claimed' OR (holder IS NOT NULL AND tries > 0))
)",
    "CREATE INDEX outgoing_due ON outgoing (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX outgoing_key ON outgoing (runbook, key) WHERE due_at IS NOT NULL",
    "CREATE INDEX outgoing_ended ON outgoing (ended_at) WHERE ended_at IS NOT NULL",
    "CREATE TABLE series (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  runbook BIGINT NOT NULL REFERENCES runbook (id),
  metric TEXT COLLATE \"C\" NOT NULL,
  labels TEXT COLLATE \"C\" NOT NULL,
  UNIQUE (runbook, metric, labels)
)",
    "CREATE TABLE sample (
  series BIGINT NOT NULL REFERENCES series (id),
  at BIGINT NOT NULL,
  value DOUBLE PRECISION,
  why TEXT,
  PRIMARY KEY (series, at)
)",
    "CREATE TABLE rollup (
  series BIGINT NOT NULL REFERENCES series (id),
  at BIGINT NOT NULL,
  measured BIGINT NOT NULL CHECK (measured >= 0),
  missed BIGINT NOT NULL CHECK (missed >= 0),
  least DOUBLE PRECISION,
  most DOUBLE PRECISION,
  sum DOUBLE PRECISION,
  PRIMARY KEY (series, at),
  CHECK (measured + missed > 0),
  CHECK (at % 3600000000000 = 0),
  CHECK ((measured > 0) = (least IS NOT NULL)),
  CHECK (least IS NULL OR least <= most)
)",
    "CREATE TABLE lease (
  name TEXT COLLATE \"C\" PRIMARY KEY,
  holder TEXT,
  until BIGINT,
  fence BIGINT NOT NULL CHECK (fence > 0),
  CHECK ((holder IS NULL) = (until IS NULL))
)",
    "CREATE TABLE due (
  runbook BIGINT NOT NULL REFERENCES runbook (id),
  section TEXT COLLATE \"C\" NOT NULL,
  at BIGINT NOT NULL,
  outcome TEXT NOT NULL,
  run TEXT,
  PRIMARY KEY (runbook, section, at)
)",
    // What all servers have in common, and nobody else may know: the key of their links.
    "CREATE TABLE secret (
  name TEXT COLLATE \"C\" PRIMARY KEY,
  value TEXT NOT NULL
)",
];

const V2: &[&str] = &[
    "CREATE TABLE approval (
  number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id TEXT COLLATE \"C\" NOT NULL UNIQUE,
  runbook BIGINT NOT NULL REFERENCES runbook (id),
  body TEXT NOT NULL,
  revoked TEXT
)",
    "CREATE INDEX approval_runbook ON approval (runbook)",
];

const V3: &[&str] = &[
    "CREATE TABLE identity (id TEXT COLLATE \"C\" NOT NULL)",
    // Of what each server of the oldest version has.
    "INSERT INTO identity (id) SELECT left(encode(sha256(convert_to(concat_ws(' ', random(), random(), clock_timestamp(),
  pg_postmaster_start_time(), pg_backend_pid()), 'UTF8')), 'hex'), 12)",
];

/// Says whose the schema is, and of which version: a row, made last.
const WHOSE: &str = "CREATE TABLE ledger (application TEXT NOT NULL, version BIGINT NOT NULL CHECK (version > 0))";

/// What a schema is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// There is none of this name.
    Nothing,
    /// There is one without anything in it.
    Empty,
    Ledger(i64),
}

impl Store {
    /// Makes the tables where they are not there, and brings older ones up to this version. Several may do so at once.
    pub(in crate::store::ledger) fn prepare(&self) -> Result<(), Fault> {
        if self.read(|tx| self.found(tx))? == Found::Ledger(newest()) {
            return Ok(());
        }
        // Another process may have done it since.
        self.write(|tx| match self.found(tx)? {
            Found::Ledger(version) if version == newest() => Ok(()),
            Found::Ledger(version) => migrate(tx, version),
            found => {
                if found == Found::Nothing {
                    tx.execute(&format!("CREATE SCHEMA {}", self.schema), &[])?;
                }
                tx.execute(WHOSE, &[])?;
                tx.execute("INSERT INTO ledger (application, version) VALUES ('runbook', 1)", &[])?;
                migrate(tx, 0)
            }
        })
    }

    /// Whether there is a ledger, of a version that is known.
    pub(in crate::store::ledger) fn is_there(&self) -> Result<bool, Fault> {
        match self.version()? {
            None => Ok(false),
            Some(version) if version == newest() => Ok(true),
            Some(_) => self.prepare().map(|()| true),
        }
    }

    /// Its version, as it is; `None` where there is no ledger.
    pub(super) fn version(&self) -> Result<Option<i64>, Fault> {
        Ok(match self.read(|tx| self.found(tx))? {
            Found::Nothing | Found::Empty => None,
            Found::Ledger(version) => Some(version),
        })
    }

    fn found(&self, tx: Tx<'_>) -> Result<Found, Error> {
        let server: Option<(String, String)> =
            tx.row("SELECT current_setting('server_version_num'), current_setting('server_encoding')", &[], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?;
        let (version, encoding) = server.unwrap_or_default();
        if version.parse().unwrap_or(0) < OLDEST {
            let message = format!("the ledger `{}`: PostgreSQL {version} is too old", self.shown());
            return Err(Fault::new(FaultKind::Unsupported, message).help("12 is the oldest that will do").into());
        }
        if encoding != "UTF8" {
            let message = format!("the ledger `{}`: the database is encoded in {encoding}, not in UTF8", self.shown());
            return Err(Fault::new(FaultKind::Setup, message).help("make another one: createdb -E UTF8").into());
        }
        let tables: Vec<Option<String>> = tx.rows(
            "SELECT c.relname FROM pg_namespace n LEFT JOIN pg_class c ON c.relnamespace = n.oid
             AND c.relkind IN ('r', 'p', 'v', 'm', 'f') WHERE n.nspname = ?1",
            &cells![self.schema.as_str()],
            |row| row.get(0),
        )?;
        let names: Vec<&str> = tables.iter().flatten().map(String::as_str).collect();
        if tables.is_empty() {
            return Ok(Found::Nothing);
        }
        if names.is_empty() {
            return Ok(Found::Empty);
        }
        let whose: Option<(String, i64)> = if names.contains(&"ledger") && names.contains(&"runbook") {
            tx.row("SELECT application, version FROM ledger", &[], |row| Ok((row.get(0)?, row.get(1)?)))?
        } else {
            None
        };
        match whose {
            Some((application, version)) if application == "runbook" && version > newest() => {
                let message = format!(
                    "the ledger `{}` is of version {version}, and this runbook knows it up to version {}",
                    self.shown(),
                    newest()
                );
                let help = "use the version of runbook that wrote it, or a newer one";
                Err(Fault::new(FaultKind::Unsupported, message).help(help).into())
            }
            Some((application, version)) if application == "runbook" => Ok(Found::Ledger(version)),
            _ => {
                let message =
                    format!("`{}`: there is a schema `{}`, but not a ledger of runbook", self.shown(), self.schema);
                Err(Fault::new(FaultKind::Setup, message)
                    .help("name another schema: `?schema=runbook_ledger` in the store's address")
                    .into())
            }
        }
    }
}

/// The version that this program writes.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// Takes the steps that were not taken yet, all or none.
fn migrate(tx: Tx<'_>, from: i64) -> Result<(), Error> {
    for sql in STEPS.iter().skip(usize::try_from(from).unwrap_or(usize::MAX)).flat_map(|step| step.iter()) {
        tx.execute(sql, &[])?;
    }
    tx.execute("UPDATE ledger SET version = ?1", &cells![newest()]).map(|_| ())
}

/// Makes the tables of this version where the path of the search leads, for a look at them.
pub(super) fn make(tx: Tx<'_>) -> Result<(), Error> {
    tx.execute(WHOSE, &[])?;
    for sql in STEPS.iter().flat_map(|step| step.iter()) {
        tx.execute(sql, &[])?;
    }
    Ok(())
}
