//! Who is on call, where a tool says it: asked while the server leads, beside all else, since a program takes its time.

use std::sync::Arc;

use jiff::Timestamp;

use super::current::Current;
use super::going::Going;
use super::served::Served;
use crate::catalog::RunFacts;
use crate::desk::Desk;
use crate::store::ledger::Fence;

impl Served {
    pub(super) fn ask_who(self: &Arc<Self>, going: &mut Going, current: &Current, fence: &Fence, now: Timestamp) {
        let call = current.desk.rota_call();
        if let Some((_, task)) = going.asking.take_if(|(asked, _)| call.as_ref() != Some(asked)) {
            // The runbook was edited meanwhile: an answer to what nobody asks any more would keep the other one waiting.
            task.abort();
        }
        let Some(call) = call.filter(|_| going.asking.is_none() && current.desk.is_rota_due(now)) else { return };
        let (served, current, fence) = (Arc::clone(self), current.clone(), fence.clone());
        let task = tokio::spawn(async move {
            let loaded = current.loaded;
            let facts = RunFacts { started_at: now, scheduled_at: now, ..(*loaded.facts).clone() };
            let answer = Desk::ask(&loaded.program, loaded.set, Arc::new(facts), current.world).await;
            let Some(answer) = answer else { return };
            match current.desk.take_rota(served.home.now(), answer) {
                Ok(None) => {}
                Ok(Some(why)) => served.home.warn(&format!("\"{}\": {why}", served.title())),
                // That another server asks by now is no trouble.
                Err(_) if fence.is_lost() => {}
                Err(fault) => {
                    served.home.warn(&format!("\"{}\": who is on call is not written down: {fault}", served.title()));
                }
            }
        });
        going.asking = Some((call, task));
    }
}
