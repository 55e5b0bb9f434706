//! What events weigh: counts and the state of a step, a section, a run.

use std::sync::{Arc, Mutex};

use super::memory::lock;
use crate::store::event::{ChangeOutcome, Counts, Event, ManualAnswer, Outcome, Severity, Status, Withheld};

/// Sums up events, for itself and for what it is part of.
pub(crate) struct Tally {
    parent: Option<Arc<Self>>,
    sum: Mutex<Sum>,
}

/// What was counted.
#[derive(Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) counts: Counts,
    /// The worst of all.
    pub(crate) status: Status,
    /// Something critical failed: also where a worse status hides it.
    pub(crate) failed: bool,
    /// Something could not be measured.
    pub(crate) unmeasured: bool,
    pub(crate) changes: Changes,
}

/// What became of what was to be changed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Changes {
    /// Something was changed, by this run or by one that it goes on with.
    pub(crate) made: bool,
    /// Something was not, or not all of it.
    pub(crate) left: bool,
}

impl Default for Sum {
    fn default() -> Self {
        Self {
            counts: Counts::default(),
            status: Status::Passed,
            failed: false,
            unmeasured: false,
            changes: Changes::default(),
        }
    }
}

impl Tally {
    pub(crate) fn new(parent: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { parent, sum: Mutex::default() })
    }

    pub(crate) fn sum(&self) -> Sum {
        *lock(&self.sum)
    }

    /// Counts an event.
    pub(crate) fn add(&self, event: &Event) {
        let mut sum = Sum::default();
        sum.status = weigh(event, &mut sum.counts);
        sum.failed = sum.status == Status::Failed;
        sum.unmeasured = sum.status == Status::NotMeasured;
        sum.changes = Changes { made: changes(event), left: leaves(event) };
        self.merge(&sum);
    }

    /// Counts what another one counted.
    pub(crate) fn merge(&self, other: &Sum) {
        {
            let mut sum = lock(&self.sum);
            sum.status = sum.status.max(other.status);
            sum.failed |= other.failed;
            sum.unmeasured |= other.unmeasured;
            sum.changes.made |= other.changes.made;
            sum.changes.left |= other.changes.left;
            add(&mut sum.counts, &other.counts);
        }
        if let Some(parent) = &self.parent {
            parent.merge(other);
        }
    }
}

fn weigh(event: &Event, counts: &mut Counts) -> Status {
    match event {
        Event::Checked(checked) => match checked.outcome {
            Outcome::Passed => passed(counts),
            Outcome::NotMeasured => not_measured(counts),
            Outcome::Failed => match checked.severity {
                Severity::Critical => failed(counts),
                Severity::Warning => {
                    counts.warned += 1;
                    Status::Warned
                }
                Severity::Info => {
                    counts.noted += 1;
                    Status::Noted
                }
            },
        },
        Event::NotShown { .. } | Event::NotMeasured { .. } => not_measured(counts),
        Event::Measured(measured) => {
            let faults = measured.samples.iter().filter(|sample| sample.fault.is_some()).count();
            let faults = u32::try_from(faults + usize::from(measured.fault.is_some())).unwrap_or(u32::MAX);
            counts.not_measured = counts.not_measured.saturating_add(faults);
            if faults > 0 { Status::NotMeasured } else { Status::Passed }
        }
        // Somebody was not told, or a value not taken: neither went well.
        Event::Unsupported { .. } => failed(counts),
        Event::ChangeEnded(ended) => {
            let (count, status) = match ended.outcome {
                ChangeOutcome::Done => (&mut counts.changes_done, Status::Passed),
                ChangeOutcome::Failed => (&mut counts.changes_failed, Status::Failed),
                ChangeOutcome::Partly => (&mut counts.changes_partly, Status::Failed),
                ChangeOutcome::Unknown => (&mut counts.changes_unknown, Status::Failed),
            };
            *count += 1;
            // It is made all the same: nothing is tried again for it.
            counts.warned += u32::from(ended.is_warned());
            status
        }
        Event::ChangeWithheld { reason, .. } => {
            counts.changes_withheld += 1;
            match reason {
                // The guard, the earlier change or the person who asked for it has been counted.
                Withheld::Guard { .. } | Withheld::EarlierChange { .. } | Withheld::ReadOnly => Status::Passed,
                Withheld::NotMeasured { .. } => Status::NotMeasured,
                Withheld::TooMany { .. } | Withheld::Busy { .. } => Status::Failed,
                Withheld::NotApproved | Withheld::Policy { .. } | Withheld::Stopped { .. } => Status::Stopped,
            }
        }
        Event::Waited { outcome, .. } => match outcome {
            Outcome::Passed => passed(counts),
            Outcome::Failed => failed(counts),
            Outcome::NotMeasured => not_measured(counts),
        },
        Event::Manual { answer, .. } => match answer {
            ManualAnswer::Done => passed(counts),
            ManualAnswer::Problem => failed(counts),
            ManualAnswer::Skipped => {
                counts.noted += 1;
                Status::Noted
            }
            ManualAnswer::NotAnswered => not_measured(counts),
        },
        Event::NotReached { .. } => {
            counts.not_reached += 1;
            Status::Stopped
        }
        _ => Status::Passed,
    }
}

