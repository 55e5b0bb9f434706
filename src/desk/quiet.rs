//! What sections that run here keep quiet: only as long as they are heard of, for one that was killed says nothing of its end.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};

use super::Desk;
use crate::alerting::{Input, Quiet};
use crate::catalog::World;
use crate::types::Fault;

/// How long something is kept quiet after its section was last heard of.
const HEARD: SignedDuration = SignedDuration::from_secs(30);
/// How often a section is heard of.
const AGAIN: Duration = Duration::from_secs(10);

/// What the sections of this process keep quiet, by run and section.
#[derive(Default)]
pub(super) struct Keeping {
    kept: BTreeMap<Arc<str>, Quiet>,
}

impl Keeping {
    /// Follows what begins and ends: what begins is kept quiet no longer than it is heard of.
    pub(super) fn follow(&mut self, now: Timestamp, input: &mut Input) {
        match input {
            Input::QuietBegins { by, quiet } => {
                self.kept.insert(Arc::clone(by), quiet.clone());
                *quiet = heard(quiet, now);
            }
            Input::QuietEnds { by } => {
                self.kept.remove(by);
            }
            _ => {}
        }
    }

    /// What still runs.
    pub(super) fn again(&mut self, now: Timestamp) -> Vec<Input> {
        self.kept.retain(|_, quiet| quiet.until > now);
        let again = self.kept.iter();
        again.map(|(by, quiet)| Input::QuietBegins { by: Arc::clone(by), quiet: heard(quiet, now) }).collect()
    }
}

impl Desk {
    /// What a run comes to. As long as it goes on, what its sections keep quiet stays so.
    pub async fn beside<T>(&self, world: &dyn World, running: impl Future<Output = T>) -> T {
        let mut running = pin!(running);
        loop {
            running = match select(running, world.sleep(AGAIN)).await {
                Either::Left((ended, _)) => return ended,
                Either::Right(((), running)) => running,
            };
            if let Err(fault) = self.keep_quiet(world.now()) {
                tracing::warn!(%fault, "what a section keeps quiet is told where that cannot be written down");
            }
        }
    }

    fn keep_quiet(&self, now: Timestamp) -> Result<(), Fault> {
        let mut inner = self.lock();
        let again = inner.quiet.again(now);
        inner.decide(&self.runbook, now, &again).map(|happened| self.call(&happened))
    }
}

fn heard(quiet: &Quiet, now: Timestamp) -> Quiet {
    let until = now.checked_add(HEARD).map_or(quiet.until, |until| until.min(quiet.until));
    Quiet { thresholds: quiet.thresholds.clone(), until }
}
