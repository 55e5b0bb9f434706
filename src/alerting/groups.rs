//! Groups: alerts that are alike are told together, and none of them is left out.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::alerts::at_once;
use super::definitions::Threshold;
use super::engine::Turn;
use super::index::of_group;
use super::outcome::Happened;
use super::state::Alert;
use crate::types::Labels;

/// How long alerts of a group that is open already are gathered, to be told together.
const GATHERED: SignedDuration = SignedDuration::from_secs(30);

impl Turn<'_> {
    /// Tells of an alert, or gathers it with others of its group: those that open at one moment are told together.
    pub(super) fn announce(&mut self, number: i64, threshold: &Threshold, level: Option<u32>) {
        if threshold.group_by.is_empty() {
            self.tell_opened(&[number], threshold, level);
            return;
        }
        let (alone, gathered) = {
            let Some(alert) = self.state.alerts.get(&number) else { return };
            let others = || self.index.group(threshold, &alert.subject.labels).filter(|other| *other != number);
            let until = |other: i64| self.state.alerts.get(&other)?.gathered_until;
            (others().next().is_none(), others().find_map(until))
        };
        let now = self.now;
        let until = gathered.unwrap_or_else(|| if alone { now } else { self.after(GATHERED) });
        self.gathered |= until <= now;
        if let Some(alert) = self.state.alert_mut(number) {
            alert.gathered_until = Some(until);
            // They are called when its group is told.
            alert.due.extend(level.map(|level| (now, level)));
        }
    }

    /// Tells of alerts whose time of gathering is over, a message a group.
    pub(super) fn tell_gathered(&mut self, numbers: &[i64]) {
        let mut groups: BTreeMap<(Arc<str>, Labels), Vec<i64>> = BTreeMap::new();
        for number in numbers {
            // What has become quiet while it was gathered is told after it, as what opens in the quiet. Of one that goes on
            // with an incident, people know.
            let waiting = self.state.alerts.get(number).filter(|alert| alert.incident.is_none());
            let by = waiting.and_then(|alert| self.quiet_by(&alert.subject));
            let Some(alert) = self.state.alert_mut(*number) else { continue };
            alert.gathered_until = None;
            if let Some(by) = by {
                alert.quiet = true;
                let title = alert.subject.name();
                self.index.hushed(self.definitions, alert);
                self.outcome.touched.alerts.insert(*number);
                self.happened(Some(*number), None, Happened::Quiet { title, by });
                continue;
            }
            let title = Arc::clone(&alert.subject.threshold);
            let labels = alert.subject.labels.clone();
            self.outcome.touched.alerts.insert(*number);
            let Some(threshold) = self.threshold(&title) else { continue };
            groups.entry((title, of_group(threshold, &labels))).or_default().push(*number);
        }
        for ((title, _), group) in groups {
            let Some(threshold) = self.threshold(&title) else { continue };
            let level = group.iter().filter_map(|number| self.overdue(*number)).chain(at_once(threshold)).max();
            self.tell_opened(&group, threshold, level);
            if let (Some(first), Some(level)) = (group.first(), level) {
                self.call_level(*first, level);
            }
        }
    }

    /// With the last one of a group that people know, those that are gathered are gathered no longer: else people would
    /// take the group for well.
    pub(super) fn gathers_no_longer(&mut self, alert: &Alert) {
        let Some(threshold) = self.threshold(&alert.subject.threshold) else { return };
        let others =
            || self.index.group(threshold, &alert.subject.labels).filter_map(|other| self.state.alerts.get(&other));
        // An incident goes on with them, and nobody hears that it is over.
        if alert.told.is_empty() || alert.incident.is_some() || others().any(|other| other.gathered_until.is_none()) {
            return;
        }
        let (now, waiting) = (self.now, others().map(|other| other.number).collect::<Vec<_>>());
        for number in waiting {
            if let Some(other) = self.state.alert_mut(number) {
                other.gathered_until = Some(now);
                self.outcome.touched.alerts.insert(number);
                self.gathered = true;
            }
        }
    }

    /// Tells of those whose time of gathering is over. Gives whether some of them became quiet in place of that.
    pub(super) fn tell_of_groups(&mut self) -> bool {
        if !std::mem::take(&mut self.gathered) {
            return false;
        }
        let (now, quiet) = (self.now, self.index.quiet.len());
        let gathered = self.open_alerts(|alert| alert.gathered_until.is_some_and(|until| until <= now));
        self.tell_gathered(&gathered);
        self.index.quiet.len() > quiet
    }
}
