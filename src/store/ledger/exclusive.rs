//! One run at a time changes what a connection leads to, in all processes that share a ledger.
//!
//! It is held by a lease that is short and prolonged: whoever is killed in the middle of a change keeps others waiting
//! for half a minute, in which the server at the other end is likely to come to an end with it, too.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{Lease, Ledger, Place};
use crate::types::Fault;

/// How long it is held by somebody who says nothing more.
const LEASE: SignedDuration = SignedDuration::from_secs(30);

/// How often it has to be prolonged by whoever holds it.
pub const PROLONG_EVERY: SignedDuration = SignedDuration::from_secs(10);

/// For the changes of one run.
pub struct Exclusive {
    place: Place,
    /// `run 7f3a12 of ops@db1`
    who: String,
    /// Opened by the first change.
    ledger: Mutex<Option<Ledger>>,
}

/// What came of asking.
#[must_use = "whoever does not hold it must not change anything"]
pub enum Asked {
    Held {
        hold: Hold,
        /// Who has had it before and did not give it back: `run 7f3a12 of ops@db1, since 2026-11-26T02:00:00Z`
        lapsed: Option<String>,
    },
    /// `run 7f3a12 of ops@db1, since 2026-11-26T02:00:00Z`
    Taken { holder: String },
}

/// Nobody else changes the same until this is dropped.
pub struct Hold {
    of: Arc<Exclusive>,
    name: String,
    holder: String,
}

impl Exclusive {
    /// For a run, by its id and whose it is.
    #[must_use]
    pub fn new(place: Place, run: &str, by: &str) -> Self {
        Self { place, who: format!("run {run} of {by}"), ledger: Mutex::default() }
    }

    /// Asks for what a connection leads to, such as `postgres://db.example:5432/shop`.
    ///
    /// # Errors
    /// Where the ledger cannot be asked.
    pub fn ask(self: &Arc<Self>, target: &str, now: Timestamp) -> Result<Asked, Fault> {
        let (name, holder) = (format!("change {target}"), format!("{}, since {now:.0}", self.who));
        let lapsed = self.with(|ledger| ledger.lapsed(&name, now))?;
        match self.lease(&name, &holder, now)? {
            Lease::Held { .. } => {
                // A process that was suspended for too long takes over from itself.
                let lapsed = lapsed.filter(|last| !last.starts_with(&self.who));
                Ok(Asked::Held { hold: Hold { of: Arc::clone(self), name, holder }, lapsed })
            }
            Lease::Taken { holder, .. } => Ok(Asked::Taken { holder }),
        }
    }

    fn lease(&self, name: &str, holder: &str, now: Timestamp) -> Result<Lease, Fault> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        self.with(|ledger| ledger.lease(name, holder, now, until))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Ledger) -> Result<T, Fault>) -> Result<T, Fault> {
        let mut kept = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let ledger = match &mut *kept {
            Some(ledger) => ledger,
            none => {
                let mut ledger = self.place.open()?;
                ledger.forget_at_power_cut()?;
                none.insert(ledger)
            }
        };
        work(ledger)
    }
}

impl Hold {
    /// Keeps it for longer. `false` where somebody else has it: this process was suspended for too long.
    ///
    /// # Errors
    /// Where the ledger cannot be asked.
    pub fn prolong(&self, now: Timestamp) -> Result<bool, Fault> {
        Ok(matches!(self.of.lease(&self.name, &self.holder, now)?, Lease::Held { .. }))
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Err(fault) = self.of.with(|ledger| ledger.release(&self.name, &self.holder)) {
            // Others wait until it runs out.
            tracing::warn!(target: "runbook::run", %fault, "`{}` was not given back", self.name);
        }
    }
}

impl fmt::Debug for Exclusive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exclusive").field("place", &self.place).field("who", &self.who).finish_non_exhaustive()
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("name", &self.name).field("holder", &self.holder).finish_non_exhaustive()
    }
}
