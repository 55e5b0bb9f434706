//! Consent to the changes of a run: asked for once, before the first of them.

use super::context::Context;
use super::request::Consent;
use crate::store::event::Event;
use crate::types::Fault;

/// Whether changes are allowed. Where they are not, nothing more of the run is begun.
pub(super) async fn given(context: &Context<'_>) -> Result<bool, Fault> {
    let run = context.run;
    let mut consented = context.limits.race(run.consented.lock()).await?;
    if let Some(known) = *consented {
        return Ok(known);
    }
    let proposal = &run.proposal;
    let how = match &run.consent {
        Consent::ReadOnly | Consent::None => None,
        Consent::Given { hash } => crate::plan::is_hash(hash, &proposal.hash).then(|| "--approve".to_owned()),
        Consent::Rehearsed { .. } => Some("rehearsal".to_owned()),
        Consent::Ask(asking) => {
            let how = context.limits.race(asking.ask(proposal.clone())).await?;
            context.waited();
            how
        }
    };
    *consented = Some(how.is_some());
    if let Some(how) = how {
        context.emit(Event::Approved { hash: proposal.hash.clone(), how });
        return Ok(true);
    }
    let _ = run.halted.set("the run waits for approval");
    context.emit(Event::ApprovalNeeded {
        hash: proposal.hash.clone(),
        changes: proposal.changes.clone(),
        help: proposal.help.clone(),
    });
    Ok(false)
}
