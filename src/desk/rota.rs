//! Who is on call, where a tool says it: asked in the world, and kept in the ledger.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::Timestamp;
use serde_json::Value as Json;

use super::Desk;
use crate::alerting::Rota;
use crate::catalog::{RunFacts, World};
use crate::check::program::{ParamId, Program};
use crate::plan::{self, Part, text};
use crate::run::Asking;
use crate::types::{Fault, FaultKind, Value};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(30);

/// The call that says who is on call, with the tool and the values behind it, as a hash: an answer is good for what was
/// asked, and nobody reads in the ledger what was set.
pub(super) fn call(program: &Program, set: &HashMap<ParamId, Value>) -> Option<Arc<str>> {
    let call = Rota::call(program)?;
    let typed = set.iter().filter_map(|(id, value)| {
        let param = program.params.get(id.index())?;
        Some((Arc::clone(&param.name), value.to_json().to_string()))
    });
    let reached = plan::reached(program, call, &typed.collect());
    let parts = [text::expr(program, call)].into_iter().chain(reached.parts.iter().map(Part::words));
    Some(plan::hash_of(parts).into())
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
        let happened = inner.keep(self.runbook(), now, &[], answer.as_ref())?;
        self.call(&happened);
        Ok(inner.rota.trouble(&inner.program))
    }
}
