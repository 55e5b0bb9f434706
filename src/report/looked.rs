//! What a plan found when it looked: where connections lead, whether guards hold, how many changes there would be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::plan::{At, PlannedChange};
use crate::run::not_done;
use crate::source::Sources;
use crate::store::event::{CheckKind, Event, Outcome, Place, Withheld};
use crate::types::{Fault, FaultKind};

/// The exit code of a run that the policy refuses something.
const REFUSED: u8 = 6;

/// What was seen, from the events of a run that only looks.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Looked {
    /// Each connection that was opened or tried, by its name.
    pub connections: BTreeMap<Arc<str>, Reached>,
    /// The `require`s, by their titles, in the order in which they were asked.
    pub guards: Vec<Guard>,
    /// How often each change would be made.
    #[serde(skip)]
    changes: BTreeMap<Spot, Counted>,
    /// What a person is asked to do.
    #[serde(skip)]
    manual: BTreeSet<Arc<str>>,
    /// What is waited for, as it is written, and whether it is so.
    #[serde(skip)]
    waits: Vec<(Spot, Arc<str>, Outcome)>,
    /// The loops and conditions of which nobody knows what they come to, and why.
    #[serde(skip)]
    unknown: BTreeMap<Spot, String>,
    /// What of the reads could not be measured.
    pub not_measured: Vec<NotMeasured>,
    /// How many checks ask for what a change gives: they are for the run.
    pub after_changes: u32,
    /// The faults of what changes would have given, by how they begin.
    #[serde(skip)]
    given: BTreeSet<String>,
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

/// What could not be looked at.
#[derive(Clone, Debug, Serialize)]
pub struct NotMeasured {
    pub what: Arc<str>,
    pub file: Arc<str>,
    pub line: u32,
    pub why: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct Guard {
    pub title: Arc<str>,
    pub outcome: Outcome,
    /// Why it could not be looked at.
    pub fault: Option<String>,
    /// It asks for what a change gives.
    pub after_change: bool,
    #[serde(skip)]
    spot: Spot,
}

/// Where a statement stands: file, line, column, and the calls that lead there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot(Arc<str>, u32, u32, Arc<str>);

impl Spot {
    fn of(place: &Place) -> Self {
        let called = place.called.clone().unwrap_or_else(|| "".into());
        Self(Arc::clone(&place.file), place.line, place.column, called)
    }

