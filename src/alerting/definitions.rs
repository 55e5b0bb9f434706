//! What a runbook says about alerting, as data: an open incident keeps the policy it was opened under.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::check::program::{self, ChannelId, Program, Roster, Unless};
use crate::run::Judge;
use crate::types::{Fault, Severity};

/// How long it takes to sample at most, before nobody waits for it any more.
const SAMPLING: SignedDuration = SignedDuration::from_mins(1);

/// The thresholds, channels and the escalation of a runbook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definitions {
    pub runbook: Arc<str>,
    /// Tells the names that this ledger gives from those of others: two hosts may serve one runbook, each with its own.
    /// Empty where nothing is kept.
    pub ledger: Arc<str>,
    /// The name of its zone.
    pub timezone: Arc<str>,
    /// By title.
    pub thresholds: BTreeMap<Arc<str>, Threshold>,
    /// The titles of the sections: what stood in others is not looked at any more.
    pub sections: BTreeSet<Arc<str>>,
    /// The channels that have an escalation of their own: an incident is handed to them once.
    pub owners: Vec<Arc<str>>,
    pub policy: Option<Arc<Policy>>,
    /// Who is behind its levels.
    pub roster: Option<Arc<Roster>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    pub title: Arc<str>,
    pub severity: Severity,
    /// How long each `when` must hold. Empty where it is raised by checks.
    pub held: Vec<SignedDuration>,
    /// `when unknown for`
    pub unknown_for: Option<SignedDuration>,
    pub notify: Vec<Arc<str>>,
    pub escalate: Vec<Escalate>,
    pub quiet_while: Vec<Arc<str>>,
    pub group_by: Vec<Arc<str>>,
    /// How long it takes until all its metrics are sampled again; `None` where nobody says so.
    pub every: Option<SignedDuration>,
    pub doc: Arc<str>,
    /// Where to read on.
    pub link: Option<Arc<str>>,
}

/// `escalate to level N …`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalate {
    pub level: u32,
    pub when: EscalateWhen,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscalateWhen {
    AtOnce,
    /// Counted from the opening of the alert.
    After(SignedDuration),
    /// As soon as the condition in this place is true.
    Condition,
}

/// An escalation: who is told next, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub name: Arc<str>,
    /// From the lowest.
    pub levels: Vec<Level>,
    /// How many rounds follow the first.
    pub repeat: u32,
    /// Reasons for which a person may begin at a level.
    pub by_hand: Vec<(Arc<str>, u32)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    pub number: u32,
    pub role: Arc<str>,
    /// The time to acknowledge.
    pub respond: Option<SignedDuration>,
    /// The time to the next level.
    pub after: Option<SignedDuration>,
    /// Whether an acknowledgement keeps it from the next level; else only its end does.
    pub unless_acknowledged: bool,
    pub notify: Vec<Arc<str>>,
}

impl Threshold {
    /// Until when it will have been looked at again after a time; `None` where nobody knows when that will be.
    #[must_use]
    pub fn looked_at_by(&self, after: Timestamp) -> Option<Timestamp> {
        after.checked_add(self.every?).and_then(|at| at.checked_add(SAMPLING)).ok()
    }
}

impl Policy {
    /// Who is told next in a program; `None` where it has no escalation.
    #[must_use]
    pub fn of(program: &Program) -> Option<Self> {
        let escalation = program.escalations.first()?;
        let levels = escalation.levels.iter().map(|level| Level {
            number: level.number,
            role: level.role.clone(),
            respond: level.respond,
            after: level.next.map(|next| next.after),
            unless_acknowledged: level.next.is_some_and(|next| next.unless == Unless::Acknowledged),
            notify: names(program, &level.notify),
        });
        let mut levels: Vec<Level> = levels.collect();
        levels.sort_by_key(|level| level.number);
        let (name, by_hand) = (escalation.name.clone(), escalation.by_hand.clone());
        Some(Self { name, levels, repeat: escalation.repeat, by_hand })
    }

    #[must_use]
    pub fn level(&self, number: u32) -> Option<&Level> {
        self.levels.iter().find(|level| level.number == number)
    }

    /// How long after a level the next is told, and whether an acknowledgement keeps it from that. The last one waits as
    /// long as that below it where it says nothing and another round follows.
    #[must_use]
    pub fn next(&self, number: u32, round: u32) -> Option<(SignedDuration, bool)> {
        let own = |level: &Level| level.after.map(|after| (after, level.unless_acknowledged));
        let level = self.level(number)?;
        let repeated = round <= self.repeat && self.above(number).is_none();
        own(level).or_else(|| self.levels.iter().rev().find_map(own).filter(|_| repeated))
    }

