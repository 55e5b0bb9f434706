//! The due times of sections that were made or recorded.

use jiff::Timestamp;
use rusqlite::params;

use super::Ledger;
use super::column::At;
use super::state::{find, number};
use crate::types::Fault;

impl Ledger {
    /// The last due time of a section that anybody has noted.
    pub fn last_due(&self, runbook: &str, section: &str) -> Result<Option<Timestamp>, Fault> {
        self.read(|conn| {
            let Some((runbook, _)) = find(conn, runbook)? else { return Ok(None) };
            let last: Option<At> = conn
                .prepare_cached("SELECT max(at) FROM due WHERE runbook = ? AND section = ?")?
                .query_row(params![runbook, section], |row| row.get(0))?;
            Ok(last.map(|at| at.0))
        })
    }

    /// Notes what becomes of a due time, and the run that was made for it. Gives `false` where it is noted already:
    /// somebody else sees to it.
    pub fn note_due(
        &mut self,
        runbook: &str,
        section: &str,
        due: Timestamp,
        outcome: &str,
        run: Option<&str>,
    ) -> Result<bool, Fault> {
        self.write(|conn| {
            let runbook = number(conn, runbook)?;
            let noted = conn
                .prepare_cached(
                    "INSERT INTO due (runbook, section, at, outcome, run) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                )?
                .execute(params![runbook, section, At(due), outcome, run])?;
            Ok(noted > 0)
        })
    }
}
