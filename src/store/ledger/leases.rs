//! Leases by name: who leads, who is in a section that must not overlap itself.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};

use super::column::{At, Bound};
use super::state::unsigned;
use super::{Fence, Ledger};
use crate::types::Fault;

/// What came of asking for a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "whoever does not hold the lease must not go on"]
pub enum Lease {
    /// It is the holder's. `fence` grows whenever a lease begins anew and stays as long as nobody else had it meanwhile, so
    /// that what is still on its way from an earlier holder can be told from what is not ([`Fence`]).
    Held { fence: u64 },
    /// Somebody else has it.
    Taken { holder: String, until: Timestamp },
}

impl Ledger {
    /// Takes or prolongs a lease. One that ran out is free for everybody; its last holder goes on with it, for nothing of
    /// what it has begun can have been done by somebody else.
    pub fn lease(&mut self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<Lease, Fault> {
        self.write_anyway(|conn| {
            let last: Option<(String, Timestamp)> = conn
                .prepare_cached("SELECT holder, until FROM lease WHERE name = ? AND holder IS NOT NULL")?
                .query_row([name], |row| Ok((row.get(0)?, row.get::<_, At>(1)?.0)))
                .optional()?;
            let anew = match last {
                Some((own, _)) if own == holder => 0,
                Some((other, until)) if until > now => return Ok(Lease::Taken { holder: other, until }),
                Some(_) | None => 1,
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
        self.write_anyway(|conn| {
            conn.prepare_cached("UPDATE lease SET holder = NULL, until = NULL WHERE name = ? AND holder = ?")?
                .execute([name, holder])
                .map(|_| ())
        })
    }
}

/// Whether a lease has the holder and the number that it had.
pub(super) fn is_held(conn: &Connection, fence: &Fence) -> rusqlite::Result<bool> {
    let number: Option<u64> = conn
        .prepare_cached("SELECT fence FROM lease WHERE name = ? AND holder = ?")?
        .query_row([fence.name(), fence.holder()], |row| unsigned(row, 0))
        .optional()?;
    Ok(number == Some(fence.number()))
}
