//! Ten thousand label sets, in one turn.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use runbook::alerting::{Definitions, Engine, Input, Judged, State, Subject, Threshold};
use runbook::types::{Labels, Severity};

use crate::random::secs;

const MANY: usize = 10_000;

fn threshold(title: &str) -> Threshold {
    Threshold {
        title: title.into(),
        severity: Severity::Warning,
        held: vec![secs(0)],
        unknown_for: Some(secs(600)),
        notify: vec!["mail".into()],
        escalate: Vec::new(),
        quiet_while: Vec::new(),
        group_by: Vec::new(),
        every: None,
        link: None,
        doc: "".into(),
    }
}

fn labels(number: usize) -> Labels {
    [("pod".into(), format!("pod-{number}").into()), ("service".into(), "shop".into())].into()
}

/// How long the first samples take, and the next ones that say the same, and those that say all is well.
fn turns(threshold: Threshold, many: usize) -> [Duration; 4] {
    let title = Arc::clone(&threshold.title);
    let other = Threshold { title: "Other".into(), ..threshold.clone() };
    let thresholds = [(Arc::clone(&title), threshold), ("Other".into(), other)].into();
    let (runbook, timezone) = ("Night".into(), "UTC".into());
    let (ledger, owners) = ("".into(), Vec::new());
    let definitions = Definitions {
        runbook,
        ledger,
        timezone,
        thresholds,
        sections: BTreeSet::new(),
        owners,
        policy: None,
        roster: None,
    };
    let mut engine = Engine::new(Arc::new(definitions), State::default());
    let mut now: Timestamp = "2026-03-05T22:00:00Z".parse().unwrap();
    let mut turn = |when: Option<bool>| {
        now = now.checked_add(secs(60)).unwrap();
        let judged = (0..many).map(|number| Judged {
            subject: Subject { threshold: Arc::clone(&title), labels: labels(number) },
            at: now,
            began: None,
            when: vec![when],
            until: None,
            escalate: Vec::new(),
            text: "errors are 50%".into(),
        });
        let judged = Input::Judged(judged.collect());
        let begun = Instant::now();
        engine.take(now, judged);
        begun.elapsed()
    };
    let [opened, same, over] = [turn(Some(true)), turn(Some(true)), turn(Some(false))];
    let present = BTreeSet::from([labels(0)]);
    let begun = Instant::now();
    engine.take(now, Input::Listed { threshold: title, present });
    let listed = begun.elapsed();
    assert!(engine.state().alerts.is_empty() && engine.state().watches.len() == 1);
    [opened, same, over, listed]
}

#[test]
#[expect(clippy::disallowed_macros, reason = "a measurement is told")]
fn many_label_sets_take_little_time_in_one_turn() {
    let plain = threshold("Errors");
    let grouped = Threshold { group_by: vec!["service".into()], ..plain.clone() };
    let quiet = Threshold { quiet_while: vec!["Other".into()], ..plain.clone() };
    for (name, threshold) in [("alone", plain), ("in one group", grouped), ("quiet while", quiet)] {
        let [opened, same, over, listed] = turns(threshold, MANY);
        println!("{MANY} {name}: {opened:.1?} to open, {same:.1?} the same, {over:.1?} to close, {listed:.1?} to go");
        // A loop over all of them for each of them takes minutes without optimization.
        let slowest = opened.max(same).max(over).max(listed);
        assert!(slowest < Duration::from_secs(15), "{name}: {slowest:?}");
    }
}
