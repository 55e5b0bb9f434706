//! The reads of a plan: a run that only looks, tells nobody, and is not recorded.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::alerting::{self, Telling};
use super::console::Failure;
use super::request::Prepared;
use super::run::{by, facts, id, runtime};
use super::state::Kept;
use crate::report::looked::Looked;
use crate::run::{self, Consent, EventSink, Interrupt, Proposal, Request};
use crate::store::event::{Event, RunStarted};
use crate::types::Fault;

/// Takes note of what is seen.
#[derive(Default)]
struct Watcher(Mutex<Looked>);

impl EventSink for Watcher {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).see(&event);
    }

    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>> {
        self.emit(event);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// Makes the reads of a runbook, and never a change.
pub(super) fn look(prepared: &Prepared, file: &str, state: &Kept) -> Result<Looked, Failure> {
    let facts = facts(id().into(), &prepared.program, file)?;
    let watcher = Arc::new(Watcher::default());
    let sink = Arc::clone(&watcher) as Arc<dyn EventSink>;
    let runtime = runtime(None)?;
    let looked: Result<(), Failure> = runtime.block_on(async {
        let (world, _) = alerting::open(&Telling::nobody(), state, prepared, &facts).await?;
        let started =
            RunStarted { by: by(), read_only: true, file: file.into(), ..run::started(&prepared.program, &facts) };
        let request = Request {
            program: Arc::clone(&prepared.program),
            sources: Arc::clone(&prepared.sources),
            started,
            facts: Arc::clone(&facts),
            selection: prepared.selection.clone(),
            set: prepared.set.clone(),
            proposal: Proposal::default(),
            consent: Consent::Plan,
            rules: None,
            person: None,
            interrupt: Interrupt::default(),
            exclusive: None,
            known: run::known::Known::default(),
        };
        run::run(request, world, sink).await;
        Ok(())
    });
    runtime.shutdown_background();
    looked?;
    let mut seen = watcher.0.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(std::mem::take(&mut *seen))
}
