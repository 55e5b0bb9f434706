//! What holds after every input, whatever happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use runbook::alerting::{Alert, Engine, Incident, Outcome, State, Tell};
use runbook::catalog::{Message, Occasion};
use runbook::types::Severity;

/// What was told so far, and where each incident stood.
#[derive(Default)]
pub(crate) struct Laws {
    messages: BTreeMap<(Arc<str>, Arc<str>), Arc<Message>>,
    /// Who heard of an alert on its own, and of an incident, and was not told yet that it is over.
    alerts: BTreeMap<i64, BTreeSet<Arc<str>>>,
    incidents: BTreeMap<i64, BTreeSet<Arc<str>>>,
    opened: BTreeMap<(i64, Arc<str>), usize>,
    levels: BTreeMap<i64, (u32, u32)>,
    /// Who heard of alerts of an incident, on their own or with it.
    around: BTreeMap<i64, BTreeSet<Arc<str>>>,
}

fn law(holds: bool, broken: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(broken()) }
}

impl Laws {
    /// `waits`: what is long overdue may wait for the next tick.
    pub(crate) fn hold(
        &mut self,
        now: Timestamp,
        engine: &Engine,
        outcome: &Outcome,
        waits: bool,
    ) -> Result<(), String> {
        let state = engine.state();
        agree(state)?;
        law(waits || engine.next_due().is_none_or(|due| due > now), || format!("{:?} is past", engine.next_due()))?;
        for tell in &outcome.tell {
            self.told(tell, engine)?;
        }
        for alert in state.alerts.values() {
            heard(alert, engine)?;
        }
        quiet_for_a_reason(engine)?;
        // What is not named is as it was: whoever calls this has looked.
        let touched = outcome.touched.alerts.iter().filter_map(|number| state.alerts.get(number)).map(Arc::as_ref);
        for alert in touched.chain(&outcome.ended_alerts) {
            let Some(incident) = alert.incident else { continue };
            self.around.entry(incident).or_default().extend(alert.told.iter().cloned());
        }
        for alert in &outcome.ended_alerts {
            self.alert_ended(alert, outcome, state)?;
        }
        for incident in &outcome.ended_incidents {
            self.incident_ended(incident, outcome)?;
        }
        for incident in outcome.touched.incidents.iter().filter_map(|number| state.incidents.get(number)) {
            let (round, level) =
                self.levels.insert(incident.number, (incident.round, incident.level)).unwrap_or((0, 0));
            let down = incident.round == round && incident.level < level;
            law(!down && incident.round >= round, || format!("#{} goes down from {level}", incident.number))?;
            law(incident.round <= incident.policy.repeat + 1, || "more rounds than it says".to_owned())?;
        }
        Ok(())
    }

