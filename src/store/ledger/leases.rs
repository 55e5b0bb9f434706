//! Leases by name: who leads, who is in a section that must not overlap itself.

use jiff::Timestamp;

use super::column::{At, Bound};
use super::transaction::{Error, Tx, cells};
use super::{Fence, Ledger, outbox, process};
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

/// What came of asking for a lease, with more than whoever asks has to know.
struct Asked {
    lease: Lease,
    /// It is the holder's from now on, and was not before.
    anew: bool,
    /// From whom it was taken over, where that one had not given it back.
    before: Option<String>,
}

/// The name of the lease under which a server does what is due of a runbook.
#[must_use]
pub fn lead(runbook: &str) -> String {
    format!("serve/{runbook}")
}

/// The name of the lease under which a channel is told. The name of a channel has no stroke.
fn line(runbook: &str, channel: &str) -> String {
    format!("tell/{channel}/{runbook}")
}

impl Ledger {
    /// Takes or prolongs a lease. One that ran out is free for everybody, and so is one of a process that can be seen to
    /// have ended. Its last holder goes on with it, for nothing of what it has begun can have been done by somebody else.
    pub fn lease(&mut self, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<Lease, Fault> {
        self.write_anyway(|tx| ask(tx, name, holder, now, until).map(|asked| asked.lease))
    }

    /// The same for the lease of whoever does what is due of a runbook. Where it is taken over from one that has said
    /// nothing for too long, what that one was telling is free at once: people wait for it.
    pub fn lead(&mut self, runbook: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<Lease, Fault> {
        self.write_anyway(|tx| {
            let asked = ask(tx, &lead(runbook), holder, now, until)?;
            if let Some(before) = asked.before {
                end_lines(tx, runbook, &before)?;
                outbox::let_go(tx, runbook, &before, now, "the server that was telling it has ended")?;
            }
            Ok(asked.lease)
        })
    }

    /// Who leads a runbook now; `None` where nobody is known to.
    pub fn leader(&self, runbook: &str, now: Timestamp) -> Result<Option<String>, Fault> {
        self.read(|tx| live(tx, &lead(runbook), now))
    }

    /// Takes or keeps a channel's line: whoever has it tells there, and nobody else, so that nothing overtakes what is on
    /// its way. What others have claimed is free once they have it no more. `part` tells it from what else this holder does.
    pub fn line(
        &mut self,
        (runbook, channel): (&str, &str),
        (holder, part): (&str, u64),
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Lease, Fault> {
        self.write(|tx| {
            let asked = ask(tx, &line(runbook, channel), &process::part(holder, part), now, until)?;
            if asked.anew {
                outbox::free(tx, runbook, channel, now, "the process that was telling it has ended")?;
            }
            Ok(asked.lease)
        })
    }

    /// Gives a channel's line back.
    pub fn end_line(&mut self, (runbook, channel): (&str, &str), (holder, part): (&str, u64)) -> Result<(), Fault> {
        self.release(&line(runbook, channel), &process::part(holder, part))
    }

    /// Who has had a lease that ran out and was not given back.
    pub fn lapsed(&mut self, name: &str, now: Timestamp) -> Result<Option<String>, Fault> {
        self.read(|tx| Ok(held(tx, name)?.and_then(|(holder, until)| (until <= tx.shared(now)).then_some(holder))))
    }

    /// Gives a lease back, if it is this holder's.
    pub fn release(&mut self, name: &str, holder: &str) -> Result<(), Fault> {
        self.write_anyway(|tx| {
            let released = "UPDATE lease SET holder = NULL, until = NULL WHERE name = ?1 AND holder = ?2";
            tx.execute(released, &cells![name, holder]).map(|_| ())
        })
    }
}

/// Who has a lease, and until when.
fn held(tx: Tx<'_>, name: &str) -> Result<Option<(String, Timestamp)>, Error> {
    tx.row("SELECT holder, until FROM lease WHERE name = ?1 AND holder IS NOT NULL", &cells![name], |row| {
        Ok((row.get::<String>(0)?, row.get::<At>(1)?.0))
    })
}

/// Who has a lease and may be at it.
fn live(tx: Tx<'_>, name: &str, now: Timestamp) -> Result<Option<String>, Error> {
    let found = held(tx, name)?.filter(|(holder, until)| *until > tx.shared(now) && !process::has_ended(holder));
    Ok(found.map(|(holder, _)| holder))
}

/// Whether somebody has a channel's line.
pub(super) fn is_told(tx: Tx<'_>, runbook: &str, channel: &str, now: Timestamp) -> Result<bool, Error> {
    live(tx, &line(runbook, channel), now).map(|held| held.is_some())
}

fn ask(tx: Tx<'_>, name: &str, holder: &str, now: Timestamp, until: Timestamp) -> Result<Asked, Error> {
    let (anew, before) = match held(tx, name)? {
        Some((own, _)) if own == holder => (false, None),
        Some((other, until)) if until > tx.shared(now) && !process::has_ended(&other) => {
            let lease = Lease::Taken { holder: other, until: tx.own(until) };
            return Ok(Asked { lease, anew: false, before: None });
        }
        Some((other, _)) => (true, Some(other)),
        None => (true, None),
    };
    let fence = tx.value(
        "INSERT INTO lease (name, holder, until, fence) VALUES (?1, ?2, ?3, 1)
         ON CONFLICT (name) DO UPDATE SET holder = ?2, until = ?3, fence = lease.fence + ?4
         RETURNING fence",
        &cells![name, holder, Bound(tx.shared(until)), i64::from(anew)],
    )?;
    let fence = fence.ok_or_else(|| {
        Fault::new(FaultKind::BadAnswer, format!("the ledger does not say what became of the lease `{name}`"))
    })?;
    Ok(Asked { lease: Lease::Held { fence }, anew, before })
}

/// A server tells nothing more of a runbook.
fn end_lines(tx: Tx<'_>, runbook: &str, holder: &str) -> Result<(), Error> {
    let all = tx.rows("SELECT name, holder FROM lease WHERE holder IS NOT NULL", &[], |row| {
        Ok((row.get::<String>(0)?, row.get::<String>(1)?))
    })?;
    let is_its = |name: &str| {
        let channel = name.strip_prefix("tell/").and_then(|rest| rest.split_once('/'));
        channel.is_some_and(|(_, of)| of == runbook)
    };
    let own = all.into_iter().filter(|(name, by)| is_its(name) && process::is_part(by, holder));
    let own: Vec<_> = own.map(|(name, _)| cells![name]).collect();
    tx.execute_all("UPDATE lease SET holder = NULL, until = NULL WHERE name = ?1", &own).map(|_| ())
}

/// Whether a lease has the holder and the number that it had.
pub(super) fn is_held(tx: Tx<'_>, fence: &Fence) -> Result<bool, Error> {
    let number: Option<u64> =
        tx.value("SELECT fence FROM lease WHERE name = ?1 AND holder = ?2", &cells![fence.name(), fence.holder()])?;
    Ok(number == Some(fence.number()))
}
