//! What is kept of alerting: as documents, from what an outcome says is different, and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use runbook::alerting::{Numbers, Outcome, Quiet, State, Subject};
use serde_json::{from_str, to_string};

/// As the ledger keeps it: nothing that an outcome does not name is written.
#[derive(Default)]
pub(crate) struct Kept {
    documents: BTreeMap<(&'static str, String), String>,
}

impl Kept {
    pub(crate) fn write(&mut self, outcome: &Outcome, state: &State) {
        let touched = &outcome.touched;
        for subject in &touched.watches {
            let body = state.watches.get(subject).map(|watch| to_string(&(subject, watch)).unwrap());
            self.put("watch", to_string(subject).unwrap(), body);
        }
        for number in &touched.alerts {
            self.put("alert", number.to_string(), state.alerts.get(number).map(|one| to_string(one).unwrap()));
        }
        for number in &touched.incidents {
            self.put("incident", number.to_string(), state.incidents.get(number).map(|one| to_string(one).unwrap()));
        }
        for alert in &outcome.ended_alerts {
            self.put("alert", alert.number.to_string(), None);
        }
        for incident in &outcome.ended_incidents {
            self.put("incident", incident.number.to_string(), None);
        }
        for number in &touched.silences {
            self.put("silence", number.to_string(), state.silences.get(number).map(|one| to_string(one).unwrap()));
        }
        if touched.rest {
            self.put("rest", String::new(), Some(to_string(&(state.numbers, &state.quiet)).unwrap()));
        }
    }

    fn put(&mut self, kind: &'static str, id: String, body: Option<String>) {
        match body {
            Some(body) => self.documents.insert((kind, id), body),
            None => self.documents.remove(&(kind, id)),
        };
    }

    pub(crate) fn state(&self) -> State {
        let mut state = State::default();
        for ((kind, _), body) in &self.documents {
            match *kind {
                "watch" => {
                    let (subject, watch): (Subject, _) = from_str(body).unwrap();
                    state.watches.insert(subject, watch);
                }
                "alert" => {
                    let alert: runbook::alerting::Alert = from_str(body).unwrap();
                    state.alerts.insert(alert.number, alert);
                }
                "incident" => {
                    let incident: runbook::alerting::Incident = from_str(body).unwrap();
                    state.incidents.insert(incident.number, incident);
                }
                "silence" => {
                    let silence: runbook::alerting::Silence = from_str(body).unwrap();
                    state.silences.insert(silence.number, silence);
                }
                _ => {
                    let (numbers, quiet): (Numbers, BTreeMap<Arc<str>, Quiet>) = from_str(body).unwrap();
                    (state.numbers, state.quiet) = (numbers, quiet);
                }
            }
        }
        state
    }
}
