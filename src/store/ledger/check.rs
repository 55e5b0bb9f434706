//! Whether a ledger is whole: what the database says of its own pages, and what must be true of what stands in them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rusqlite::Connection;

use super::file::{self, Access};
use super::{Ledger, schema};
use crate::types::{Fault, FaultKind};

/// What a look at a ledger has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// What it takes on the disk.
    pub bytes: u64,
    /// How many of what it holds, where it could be read.
    pub counts: Vec<(&'static str, u64)>,
    /// What is wrong. Nothing: the ledger is whole.
    pub problems: Vec<String>,
}

/// Problems of one kind that are listed.
const LISTED: u32 = 20;

/// What there is to count.
pub(super) const COUNTS: &[(&str, &str)] = &[
    ("runbooks", "SELECT count(*) FROM runbook"),
    ("open documents", "SELECT count(*) FROM document WHERE closed_at IS NULL"),
    ("closed documents", "SELECT count(*) FROM document WHERE closed_at IS NOT NULL"),
    ("happenings", "SELECT count(*) FROM happening"),
    ("messages to tell", "SELECT count(*) FROM outgoing WHERE due_at IS NOT NULL"),
    ("messages that ended", "SELECT count(*) FROM outgoing WHERE due_at IS NULL"),
    ("samples", "SELECT count(*) FROM sample"),
    ("hours of samples", "SELECT count(*) FROM rollup"),
    ("due times", "SELECT count(*) FROM due"),
    ("approvals", "SELECT count(*) FROM approval"),
];

/// What the tables themselves cannot hold: rows that must not be there.
const INVARIANTS: &[(&str, &str)] = &[
    ("documents that are no JSON", "SELECT count(*) FROM document WHERE NOT json_valid(body)"),
    ("happenings that are no JSON", "SELECT count(*) FROM happening WHERE NOT json_valid(body)"),
    ("messages that are no JSON", "SELECT count(*) FROM outgoing WHERE NOT json_valid(body)"),
    (
        "approvals that are no JSON",
        "SELECT count(*) FROM approval WHERE NOT json_valid(body) OR NOT json_valid(coalesce(revoked, 'null'))",
    ),
    (
        "series whose labels are no list",
        "SELECT count(*) FROM series WHERE NOT json_valid(labels) OR json_type(labels) <> 'array'",
    ),
    (
        "runbooks with documents, happenings or messages that were never committed",
        "SELECT count(*) FROM runbook WHERE version = 0 AND (id IN (SELECT runbook FROM document)
           OR id IN (SELECT runbook FROM happening) OR id IN (SELECT runbook FROM outgoing))",
    ),
    ("names of the ledger too many or too few", "SELECT abs(count(*) - 1) FROM identity"),
    (
        "samples that were measured and say why not",
        "SELECT count(*) FROM sample WHERE value IS NOT NULL AND why IS NOT NULL",
    ),
];

impl Ledger {
    /// Looks at all of a file and changes nothing. `None` where there is no file.
    ///
    /// # Errors
    /// Where the file is of a newer version or is not a ledger, so that nothing can be said of it. That it is damaged
    /// is no error but what was found.
    pub fn check(path: &Path) -> Result<Option<Checked>, Fault> {
        let mut checked = Checked { bytes: 0, counts: Vec::new(), problems: Vec::new() };
        let there = match file::is_there(path) {
            Ok(there) => there,
            Err(fault) => {
                checked.problems.push(fault.message.to_string());
                return Ok(Some(checked));
            }
        };
        if !there {
            return Ok(None);
        }
        checked.bytes = file::bytes(path)?;
        match file::connect(path, Access::Read) {
            Ok(conn) => look(&conn, path, &mut checked),
            Err(fault) if fault.kind == FaultKind::Unsupported => return Err(fault),
            Err(fault) => checked.problems.push(fault.message.to_string()),
        }
        Ok(Some(checked))
    }
}

fn look(conn: &Connection, path: &Path, checked: &mut Checked) {
    let problems = &mut checked.problems;
    match fs::metadata(path).map(|found| (found.permissions().mode() & 0o777, found.len())) {
        Ok((mode, len)) => {
            if mode & 0o077 != 0 {
                problems.push(format!("others than its owner may read or write it (mode {mode:o}): chmod 600"));
            }
            let page = conn.pragma_query_value(None, "page_size", unsigned);
            let part = page.map(|page| (len % page.max(1) > 0).then(|| "it was cut within a page".to_owned()));
            note(problems, "the size of its pages cannot be read", part);
        }
        Err(error) => problems.push(format!("cannot look at its rights: {error}")),
    }
    let integrity = lines(conn, &format!("PRAGMA integrity_check({LISTED})"), |row| row.get(0));
    note(problems, "its pages cannot be read", integrity.map(|lines| lines.into_iter().filter(|line| line != "ok")));
    let strangers = lines(conn, "PRAGMA foreign_key_check", |row| {
        let (table, parent): (String, String) = (row.get(0)?, row.get(2)?);
        Ok(format!("a row of `{table}` belongs to a `{parent}` that is not there"))
    });
    note(problems, "what belongs to what cannot be read", strangers);
    let shape = schema::shape(conn).and_then(|own| Ok((own, expected()?)));
    let shape =
        shape.map(|(own, expected)| (own != expected).then(|| "its tables are not what they should be".to_owned()));
    note(problems, "its tables cannot be read", shape);
    for (what, sql) in INVARIANTS {
        let wrong = conn.query_row(sql, [], |row| row.get::<_, u32>(0));
        note(problems, &format!("cannot look for {what}"), wrong.map(|n| (n > 0).then(|| format!("{n} {what}"))));
    }
    for (what, sql) in COUNTS {
        match conn.query_row(sql, [], unsigned) {
            Ok(count) => checked.counts.push((what, count)),
            Err(error) => checked.problems.push(format!("cannot count the {what}: {error}")),
        }
    }
}

fn lines(
    conn: &Connection,
    sql: &str,
    line: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<String>,
) -> rusqlite::Result<Vec<String>> {
    conn.prepare(sql)?.query_map([], line)?.take(LISTED as usize).collect()
}

/// Adds what was found, or that it could not be looked for.
fn note(problems: &mut Vec<String>, cannot: &str, found: rusqlite::Result<impl IntoIterator<Item = String>>) {
    match found {
        Ok(found) => problems.extend(found),
        Err(error) => problems.push(format!("{cannot}: {error}")),
    }
}

fn unsigned(row: &rusqlite::Row<'_>) -> rusqlite::Result<u64> {
    let value: i64 = row.get(0)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, value))
}

/// The tables of this version.
fn expected() -> rusqlite::Result<Vec<(String, Option<String>)>> {
    let mut conn = Connection::open_in_memory()?;
    schema::migrate(&mut conn, schema::STEPS)?;
    schema::shape(&conn)
}
