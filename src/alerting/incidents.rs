//! Incidents: who is told, who answers, and who is next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::definitions::{Definitions, Level, Policy, Threshold};
use super::engine::Turn;
use super::index::of_group;
use super::outcome::Happened;
use super::state::{Alert, Incident, Subject};
use super::wording;
use crate::catalog::{Message, Occasion};
use crate::types::{Labels, Severity};

/// What an incident is opened for.
pub(super) struct Opening {
    pub(super) title: Arc<str>,
    pub(super) labels: Labels,
    pub(super) severity: Severity,
    pub(super) text: Arc<str>,
    pub(super) doc: Arc<str>,
    pub(super) link: Option<Arc<str>>,
    pub(super) alerts: BTreeSet<i64>,
    pub(super) level: u32,
}

impl Turn<'_> {
    /// Tells of alerts of one group for the first time.
    pub(super) fn tell_opened(&mut self, numbers: &[i64], threshold: &Threshold, level: Option<u32>) {
        let within = |number: &i64| self.state.alerts.get(number).is_some_and(|alert| alert.incident.is_some());
        // Those that go on with an incident need no level to be in it.
        let is_incident = threshold.severity == Severity::Critical || numbers.iter().any(within);
        let level = level.or_else(|| is_incident.then_some(1));
        let incident = level.and_then(|level| self.incident_for(numbers, threshold, level));
        let alerts = numbers.iter().filter_map(|number| self.state.alerts.get(number));
        let alerts: Vec<&Alert> = alerts.map(Arc::as_ref).collect();
        let Some(first) = alerts.first() else { return };
        let number = first.number;
        let about = match incident.and_then(|number| self.state.incidents.get(&number)) {
            Some(incident) => Arc::clone(&incident.about),
            None if alerts.len() > 1 => {
                let labels = of_group(threshold, &first.subject.labels);
                self.named(&threshold.title, &labels)
            }
            None => self.about(&first.subject),
        };
        let mut message = wording::blank(self.definitions, Occasion::Opened, about, self.now);
        wording::of_alerts(&mut message, &alerts);
        let gathered = alerts.len() > 1;
        let mut channels = threshold.notify.clone();
        let mut handed = Vec::new();
        let mut told_as = None;
        if let Some(incident) = incident.and_then(|number| self.state.incident_mut(number)) {
            wording::of_incident(&mut message, incident, self.definitions.roster.as_deref());
            let own = level_channels_now(self.definitions, incident);
            let own: Vec<Arc<str>> = own.into_iter().filter(|channel| !channels.contains(channel)).collect();
            channels.extend(own);
            message.key = page_key(incident);
            // A channel with an escalation of its own has the incident already: nobody is paged twice.
            let owners = &self.definitions.owners;
            handed = channels.extract_if(.., |one| owners.contains(one) && incident.told.contains(one)).collect();
            incident.told.extend(channels.iter().cloned());
        } else {
            told_as = Some(Arc::clone(&message.about));
            // What is told of several is over with the last of them, so it has a name that is of none alone. The end of
            // one withdraws what was to be told of it, and not what was to be told of others with it.
            message.key = if gathered {
                format!("{}/a{number}/gathered", message.about).into()
            } else {
                opened_key(&message.about, number)
            };
        }
        for number in numbers {
            if let Some(alert) = self.state.alert_mut(*number) {
                alert.told.extend(channels.iter().cloned());
                alert.alone = incident.is_none();
                self.index.not_told(alert);
                alert.told_as.clone_from(&told_as);
                self.index.told(alert);
                alert.incident = incident;
                self.outcome.touched.alerts.insert(*number);
            }
        }
        let message = Arc::new(message);
        for channel in handed {
            self.happened(Some(number), incident, Happened::Handed { channel });
        }
        for channel in &channels {
            self.tell(channel, &message, Some(number));
        }
    }

    /// The incident of a group of alerts: the one that is open, or a new one. `None` where nobody escalates.
    pub(super) fn incident_for(&mut self, numbers: &[i64], threshold: &Threshold, level: u32) -> Option<i64> {
        let first = self.state.alerts.get(numbers.first()?)?;
        let mut group = self.index.group(threshold, &first.subject.labels);
        let open = group.find_map(|other| self.state.alerts.get(&other)?.incident);
        drop(group);
        if let Some(incident) = open.and_then(|number| self.state.incidents.get_mut(&number)) {
            let incident = Arc::make_mut(incident);
            incident.alerts.extend(numbers.iter().copied());
            self.outcome.touched.incidents.insert(incident.number);
            return Some(incident.number);
        }
        let labels = match threshold.group_by.as_slice() {
            [] => first.subject.labels.clone(),
            [..] => of_group(threshold, &first.subject.labels),
        };
        let opening = Opening {
            title: Arc::clone(&threshold.title),
            labels,
            severity: threshold.severity,
            text: Arc::clone(&first.text),
            doc: Arc::clone(&threshold.doc),
            link: threshold.link.clone(),
            alerts: numbers.iter().copied().collect(),
            level,
        };
        self.open_incident(opening)
    }

    pub(super) fn open_incident(&mut self, opening: Opening) -> Option<i64> {
        let policy = self.definitions.policy.clone()?;
        let asked = policy.level_or_next(opening.level)?;
        let (level, passed) = self.on_call_from(&policy, asked);
        self.state.numbers.incident += 1;
        let number = self.state.numbers.incident;
        let incident = Incident {
            number,
            about: self.named(&opening.title, &opening.labels),
            title: opening.title,
            labels: opening.labels,
            severity: opening.severity,
            text: opening.text,
            doc: opening.doc,
            link: opening.link,
            alerts: opening.alerts,
            opened_at: self.now,
            end: None,
            level: level.number,
            round: 1,
            acknowledged: None,
            taken_before: None,
            respond_due: level.respond.map(|respond| self.after(respond)),
            next_due: policy.next(level.number, 1).map(|(after, _)| self.after(after)),
            policy,
            late: Vec::new(),
            told: BTreeSet::new(),
            called: BTreeMap::new(),
            messages: 0,
        };
        let title = incident.name();
        self.state.incidents.insert(number, Arc::new(incident));
        self.outcome.touched.incidents.insert(number);
        self.outcome.touched.rest = true;
        let alert = self.state.incidents.get(&number).and_then(|one| one.alerts.first().copied());
        for what in passed {
            self.happened(alert, Some(number), what);
        }
        let what = Happened::IncidentOpened { title, level: level.number, role: level.role };
        self.happened(alert, Some(number), what);
        Some(number)
    }

    /// The level itself or the next one above at which somebody is on call, and those that were passed over. Where nobody
    /// is on call at any, it stays: its channels are told all the same, and somebody may hear them.
    pub(super) fn on_call_from(&self, policy: &Policy, asked: &Level) -> (Level, Vec<Happened>) {
        let Some(roster) = &self.definitions.roster else { return (asked.clone(), Vec::new()) };
        let mut passed = Vec::new();
        let mut next = Some(asked);
        while let Some(level) = next {
            if roster.on_call(&level.role, self.now) != Some(None) {
                return (level.clone(), passed);
            }
            passed.push(Happened::NobodyOnCall { level: level.number, role: Arc::clone(&level.role) });
            next = policy.above(level.number);
        }
        (asked.clone(), passed)
    }

    /// What an alert is named to the outside, alone.
    pub(super) fn about(&self, subject: &Subject) -> Arc<str> {
        self.named(&subject.threshold, &subject.labels)
    }

    /// Under which name people heard of an alert that was told without an incident.
    pub(super) fn known_as(&self, alert: &Alert) -> Arc<str> {
        // Versions before have told it under a name that is the same from every ledger.
        let before = || wording::about(&self.definitions.runbook, "", &alert.subject.threshold, &alert.subject.labels);
        alert.told_as.clone().unwrap_or_else(before)
    }

    /// The open alerts that were told in the same message as one, without an incident.
    pub(super) fn told_with<'s>(&'s self, alert: &'s Alert) -> impl Iterator<Item = &'s Alert> {
        let numbers = alert.told_as.iter().flat_map(|name| self.index.together(name));
        let others = numbers.filter_map(|number| self.state.alerts.get(&number)).map(Arc::as_ref);
        others.filter(|other| other.incident.is_none() && other.number != alert.number)
    }

    /// Nobody answered in time, or the time of the level is over.
    pub(super) fn incident_due(&mut self, number: i64) {
        let now = self.now;
        let Some(incident) = self.state.incident_mut(number) else { return };
        self.outcome.touched.incidents.insert(number);
        let role = incident.policy.level(incident.level).map_or_else(|| "".into(), |level| Arc::clone(&level.role));
        let level = incident.level;
        let late = incident.respond_due.take_if(|due| *due <= now).is_some();
        let on = incident.next_due.take_if(|due| *due <= now).is_some();
        if late {
            incident.late.push((now, level));
            self.happened(None, Some(number), Happened::Late { level, role });
        }
        if on {
            self.next_level(number);
        } else if late {
            let taken = self.state.incidents.get(&number).and_then(|incident| incident.taken_before.as_ref());
            let text = taken.map_or_else(
                || "nobody has answered in time".to_owned(),
                |taken| format!("{} has taken it on before, and level {level} has not answered in time", taken.by),
            );
            let channels = self.level_channels(number);
            self.tell_incident(number, Occasion::Again, &text, Some(channels));
        }
    }

    fn next_level(&mut self, number: i64) {
        let Some(incident) = self.state.incident_mut(number) else { return };
        if let Some(above) = incident.policy.above(incident.level).map(|level| level.number) {
            self.enter(number, above, "");
            return;
        }
        let lowest = incident.policy.levels.first().map(|level| level.number);
        match lowest {
            Some(lowest) if incident.round <= incident.policy.repeat => {
                incident.round += 1;
                self.enter(number, lowest, "");
            }
            _ => self.happened(None, Some(number), Happened::Exhausted),
        }
    }

    pub(super) fn level_channels(&self, number: i64) -> Vec<Arc<str>> {
        self.state.incidents.get(&number).map(|one| level_channels(self.definitions, one)).unwrap_or_default()
    }

    /// Tells of an incident: some channels, or all that know of it.
    pub(super) fn tell_incident(
        &mut self,
        number: i64,
        occasion: Occasion,
        text: &str,
        channels: Option<Vec<Arc<str>>>,
    ) {
        let owners = &self.definitions.owners;
        let Some(incident) = self.state.incident_mut(number) else { return };
        self.outcome.touched.incidents.insert(number);
        let page = channels.is_some();
        let now = |own| self.definitions.channels_now(own, incident.level, &incident.title);
        let channels = channels.map(now);
        let channels = channels.unwrap_or_else(|| incident.told.iter().cloned().collect());
        // A channel with an escalation of its own has the incident already: nobody is paged twice.
        let (handed, channels): (Vec<Arc<str>>, Vec<Arc<str>>) = channels
            .into_iter()
            .partition(|channel| page && owners.contains(channel) && incident.told.contains(channel));
        incident.told.extend(channels.iter().cloned());
        let mut message = wording::blank(self.definitions, occasion, Arc::clone(&incident.about), self.now);
        message.key = page_key(incident);
        text.clone_into(&mut message.text);
        wording::of_incident(&mut message, incident, self.definitions.roster.as_deref());
        if !text.is_empty() && &*incident.text != text {
            message.text = format!("{text}: {}", incident.text);
        }
        // To a channel that escalates by itself, what it hears first is where the incident begins.
        let opened = page.then(|| Arc::new(Message { occasion: Occasion::Opened, ..message.clone() }));
        let message: Arc<Message> = Arc::new(message);
        for channel in handed {
            self.happened(None, Some(number), Happened::Handed { channel });
        }
        for channel in &channels {
            let own = opened.as_ref().filter(|_| owners.contains(channel)).unwrap_or(&message);
            self.tell(channel, own, None);
        }
    }

    /// What nobody could see turns out to be bad: whoever heard that nobody can see hears that, of all that they know under
    /// one name at once. Where a channel escalates by itself, the page that is open there goes on.
    pub(super) fn tell_turned(&mut self) {
        let (mut incidents, mut alone) = (BTreeSet::new(), BTreeMap::<Arc<str>, Vec<i64>>::new());
        for number in std::mem::take(&mut self.turned) {
            let Some(alert) = self.state.alerts.get(&number).filter(|alert| !alert.waits()) else { continue };
            match alert.incident {
                Some(incident) => _ = incidents.insert(incident),
                None => alone.entry(self.known_as(alert)).or_default().push(number),
            }
        }
        let owners = &self.definitions.owners;
        for number in incidents {
            let Some(incident) = self.state.incidents.get(&number) else { continue };
            let told = incident.told.iter().filter(|channel| !owners.contains(channel)).cloned().collect();
            self.tell_incident(number, Occasion::Again, "", Some(told));
        }
        for (about, numbers) in alone {
            let Some(first) = numbers.first().copied() else { continue };
            let alerts = numbers.iter().filter_map(|number| self.state.alerts.get(number));
            let told = alerts.flat_map(|alert| &alert.told).filter(|channel| !owners.contains(channel));
            let channels = told.cloned().collect();
            let key = turned_key(&about, first);
            self.tell_alone(Occasion::Again, about, key, &numbers, &channels);
        }
    }

    /// Tells of open alerts, which are in no incident, under the name that people know them by.
    pub(super) fn tell_alone(
        &mut self,
        occasion: Occasion,
        about: Arc<str>,
        key: Arc<str>,
        numbers: &[i64],
        channels: &BTreeSet<Arc<str>>,
    ) {
        let alerts = numbers.iter().filter_map(|number| self.state.alerts.get(number));
        let alerts: Vec<&Alert> = alerts.map(Arc::as_ref).collect();
        let mut message = wording::blank(self.definitions, occasion, about, self.now);
        wording::of_alerts(&mut message, &alerts);
        message.key = key;
        let message = Arc::new(message);
        for channel in channels {
            self.tell(channel, &message, numbers.first().copied());
        }
    }

    /// What was written down for an incident and not told yet need not be told any more.
    pub(super) fn withdraw_pages(&mut self, number: i64) {
        let Some(incident) = self.state.incidents.get(&number) else { return };
        self.outcome.touched.incidents.insert(number);
        let pages = pages(incident);
        let keys = (1..=incident.messages).map(|message| [&*pages, &message.to_string()].concat().into());
        self.outcome.withdraw.extend(keys);
    }
}

