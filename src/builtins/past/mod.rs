//! What looks back: samples and alerts that outlive a run.

mod alerts;
mod forecast;
mod history;
mod lines;
mod plot;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::catalog::{Builtin, Cx, Past};
use crate::types::{Fault, FaultKind};

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[&history::BUILTIN, &forecast::BUILTIN, &plot::BUILTIN, &alerts::BUILTIN];

/// What is kept of this runbook.
fn past(cx: &Cx) -> Result<Arc<dyn Past>, Fault> {
    cx.world.past().ok_or_else(|| {
        Fault::new(FaultKind::Setup, "nothing is kept here: there is no ledger")
            .help("name a folder that can be written with `--state DIR`")
    })
}

/// So long ago.
fn ago(cx: &Cx, over: SignedDuration) -> Timestamp {
    cx.run.started_at.checked_sub(over).unwrap_or(Timestamp::MIN)
}