    fn told(&mut self, tell: &Tell, engine: &Engine) -> Result<(), String> {
        let Tell { channel, message } = tell;
        let before = self.messages.insert((Arc::clone(channel), Arc::clone(&message.key)), Arc::clone(message));
        law(before.is_none(), || format!("`{}` is told twice to {channel}", message.key))?;
        let begins = matches!(message.occasion, Occasion::Opened | Occasion::Again | Occasion::Escalated);
        let owner = engine.definitions().owners.contains(channel);
        match &message.incident {
            Some(incident) if begins => {
                self.incidents.entry(incident.number).or_default().insert(Arc::clone(channel));
                if owner {
                    let often = self.opened.entry((incident.number, Arc::clone(channel))).or_default();
                    *often += 1;
                    law(message.occasion == Occasion::Opened && *often == 1, || {
                        format!(
                            "{channel} escalates #{} by itself, and hears {:?} ({often})",
                            incident.number, message.occasion
                        )
                    })?;
                }
            }
            None if begins => {
                for number in numbers(message) {
                    self.alerts.entry(number).or_default().insert(Arc::clone(channel));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn alert_ended(&mut self, alert: &Alert, outcome: &Outcome, state: &State) -> Result<(), String> {
        let heard = self.alerts.remove(&alert.number).unwrap_or_default();
        let closing = |tell: &&Tell| tell.message.occasion == Occasion::Closed;
        let own = outcome.tell.iter().filter(closing).filter(|tell| tell.message.incident.is_none());
        let own: BTreeSet<_> =
            own.filter(|tell| numbers(&tell.message) == [alert.number]).map(|tell| Arc::clone(&tell.channel)).collect();
        law(own.is_subset(&heard), || format!("{own:?} hear that #{} is over; heard it had {heard:?}", alert.number))?;
        let with_incident = outcome.tell.iter().filter(closing).filter(|tell| {
            tell.message.incident.as_ref().is_some_and(|incident| Some(incident.number) == alert.incident)
        });
        // Where its incident has the same name and goes on, they hear of that.
        let goes_on = alert.incident.and_then(|number| state.incidents.get(&number));
        let goes_on = goes_on.into_iter().flat_map(|incident| incident.told.iter().cloned());
        let all: BTreeSet<_> = with_incident.map(|tell| Arc::clone(&tell.channel)).chain(own).chain(goes_on).collect();
        law(heard.is_subset(&all), || format!("#{} is over: {all:?} hear it; heard it had {heard:?}", alert.number))
    }

    fn incident_ended(&mut self, incident: &Incident, outcome: &Outcome) -> Result<(), String> {
        let heard = self.incidents.remove(&incident.number).unwrap_or_default();
        let of_it = |tell: &&Tell| tell.message.incident.as_ref().is_some_and(|own| own.number == incident.number);
        let closed = outcome.tell.iter().filter(of_it).filter(|tell| tell.message.occasion == Occasion::Closed);
        let closed: BTreeSet<_> = closed.map(|tell| Arc::clone(&tell.channel)).collect();
        law(closed == incident.told && heard.is_subset(&closed), || {
            format!("incident #{} ends: {closed:?} hear it, heard of it had {heard:?}", incident.number)
        })?;
        let around = self.around.remove(&incident.number).unwrap_or_default();
        let alone: BTreeSet<_> = around.into_iter().chain(heard).collect();
        law(closed.is_subset(&alone), || format!("incident #{} ends for {closed:?} of {alone:?}", incident.number))
    }

    /// Nothing is open any more: whoever heard that something began has heard that it is over.
    pub(crate) fn end(&self) -> Result<(), String> {
        law(self.alerts.is_empty() && self.incidents.is_empty(), || {
            format!("still waiting to hear the end: {:?} {:?}", self.alerts, self.incidents)
        })
    }
}

/// Watches, alerts and incidents say the same of each other.
fn agree(state: &State) -> Result<(), String> {
    let mut watched = 0;
    for (subject, watch) in &state.watches {
        let Some(number) = watch.alert else { continue };
        let alert = state.alerts.get(&number);
        law(alert.is_some_and(|alert| alert.subject == *subject), || {
            format!("the watch of {subject:?} says #{number}")
        })?;
        watched += 1;
    }
    // Each of them has another subject, so no two say the same number: as many of both are all.
    law(watched == state.alerts.len(), || format!("{watched} alerts are watched, of {:?}", state.alerts.keys()))?;
    let mut known = 0;
    for (number, incident) in &state.incidents {
        for alert in &incident.alerts {
            let own = state.alerts.get(alert).and_then(|alert| alert.incident);
            law(own == Some(*number), || format!("incident #{number} has alert #{alert}, which says {own:?}"))?;
        }
        known += incident.alerts.len();
    }
    let within = state.alerts.values().filter(|alert| alert.incident.is_some()).count();
    law(known == within, || format!("{within} alerts are in incidents, which know {known}"))
}

/// What keeps an alert quiet comes from somebody, from something that people heard of, or is just over: no circle of
/// thresholds keeps itself quiet.
fn quiet_for_a_reason(engine: &Engine) -> Result<(), String> {
    let (state, definitions) = (engine.state(), engine.definitions());
    let hushed = || state.alerts.values().filter(|alert| alert.quiet && alert.quiet_ended.is_none());
    if hushed().next().is_none() {
        return Ok(());
    }
    let by_hand = |title: &Arc<str>| {
        state.silences.values().any(|silence| silence.threshold.as_ref().is_none_or(|of| of == title))
            || state.quiet.values().any(|quiet| quiet.thresholds.contains(title))
    };
    let reason = |alert: &&Arc<Alert>| !alert.quiet || alert.quiet_ended.is_some() || by_hand(&alert.subject.threshold);
    let mut reasons: BTreeSet<&Arc<str>> =
        state.alerts.values().filter(reason).map(|alert| &alert.subject.threshold).collect();
    let kept = |alert: &Alert, reasons: &BTreeSet<&Arc<str>>| {
        let threshold = definitions.thresholds.get(&alert.subject.threshold);
        threshold.is_none_or(|one| one.quiet_while.iter().any(|title| reasons.contains(title)))
    };
    loop {
        let before = reasons.len();
        let more: Vec<_> =
            hushed().filter(|alert| kept(alert, &reasons)).map(|alert| &alert.subject.threshold).collect();
        reasons.extend(more);
        if reasons.len() == before {
            break;
        }
    }
    let lost = hushed().find(|alert| !by_hand(&alert.subject.threshold) && !kept(alert, &reasons));
    law(lost.is_none(), || format!("nothing keeps it quiet but a circle: {lost:?}"))
}

/// Whoever has to hear of an open alert did, or waits.
fn heard(alert: &Alert, engine: &Engine) -> Result<(), String> {
    let Some(threshold) = engine.definitions().thresholds.get(&alert.subject.threshold) else { return Ok(()) };
    if alert.waits() {
        // One that is gathered goes on with the incident of its group where nobody else is left in it.
        let alone = alert.incident.is_none() || alert.gathered_until.is_some();
        return law(alert.told.is_empty() && alone, || format!("#{} waits and is told", alert.number));
    }
    let owners = &engine.definitions().owners;
    let incident = alert.incident.and_then(|number| engine.state().incidents.get(&number));
    let all = threshold.notify.iter().all(|channel| {
        alert.told.contains(channel)
            || owners.contains(channel) && incident.is_some_and(|incident| incident.told.contains(channel))
    });
    law(all, || format!("#{} is open, and only {:?} heard of it", alert.number, alert.told))?;
    let begins = engine.definitions().policy.as_ref().is_some_and(|policy| policy.level(1).is_some());
    let critical = threshold.severity == Severity::Critical && begins;
    law(!critical || alert.incident.is_some(), || {
        format!("#{} is critical, and nobody has to take it on", alert.number)
    })
}

fn numbers(message: &Message) -> Vec<i64> {
    let fact = message.facts.iter().find(|(name, _)| &**name == "alert").map_or("", |(_, value)| value.as_str());
    fact.split(", ").filter_map(|number| number.strip_prefix('#')?.parse().ok()).collect()
}
