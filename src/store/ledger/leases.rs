//! Leases by name: who leads, who is in a section that must not overlap itself.

use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

use super::Ledger;
use super::column::{At, Bound};
use super::state::unsigned;
use crate::types::Fault;

/// What came of asking for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "whoever does not hold the lease must not go on"]
pub enum Lease {
    /// It is the holder's. `fence` grows whenever a lease begins anew and stays while it is prolonged in time, so that
    /// what is still on its way from an earlier holder can be told from what is not.
    Held { fence: u64 },
    /// Somebody else has it.
    Taken { holder: String, until: Timestamp },
}

impl Ledger {
    /// Takes or prolongs a lease. One that ran out is free for everybody, its last holder included.
    pub fn lease(&mut self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<Lease, Fault> {
        self.write(|conn| {
            let taken: Option<(String, Timestamp)> = conn
                .prepare_cached("SELECT holder, until FROM lease WHERE name = ? AND until > ?")?
                .query_row(params![name, Bound(now)], |row| Ok((row.get(0)?, row.get::<_, At>(1)?.0)))
                .optional()?;
            let anew = match taken {
                Some((other, until)) if other != holder => return Ok(Lease::Taken { holder: other, until }),
                Some(_) => 0,
                None => 1,
            };
            let fence = conn
                .prepare_cached(
                    "INSERT INTO lease (name, holder, until, fence) VALUES (?1, ?2, ?3, 1)
                     ON CONFLICT (name) DO UPDATE SET holder = ?2, until = ?3, fence = fence + ?4
                     RETURNING fence",
                )?
                .query_row(params![name, holder, Bound(until), anew], |row| unsigned(row, 0))?;
            Ok(Lease::Held { fence })
        })
    }

    /// Gives a lease back, if it is this holder's.
    pub fn release(&mut self, name: &str, holder: &str) -> Result<(), Fault> {
        self.write(|conn| {
            conn.prepare_cached("UPDATE lease SET holder = NULL, until = NULL WHERE name = ? AND holder = ?")?
                .execute([name, holder])
                .map(|_| ())
        })
    }
}