    /// A level; where there is none of that number, the next one above, or else the highest: somebody is told.
    #[must_use]
    pub fn level_or_next(&self, number: u32) -> Option<&Level> {
        self.level(number).or_else(|| self.above(number)).or_else(|| self.levels.last())
    }

    /// The level above one.
    #[must_use]
    pub fn above(&self, number: u32) -> Option<&Level> {
        self.levels.iter().find(|level| level.number > number)
    }
}

impl Definitions {
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let titles = |threshold: &program::Threshold| -> Vec<Arc<str>> {
            let quiet = threshold.quiet_while.iter().filter_map(|id| program.thresholds.get(id.index()));
            quiet.map(|threshold| threshold.title.clone()).collect()
        };
        let thresholds = program.thresholds.iter().map(|threshold| {
            let own = Threshold {
                title: threshold.title.clone(),
                severity: threshold.severity,
                held: threshold.when.iter().map(|when| when.held.unwrap_or_default()).collect(),
                unknown_for: threshold.unknown_for,
                notify: names(program, &threshold.notify),
                escalate: threshold.escalate.iter().map(escalate).collect(),
                quiet_while: titles(threshold),
                group_by: threshold.group_by.clone(),
                every: every(program, threshold),
                doc: threshold.doc.clone(),
                link: None,
            };
            (threshold.title.clone(), own)
        });
        Self {
            runbook: program.header.title.clone(),
            ledger: "".into(),
            timezone: program.header.timezone_name.clone(),
            thresholds: thresholds.collect(),
            sections: program.sections.iter().map(|section| section.title.clone()).collect(),
            owners: program
                .channels
                .iter()
                .filter(|one| one.is_handed_over() == Some(true))
                .map(|one| one.name.clone())
                .collect(),
            policy: Policy::of(program).map(Arc::new),
            roster: program.escalations.first().and_then(|escalation| escalation.roster.clone()),
        }
    }

    /// The channels that pages go to.
    pub(super) fn paged(&self) -> BTreeSet<&Arc<str>> {
        let levels = self.policy.iter().flat_map(|policy| &policy.levels);
        let told = levels.map(|level| &level.notify).chain(self.thresholds.values().map(|one| &one.notify));
        told.flatten().collect()
    }

    /// The channels of a level of an incident that began under another escalation: those of it that pages still go to, and
    /// in place of others those of the level as it is now, or of the threshold.
    pub(super) fn channels_now(&self, own: Vec<Arc<str>>, level: u32, threshold: &str) -> Vec<Arc<str>> {
        let told = self.paged();
        if own.iter().all(|channel| told.contains(channel)) {
            return own;
        }
        let mut now: Vec<Arc<str>> = own.iter().filter(|channel| told.contains(channel)).cloned().collect();
        let level = self.policy.as_ref().and_then(|policy| policy.level_or_next(level));
        let same = level.into_iter().flat_map(|level| &level.notify).cloned();
        for channel in same.chain(self.thresholds.get(threshold).into_iter().flat_map(|one| one.notify.clone())) {
            if !now.contains(&channel) {
                now.push(channel);
            }
        }
        // Where nobody is told of anything any more, it is said of each message that its channel is gone.
        if now.is_empty() { own } else { now }
    }

    /// With what tells the names of a ledger from those of others.
    #[must_use]
    pub fn kept_in(self, ledger: &str) -> Self {
        Self { ledger: ledger.into(), ..self }
    }

    /// With the links of thresholds, which may hold params.
    ///
    /// # Errors
    /// Where one cannot be made.
    pub fn with_links(mut self, program: &Program, judge: &Judge) -> Result<Self, Fault> {
        for threshold in &program.thresholds {
            let (Some(link), Some(own)) = (&threshold.link, self.thresholds.get_mut(&threshold.title)) else {
                continue;
            };
            own.link = Some(judge.text(link)?);
        }
        Ok(self)
    }
}

fn names(program: &Program, ids: &[ChannelId]) -> Vec<Arc<str>> {
    ids.iter().filter_map(|id| program.channels.get(id.index())).map(|channel| channel.name.clone()).collect()
}

fn every(program: &Program, threshold: &program::Threshold) -> Option<SignedDuration> {
    let metrics = threshold.metrics.iter().filter_map(|id| program.metrics.get(id.index()));
    let every: Option<Vec<SignedDuration>> = metrics.map(|metric| metric.every).collect();
    every?.into_iter().max()
}

fn escalate(escalate: &program::Escalate) -> Escalate {
    let when = match &escalate.when {
        program::EscalateWhen::AtOnce => EscalateWhen::AtOnce,
        program::EscalateWhen::After(after) => EscalateWhen::After(*after),
        program::EscalateWhen::Condition(_) => EscalateWhen::Condition,
    };
    Escalate { level: escalate.level, when }
}