    fn planned(at: &At, sources: &Sources) -> Self {
        let position = sources.position(at.span);
        let file = sources.file(at.span.file).name.as_str();
        Self(file.into(), position.line, position.column, at.called.as_str().into())
    }
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
    /// Those that are reached only when something has come true that is waited for.
    pub after_wait: u32,
    /// How many items the longest list has that is longer than it may be, and how many it may have: then it is not made.
    pub too_many: Option<(u64, u32)>,
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
                let after_change = checked.fault.as_ref().is_some_and(|fault| self.is_of_a_change(fault));
                match &checked.fault {
                    Some(_) if after_change => self.after_changes += 1,
                    Some(fault) => self.missed(&checked.place, &checked.title, fault),
                    None => {}
                }
                if checked.kind == CheckKind::Require {
                    let fault = checked.fault.as_ref().map(ToString::to_string);
                    let (title, outcome) = (Arc::clone(&checked.title), checked.outcome);
                    self.guards.push(Guard { title, outcome, fault, after_change, spot: Spot::of(&checked.place) });
                }
            }
            Event::NotShown { place, title, fault } => self.could_not_look(place, title, fault),
            Event::NotMeasured { place, what, fault } => {
                self.could_not_look(place, what, fault);
                self.unknown.insert(Spot::of(place), fault.to_string());
            }
            Event::Waited { place, what, outcome, fault, .. } => {
                if let Some(fault) = fault {
                    self.could_not_look(place, what, fault);
                }
                self.waits.push((Spot::of(place), Arc::clone(what), *outcome));
            }
            Event::Manual { text, .. } => {
                self.manual.insert(Arc::clone(text));
            }
            Event::RunFinished(finished) => self.refused = finished.exit == REFUSED,
            Event::ChangeWithheld { place, title, reason, .. } => {
                self.given.insert(not_done(title).message.to_string());
                let counted = self.changes.entry(Spot::of(place)).or_default();
                match reason {
                    Withheld::ReadOnly => counted.ready += 1,
                    // A plan asks nobody: what stands below is held back by that alone.
                    Withheld::Guard { title, .. } if self.manual.contains(title) => counted.after_manual += 1,
                    Withheld::Guard { title, .. } if self.waits.iter().any(|(_, what, _)| what == title) => {
                        counted.after_wait += 1;
                    }
                    Withheld::Guard { .. } => counted.guarded += 1,
                    Withheld::TooMany { found, at_most } => {
                        counted.too_many = counted.too_many.max(Some((*found, *at_most)));
                    }
                    _ => counted.unknown += 1,
                }
            }
            _ => {}
        }
    }

    /// What a change would have given is not there in a plan, and that is no failure to look.
    fn could_not_look(&mut self, place: &Place, what: &Arc<str>, fault: &Fault) {
        if !self.is_of_a_change(fault) {
            self.missed(place, what, fault);
        }
    }

    fn missed(&mut self, place: &Place, what: &Arc<str>, fault: &Fault) {
        let (what, file) = (Arc::clone(what), Arc::clone(&place.file));
        self.not_measured.push(NotMeasured { what, file, line: place.line, why: fault.to_string() });
    }

    /// Whether it is why there is no value of a change, which a plan does not make.
    fn is_of_a_change(&self, fault: &Fault) -> bool {
        fault.kind == FaultKind::NoValue && self.given.iter().any(|given| fault.message.starts_with(given))
    }

    /// How much could not be measured.
    #[must_use]
    pub fn unmeasured(&self) -> u32 {
        u32::try_from(self.not_measured.len()).unwrap_or(u32::MAX)
    }

    /// Takes in where a connection leads by which nothing was read.
    pub fn leads(&mut self, name: &Arc<str>, reached: Reached) {
        self.connections.entry(Arc::clone(name)).or_insert(reached);
    }

    /// How often a change would be made; `None` where it was not come to.
    #[must_use]
    pub fn rounds(&self, change: &PlannedChange, sources: &Sources) -> Option<Counted> {
        let mut counted = self.changes.get(&Spot::planned(&change.at(), sources)).copied()?;
        // A guard that is asked later on refuses nothing now.
        let refuses = |guard: &crate::plan::Guard| {
            let asked = self.guard(&guard.at, sources);
            !(guard.after_manual || guard.after_wait)
                && asked.is_some_and(|asked| asked.outcome != Outcome::Passed && !asked.after_change)
        };
        let asks = |guard: &crate::plan::Guard| self.guard(&guard.at, sources).is_some_and(|asked| asked.after_change);
        if counted.guarded > 0 && !change.guards.iter().any(refuses) {
            let later = if change.guards.iter().any(asks) {
                &mut counted.unknown
            } else if change.manual.is_empty() {
                &mut counted.after_wait
            } else {
                &mut counted.after_manual
            };
            *later += std::mem::take(&mut counted.guarded);
        }
        Some(counted)
    }

    /// Whether all that was looked at was seen.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.not_measured.is_empty() && self.connections.values().all(|reached| matches!(reached, Reached::Target(_)))
    }

    /// Why nobody knows what stands at a place comes to; `None` where that is known.
    #[must_use]
    pub fn why_unknown(&self, at: &At, sources: &Sources) -> Option<&str> {
        self.unknown.get(&Spot::planned(at, sources)).map(String::as_str)
    }

    /// How a guard came out, the worst of all its rounds; `None` where it was not asked.
    #[must_use]
    pub fn guard(&self, at: &At, sources: &Sources) -> Option<&Guard> {
        let spot = Spot::planned(at, sources);
        self.guards.iter().filter(|guard| guard.spot == spot).max_by_key(|guard| rank(guard.outcome))
    }

    /// Whether what is waited for is so now, the worst of all its rounds; `None` where it was not come to.
    #[must_use]
    pub fn wait(&self, at: &At, sources: &Sources) -> Option<Outcome> {
        let spot = Spot::planned(at, sources);
        let own = self.waits.iter().filter(|(own, ..)| *own == spot);
        own.map(|(.., outcome)| *outcome).max_by_key(|outcome| rank(*outcome))
    }
}

const fn rank(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Passed => 0,
        Outcome::NotMeasured => 1,
        Outcome::Failed => 2,
    }
}
