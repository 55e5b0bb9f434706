//! What is kept of alerting: as documents, from what an outcome says is different, and back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use runbook::alerting::{Numbers, Outcome, Quiet, State, Subject, Touched, Watch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{from_str, to_string};

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
    pub(crate) fn write(&mut self, outcome: &Outcome, state: &State) {
        let touched = &outcome.touched;
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

fn as_it_is<K, V: Clone>(_: &K, own: &V) -> V {
    own.clone()
}

fn again<T: DeserializeOwned>(own: &impl Serialize) -> T {
    from_str(&to_string(own).unwrap()).unwrap()
}

/// Whether two states are the same but for the time of the last sample, which is not written down where it says nothing
/// new.
pub(crate) fn is_same(one: &State, other: &State) -> bool {
    let State { numbers, watches, alerts, incidents, silences, quiet } = one;
    let watch = |watch: &Watch, other: &Watch| {
        let Watch { true_since, unknown_since, unknown_why, sampled_at: _, alert } = watch;
        (true_since, unknown_since, unknown_why, alert)
            == (&other.true_since, &other.unknown_since, &other.unknown_why, &other.alert)
    };
    let pairs = || watches.iter().zip(&other.watches);
    (numbers, alerts, incidents, silences, quiet)
        == (&other.numbers, &other.alerts, &other.incidents, &other.silences, &other.quiet)
        && watches.len() == other.watches.len()
        && pairs().all(|((own, one), (its, other))| own == its && watch(one, other))
}
