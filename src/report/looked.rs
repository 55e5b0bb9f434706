//! What a plan found when it looked: where connections lead, whether guards hold, how many changes there would be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::store::event::{CheckKind, Event, Outcome, Withheld};
use crate::types::FaultKind;

/// The exit code of a run that the policy refuses something.
const REFUSED: u8 = 6;

/// What was seen, from the events of a run that only looks.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Looked {
    /// Each connection that was opened or tried, by its name.
    pub connections: BTreeMap<Arc<str>, Reached>,
    /// The `require`s, by their titles, in the order in which they were asked.
    pub guards: Vec<Guard>,
    /// How often each change would be made, by its file, line and column.
    #[serde(skip)]
    changes: BTreeMap<(Arc<str>, u32, u32), Counted>,
    /// What a person is asked to do.
    #[serde(skip)]
    manual: BTreeSet<Arc<str>>,
    /// The loops and conditions of which nobody knows what they come to, by file, line and column.
    #[serde(skip)]
    unknown: BTreeSet<(Arc<str>, u32, u32)>,
    /// What of the reads could not be measured.
    pub unmeasured: u32,
    /// Whether the policy refuses a host that it leads to.
    pub refused: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reached {
    /// What it leads to, and as whom.
    Target(String),
    Fault(String),
}

#[derive(Clone, Debug, Serialize)]
pub struct Guard {
    pub title: Arc<str>,
    pub outcome: Outcome,
    /// Why it could not be looked at.
    pub fault: Option<String>,
}

/// The rounds of one change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Those that only wait for consent.
    pub ready: u32,
    /// Those that a guard holds back.
    pub guarded: u32,
    /// Those that are reached only when a person has done something.
    pub after_manual: u32,
    /// Those of which it is not known, because something above them could not be had.
    pub unknown: u32,
}

impl Looked {
    /// Takes in an event.
    pub fn see(&mut self, event: &Event) {
        match event {
            Event::ConnectionOpened { name, target, .. } => {
                self.connections.insert(Arc::clone(name), Reached::Target(target.clone()));
            }
            Event::ConnectionFailed { name, fault, .. } => {
                self.connections.insert(Arc::clone(name), Reached::Fault(fault.to_string()));
            }
            Event::Checked(checked) => {
                self.unmeasured += u32::from(checked.outcome == Outcome::NotMeasured);
                if checked.kind == CheckKind::Require {
                    let fault = checked.fault.as_ref().map(ToString::to_string);
                    let (title, outcome) = (Arc::clone(&checked.title), checked.outcome);
                    self.guards.push(Guard { title, outcome, fault });
                }
            }
            Event::NotShown { fault, .. } => self.unmeasured += u32::from(fault.kind != FaultKind::NoValue),
            Event::NotMeasured { place, fault, .. } => {
                // What a change would have given is not there in a plan, and that is no failure to look.
                self.unmeasured += u32::from(fault.kind != FaultKind::NoValue);
                self.unknown.insert((Arc::clone(&place.file), place.line, place.column));
            }
            Event::Manual { text, .. } => {
                self.manual.insert(Arc::clone(text));
            }
            Event::RunFinished(finished) => self.refused = finished.exit == REFUSED,
            Event::ChangeWithheld { place, reason, .. } => {
                let counted = self.changes.entry((Arc::clone(&place.file), place.line, place.column)).or_default();
                match reason {
                    Withheld::ReadOnly => counted.ready += 1,
                    // A plan asks nobody: what stands below is held back by that alone.
                    Withheld::Guard { title, .. } if self.manual.contains(title) => counted.after_manual += 1,
                    Withheld::Guard { .. } => counted.guarded += 1,
                    _ => counted.unknown += 1,
                }
            }
            _ => {}
        }
    }

    /// How often a change at a place would be made; `None` where it was not come to.
    #[must_use]
    pub fn rounds(&self, file: &str, line: u32, column: u32) -> Option<Counted> {
        self.changes.get(&(file.into(), line, column)).copied()
    }

    /// Whether all that was looked at was seen.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.unmeasured == 0 && self.connections.values().all(|reached| matches!(reached, Reached::Target(_)))
    }

    /// Whether what stands at a place could not be looked at.
    #[must_use]
    pub fn is_unknown(&self, file: &str, line: u32, column: u32) -> bool {
        self.unknown.iter().any(|(known, at, column_of)| (&**known, *at, *column_of) == (file, line, column))
    }

    /// How a guard came out, the worst of all with its title.
    #[must_use]
    pub fn guard(&self, title: &str) -> Option<&Guard> {
        let rank = |guard: &&Guard| match guard.outcome {
            Outcome::Passed => 0,
            Outcome::NotMeasured => 1,
            Outcome::Failed => 2,
        };
        self.guards.iter().filter(|guard| *guard.title == *title).max_by_key(rank)
    }
}
