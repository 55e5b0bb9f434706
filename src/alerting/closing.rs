//! How what is open ends, and who goes on.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::engine::Turn;
use super::incidents::{opened_key, turned_key};
use super::outcome::Happened;
use super::state::{Alert, End};
use super::wording;
use crate::catalog::Occasion;

impl Turn<'_> {
    /// Tells that an alert is over, and closes its incident with the last of its alerts.
    pub(super) fn tell_closed(&mut self, alert: &Alert, end: &End) {
        // Of one that nobody heard of by itself, nobody hears by itself that it is over.
        let known = (alert.alone && !alert.told.is_empty()).then(|| self.known_as(alert));
        let mut told = known.is_some();
        self.goes_on(alert);
        if let Some(incident) = alert.incident.and_then(|number| self.state.incidents.get_mut(&number)) {
            let incident = Arc::make_mut(incident);
            incident.alerts.remove(&alert.number);
            // Its incident says so under the same name.
            told &= known.as_ref().is_some_and(|known| incident.about != *known);
            let (number, last) = (incident.number, incident.alerts.is_empty());
            // What is over is not what is the matter with the others.
            let others = incident.alerts.last().and_then(|other| self.state.alerts.get(other));
            if let Some(other) = others.filter(|_| incident.text == alert.text) {
                incident.text = Arc::clone(&other.text);
            }
            self.outcome.touched.incidents.insert(number);
            if last {
                self.close_incident(number, end);
            }
        } else if let Some(number) = alert.incident {
            let ended = self.outcome.ended_incidents.iter().find(|one| one.number == number);
            told &= ended.zip(known.as_ref()).is_some_and(|(one, known)| one.about != *known);
        }
        let Some(known) = known.filter(|_| told) else { return };
        // What was told of several goes on with the others.
        let goes_on = self.told_with(alert).next().is_some();
        let own = if alert.told_as.is_none() { Arc::clone(&known) } else { self.about(&alert.subject) };
        // Whoever was not told yet that it began hears only that it is over.
        self.outcome.withdraw.push(opened_key(&own, alert.number));
        self.outcome.withdraw.extend(alert.turned.then(|| turned_key(&known, alert.number)));
        let about = if goes_on { own } else { known };
        let mut message = wording::blank(self.definitions, Occasion::Closed, about, self.now);
        wording::of_alerts(&mut message, &[alert]);
        message.text = format!("{}: {}", wording::ended(end), alert.text);
        message.key = format!("{}/a{}/closed", message.about, alert.number).into();
        let message = Arc::new(message);
        for channel in &alert.told {
            self.tell(channel, &message, Some(alert.number));
        }
    }

    /// Where an alert was the last one of its incident, those of its group that are gathered go on with it: it is not over,
    /// and its levels are called in their time.
    fn goes_on(&mut self, alert: &Alert) {
        let Some(incident) = alert.incident.and_then(|number| self.state.incidents.get(&number)) else { return };
        let Some(threshold) = self.threshold(&alert.subject.threshold) else { return };
        if incident.alerts.iter().any(|number| *number != alert.number) {
            return;
        }
        let number = incident.number;
        let waits = |other: &i64| self.state.alerts.get(other).is_some_and(|other| other.gathered_until.is_some());
        let waiting: BTreeSet<i64> = self.index.group(threshold, &alert.subject.labels).filter(waits).collect();
        for other in &waiting {
            if let Some(other) = self.state.alert_mut(*other) {
                other.incident = Some(number);
            }
        }
        self.outcome.touched.alerts.extend(&waiting);
        if let Some(incident) = self.state.incident_mut(number) {
            incident.alerts.extend(waiting);
        }
    }

    pub(super) fn close_incident(&mut self, number: i64, end: &End) {
        let Some(incident) = self.state.incidents.get(&number) else { return };
        let (title, alerts) = (incident.name(), incident.alerts.clone());
        self.withdraw_pages(number);
        self.tell_incident(number, Occasion::Closed, &wording::ended(end), None);
        self.happened(None, Some(number), Happened::IncidentClosed { title, end: end.clone() });
        if let Some(incident) = self.state.incidents.remove(&number) {
            let mut incident = Arc::unwrap_or_clone(incident);
            incident.end = Some(end.clone());
            self.outcome.ended_incidents.push(incident);
        }
        // Closed by hand: its alerts end with it, also those that have gone on with it and are gathered: it is of them that
        // it speaks. Others of the group, of which nobody has heard, are told now, as one that begins.
        let waiting = self.waiting_beside(&alerts);
        for alert in alerts {
            self.close_alert(alert, end);
        }
        self.tell_gathered(&waiting);
    }

    /// Those of the group of an incident that are gathered and not in it.
    fn waiting_beside(&self, alerts: &BTreeSet<i64>) -> Vec<i64> {
        let any = alerts.iter().find_map(|alert| self.state.alerts.get(alert));
        let threshold = any.and_then(|any| Some((any, self.threshold(&any.subject.threshold)?)));
        let group = threshold.into_iter().flat_map(|(any, threshold)| self.index.group(threshold, &any.subject.labels));
        let waits = |alert: &Alert| alert.gathered_until.is_some() && alert.incident.is_none();
        group.filter(|other| self.state.alerts.get(other).is_some_and(|alert| waits(alert))).collect()
    }
}