/// The channels of an incident's level; those of its threshold where the level has none.
fn level_channels(definitions: &Definitions, incident: &Incident) -> Vec<Arc<str>> {
    let own = incident.policy.level(incident.level).map(|level| level.notify.clone()).unwrap_or_default();
    if !own.is_empty() {
        return own;
    }
    definitions.thresholds.get(&incident.title).map(|one| one.notify.clone()).unwrap_or_default()
}

/// The same, with those that an edit has put in the place of others.
pub(super) fn level_channels_now(definitions: &Definitions, incident: &Incident) -> Vec<Arc<str>> {
    definitions.channels_now(level_channels(definitions, incident), incident.level, &incident.title)
}

/// The key of the message that an alert is open.
pub(super) fn opened_key(about: &str, alert: i64) -> Arc<str> {
    [about, "/a", &alert.to_string(), "/opened"].concat().into()
}

/// The key of the message that what nobody could see is bad.
pub(super) fn turned_key(about: &str, alert: i64) -> Arc<str> {
    [about, "/a", &alert.to_string(), "/again"].concat().into()
}

/// The key of the next message of an incident.
fn page_key(incident: &mut Incident) -> Arc<str> {
    incident.messages += 1;
    [pages(incident), incident.messages.to_string()].concat().into()
}

/// How the keys of the messages of an incident begin.
fn pages(incident: &Incident) -> String {
    [&*incident.about, "/i", &incident.number.to_string(), "/"].concat()
}
