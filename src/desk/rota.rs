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
use crate::run::Asking;
use crate::types::{Fault, FaultKind, Value};

/// How long an answer may take.
const WITHIN: Duration = Duration::from_secs(30);

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
        Rota::call(&inner.program).is_some() && inner.rota.is_due(now)
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
        inner.refresh(self.runbook())?;
        let (mut rota, program) = (inner.rota.clone(), Arc::clone(&inner.program));
        let inputs: Vec<_> = rota.take(now, answer, &program).into_iter().collect();
        let happened = inner.keep(self.runbook(), now, &inputs, Some(&rota))?;
        self.call(&happened);
        let trouble = rota.trouble(&program);
        inner.adopt(rota);
        Ok(trouble)
    }
}
