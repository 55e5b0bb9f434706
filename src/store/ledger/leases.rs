//! Leases by name: who leads, who is in a section that must not overlap itself.

use jiff::Timestamp;

use super::column::{At, Bound};
use super::transaction::{Error, Tx, cells};
use super::{Fence, Ledger, outbox};
use crate::types::{Fault, FaultKind};

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
        self.write_anyway(|tx| lease(tx, name, holder, now, until).map(|(lease, _)| lease))
    }

    /// The same for the lease of whoever does what is due of a runbook. Where it is taken over from one that has said
    /// nothing for too long, what that one was telling is free at once: people wait for it.
    pub fn lead(
        &mut self,
        name: &str,
        runbook: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, Fault> {
        self.write_anyway(|tx| {
            let (lease, before) = lease(tx, name, holder, now, until)?;
            if let Some(before) = before {
                outbox::let_go(tx, runbook, &before, now, "the server that was telling it has ended")?;
            }
            Ok(lease)
        })
    }

    /// Who has had a lease that ran out and was not given back.
    pub fn lapsed(&mut self, name: &str, now: Timestamp) -> Result<Option<String>, Fault> {
        self.read(|tx| {
            let last = tx.row(
                "SELECT holder, until FROM lease WHERE name = ?1 AND holder IS NOT NULL",
                &cells![name],
                |row| Ok((row.get::<String>(0)?, row.get::<At>(1)?.0)),
            )?;
            Ok(last.and_then(|(holder, until)| (until <= tx.shared(now)).then_some(holder)))
        })
    }

    /// Gives a lease back, if it is this holder's.
    pub fn release(&mut self, name: &str, holder: &str) -> Result<(), Fault> {
        self.write_anyway(|tx| {
            let released = "UPDATE lease SET holder = NULL, until = NULL WHERE name = ?1 AND holder = ?2";
            tx.execute(released, &cells![name, holder]).map(|_| ())
        })
    }
}

/// What came of asking for a lease, and from whom it was taken over, where that one had not given it back.
fn lease(
    tx: Tx<'_>,
    name: &str,
    holder: &str,
    now: Timestamp,
    until: Timestamp,
) -> Result<(Lease, Option<String>), Error> {
    let last =
        tx.row("SELECT holder, until FROM lease WHERE name = ?1 AND holder IS NOT NULL", &cells![name], |row| {
            Ok((row.get::<String>(0)?, row.get::<At>(1)?.0))
        })?;
    let (anew, before): (i64, _) = match last {
        Some((own, _)) if own == holder => (0, None),
        Some((other, until)) if until > tx.shared(now) => {
            return Ok((Lease::Taken { holder: other, until: tx.own(until) }, None));
        }
        Some((other, _)) => (1, Some(other)),
        None => (1, None),
    };
    let fence = tx.value(
        "INSERT INTO lease (name, holder, until, fence) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT (name) DO UPDATE SET holder = ?2, until = ?3, fence = lease.fence + ?4
         RETURNING fence",
        &cells![name, holder, Bound(tx.shared(until)), anew],
    )?;
    let fence = fence.ok_or_else(|| {
        Fault::new(FaultKind::BadAnswer, format!("the ledger does not say what became of the lease `{name}`"))
    })?;
    Ok((Lease::Held { fence }, before))
}

/// Whether a lease has the holder and the number that it had.
pub(super) fn is_held(tx: Tx<'_>, fence: &Fence) -> Result<bool, Error> {
    let number: Option<u64> =
        tx.value("SELECT fence FROM lease WHERE name = ?1 AND holder = ?2", &cells![fence.name(), fence.holder()])?;
    Ok(number == Some(fence.number()))
}
