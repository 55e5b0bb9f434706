//! Everything in a ledger as JSON Lines, for whoever wants to read it without a database.
//!
//! The first line is `{"record":"ledger","version":1}`; the version grows whenever a line changes its meaning or loses
//! a field, and a reader passes over records and fields that it does not know. Each line says in `record` what it is:
//!
//! - `runbook`: `name`, `version`
//! - `document`: `runbook`, `kind`, `id`, `opened_at`, `closed_at`, `body`
//! - `happening`: `runbook`, `at`, `about`, `body`
//! - `message`: `id`, `runbook`, `channel`, `key`, `created_at`, `not_before`, `tries`, `state`, `holder`, `last`,
//!   `ended_at`, `body`
//! - `sample`: `runbook`, `metric`, `labels` (pairs), `at`, `value`, `why`
//! - `hour`: `runbook`, `metric`, `labels`, `at`, `measured`, `missed`, `least`, `most`, `sum`
//! - `lease`: `name`, `holder`, `until`, `fence`
//! - `due`: `runbook`, `section`, `at`, `outcome`, `run`
//! - `approval`: `id`, `runbook`, `body`, `revoked`
//!
//! Times are RFC 3339 in UTC. What is not there is `null`. A value that JSON has no number for is `"Infinity"` or
//! `"-Infinity"`. Records come in this order, and within one in the order in which they were made or by time.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::Ledger;
use super::column::{At, Json};
use super::transaction::{Error, Row, Seen, Tx};
use crate::types::{Fault, FaultKind};

/// The version of what is written.
const VERSION: u32 = 1;

/// How a column is written.
#[derive(Clone, Copy)]
enum As {
    Plain,
    Time,
    Json,
}

/// A kind of record: its name, where its rows come from, and its columns.
struct Kind(&'static str, &'static str, &'static [(&'static str, As)]);

const KINDS: &[Kind] = &[
    Kind("runbook", "SELECT name, version FROM runbook ORDER BY id", &[("name", As::Plain), ("version", As::Plain)]),
    Kind(
        "document",
        "SELECT name, kind, document.id, opened_at, closed_at, body FROM document
         JOIN runbook ON runbook.id = document.runbook ORDER BY number",
        &[
            ("runbook", As::Plain),
            ("kind", As::Plain),
            ("id", As::Plain),
            ("opened_at", As::Time),
            ("closed_at", As::Time),
            ("body", As::Json),
        ],
    ),
    Kind(
        "happening",
        "SELECT name, at, about, body FROM happening JOIN runbook ON runbook.id = happening.runbook ORDER BY number",
        &[("runbook", As::Plain), ("at", As::Time), ("about", As::Plain), ("body", As::Json)],
    ),
    Kind(
        "message",
        "SELECT outgoing.id, name, channel, key, created_at, not_before, tries, state, holder, last, ended_at, body
         FROM outgoing JOIN runbook ON runbook.id = outgoing.runbook ORDER BY outgoing.id",
        &[
            ("id", As::Plain),
            ("runbook", As::Plain),
            ("channel", As::Plain),
            ("key", As::Plain),
            ("created_at", As::Time),
            ("not_before", As::Time),
            ("tries", As::Plain),
            ("state", As::Plain),
            ("holder", As::Plain),
            ("last", As::Plain),
            ("ended_at", As::Time),
            ("body", As::Json),
        ],
    ),
    Kind(
        "sample",
        "SELECT name, metric, labels, at, value, why FROM sample JOIN series ON series.id = sample.series
         JOIN runbook ON runbook.id = series.runbook ORDER BY sample.series, at",
        &[
            ("runbook", As::Plain),
            ("metric", As::Plain),
            ("labels", As::Json),
            ("at", As::Time),
            ("value", As::Plain),
            ("why", As::Plain),
        ],
    ),
    Kind(
        "hour",
        "SELECT name, metric, labels, at, measured, missed, least, most, sum FROM rollup
         JOIN series ON series.id = rollup.series JOIN runbook ON runbook.id = series.runbook ORDER BY rollup.series, at",
        &[
            ("runbook", As::Plain),
            ("metric", As::Plain),
            ("labels", As::Json),
            ("at", As::Time),
            ("measured", As::Plain),
            ("missed", As::Plain),
            ("least", As::Plain),
            ("most", As::Plain),
            ("sum", As::Plain),
        ],
    ),
    Kind(
        "lease",
        "SELECT name, holder, until, fence FROM lease ORDER BY name",
        &[("name", As::Plain), ("holder", As::Plain), ("until", As::Time), ("fence", As::Plain)],
    ),
    Kind(
        "due",
        "SELECT name, section, at, outcome, run FROM due JOIN runbook ON runbook.id = due.runbook
         ORDER BY due.runbook, section, at",
        &[("runbook", As::Plain), ("section", As::Plain), ("at", As::Time), ("outcome", As::Plain), ("run", As::Plain)],
    ),
    Kind(
        "approval",
        "SELECT approval.id, name, body, revoked FROM approval JOIN runbook ON runbook.id = approval.runbook
         ORDER BY number",
        &[("id", As::Plain), ("runbook", As::Plain), ("body", As::Json), ("revoked", As::Json)],
    ),
];

impl Ledger {
    /// Writes everything, as it was at one moment, and gives the number of lines.
    ///
    /// # Errors
    /// Where the ledger cannot be read, or nobody takes what is written.
    pub fn export(&self, out: &mut dyn Write) -> Result<u64, Fault> {
        let mut refused = None;
        let written = self.read_once(|tx| {
            let mut write = |record: &Value| match line(out, record) {
                Ok(()) => true,
                Err(error) => {
                    refused = Some(error);
                    false
                }
            };
            let mut lines = 1;
            let mut taken = write(&json!({ "record": "ledger", "version": VERSION }));
            for kind in KINDS {
                if taken {
                    taken = records(tx, kind, &mut |record| {
                        lines += 1;
                        write(record)
                    })?;
                }
            }
            Ok(lines)
        })?;
        match refused {
            None => Ok(written),
            Some(error) => Err(Fault::new(FaultKind::Failed, format!("cannot write the export: {error}"))),
        }
    }
}

fn line(out: &mut dyn Write, record: &Value) -> io::Result<()> {
    serde_json::to_writer(&mut *out, record)?;
    out.write_all(b"\n")
}

/// Hands on each row, until it is not taken.
fn records(tx: Tx<'_>, kind: &Kind, write: &mut dyn FnMut(&Value) -> bool) -> Result<bool, Error> {
    let Kind(name, sql, columns) = kind;
    let mut taken = true;
    tx.each(sql, &mut |row| {
        let mut record = Map::new();
        record.insert("record".to_owned(), (*name).into());
        for (index, (column, how)) in columns.iter().enumerate() {
            record.insert((*column).to_owned(), value(row, index, *how)?);
        }
        taken = write(&Value::Object(record));
        Ok(taken)
    })?;
    Ok(taken)
}

fn value(row: &Row<'_>, index: usize, how: As) -> Result<Value, Error> {
    Ok(match (how, row.seen(index)?) {
        (_, Seen::Nothing) => Value::Null,
        (As::Time, _) => row.get::<At>(index)?.0.to_string().into(),
        (As::Json, _) => row.get::<Json<Value>>(index)?.0,
        (As::Plain, Seen::Int(number)) => number.into(),
        (As::Plain, Seen::Real(number)) if number.is_finite() => number.into(),
        (As::Plain, Seen::Real(number)) => if number > 0.0 { "Infinity" } else { "-Infinity" }.into(),
        (As::Plain, Seen::Text(text)) => text.into(),
    })
}
