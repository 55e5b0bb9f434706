//! Who does what is due: one of the servers on a ledger, as long as it holds the runbook's lease there.

use jiff::{SignedDuration, Timestamp};

use crate::store::ledger::{self, Fence, Lease, Ledger};
use crate::types::Fault;

/// How long others wait for a server that says nothing before one of them takes over.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// What a server knows of who leads.
#[derive(Clone, Debug, Default)]
pub(super) enum Lead {
    /// It has not asked yet.
    #[default]
    Unknown,
    /// It does, as long as the fence holds.
    Own(Fence),
    /// Another server does, or did when it was asked.
    Others { holder: String },
}

impl Lead {
    /// Asks for the lease, or prolongs it. A fence that was handed out stays the same one as long as it holds.
    pub(super) fn ask(&self, ledger: &mut Ledger, runbook: &str, holder: &str, now: Timestamp) -> Result<Self, Fault> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        Ok(match (ledger.lead(runbook, holder, now, until)?, self) {
            (Lease::Held { fence }, Self::Own(own)) if own.number() == fence => Self::Own(own.clone()),
            (Lease::Held { fence }, _) => Self::Own(Fence::new(&ledger::lead(runbook), holder, fence)),
            (Lease::Taken { holder, .. }, _) => Self::Others { holder: ledger::shown(&holder).to_owned() },
        })
    }

    /// Under which fence what is due may be done.
    pub(super) const fn own(&self) -> Option<&Fence> {
        match self {
            Self::Own(fence) => Some(fence),
            Self::Unknown | Self::Others { .. } => None,
        }
    }

    /// Whether this is still the lead that another look found.
    pub(super) fn is_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Own(own), Self::Own(other)) => own.number() == other.number(),
            (Self::Others { holder }, Self::Others { holder: other }) => holder == other,
            (Self::Unknown, Self::Unknown) => true,
            _ => false,
        }
    }
}
