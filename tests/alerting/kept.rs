//! What is kept of alerting: as documents, from what an outcome says is different, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use runbook::alerting::{Numbers, Outcome, Quiet, State, Subject, Touched, Watch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{from_str, to_writer};

/// As the ledger keeps it: nothing that an outcome does not name is written.
#[derive(Default)]
pub(crate) struct Kept {
    /// What is named, as it was when it was named last.
    state: State,
    /// The same, written and read again. Each document is read once for each time that it is written.
    read: State,
    /// What is written, and was not read since.
    written: Touched,
}

impl Kept {
    /// Gives whether anything that is named is another than before.
    pub(crate) fn write(&mut self, outcome: &Outcome, state: &State) -> bool {
        let touched = &outcome.touched;
        let own = &self.state;
        let changed = touched.rest && (own.numbers, &own.quiet) != (state.numbers, &state.quiet)
            || differ(&touched.watches, &own.watches, &state.watches, is_same_watch)
            || differ(&touched.alerts, &own.alerts, &state.alerts, PartialEq::eq)
            || differ(&touched.incidents, &own.incidents, &state.incidents, PartialEq::eq)
            || differ(&touched.silences, &own.silences, &state.silences, PartialEq::eq)
            || outcome.ended_alerts.iter().any(|alert| own.alerts.contains_key(&alert.number))
            || outcome.ended_incidents.iter().any(|incident| own.incidents.contains_key(&incident.number));
        copy(&touched.watches, &state.watches, &mut self.state.watches, as_it_is);
        copy(&touched.alerts, &state.alerts, &mut self.state.alerts, as_it_is);
        copy(&touched.incidents, &state.incidents, &mut self.state.incidents, as_it_is);
        copy(&touched.silences, &state.silences, &mut self.state.silences, as_it_is);
        self.written.watches.extend(touched.watches.iter().cloned());
        self.written.alerts.extend(&touched.alerts);
        self.written.incidents.extend(&touched.incidents);
        self.written.silences.extend(&touched.silences);
        for alert in &outcome.ended_alerts {
            self.state.alerts.remove(&alert.number);
            self.written.alerts.insert(alert.number);
        }
        for incident in &outcome.ended_incidents {
            self.state.incidents.remove(&incident.number);
            self.written.incidents.insert(incident.number);
        }
        if touched.rest {
            self.state.numbers = state.numbers;
            self.state.quiet.clone_from(&state.quiet);
            self.written.rest = true;
        }
        changed
    }

    /// Whether a state is what was named of it.
    pub(crate) fn is(&self, state: &State) -> bool {
        is_same(&self.state, state)
    }

    /// What whoever reads it finds.
    pub(crate) fn state(&mut self) -> State {
        let Self { state, read, written } = self;
        let named = std::mem::take(written);
        // A watch is kept with what it is of.
        copy(&named.watches, &state.watches, &mut read.watches, |subject, watch| {
            let (own, watch): (Subject, Watch) = again(&(subject, watch));
            assert_eq!(own, *subject);
            watch
        });
        copy(&named.alerts, &state.alerts, &mut read.alerts, |_, alert| again(alert));
        copy(&named.incidents, &state.incidents, &mut read.incidents, |_, incident| again(incident));
        copy(&named.silences, &state.silences, &mut read.silences, |_, silence| again(silence));
        if named.rest {
            let rest: (Numbers, BTreeMap<Arc<str>, Quiet>) = again(&(state.numbers, &state.quiet));
            (read.numbers, read.quiet) = rest;
        }
        read.clone()
    }
}

/// Takes over what is named: as it is, or that it is not there any more.
fn copy<K: Ord + Clone, V>(
    named: &BTreeSet<K>,
    from: &BTreeMap<K, V>,
    to: &mut BTreeMap<K, V>,
    as_kept: impl Fn(&K, &V) -> V,
) {
    for key in named {
        match from.get(key) {
            Some(own) => to.insert(key.clone(), as_kept(key, own)),
            None => to.remove(key),
        };
    }
}

/// Whether anything that is named is not the same in both.
fn differ<K: Ord, V>(
    named: &BTreeSet<K>,
    one: &BTreeMap<K, V>,
    other: &BTreeMap<K, V>,
    same: impl Fn(&V, &V) -> bool,
) -> bool {
    named.iter().any(|key| match (one.get(key), other.get(key)) {
        (Some(one), Some(other)) => !same(one, other),
        (one, other) => one.is_some() || other.is_some(),
    })
}

fn as_it_is<K, V: Clone>(_: &K, own: &V) -> V {
    own.clone()
}

fn again<T: DeserializeOwned>(own: &impl Serialize) -> T {
    let mut text = Vec::with_capacity(1024);
    to_writer(&mut text, own).unwrap();
    from_str(str::from_utf8(&text).unwrap()).unwrap()
}

/// Whether two states are the same but for the time of the last sample, which is not written down where it says nothing
/// new.
pub(crate) fn is_same(one: &State, other: &State) -> bool {
    let State { numbers, watches, alerts, incidents, silences, quiet } = one;
    let pairs = || watches.iter().zip(&other.watches);
    (numbers, alerts, incidents, silences, quiet)
        == (&other.numbers, &other.alerts, &other.incidents, &other.silences, &other.quiet)
        && watches.len() == other.watches.len()
        && pairs().all(|((own, one), (its, other))| own == its && is_same_watch(one, other))
}

fn is_same_watch(one: &Watch, other: &Watch) -> bool {
    let Watch { true_since, unknown_since, unknown_why, sampled_at: _, alert } = one;
    (true_since, unknown_since, unknown_why, alert)
        == (&other.true_since, &other.unknown_since, &other.unknown_why, &other.alert)
}
