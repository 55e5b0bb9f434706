//! Samples that are due by `every`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::Timestamp;

use super::Loaded;
use crate::alerting::Along;
use crate::catalog::World;
use crate::check::program::MetricId;
use crate::desk::Desk;
use crate::plan::Selection;
use crate::run::{self, Consent, EventSink, Interrupt, Proposal, Request};
use crate::store::event::{Event, Record, RunStarted};
use crate::types::Fault;

/// When each metric is sampled next.
#[derive(Default)]
pub(super) struct Due {
    next: HashMap<MetricId, Timestamp>,
}

impl Due {
    /// The metrics that are due, all of one moment together. What was missed is not made up for: a sample is of now.
    pub(super) fn take(&mut self, loaded: &Loaded, now: Timestamp) -> Vec<MetricId> {
        let mut due = Vec::new();
        for (index, metric) in loaded.program.metrics.iter().enumerate() {
            let (Some(every), Ok(id)) = (metric.every, u32::try_from(index)) else { continue };
            let next = self.next.entry(MetricId(id)).or_insert(now);
            // A clock that was set back by hours must not stop the samples for as long.
            let ahead = next.duration_since(now) > every;
            if *next <= now || ahead {
                due.push(MetricId(id));
                *next = now.checked_add(every).unwrap_or(Timestamp::MAX);
            }
        }
        due
    }
}

/// Takes samples, and lets alerting have them. Gives why something could not be written down.
pub(super) async fn sample(
    loaded: Loaded,
    metrics: Vec<MetricId>,
    world: Arc<dyn World>,
    desk: Arc<Desk>,
    interrupt: Interrupt,
    started: RunStarted,
) -> Option<Fault> {
    let sink = Arc::new(Heard { desk, world: Arc::clone(&world), fault: Mutex::default() });
    let request = Request {
        program: loaded.program,
        sources: loaded.sources,
        started,
        facts: loaded.facts,
        selection: Selection::metrics(metrics),
        set: loaded.set,
        proposal: Proposal::default(),
        consent: Consent::ReadOnly,
        rules: None,
        person: None,
        interrupt,
        exclusive: None,
        known: run::known::Known::default(),
    };
    run::run(request, world, Arc::<Heard>::clone(&sink) as Arc<dyn EventSink>).await;
    sink.fault.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Hands samples to the desk; there is no other record of them.
struct Heard {
    desk: Arc<Desk>,
    world: Arc<dyn World>,
    fault: Mutex<Option<Fault>>,
}

impl EventSink for Heard {
    fn emit(&self, event: Event) {
        // The rest of it tells of a run, and this is none.
        if !matches!(event, Event::Measured(_)) {
            return;
        }
        if let Err(fault) = self.desk.read(&mut Along::default(), &Record { seq: 0, at: self.world.now(), event }) {
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        }
    }

    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>> {
        self.emit(event);
        Box::pin(std::future::ready(Ok(())))
    }
}
