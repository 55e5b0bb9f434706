//! What goes on in a server: runs by their sections, samples, and how people are told.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::Home;
use super::sampling::{Due, Look};
use super::telling::Lines;
use crate::run::Interrupt;

/// What goes on, by section.
#[derive(Default)]
pub(super) struct Going {
    pub(super) runs: HashMap<Arc<str>, Run>,
    pub(super) last: HashMap<Arc<str>, Timestamp>,
    /// The alerts that a section has answered, by its title.
    pub(super) answered: HashMap<Arc<str>, BTreeSet<i64>>,
    pub(super) samples: Due,
    pub(super) sampling: Vec<(Arc<Look>, JoinHandle<()>)>,
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