/// Whether a change was made, or a part of it.
fn changes(event: &Event) -> bool {
    match event {
        Event::ChangeEnded(ended) => ended.is_made(),
        Event::ChangeKept(_) => true,
        _ => false,
    }
}

/// Whether a change was not made, or a part of it was not.
fn leaves(event: &Event) -> bool {
    match event {
        Event::ChangeEnded(ended) => ended.is_left(),
        Event::ChangeWithheld { .. } | Event::NotReached { .. } => true,
        _ => false,
    }
}

const fn passed(counts: &mut Counts) -> Status {
    counts.passed += 1;
    Status::Passed
}

const fn failed(counts: &mut Counts) -> Status {
    counts.failed += 1;
    Status::Failed
}

const fn not_measured(counts: &mut Counts) -> Status {
    counts.not_measured += 1;
    Status::NotMeasured
}

const fn add(to: &mut Counts, more: &Counts) {
    to.passed += more.passed;
    to.failed += more.failed;
    to.warned += more.warned;
    to.noted += more.noted;
    to.not_measured += more.not_measured;
    to.changes_done += more.changes_done;
    to.changes_failed += more.changes_failed;
    to.changes_partly += more.changes_partly;
    to.changes_unknown += more.changes_unknown;
    to.changes_withheld += more.changes_withheld;
    to.not_reached += more.not_reached;
}

/// Where events of a part of the run go: counted, and on, or held back until it is known that they count.
#[derive(Clone)]
pub(crate) struct Out {
    pub(crate) tally: Arc<Tally>,
    held: Option<Arc<Mutex<Vec<Event>>>>,
}

impl Out {
    pub(crate) const fn new(tally: Arc<Tally>) -> Self {
        Self { tally, held: None }
    }

    /// The same way, counted apart as well.
    pub(crate) fn part(&self) -> Self {
        Self { tally: Tally::new(Some(Arc::clone(&self.tally))), held: self.held.clone() }
    }

    /// Counted by nobody else and held back, until [`Self::take`].
    pub(crate) fn apart() -> Self {
        Self { tally: Tally::new(None), held: Some(Arc::default()) }
    }

    /// The same way, counted nowhere: what is inside something that is counted as a whole.
    pub(crate) fn uncounted(&self) -> Self {
        Self { tally: Tally::new(None), held: self.held.clone() }
    }

    /// What was held back.
    pub(crate) fn take(&self) -> Vec<Event> {
        self.held.as_ref().map(|held| std::mem::take(&mut *lock(held))).unwrap_or_default()
    }

    /// An event that was counted: `None` where it is held back.
    pub(crate) fn pass(&self, event: Event) -> Option<Event> {
        match &self.held {
            Some(held) => {
                lock(held).push(event);
                None
            }
            None => Some(event),
        }
    }
}
