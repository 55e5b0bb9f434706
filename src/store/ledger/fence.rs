//! Fences: by which a write is made only while whoever makes it still holds the lease that it is made under.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::types::{Fault, FaultKind};

/// A lease as it was held when something was begun. What is done in its name is written only while the lease has the
/// same holder and number; whoever was suspended meanwhile finds out by its first write.
///
/// Copies are one fence: what one of them has found out, all know.
#[derive(Clone, Debug)]
pub struct Fence {
    name: Arc<str>,
    holder: Arc<str>,
    number: u64,
    lost: Arc<AtomicBool>,
}

impl Fence {
    #[must_use]
    pub fn new(name: &str, holder: &str, number: u64) -> Self {
        Self { name: name.into(), holder: holder.into(), number, lost: Arc::default() }
    }

    /// The lease's.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// Whether somebody has found that the lease is not held any more. It never is again under this number.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Says that it is lost, to all who have it.
    pub fn lose(&self) {
        self.lost.store(true, Ordering::SeqCst);
    }

    /// The fault of what was to be done under it.
    pub(super) fn fault(&self) -> Fault {
        let message = format!("the lease `{}` is not held any more (it was number {})", self.name, self.number);
        Fault::new(FaultKind::Cancelled, message).help("another process has taken over; nothing was written")
    }
}
