//! Standard input, which can be read as one thing only.

use std::sync::OnceLock;

/// Who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// It is read as a source file.
    Source,
    /// Whoever runs for days has none that comes to an end.
    Server,
}

static TAKEN: OnceLock<Taker> = OnceLock::new();

/// It is this one's, whoever else wanted it.
pub fn take(taker: Taker) {
    // The first one has it.
    let _ = TAKEN.set(taker);
}

/// Whose it is; `None` where it is nobody's yet.
#[must_use]
pub fn taken_by() -> Option<Taker> {
    TAKEN.get().copied()
}
