//! Who is on call, where a tool says it: asked in the world, and kept in the ledger.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::Desk;
use crate::alerting::Rota;
use crate::catalog::{RunFacts, World};
use crate::check::program::{Expr, ParamId, Program};
use crate::plan::{self, Part, Reached, text};
use crate::run::Asking;
use crate::store::beside;
use crate::types::{Fault, FaultKind, Value};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(30);

/// The call that says who is on call, with the tool and the values behind it and the content of the runbook's own programs,
/// as a hash: an answer is good for what was asked, and nobody reads in the ledger what was set.
pub(super) fn call(program: &Program, set: &HashMap<ParamId, Value>, folder: &Path) -> Option<Arc<str>> {
    let (call, reached) = reached(program, set)?;
    let programs = beside::own(&reached.programs).map(|name| {
        // Of one that cannot be read the call itself says so: it is another one as soon as it can.
        let content = beside::content(&folder.join(name)).unwrap_or_else(|error| error.to_string());
        format!("program {name} {content}")
    });
    let parts = [text::expr(program, call)].into_iter().chain(reached.parts.iter().map(Part::words)).chain(programs);
    Some(plan::hash_of(parts).into())
}

/// The call, and what it leads to.
fn reached<'p>(program: &'p Program, set: &HashMap<ParamId, Value>) -> Option<(&'p Expr, Reached)> {
    let call = Rota::call(program)?;
    let typed = set.iter().filter_map(|(id, value)| {
        let param = program.params.get(id.index())?;
        Some((Arc::clone(&param.name), value.to_json().to_string()))
    });
    Some((call, plan::reached(program, call, &typed.collect())))
}

impl Desk {
    /// Asks the tool that says who is on call; `None` where there is none.
    pub async fn ask(
        program: &Arc<Program>,
        set: HashMap<ParamId, Value>,
        facts: Arc<RunFacts>,
        world: Arc<dyn World>,
    ) -> Option<Result<Json, Fault>> {
        let call = Rota::call(program)?;
        let late = world.sleep(WITHIN);
        let asking = Asking::new(Arc::clone(program), set, facts, world);
        let answer = std::pin::pin!(asking.value(call));
        Some(match select(answer, late).await {
            Either::Left((answer, _)) => answer.and_then(Value::read).map(|value| value.to_json()),
            Either::Right(((), _)) => {
                Err(Fault::new(FaultKind::Timeout, format!("the tool has not answered within {} s", WITHIN.as_secs())))
            }
        })
    }

    /// The runbook's own programs that say who is on call, by their names in its folder.
    #[must_use]
    pub fn programs(program: &Program, set: &HashMap<ParamId, Value>) -> Vec<String> {
        let reached = reached(program, set).map(|(_, reached)| reached);
        reached.iter().flat_map(|reached| beside::own(&reached.programs)).cloned().collect()
    }

    /// Whether it is to be asked anew who is on call.
    #[must_use]
    pub fn is_rota_due(&self, now: Timestamp) -> bool {
        let inner = self.lock();
        inner.call.as_ref().is_some_and(|call| inner.rota.is_due(now, call))
    }

    /// By what that is asked, as a hash; `None` where no tool says it.
    #[must_use]
    pub fn rota_call(&self) -> Option<Arc<str>> {
        self.lock().call.clone()
    }

    /// What is known of who is on call.
    #[must_use]
    pub fn rota(&self) -> Rota {
        self.lock().rota.clone()
    }

    /// Takes an answer, and writes down what follows from it. Gives why nobody can say it, where that is so.
    ///
    /// # Errors
    /// Where it could not be written down.
    pub fn take_rota(&self, now: Timestamp, answer: Result<Json, Fault>) -> Result<Option<String>, Fault> {
        let mut inner = self.lock();
        let answer = inner.call.clone().map(|call| (call, answer));
        let happened = inner.keep(self.runbook(), now, &[], answer.as_ref(), now)?;
        self.call(&happened);
        Ok(inner.rota.trouble(&inner.program))
    }
}
