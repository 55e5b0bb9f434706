//! Levels that are called: by an alert, by a section, by a person.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::engine::Turn;
use super::incidents::Opening;
use super::outcome::Happened;
use super::state::Incident;
use crate::catalog::Occasion;
use crate::types::{Labels, Severity};

/// A person who calls a level by hand, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub by: Arc<str>,
    pub text: Option<Arc<str>>,
}

impl Caller {
    /// What people are told of it; nothing where the person has said nothing.
    fn said(&self) -> String {
        self.text.as_ref().map_or_else(String::new, |text| format!("{text} ({})", self.by))
    }

    fn calls(&self, level: u32) -> Happened {
        Happened::CalledBy { by: Arc::clone(&self.by), level, text: self.text.clone() }
    }
}

impl Turn<'_> {
    /// `escalate to level N` in a section, or (`caller`) a person who begins one. A person is always heard: whoever calls
    /// for help while an incident of the same reason is open calls for it once more.
    pub(super) fn called(&mut self, title: Arc<str>, level: u32, text: Arc<str>, caller: Option<&Caller>) {
        let is_it = |incident: &&Arc<Incident>| incident.title == title && incident.labels.is_empty();
        let open = self.state.incidents.values().find(is_it).map(|incident| (incident.number, incident.level));
        match (open, caller) {
            (Some((number, own)), Some(caller)) if own >= level => {
                self.happened(None, Some(number), caller.calls(own));
                let channels = self.level_channels(number);
                let said = Some(caller.said()).filter(|said| !said.is_empty());
                let text = said.unwrap_or_else(|| format!("{} calls again", caller.by));
                self.tell_incident(number, Occasion::Again, &text, Some(channels));
            }
            (Some((number, _)), Some(caller)) => self.called_by(number, level, caller),
            (Some((number, _)), None) => self.raise_to(number, level),
            (None, _) => self.begun(title, level, text, caller),
        }
    }

    fn begun(&mut self, title: Arc<str>, level: u32, text: Arc<str>, caller: Option<&Caller>) {
        let opening = Opening {
            title,
            labels: Labels::new(),
            severity: Severity::Critical,
            text,
            doc: "".into(),
            link: None,
            alerts: BTreeSet::new(),
            level,
        };
        if let Some(number) = self.open_incident(opening) {
            if let Some(caller) = caller {
                self.happened(None, Some(number), caller.calls(level));
            }
            let channels = self.level_channels(number);
            self.tell_incident(number, Occasion::Opened, "", Some(channels));
        }
    }

    /// A person calls a level of an incident, if it is a higher one.
    pub(super) fn called_by(&mut self, number: i64, level: u32, caller: &Caller) {
        if self.state.incidents.get(&number).is_some_and(|incident| incident.level < level) {
            self.happened(None, Some(number), caller.calls(level));
            self.enter(number, level, &caller.said());
        }
    }

    /// A sample or a timer of an alert calls for a level.
    pub(super) fn call_level(&mut self, alert: i64, level: u32) {
        let Some(open) = self.state.alerts.get(&alert).filter(|alert| !alert.quiet) else { return };
        match open.incident {
            Some(incident) => self.raise_to(incident, level),
            // Of one that is gathered with others, people hear when its time comes.
            None if open.gathered_until.is_some() => {
                let now = self.now;
                if let Some(alert) = self.state.alert_mut(alert)
                    && !alert.due.iter().any(|(at, due)| *at <= now && *due >= level)
                {
                    alert.due.push((now, level));
                    self.outcome.touched.alerts.insert(alert.number);
                }
            }
            None => {
                let Some(threshold) = self.threshold(&open.subject.threshold) else { return };
                let (told, own) = (open.told.clone(), self.known_as(open));
                // Those that people know under the same name go on with it.
                let all: Vec<i64> = std::iter::once(alert).chain(self.told_with(open).map(|own| own.number)).collect();
                let before = self.state.numbers.incident;
                let Some(number) = self.incident_for(&all, threshold, level) else { return };
                for own in all {
                    if let Some(alert) = self.state.alert_mut(own) {
                        alert.incident = Some(number);
                    }
                    self.outcome.touched.alerts.insert(own);
                }
                // Whoever heard of the alert under the same name hears how it goes on.
                if let Some(incident) = self.state.incident_mut(number).filter(|one| one.about == own) {
                    incident.told.extend(told);
                }
                if number <= before {
                    // Others of its group have one already.
                    self.raise_to(number, level);
                    return;
                }
                let channels = self.level_channels(number);
                self.tell_incident(number, Occasion::Escalated, "", Some(channels));
            }
        }
    }

    /// `escalate to level N after D`: the time has come.
    pub(super) fn escalate_late(&mut self, number: i64) {
        self.outcome.touched.alerts.insert(number);
        if let Some(level) = self.overdue(number) {
            self.call_level(number, level);
        }
    }

    /// Tells a level of an incident, if it is a higher one.
    pub(super) fn raise_to(&mut self, number: i64, level: u32) {
        if self.state.incidents.get(&number).is_some_and(|incident| incident.level < level) {
            self.enter(number, level, "");
        }
    }

    pub(super) fn enter(&mut self, number: i64, level: u32, text: &str) {
        let now = self.now;
        let Some(incident) = self.state.incident_mut(number) else { return };
        let policy = Arc::clone(&incident.policy);
        let Some(asked) = policy.level(level) else { return };
        let (level, passed) = self.on_call_from(&policy, asked);
        for what in passed {
            self.happened(None, Some(number), what);
        }
        let Some(incident) = self.state.incident_mut(number) else { return };
        incident.level = level.number;
        // Whoever took it on did so at another level: this one has to answer, too.
        incident.taken_before = incident.acknowledged.take().or_else(|| incident.taken_before.take());
        incident.respond_due = level.respond.and_then(|respond| now.checked_add(respond).ok());
        let next = incident.policy.next(level.number, incident.round);
        incident.next_due = next.and_then(|(after, _)| now.checked_add(after).ok());
        let round = incident.round;
        let what = Happened::Level { level: level.number, role: Arc::clone(&level.role), round };
        self.happened(None, Some(number), what);
        self.tell_incident(number, Occasion::Escalated, text, Some(level.notify));
    }
}
