//! How a ledger is waited for: others of the same thread go on meanwhile.

use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use tokio::runtime::{Handle, RuntimeFlavor};

/// Does what may take long. What else the runtime has to do is done on another thread meanwhile: else a database that says
/// nothing would, by those that wait for it, silence also what has nothing to do with it.
pub(super) fn wait<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(here) if here.runtime_flavor() == RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// What several have in turn, where one of them may wait for the ledger while it has it.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    match mutex.try_lock() {
        Ok(free) => free,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        Err(TryLockError::WouldBlock) => wait(|| mutex.lock().unwrap_or_else(PoisonError::into_inner)),
    }
}
