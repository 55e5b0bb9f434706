//! How many items a stage keeps in memory, and what it says when there are more.

use crate::catalog::Items;
use crate::types::{Fault, FaultKind, Value};

/// The most items, keys or distinct values that a stage keeps. A stage that lets go of each item has no limit.
pub(in crate::builtins) const MOST_KEPT: usize = 1_000_000;

/// All items in memory, under the cap.
pub(super) fn all(stage: &str, items: Items<'_>) -> Result<Vec<Value>, Fault> {
    let mut kept = Vec::new();
    for item in items {
        room(stage, kept.len())?;
        kept.push(item?);
    }
    Ok(kept)
}

/// Whether one more fits beside those that are kept.
pub(super) fn room(stage: &str, kept: usize) -> Result<(), Fault> {
    if kept < MOST_KEPT {
        return Ok(());
    }
    let message = format!("`{stage}` keeps {MOST_KEPT} items at most, and there are more");
    Err(Fault::new(FaultKind::TooLarge, message).help(format!("write `where(…)` before `{stage}` to ask for fewer")))
}
