//! What alerting knows: everything here is kept, and nothing else is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::definitions::Policy;
use crate::catalog::Person;
use crate::types::{Labels, Severity, labels_text};

/// What is judged alone: a threshold for one set of labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    pub threshold: Arc<str>,
    pub labels: Labels,
}

/// All that is open or being watched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The numbers that were given last.
    pub numbers: Numbers,
    pub watches: BTreeMap<Subject, Watch>,
    /// Open alerts, by number. Whoever has a copy of the state shares those that nothing happens to.
    pub alerts: BTreeMap<i64, Arc<Alert>>,
    /// Open incidents, by number.
    pub incidents: BTreeMap<i64, Arc<Incident>>,
    pub silences: BTreeMap<i64, Silence>,
    /// The sections that run now and keep thresholds quiet, by run and section.
    pub quiet: BTreeMap<Arc<str>, Quiet>,
}

/// Thresholds of which nobody is told while a section runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    pub thresholds: BTreeSet<Arc<str>>,
    /// A run that ends without a word keeps nothing quiet for ever.
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    pub alert: i64,
    pub incident: i64,
    pub silence: i64,
}

/// How long the conditions of a subject have been as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Since when each `when` has been true at every sample.
    pub true_since: Vec<Option<Timestamp>>,
    /// Since when nobody could say.
    pub unknown_since: Option<Timestamp>,
    /// Why nobody can.
    pub unknown_why: Option<Arc<str>>,
    /// The time of the last sample: an older one comes too late to be judged. It is not written down where a sample says
    /// nothing new: whoever reads it anew takes a late one for a new one, and what hung for unknown since it was begun.
    pub sampled_at: Option<Timestamp>,
    pub alert: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    pub number: i64,
    pub subject: Subject,
    pub severity: Severity,
    pub cause: Cause,
    /// What is the matter, as it was last seen.
    pub text: Arc<str>,
    /// What was wrong last, where that is not so any more and it is not over yet.
    #[serde(default)]
    pub before: Option<Arc<str>>,
    pub doc: Arc<str>,
    #[serde(default)]
    pub link: Option<Arc<str>>,
    pub opened_at: Timestamp,
    pub end: Option<End>,
    /// The checks and statements that raise it.
    pub raisers: BTreeSet<Arc<str>>,
    /// When it began, as those of them say who know.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub begun: BTreeMap<Arc<str>, Timestamp>,
    /// The channels that were told of it.
    pub told: BTreeSet<Arc<str>>,
    /// Nobody is told yet: something keeps it quiet.
    pub quiet: bool,
    /// When those of its group are told together.
    pub gathered_until: Option<Timestamp>,
    /// What has to be told later: `escalate to level N after D`.
    pub due: Vec<(Timestamp, u32)>,
    /// When what kept it quiet ended. People hear of it with the next sample that still says so.
    #[serde(default)]
    pub quiet_ended: Option<Timestamp>,
    /// It was told without an incident.
    #[serde(default)]
    pub alone: bool,
    /// Under which name, where it was told without an incident: its own, or that of its group where it was told together
    /// with others. Missing where a version before told it alone.
    #[serde(default)]
    pub told_as: Option<Arc<str>>,
    /// People heard first that nobody could look, and then that it is bad.
    #[serde(default)]
    pub turned: bool,
    pub incident: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// A `when` held.
    When,
    /// Nobody could look for too long.
    Unknown,
    /// A check failed, or `raise` was reached.
    Raised,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "lowercase")]
pub enum End {
    /// What was wrong is right again.
    Over { at: Timestamp },
    /// What it was about is not there any more.
    Gone { at: Timestamp },
    /// Its threshold is not in the runbook any more.
    Undeclared { at: Timestamp },
    /// Somebody said so.
    Hand { at: Timestamp, by: Arc<str> },
}

impl End {
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Over { at } | Self::Gone { at } | Self::Undeclared { at } | Self::Hand { at, .. } => *at,
        }
    }
}

/// Something that people have to take on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    pub number: i64,
    /// Names it to the outside: [`crate::catalog::Message::about`].
    pub about: Arc<str>,
    pub title: Arc<str>,
    /// What its alerts have in common.
    pub labels: Labels,
    pub severity: Severity,
    pub text: Arc<str>,
    pub doc: Arc<str>,
    #[serde(default)]
    pub link: Option<Arc<str>>,
    /// The open alerts in it. One that a person or a statement opened has none.
    pub alerts: BTreeSet<i64>,
    pub opened_at: Timestamp,
    pub end: Option<End>,
    /// The one it was opened under.
    pub policy: Arc<Policy>,
    pub level: u32,
    /// From 1.
    pub round: u32,
    pub acknowledged: Option<Acknowledged>,
    /// Who took it on at a level before, which was called on from all the same.
    #[serde(default)]
    pub taken_before: Option<Acknowledged>,
    /// Until when the level has to acknowledge.
    pub respond_due: Option<Timestamp>,
    /// When the next level is told.
    pub next_due: Option<Timestamp>,
    /// The levels that did not answer in time, and when.
    pub late: Vec<(Timestamp, u32)>,
    /// The channels that were told of it.
    pub told: BTreeSet<Arc<str>>,
    /// Who was told of it by name there, being on call.
    #[serde(default)]
    pub called: BTreeMap<Arc<str>, Vec<Arc<Person>>>,
    /// How often people were told: it numbers the messages.
    pub messages: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    pub by: Arc<str>,
    pub at: Timestamp,
}

/// Nobody is told of what it matches, for a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub number: i64,
    /// `None`: all.
    pub threshold: Option<Arc<str>>,
    /// Those that an alert must have.
    pub labels: Labels,
    pub from: Timestamp,
    pub until: Timestamp,
    pub by: Arc<str>,
    pub why: Arc<str>,
}

impl State {
    pub(super) fn alert_mut(&mut self, number: i64) -> Option<&mut Alert> {
        self.alerts.get_mut(&number).map(Arc::make_mut)
    }

    pub(super) fn incident_mut(&mut self, number: i64) -> Option<&mut Incident> {
        self.incidents.get_mut(&number).map(Arc::make_mut)
    }
}

impl Subject {
    /// `Service Down [pod=a-1]`
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        named(&self.threshold, &self.labels)
    }
}

impl Alert {
    /// Whether people are not to hear of it yet.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.quiet || self.gathered_until.is_some()
    }

    /// The levels that are told when their time comes. Of one that waits, nobody is: they are made up for at its end.
    #[must_use]
    pub fn levels_due(&self) -> &[(Timestamp, u32)] {
        if self.waits() { &[] } else { &self.due }
    }
}

impl Incident {
    /// `Service Down [pod=a-1]`
    #[must_use]
    pub fn name(&self) -> Arc<str> {
        named(&self.title, &self.labels)
    }
}

impl Watch {
    /// Takes back what lies behind a time: the clock was set back.
    pub(super) fn not_after(&mut self, at: Timestamp) {
        let since = self.true_since.iter_mut().chain(std::iter::once(&mut self.unknown_since));
        for since in since.flatten() {
            *since = at.min(*since);
        }
    }
}

fn named(title: &Arc<str>, labels: &Labels) -> Arc<str> {
    if labels.is_empty() {
        return Arc::clone(title);
    }
    [&**title, " [", &labels_text(labels), "]"].concat().into()
}

impl Silence {
    /// Whether it keeps a subject quiet.
    #[must_use]
    pub fn covers(&self, subject: &Subject) -> bool {
        self.threshold.as_ref().is_none_or(|threshold| *threshold == subject.threshold)
            && self.labels.iter().all(|label| subject.labels.contains(label))
    }
}
