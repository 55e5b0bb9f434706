//! What is named to the outside: by whom it was opened, and for as long as it is open.

use std::collections::BTreeSet;
use std::sync::Arc;

use runbook::alerting::{Alert, Definitions, Engine, Escalate, EscalateWhen, Input, Outcome, State, Threshold};
use runbook::catalog::Message;
use runbook::types::{Labels, Severity};

use crate::cases::{judged, level, policy, threshold};
use crate::random::secs;

/// Two thresholds, of which one opens an incident, in a ledger.
fn definitions(ledger: &str) -> Arc<Definitions> {
    let critical = Threshold { title: "Down".into(), severity: Severity::Critical, ..threshold() };
    let escalate = vec![Escalate { level: 1, when: EscalateWhen::After(secs(3600)) }];
    let thresholds = [Threshold { escalate, ..threshold() }, critical];
    Arc::new(Definitions {
        runbook: "Night".into(),
        ledger: ledger.into(),
        timezone: "UTC".into(),
        thresholds: thresholds.map(|one| (Arc::clone(&one.title), one)).into(),
        sections: BTreeSet::new(),
        owners: Vec::new(),
        policy: Some(Arc::new(policy(vec![level(1, None, "pager")], 0))),
        roster: None,
    })
}

fn sample(engine: &mut Engine, second: i64, threshold: &str, is: bool) -> Vec<Arc<Message>> {
    let at = jiff::Timestamp::from_second(1_795_651_200 + second).unwrap();
    let mut judged = judged(at, Some(is), &Labels::new());
    judged.subject.threshold = threshold.into();
    messages(engine.take(at, Input::Judged(vec![judged])))
}

fn called(engine: &mut Engine, second: i64) -> Vec<Arc<Message>> {
    let at = jiff::Timestamp::from_second(1_795_651_200 + second).unwrap();
    messages(engine.take(at, Input::Called { title: "Attack".into(), level: 1, text: "by hand".into(), caller: None }))
}

fn messages(outcome: Outcome) -> Vec<Arc<Message>> {
    outcome.tell.into_iter().map(|tell| tell.message).collect()
}

#[test]
fn what_two_ledgers_find_has_two_names_and_what_one_finds_has_one() {
    let told = |ledger: &str| {
        let mut engine = Engine::new(definitions(ledger), State::default());
        let mut told = Vec::new();
        for threshold in ["Down", "Errors"] {
            let opened = sample(&mut engine, 0, threshold, true);
            let closed = sample(&mut engine, 60, threshold, false);
            assert_eq!(opened[0].about, closed[0].about, "{threshold}");
            told.extend([opened[0].clone(), closed[0].clone()]);
        }
        told.extend(called(&mut engine, 60));
        let at = jiff::Timestamp::from_second(1_795_651_200).unwrap();
        let note = Input::Note {
            key: "channel-down-mail-498792".into(),
            channels: vec!["chat".into()],
            title: "`mail` is down".into(),
            text: String::new(),
        };
        told.extend(messages(engine.take(at, note)));
        told
    };
    let (one, again, other) = (told("0a1b2c3d4e5f"), told("0a1b2c3d4e5f"), told("f5e4d3c2b1a0"));
    assert_eq!(one.len(), 6);
    for ((one, again), other) in one.iter().zip(again).zip(other) {
        assert_eq!((&one.key, &one.about), (&again.key, &again.about));
        assert_ne!(one.key, other.key);
        assert_ne!(one.about, other.about);
        assert!(one.key.len() <= 255 && one.key.is_ascii() && one.about.len() <= 255, "{}", one.key);
    }
}

/// What a version before has opened, which named it alike from every ledger.
#[test]
fn what_was_opened_under_an_older_name_ends_under_it() {
    let mut before = Engine::new(definitions(""), State::default());
    let (down, errors) = (sample(&mut before, 0, "Down", true), sample(&mut before, 0, "Errors", true));
    let attack = called(&mut before, 0);
    let mut state = before.state().clone();
    for alert in state.alerts.values_mut() {
        // It wrote nothing down of how it named one that was told alone.
        *alert = Arc::new(Alert { told_as: None, ..Alert::clone(alert) });
    }
    let mut engine = Engine::new(definitions("0a1b2c3d4e5f"), state);
    assert_eq!(called(&mut engine, 1), [], "it is called already");
    for (threshold, opened) in [("Down", down), ("Errors", errors)] {
        let closed = sample(&mut engine, 60, threshold, false);
        assert_eq!(closed[0].about, opened[0].about, "{threshold}");
        let anew = sample(&mut engine, 120, threshold, true);
        assert_eq!(*anew[0].about, *format!("{}-0a1b2c3d4e5f", opened[0].about), "{threshold}");
    }
    assert!(attack[0].about.starts_with("night-attack-"));
}
