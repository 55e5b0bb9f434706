//! Samples that are due by `every`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

use super::Loaded;
use crate::alerting::Along;
use crate::catalog::World;
use crate::check::program::{MetricId, Program};
use crate::desk::Desk;
use crate::plan::Selection;
use crate::run::{self, Consent, EventSink, Interrupt, Proposal, Request};
use crate::store::event::{Event, Measured, Place, Record, RunStarted};
use crate::store::ledger::locked;
use crate::types::{Fault, FaultKind};
use crate::units;

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
                *next = following(*next, every, now);
            }
        }
        due
    }
}

/// When what was due is due next: by the time at which it was, not by that at which somebody came to look, or a second would
/// be two. What was missed is left out.
fn following(due: Timestamp, every: SignedDuration, now: Timestamp) -> Timestamp {
    let after = |time: Timestamp| time.checked_add(every).unwrap_or(Timestamp::MAX);
    let next = after(due);
    if next > now && next <= after(now) { next } else { after(now) }
}

/// Samples that are being taken.
pub(super) struct Look {
    began: Timestamp,
    /// The metrics of which nothing is known yet, and for how long somebody may not be told.
    waits: Mutex<Vec<(MetricId, Option<SignedDuration>)>>,
}

impl Look {
    pub(super) fn new(loaded: &Loaded, metrics: &[MetricId], began: Timestamp) -> Self {
        let limit = |id: MetricId| {
            let thresholds = loaded.program.thresholds.iter().filter(|threshold| threshold.metrics.contains(&id));
            thresholds.filter_map(|threshold| threshold.unknown_for).min()
        };
        let waits = metrics.iter().map(|id| (*id, limit(*id))).collect();
        Self { began, waits: Mutex::new(waits) }
    }

    pub(super) const fn began(&self) -> Timestamp {
        self.began
    }

    /// Lets alerting know of metrics that nobody has been able to look at for too long: whoever hangs may do so for long.
    ///
    /// # Errors
    /// Where it could not be written down.
    pub(super) fn hangs(&self, loaded: &Loaded, desk: &Desk, now: Timestamp) -> Result<(), Fault> {
        let mut waits = locked(&self.waits);
        let took = now.duration_since(self.began);
        // Said once: what comes of it is said when it comes.
        for (id, _) in waits.extract_if(.., |(_, limit)| limit.is_some_and(|limit| limit <= took)) {
            let Some(metric) = loaded.program.metrics.get(id.index()) else { continue };
            let seconds = took.as_secs().saturating_mul(1_000_000_000);
            let fault = Fault::new(FaultKind::Timeout, format!("no answer for {} so far", units::duration(seconds)));
            let (metric, began) = (Arc::clone(&metric.name), Some(self.began));
            let (place, samples, fault) = (Place::default(), Vec::new(), Some(fault));
            let measured = Measured { place, metric, samples, fault, began, taken: None, more: false };
            let record = Record { seq: 0, at: now, event: Event::Measured(measured) };
            desk.read(&mut Along::default(), &record)?;
        }
        Ok(())
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
    look: Arc<Look>,
) -> Option<Fault> {
    let (program, fault) = (Arc::clone(&loaded.program), Mutex::default());
    let along = Mutex::default();
    let sink = Arc::new(Heard { desk, world: Arc::clone(&world), program, look, along, fault });
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
    program: Arc<Program>,
    look: Arc<Look>,
    along: Mutex<Along>,
    fault: Mutex<Option<Fault>>,
}

impl EventSink for Heard {
    fn emit(&self, event: Event) {
        // The rest of it tells of a run, and this is none.
        let Event::Measured(measured) = &event else { return };
        // Until it is read: what is known by now is not said to hang.
        let mut waits = locked(&self.look.waits);
        waits.retain(|(id, _)| self.program.metrics.get(id.index()).is_none_or(|own| own.name != measured.metric));
        let mut along = locked(&self.along);
        if let Err(fault) = self.desk.read(&mut along, &Record { seq: 0, at: self.world.now(), event }) {
            self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        }
    }

    fn durable(&self, event: Event) -> BoxFuture<'_, Result<(), Fault>> {
        self.emit(event);
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::following;

    #[test]
    fn what_is_due_every_few_seconds_is_taken_so_often() {
        let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap();
        for (every, wanted) in [(1, 60), (2, 30), (3, 20)] {
            let (mut due, mut taken) = (at(500), 0);
            // Somebody looks just after each whole second.
            for second in 1..=60 {
                let now = at(second * 1000 + 2);
                if due <= now {
                    due = following(due, SignedDuration::from_secs(every), now);
                    taken += 1;
                }
            }
            assert_eq!(taken, wanted, "every {every}s");
        }
        let every = SignedDuration::from_secs(10);
        assert_eq!(following(at(0), every, at(65_000)), at(75_000), "what was missed is not made up for");
        assert_eq!(following(at(3_600_000), every, at(5_000)), at(15_000), "the clock was set back");
    }
}
