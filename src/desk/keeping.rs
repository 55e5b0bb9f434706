//! Between what alerting knows and what the ledger keeps.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::alerting::{Alert, End, Happening, Incident, Numbers, Outcome, Quiet, Rota, Silence, State, Subject, Watch};
use crate::store::ledger::{self, Commit, Document, Ledger, NewMessage};
use crate::types::{Fault, FaultKind};
use crate::units;

const WATCH: &str = "watch";
pub const ALERT: &str = "alert";
pub const INCIDENT: &str = "incident";
pub const SILENCE: &str = "silence";
const REST: &str = "rest";
const ROTA: &str = "rota";

#[derive(Serialize, Deserialize)]
struct KeptWatch {
    subject: Subject,
    watch: Watch,
}

#[derive(Serialize, Deserialize)]
struct Rest {
    numbers: Numbers,
    quiet: Vec<(Arc<str>, Quiet)>,
    /// The zone of the runbook. Missing in what versions before have written.
    #[serde(default)]
    timezone: Option<Arc<str>>,
}

/// The state that some documents are of.
pub(super) fn state(documents: &[Document]) -> Result<State, Fault> {
    let mut state = State::default();
    for document in documents {
        match document.kind.as_str() {
            WATCH => {
                let kept: KeptWatch = read(document)?;
                state.watches.insert(kept.subject, kept.watch);
            }
            ALERT => {
                let alert: Alert = read(document)?;
                state.alerts.insert(alert.number, Arc::new(alert));
            }
            INCIDENT => {
                let incident: Incident = read(document)?;
                state.incidents.insert(incident.number, Arc::new(incident));
            }
            SILENCE => {
                let silence: Silence = read(document)?;
                state.silences.insert(silence.number, silence);
            }
            REST => {
                let rest: Rest = read(document)?;
                state.numbers = rest.numbers;
                state.quiet = rest.quiet.into_iter().collect();
            }
            // It is no part of the state: see `rota`.
            ROTA => {}
            other => return Err(unreadable(document, &format!("nobody knows what a `{other}` is"))),
        }
    }
    Ok(state)
}

/// What is kept of who is on call.
pub(super) fn rota(documents: &[Document]) -> Result<Rota, Fault> {
    let kept = documents.iter().find(|document| document.kind == ROTA);
    kept.map_or_else(|| Ok(Rota::default()), read)
}

/// The zone that a runbook had when something of it was opened last; `None` where a version before wrote that, or this
/// machine does not know the zone.
///
/// # Errors
/// Where what is kept cannot be read.
pub fn zone(ledger: &Ledger, runbook: &str) -> Result<Option<TimeZone>, Fault> {
    let documents = ledger.documents(Some(runbook), REST, None)?;
    let rest: Option<Rest> = documents.first().map(read).transpose()?;
    Ok(rest.and_then(|rest| rest.timezone).and_then(|name| units::zone(&name)))
}

/// A document as what it is of.
///
/// # Errors
/// Where this version does not know its form.
pub fn read<T: DeserializeOwned>(document: &Document) -> Result<T, Fault> {
    T::deserialize(&document.body).map_err(|error| unreadable(document, &error.to_string()))
}

fn unreadable(document: &Document, why: &str) -> Fault {
    let message = format!("the ledger's {} {} cannot be read: {why}", document.kind, document.id);
    Fault::new(FaultKind::BadAnswer, message).help("a newer version of runbook may have written it: update this one")
}

/// What is to be written down; `None` where nothing is different.
pub(super) fn commit(
    now: Timestamp,
    outcome: &Outcome,
    state: &State,
    timezone: &Arc<str>,
    rota: Option<&Rota>,
) -> Result<Option<Commit>, Fault> {
    let touched = &outcome.touched;
    if touched.is_empty() && outcome.happened.is_empty() && outcome.tell.is_empty() && rota.is_none() {
        return Ok(None);
    }
    let mut commit = Commit::at(now);
    if let Some(rota) = rota {
        commit.put.push(document(ROTA, ROTA.to_owned(), json(rota)?, now, None));
    }
    for subject in &touched.watches {
        let id = text(subject)?;
        match state.watches.get(subject) {
            Some(watch) => {
                let body = json(&KeptWatch { subject: subject.clone(), watch: watch.clone() })?;
                commit.put.push(document(WATCH, id, body, now, None));
            }
            None => commit.remove.push((WATCH.to_owned(), id)),
        }
    }
    let open = touched.alerts.iter().filter_map(|number| state.alerts.get(number)).map(Arc::as_ref);
    for alert in open.chain(&outcome.ended_alerts) {
        let closed = alert.end.as_ref().map(End::at);
        commit.put.push(document(ALERT, alert.number.to_string(), json(alert)?, alert.opened_at, closed));
    }
    let open = touched.incidents.iter().filter_map(|number| state.incidents.get(number)).map(Arc::as_ref);
    for incident in open.chain(&outcome.ended_incidents) {
        let closed = incident.end.as_ref().map(End::at);
        commit.put.push(document(INCIDENT, incident.number.to_string(), json(incident)?, incident.opened_at, closed));
    }
    for number in &touched.silences {
        match state.silences.get(number) {
            Some(silence) => commit.put.push(document(SILENCE, number.to_string(), json(silence)?, silence.from, None)),
            None => commit.remove.push((SILENCE.to_owned(), number.to_string())),
        }
    }
    if touched.rest {
        let quiet = state.quiet.iter().map(|(by, quiet)| (Arc::clone(by), quiet.clone())).collect();
        let timezone = Some(Arc::clone(timezone));
        let body = json(&Rest { numbers: state.numbers, quiet, timezone })?;
        commit.put.push(document(REST, REST.to_owned(), body, now, None));
    }
    for happening in &outcome.happened {
        let body = json(happening)?;
        commit.happened.push(ledger::Happening { at: happening.at, about: about(happening), body });
    }
    for tell in &outcome.tell {
        commit.tell.push(NewMessage {
            channel: tell.channel.to_string(),
            key: tell.message.key.to_string(),
            body: json(&*tell.message)?,
            not_before: now,
        });
    }
    commit.withdraw.extend(outcome.withdraw.iter().map(ToString::to_string));
    Ok(Some(commit))
}

/// What a happening is filed under.
fn about(happening: &Happening) -> String {
    match (happening.incident, happening.alert) {
        (Some(incident), _) => format!("incident/{incident}"),
        (None, Some(alert)) => format!("alert/{alert}"),
        (None, None) => "runbook".to_owned(),
    }
}

fn document(kind: &str, id: String, body: Json, opened_at: Timestamp, closed_at: Option<Timestamp>) -> Document {
    Document { kind: kind.to_owned(), id, body, opened_at, closed_at }
}

fn json(value: &impl Serialize) -> Result<Json, Fault> {
    serde_json::to_value(value).map_err(|error| unwritable(&error))
}

fn text(value: &impl Serialize) -> Result<String, Fault> {
    serde_json::to_string(value).map_err(|error| unwritable(&error))
}

fn unwritable(error: &serde_json::Error) -> Fault {
    Fault::new(FaultKind::Failed, format!("what follows cannot be written down: {error}"))
}
