//! Where the connections of a runbook lead from this machine.

use std::sync::Arc;

use super::alerting::{self, Telling};
use super::console::Failure;
use super::request::Prepared;
use super::run::runtime;
use super::state::Kept;
use crate::catalog::RunFacts;
use crate::run::Asking;
use crate::types::Fault;

/// A connection by its name, and where it leads.
pub(super) type Placed = (Arc<str>, Result<Arc<str>, Fault>);

/// Each of these connections, in their order, with where it leads or why that is not known.
pub(super) fn places(
    prepared: &Prepared,
    names: &[Arc<str>],
    facts: &Arc<RunFacts>,
    state: &Kept,
) -> Result<Vec<Placed>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = runtime(None)?;
    let found = runtime.block_on(async {
        let (world, _) = alerting::open(&Telling::nobody(), state, prepared, facts).await?;
        let asking = Asking::new(Arc::clone(&prepared.program), prepared.set.clone(), Arc::clone(facts), world);
        let mut found = Vec::new();
        for name in names {
            found.push((Arc::clone(name), asking.place(name).await));
        }
        Ok(found)
    });
    runtime.shutdown_background();
    found
}
