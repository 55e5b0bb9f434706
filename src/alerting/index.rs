//! Which alerts are open, by what is asked of all of them whenever one opens.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::definitions::{Definitions, Threshold};
use super::moved::Moved;
use super::raisers;
use super::state::{Alert, State, Subject};
use crate::types::Labels;

/// It is of the state alone, and is kept nowhere.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// How many alerts of a threshold are open.
    open: HashMap<Arc<str>, usize>,
    /// Those that nothing keeps quiet, by threshold and group.
    groups: HashMap<(Arc<str>, Labels), BTreeSet<i64>>,
    /// Those that were told without an incident, by the name that people know them under.
    together: HashMap<Arc<str>, BTreeSet<i64>>,
    /// Those that something keeps quiet, and how many there are of each threshold.
    pub(super) quiet: BTreeSet<i64>,
    quiet_of: HashMap<Arc<str>, usize>,
    /// What is watched for a threshold that the runbook does not have any more.
    pub(super) undeclared: Vec<Subject>,
    /// What raises open alerts and stands in no section that the runbook still has.
    pub(super) raisers: Vec<(i64, Arc<str>)>,
    /// What those do not know of who are paged since an edit.
    pub(super) moved: Moved,
}

impl Index {
    pub(super) fn of(definitions: &Definitions, state: &State) -> Self {
        let declared = |subject: &&Subject| definitions.thresholds.contains_key(&subject.threshold);
        let undeclared = state.watches.keys().filter(|subject| !declared(subject)).cloned().collect();
        let raisers = raisers::undeclared(&definitions.sections, state);
        let moved = Moved::of(definitions, state);
        let mut index = Self { undeclared, raisers, moved, ..Self::default() };
        for alert in state.alerts.values() {
            index.opened(alert);
            index.told(alert);
            if !alert.quiet {
                index.heard(definitions, alert);
            }
        }
        index
    }

    /// Whether an edit has to be made up for: something is open or watched that the runbook does not look at any more, or
    /// that it tells to others.
    pub(super) const fn was_edited(&self) -> bool {
        !self.undeclared.is_empty() || !self.raisers.is_empty() || !self.moved.is_empty()
    }

    pub(super) fn opened(&mut self, alert: &Alert) {
        *self.open.entry(Arc::clone(&alert.subject.threshold)).or_default() += 1;
        if alert.quiet {
            self.count_quiet(alert);
        }
    }

    fn count_quiet(&mut self, alert: &Alert) {
        if self.quiet.insert(alert.number) {
            *self.quiet_of.entry(Arc::clone(&alert.subject.threshold)).or_default() += 1;
        }
    }

    fn not_quiet(&mut self, alert: &Alert) {
        if self.quiet.remove(&alert.number)
            && let Some(quiet) = self.quiet_of.get_mut(&alert.subject.threshold)
        {
            *quiet = quiet.saturating_sub(1);
        }
    }

    /// Nothing keeps it quiet, or not any more.
    pub(super) fn heard(&mut self, definitions: &Definitions, alert: &Alert) {
        self.not_quiet(alert);
        if let Some(group) = group_of(definitions, alert) {
            self.groups.entry(group).or_default().insert(alert.number);
        }
    }

    /// People know it under the name that it has now.
    pub(super) fn told(&mut self, alert: &Alert) {
        if let Some(name) = &alert.told_as {
            self.together.entry(Arc::clone(name)).or_default().insert(alert.number);
        }
    }

    /// They do not, or will not any more.
    pub(super) fn not_told(&mut self, alert: &Alert) {
        let Some(name) = &alert.told_as else { return };
        if let Some(numbers) = self.together.get_mut(name) {
            numbers.remove(&alert.number);
            if numbers.is_empty() {
                self.together.remove(name);
            }
        }
    }

    pub(super) fn closed(&mut self, definitions: &Definitions, alert: &Alert) {
        self.not_told(alert);
        self.not_quiet(alert);
        if let Some(open) = self.open.get_mut(&alert.subject.threshold) {
            *open = open.saturating_sub(1);
        }
        self.leaves_group(definitions, alert);
    }

    /// Something keeps it quiet of which nobody has heard yet.
    pub(super) fn hushed(&mut self, definitions: &Definitions, alert: &Alert) {
        self.count_quiet(alert);
        self.leaves_group(definitions, alert);
    }

    fn leaves_group(&mut self, definitions: &Definitions, alert: &Alert) {
        let Some(group) = group_of(definitions, alert) else { return };
        if let Some(numbers) = self.groups.get_mut(&group) {
            numbers.remove(&alert.number);
            if numbers.is_empty() {
                self.groups.remove(&group);
            }
        }
    }

    pub(super) fn is_open(&self, threshold: &str) -> bool {
        self.open.get(threshold).is_some_and(|open| *open > 0)
    }

    /// Whether one of its open alerts is kept quiet by nothing.
    pub(super) fn is_heard(&self, threshold: &str) -> bool {
        self.open.get(threshold).is_some_and(|open| *open > self.quiet_of.get(threshold).copied().unwrap_or_default())
    }

    /// The alerts that people know under one name, the oldest first.
    pub(super) fn together(&self, name: &str) -> impl Iterator<Item = i64> {
        self.together.get(name).into_iter().flatten().copied()
    }

    /// The alerts of a group, the youngest first. A threshold without `group by` has no groups.
    pub(super) fn group(&self, threshold: &Threshold, labels: &Labels) -> impl Iterator<Item = i64> {
        let group = (Arc::clone(&threshold.title), of_group(threshold, labels));
        self.groups.get(&group).into_iter().flatten().rev().copied()
    }
}

/// The labels that tell the group of an alert from others.
pub(super) fn of_group(threshold: &Threshold, labels: &Labels) -> Labels {
    labels.iter().filter(|(name, _)| threshold.group_by.contains(name)).cloned().collect()
}

fn group_of(definitions: &Definitions, alert: &Alert) -> Option<(Arc<str>, Labels)> {
    let threshold = definitions.thresholds.get(&alert.subject.threshold)?;
    let grouped = !threshold.group_by.is_empty();
    grouped.then(|| (Arc::clone(&threshold.title), of_group(threshold, &alert.subject.labels)))
}
