//! Channels that an edit has put in the place of others: whoever is paged now hears of what is open already. What was
//! written down for a channel that is gone reaches nobody.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::definitions::Definitions;
use super::engine::Turn;
use super::incidents::{level_channels_now, opened_key};
use super::state::{Alert, Incident, State};
use crate::catalog::Occasion;

/// What is open, was told to a channel that is paged no more, and not to all that are paged now.
#[derive(Debug, Default)]
pub(super) struct Moved {
    alerts: Vec<i64>,
    incidents: Vec<i64>,
}

impl Moved {
    pub(super) fn of(definitions: &Definitions, state: &State) -> Self {
        let paged = &definitions.paged();
        let alerts = state.alerts.values().filter(|alert| !now_of_alert(definitions, paged, alert).is_empty());
        let now = |incident: &Incident| now_of_incident(definitions, paged, state, incident);
        let incidents = state.incidents.values().filter(|incident| !now(incident).is_empty());
        Self { alerts: alerts.map(|one| one.number).collect(), incidents: incidents.map(|one| one.number).collect() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.incidents.is_empty()
    }
}

/// The channels that pages go to.
type Paged<'d> = BTreeSet<&'d Arc<str>>;

/// Whether some of those who were told are paged no more.
fn lost(paged: &Paged<'_>, told: &BTreeSet<Arc<str>>) -> bool {
    told.iter().any(|channel| !paged.contains(channel))
}

/// The channels that an alert is to be told to in the place of others. Of one in an incident, the incident tells.
fn now_of_alert(definitions: &Definitions, paged: &Paged<'_>, alert: &Alert) -> BTreeSet<Arc<str>> {
    let threshold = definitions.thresholds.get(&alert.subject.threshold);
    match threshold.filter(|_| alert.alone && !alert.waits() && lost(paged, &alert.told)) {
        Some(threshold) => threshold.notify.iter().filter(|one| !alert.told.contains(*one)).cloned().collect(),
        None => BTreeSet::new(),
    }
}

fn now_of_incident(definitions: &Definitions, paged: &Paged<'_>, state: &State, incident: &Incident) -> Vec<Arc<str>> {
    if !lost(paged, &incident.told) {
        return Vec::new();
    }
    let level = level_channels_now(definitions, incident);
    let alerts = incident.alerts.iter().filter_map(|number| state.alerts.get(number));
    let thresholds = alerts.filter_map(|alert| definitions.thresholds.get(&alert.subject.threshold));
    let all: BTreeSet<Arc<str>> = thresholds.flat_map(|one| one.notify.iter().cloned()).chain(level).collect();
    // Where nobody is paged any more, what was told stays as it was.
    all.into_iter().filter(|channel| paged.contains(channel) && !incident.told.contains(channel)).collect()
}

impl Turn<'_> {
    /// Tells those who are paged now of what others were told of.
    pub(super) fn tell_moved(&mut self) {
        let Moved { alerts, incidents } = std::mem::take(&mut self.index.moved);
        let paged = &self.definitions.paged();
        for number in incidents {
            let incident = self.state.incidents.get(&number);
            let channels = incident.map(|incident| now_of_incident(self.definitions, paged, self.state, incident));
            let Some(channels) = channels.filter(|channels| !channels.is_empty()) else { continue };
            // Where somebody has it, nobody is paged for it.
            let taken = self.state.incidents.get(&number).and_then(|incident| incident.acknowledged.as_ref());
            let (occasion, text) = match taken {
                Some(taken) => (Occasion::Acknowledged, format!("{} has taken it on", taken.by)),
                None => (Occasion::Opened, String::new()),
            };
            self.tell_incident(number, occasion, &text, Some(channels));
        }
        for number in alerts {
            let Some(alert) = self.state.alerts.get(&number) else { continue };
            let channels = now_of_alert(self.definitions, paged, alert);
            let about = self.known_as(alert);
            let key = opened_key(&about, number);
            if let Some(alert) = self.state.alert_mut(number) {
                alert.told.extend(channels.iter().cloned());
                self.outcome.touched.alerts.insert(number);
            }
            self.tell_alone(Occasion::Opened, about, key, &[number], &channels);
        }
    }
}
