//! Whether a ledger in a database is whole, and how much room it takes.

use super::{How, Store, schema};
use crate::store::ledger::check::{COUNTS, Checked};
use crate::store::ledger::transaction::{Error, Tx};
use crate::types::{Fault, FaultKind};

/// What the tables themselves cannot hold: rows that must not be there.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "runbooks with documents, happenings or messages that were never committed",
        "SELECT count(*) FROM runbook WHERE version = 0 AND (id IN (SELECT runbook FROM document)
           OR id IN (SELECT runbook FROM happening) OR id IN (SELECT runbook FROM outgoing))",
    ),
    (
        "samples that were measured and say why not",
        "SELECT count(*) FROM sample WHERE value IS NOT NULL AND why IS NOT NULL",
    ),
    ("names of the ledger too many or too few", "SELECT abs(count(*) - 1) FROM identity"),
    ("samples that are not a number", "SELECT count(*) FROM sample WHERE value = 'NaN'"),
];

/// What is text in a column and must be JSON.
const DOCUMENTS: &[(&str, &str)] = &[
    ("documents that are no JSON", "SELECT body FROM document"),
    ("happenings that are no JSON", "SELECT body FROM happening"),
    ("messages that are no JSON", "SELECT body FROM outgoing"),
    (
        "approvals that are no JSON",
        "SELECT body FROM approval UNION ALL SELECT revoked FROM approval WHERE revoked IS NOT NULL",
    ),
];

/// Columns, constraints and indices of a schema, a line each.
const SHAPE: &str = "
SELECT c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || ' ' || a.attnotnull || ' '
       || coalesce(l.collname, '') || ' ' || a.attidentity::text
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  LEFT JOIN pg_collation l ON l.oid = a.attcollation
 WHERE c.relnamespace = {schema} AND c.relkind IN ('r', 'p')
UNION ALL
SELECT c.relname || ' ' || pg_get_constraintdef(k.oid)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid WHERE c.relnamespace = {schema}
UNION ALL
SELECT i.relname || ' on ' || c.relname || ' ' || x.indisvalid || ' ' || x.indisunique || ' '
       || coalesce(pg_get_expr(x.indpred, x.indrelid), '') || ' ' || x.indkey::text
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class c ON c.oid = x.indrelid
 WHERE c.relnamespace = {schema}
ORDER BY 1";

const TABLES: [&str; 13] = [
    "ledger",
    "runbook",
    "document",
    "happening",
    "outgoing",
    "series",
    "sample",
    "rollup",
    "lease",
    "due",
    "secret",
    "approval",
    "identity",
];

impl Store {
    pub(in crate::store::ledger) fn check(&self) -> Result<Option<Checked>, Fault> {
        // Looking changes nothing, so an older one is not brought up to this version here.
        let Some(version) = self.version()? else { return Ok(None) };
        if version != schema::newest() {
            let message = format!("the ledger `{}` is of version {version}, an older one", self.shown());
            let help = "it is brought up to this version when it is used next, by `runbook store compact` for one";
            return Err(Fault::new(FaultKind::Unsupported, message).help(help));
        }
        let bytes = self.bytes()?;
        let own = self.read(|tx| shape(tx, "current_schema()::regnamespace"))?;
        // Tables for the time of a transaction that is taken back, to compare with.
        let expected = self.expected()?;
        let mut problems: Vec<String> = Vec::new();
        problems.extend(
            own.iter().filter(|line| !expected.contains(line)).map(|line| format!("there should not be: {line}")),
        );
        problems
            .extend(expected.iter().filter(|line| !own.contains(line)).map(|line| format!("there should be: {line}")));
        let looked = self.read(|tx| {
            let (mut problems, mut counts) = (Vec::new(), Vec::new());
            for (what, sql) in INVARIANTS {
                let wrong: u64 = tx.value(sql, &[])?.unwrap_or_default();
                problems.extend((wrong > 0).then(|| format!("{wrong} {what}")));
            }
            for (what, sql) in COUNTS {
                counts.push((*what, tx.value(sql, &[])?.unwrap_or_default()));
            }
            Ok((problems, counts))
        });
        let mut counts = Vec::new();
        match looked {
            Ok((found, counted)) => {
                problems.extend(found);
                counts = counted;
            }
            Err(fault) => problems.push(fault.message.to_string()),
        }
        for (what, sql) in DOCUMENTS {
            match self.read_once(|tx| unreadable(tx, sql)) {
                Ok(0) => {}
                Ok(wrong) => problems.push(format!("{wrong} {what}")),
                Err(fault) => problems.push(fault.message.to_string()),
            }
        }
        Ok(Some(Checked { bytes, counts, problems }))
    }

    /// The tables of this version, as this server writes them.
    fn expected(&self) -> Result<Vec<String>, Fault> {
        let lent = self.begin(How::Write).map_err(super::Failed::told)?;
        let tx = Tx(&lent);
        let made = tx
            .execute("SET LOCAL search_path = pg_temp", &[])
            .and_then(|_| schema::make(tx))
            .and_then(|()| shape(tx, "pg_my_temp_schema()::regnamespace"));
        lent.end();
        made.map_err(|error| self.fault(error))
    }

    /// What it takes on the server's disk.
    pub(in crate::store::ledger) fn bytes(&self) -> Result<u64, Fault> {
        let sum = "SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::int8 FROM pg_class
                   WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'";
        self.read(|tx| Ok(tx.value(sum, &[])?.unwrap_or_default()))
    }

    /// Gives the room that is free back to the disk.
    pub(in crate::store::ledger) fn shrink(&self) -> Result<(), Fault> {
        let client = self.connect()?;
        // Whoever reads a table for long must not make all others wait behind this.
        let first = "SET lock_timeout = '10s'".to_owned();
        let vacuum = TABLES.iter().map(|table| format!("VACUUM (FULL, ANALYZE) {}.{table}", self.schema));
        for sql in std::iter::once(first).chain(vacuum) {
            let client = std::sync::Arc::clone(&client);
            let done = self.wait(async move { client.batch_execute(&sql).await.map_err(Error::Server) });
            done.map_err(|error| self.fault(error))?;
        }
        Ok(())
    }
}

fn shape(tx: Tx<'_>, schema: &str) -> Result<Vec<String>, Error> {
    tx.rows(&SHAPE.replace("{schema}", schema), &[], |row| row.get(0))
}

fn unreadable(tx: Tx<'_>, sql: &str) -> Result<u64, Error> {
    let mut wrong = 0;
    tx.each(sql, &mut |row| {
        let body: String = row.get(0)?;
        wrong += u64::from(serde_json::from_str::<serde::de::IgnoredAny>(&body).is_err());
        Ok(true)
    })?;
    Ok(wrong)
}
