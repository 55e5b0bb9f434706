//! Standard input, which can be read as one thing only.

use std::sync::atomic::{AtomicBool, Ordering};

static TAKEN: AtomicBool = AtomicBool::new(false);

/// It is read as a source file, whoever else wanted it.
pub fn take() {
    TAKEN.store(true, Ordering::Relaxed);
}

/// Whether it was.
#[must_use]
pub fn is_taken() -> bool {
    TAKEN.load(Ordering::Relaxed)
}
