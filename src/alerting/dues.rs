//! When something is due that no input brings about.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use jiff::Timestamp;

use super::definitions::Definitions;
use super::outcome::Touched;
use super::state::{Alert, Incident, State, Subject, Watch};

/// The times of all that is open or watched. It is of the state alone, and is kept nowhere.
#[derive(Debug, Default)]
pub(super) struct Dues {
    alerts: Times<i64>,
    incidents: Times<i64>,
    watches: Times<Subject>,
}

impl Dues {
    pub(super) fn of(definitions: &Definitions, state: &State) -> Self {
        let mut dues = Self::default();
        for (number, alert) in &state.alerts {
            dues.alerts.set(number, of_alert(definitions, alert));
        }
        for (number, incident) in &state.incidents {
            dues.incidents.set(number, of_incident(incident));
        }
        for (subject, watch) in &state.watches {
            dues.watches.set(subject, of_watch(definitions, subject, watch));
        }
        dues
    }

    /// Looks anew at what is another.
    pub(super) fn look(&mut self, definitions: &Definitions, state: &State, touched: &Touched) {
        for number in &touched.alerts {
            self.alerts.set(number, state.alerts.get(number).and_then(|alert| of_alert(definitions, alert)));
        }
        for number in &touched.incidents {
            self.incidents.set(number, state.incidents.get(number).and_then(|incident| of_incident(incident)));
        }
        for subject in &touched.watches {
            let watch = state.watches.get(subject);
            self.watches.set(subject, watch.and_then(|watch| of_watch(definitions, subject, watch)));
        }
    }

    /// The first of all.
    pub(super) fn first(&self, state: &State) -> Option<Timestamp> {
        let own = [self.alerts.first(), self.incidents.first(), self.watches.first()];
        let silences = state.silences.values().map(|silence| silence.until);
        let quiet = state.quiet.values().map(|quiet| quiet.until);
        own.into_iter().flatten().chain(silences).chain(quiet).min()
    }
}

fn of_alert(definitions: &Definitions, alert: &Alert) -> Option<Timestamp> {
    let looked_at =
        alert.quiet_ended.and_then(|ended| definitions.thresholds.get(&alert.subject.threshold)?.looked_at_by(ended));
    alert.levels_due().iter().map(|(at, _)| *at).chain(alert.gathered_until).chain(looked_at).min()
}

fn of_incident(incident: &Incident) -> Option<Timestamp> {
    incident.respond_due.into_iter().chain(incident.next_due).min()
}

fn of_watch(definitions: &Definitions, subject: &Subject, watch: &Watch) -> Option<Timestamp> {
    let since = watch.unknown_since.filter(|_| watch.alert.is_none())?;
    since.checked_add(definitions.thresholds.get(&subject.threshold)?.unknown_for?).ok()
}

/// Times by what they are of.
#[derive(Debug)]
struct Times<K> {
    of: HashMap<K, Timestamp>,
    order: BTreeSet<(Timestamp, K)>,
}

impl<K> Default for Times<K> {
    fn default() -> Self {
        Self { of: HashMap::new(), order: BTreeSet::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord> Times<K> {
    fn set(&mut self, key: &K, at: Option<Timestamp>) {
        let before = self.of.get(key).copied();
        if before == at {
            return;
        }
        if let Some(before) = before {
            self.order.remove(&(before, key.clone()));
        }
        match at {
            Some(at) => {
                self.of.insert(key.clone(), at);
                self.order.insert((at, key.clone()));
            }
            None => {
                self.of.remove(key);
            }
        }
    }

    fn first(&self) -> Option<Timestamp> {
        self.order.first().map(|(at, _)| *at)
    }
}
