//! The tables, version by version.

use rusqlite::{Connection, TransactionBehavior};

/// Says in the file's header whose it is: "rbok".
pub(super) const APPLICATION: i32 = 0x7262_6F6B;

/// Step `n` leads from version `n` to `n + 1`. A step that was ever released is never changed.
pub(super) const STEPS: &[&str] = &[V1, V2, V3];

/// All times are nanoseconds since 1970, all bodies are JSON.
const V1: &str = r"
CREATE TABLE runbook (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  version INTEGER NOT NULL DEFAULT 0 CHECK (version >= 0)
) STRICT;

CREATE TABLE document (
  number INTEGER PRIMARY KEY,
  runbook INTEGER NOT NULL REFERENCES runbook (id),
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  body TEXT NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER,
  UNIQUE (runbook, kind, id)
) STRICT;
CREATE INDEX document_open ON document (runbook) WHERE closed_at IS NULL;
CREATE INDEX document_closed ON document (closed_at) WHERE closed_at IS NOT NULL;

CREATE TABLE happening (
  number INTEGER PRIMARY KEY,
  runbook INTEGER NOT NULL REFERENCES runbook (id),
  at INTEGER NOT NULL,
  about TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX happening_at ON happening (runbook, at);
CREATE INDEX happening_about ON happening (runbook, about, at);

-- `due_at` is when somebody may claim the message: it is not claimed and its time has come, or the claim runs out.
CREATE TABLE outgoing (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  runbook INTEGER NOT NULL REFERENCES runbook (id),
  channel TEXT NOT NULL,
  key TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  not_before INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'claimed', 'told', 'given_up', 'withdrawn')),
  holder TEXT,
  due_at INTEGER,
  last TEXT,
  ended_at INTEGER,
  UNIQUE (runbook, channel, key),
  CHECK ((state IN ('waiting', 'claimed')) = (due_at IS NOT NULL)),
  CHECK ((state IN ('waiting', 'claimed')) = (ended_at IS NULL)),
  CHECK (state <> 'waiting' OR holder IS NULL),
  CHECK (state <> 'claimed' OR (holder IS NOT NULL AND tries > 0))
) STRICT;
CREATE INDEX outgoing_due ON outgoing (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX outgoing_key ON outgoing (runbook, key) WHERE due_at IS NOT NULL;
CREATE INDEX outgoing_ended ON outgoing (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE series (
  id INTEGER PRIMARY KEY,
  runbook INTEGER NOT NULL REFERENCES runbook (id),
  metric TEXT NOT NULL,
  labels TEXT NOT NULL,
  UNIQUE (runbook, metric, labels)
) STRICT;

-- No value: it was not measured, and `why` may say why.
CREATE TABLE sample (
  series INTEGER NOT NULL REFERENCES series (id),
  at INTEGER NOT NULL,
  value REAL,
  why TEXT,
  PRIMARY KEY (series, at)
) STRICT, WITHOUT ROWID;

-- An hour of a series: what was measured, and how often it could not be.
CREATE TABLE rollup (
  series INTEGER NOT NULL REFERENCES series (id),
  at INTEGER NOT NULL,
  measured INTEGER NOT NULL CHECK (measured >= 0),
  missed INTEGER NOT NULL CHECK (missed >= 0),
  least REAL,
  most REAL,
  sum REAL,
  PRIMARY KEY (series, at),
  CHECK (measured + missed > 0),
  CHECK (at % 3600000000000 = 0),
  CHECK ((measured > 0) = (least IS NOT NULL)),
  CHECK (least IS NULL OR least <= most)
) STRICT, WITHOUT ROWID;

-- A lease that was given back keeps its row, so that its number only grows.
CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  holder TEXT,
  until INTEGER,
  fence INTEGER NOT NULL CHECK (fence > 0),
  CHECK ((holder IS NULL) = (until IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE due (
  runbook INTEGER NOT NULL REFERENCES runbook (id),
  section TEXT NOT NULL,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  run TEXT,
  PRIMARY KEY (runbook, section, at)
) STRICT, WITHOUT ROWID;
";

/// Standing approvals. One that was revoked says by whom.
const V2: &str = r"
CREATE TABLE approval (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  runbook INTEGER NOT NULL REFERENCES runbook (id),
  body TEXT NOT NULL,
  revoked TEXT
) STRICT;
CREATE INDEX approval_runbook ON approval (runbook);
";

/// What tells this ledger from others, for what it names to the outside.
const V3: &str = r"
CREATE TABLE identity (id TEXT NOT NULL) STRICT;
INSERT INTO identity (id) VALUES (lower(hex(randomblob(6))));
";

/// The version that this program writes.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The version of a file.
pub(super) fn version(conn: &Connection) -> rusqlite::Result<i64> {
    conn.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that the file has not taken yet, all or none.
pub(super) fn migrate(conn: &mut Connection, steps: &[&str]) -> rusqlite::Result<()> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have taken them since the version was looked at.
    let from = usize::try_from(version(&transaction)?).unwrap_or(usize::MAX);
    if from >= steps.len() {
        return transaction.rollback();
    }
    for step in steps.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", i64::try_from(steps.len()).unwrap_or(i64::MAX))?;
    transaction.commit()
}

/// What the tables and indices of a file say, to compare with what they should say.
pub(super) fn shape(conn: &Connection) -> rusqlite::Result<Vec<(String, Option<String>)>> {
    conn.prepare("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_takes_only_the_steps_that_it_has_not_taken() {
        let mut conn = Connection::open_in_memory().unwrap();
        let steps = ["CREATE TABLE a (x)", "CREATE TABLE b (x)", "CREATE TABLE broken ("];
        migrate(&mut conn, &steps[..1]).unwrap();
        migrate(&mut conn, &steps[..1]).unwrap();
        assert_eq!(version(&conn).unwrap(), 1);
        assert!(migrate(&mut conn, &steps).is_err(), "a step that fails takes back those before it");
        assert_eq!((version(&conn).unwrap(), shape(&conn).unwrap().len()), (1, 1));
        migrate(&mut conn, &steps[..2]).unwrap();
        assert_eq!((version(&conn).unwrap(), shape(&conn).unwrap().len()), (2, 2));
    }
}
