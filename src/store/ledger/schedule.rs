//! The due times of sections that were made or recorded.

use jiff::Timestamp;

use super::Ledger;
use super::column::{At, at};
use super::state::{find, number};
use super::transaction::cells;
use crate::types::Fault;

impl Ledger {
    /// The last due time of a section that anybody has noted.
    pub fn last_due(&self, runbook: &str, section: &str) -> Result<Option<Timestamp>, Fault> {
        self.read(|tx| {
            let Some((runbook, _)) = find(tx, runbook)? else { return Ok(None) };
            let last = tx.value::<Option<At>>(
                "SELECT max(at) FROM due WHERE runbook = ?1 AND section = ?2",
                &cells![runbook, section],
            )?;
            Ok(last.flatten().map(|at| at.0))
        })
    }

    /// Whether anybody has noted what becomes of a due time.
    pub fn is_noted(&self, runbook: &str, section: &str, due: Timestamp) -> Result<bool, Fault> {
        self.read(|tx| {
            let Some((runbook, _)) = find(tx, runbook)? else { return Ok(false) };
            let found = tx.value::<i64>(
                "SELECT count(*) FROM due WHERE runbook = ?1 AND section = ?2 AND at = ?3",
                &cells![runbook, section, at(due)?],
            )?;
            Ok(found.is_some_and(|many| many > 0))
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
        self.write(|tx| {
            let runbook = number(tx, runbook)?;
            let noted = tx.execute(
                "INSERT INTO due (runbook, section, at, outcome, run) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
                &cells![runbook, section, at(due)?, outcome, run],
            )?;
            Ok(noted > 0)
        })
    }
}
