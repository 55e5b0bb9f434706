//! What goes on in a server: runs by their sections, samples, and how people are told.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;

use super::Home;
use super::sampling::{Due, Look};
use super::telling::Lines;
use crate::run::Interrupt;

/// Whoever has not looked for so long does not know how things are.
const UNSEEN: SignedDuration = SignedDuration::from_secs(10);
/// How long people wait for the samples after that. Who cannot be looked at in this time is no reason to let them sleep.
const LOOKS_FIRST: SignedDuration = SignedDuration::from_secs(15);

/// What goes on, by section.
#[derive(Default)]
pub(super) struct Going {
    pub(super) runs: HashMap<Arc<str>, Run>,
    pub(super) last: HashMap<Arc<str>, Timestamp>,
    /// The alerts that a section has answered, by its title.
    pub(super) answered: HashMap<Arc<str>, BTreeSet<i64>>,
    pub(super) samples: Due,
    pub(super) sampling: Vec<(Arc<Look>, JoinHandle<()>)>,
    /// When what is due was done last.
    pub(super) done: Option<Timestamp>,
    /// Since when it is done again, after a time in which nobody looked, as long as nobody knows how things are.
    pub(super) resumed: Option<Timestamp>,
    /// When old samples were put together last.
    pub(super) tidied: Option<Timestamp>,
    pub(super) lines: Lines,
    /// Who is on call, and by which call that is asked.
    pub(super) asking: Option<(Arc<str>, JoinHandle<()>)>,
    pub(super) interrupt: Interrupt,
}

pub(super) struct Run {
    pub(super) began: Timestamp,
    pub(super) ended: Option<Timestamp>,
    /// When it was over, where nobody has looked since.
    pub(super) over: Arc<OnceLock<Timestamp>>,
    pub(super) task: Option<JoinHandle<()>>,
}

impl Run {
    /// Begins it.
    pub(super) fn begin(now: Timestamp, work: impl Future<Output = ()> + Send + 'static, home: Arc<dyn Home>) -> Self {
        let over = Arc::<OnceLock<Timestamp>>::default();
        let ends = Arc::clone(&over);
        let task = tokio::spawn(async move {
            work.await;
            // Set once, here.
            let _ = ends.set(home.now());
        });
        Self { began: now, ended: None, over, task: Some(task) }
    }
}

impl Going {
    /// Whether people wait for the first samples after a time in which nobody looked: what they would be woken for may be
    /// over.
    pub(super) fn looks_first(&mut self, now: Timestamp) -> bool {
        let looks = |since: &Timestamp| {
            now.duration_since(*since).abs() < LOOKS_FIRST
                && self.sampling.iter().any(|(look, task)| look.began() >= *since && !task.is_finished())
        };
        self.resumed = self.resumed.filter(looks);
        self.resumed.is_some()
    }

    /// Takes note of a look at what is due. After a time without one, everything is sampled anew.
    pub(super) fn begins(&mut self, now: Timestamp) {
        if self.done.is_none_or(|done| now.duration_since(done).abs() > UNSEEN) {
            self.resumed = Some(now);
            self.samples = Due::default();
        }
    }

    /// Forgets what is over.
    pub(super) fn settle(&mut self, now: Timestamp) {
        for run in self.runs.values_mut() {
            if run.task.as_ref().is_some_and(JoinHandle::is_finished) {
                run.task = None;
                // What was due between its end and this look is no run that it overlaps.
                run.ended = Some(run.over.get().copied().unwrap_or(now));
            }
        }
        self.sampling.retain(|(_, task)| !task.is_finished());
        self.asking.take_if(|(_, task)| task.is_finished());
    }
}
