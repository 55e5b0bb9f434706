//! `on failure` and `always`: what closes a step or a section, whatever became of it.

use std::sync::Arc;

use futures_util::FutureExt;

use super::block::block;
use super::context::{Context, Running};
use super::gate::Gate;
use super::limits::{Limits, to_std};
use crate::check::program::Block;
use crate::types::{Fault, FaultKind};
use jiff::SignedDuration;

/// How long they may take after the run was stopped.
const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// Runs the blocks that close a part. `index` is the place of the first behind the statements of the part.
pub(super) async fn close<'r>(
    context: &Context<'r>,
    index: usize,
    on_failure: Option<&'r Block>,
    always: Option<&'r Block>,
) {
    // What held back the changes of the part does not hold back what sets it right; a failure in here does.
    let gate = Gate::new(None);
    let own = Context {
        limits: grace(context.run),
        gate: Arc::clone(&gate),
        section_gate: gate,
        closing: true,
        ..context.clone()
    };
    let sum = context.out.tally.sum();
    if let Some(body) = on_failure.filter(|_| sum.failed || sum.unmeasured) {
        block(own.at(index).at(0), body).await;
    }
    if let Some(body) = always {
        block(own.at(index + 1).at(0), body).await;
    }
}

/// No limit but a short one from when the run is stopped, or from now where it has been.
pub(super) fn grace(run: &Running) -> Limits {
    let (interrupt, world) = (run.interrupt.clone(), Arc::clone(&run.outside.cx.world));
    let over = async move {
        interrupt.cancel.cancelled().await;
        world.sleep(to_std(GRACE)).await;
        Fault::new(FaultKind::Cancelled, "the run was stopped, and its time to close is over")
    };
    Limits::until(run.interrupt.abort.clone(), "the run was stopped at once").and(over.boxed().shared())
}
