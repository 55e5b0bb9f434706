//! Alerts of one group: who is told of which of them, once, and when it is over.

use std::sync::Arc;

use jiff::Timestamp;
use runbook::alerting::{Definitions, Escalate, EscalateWhen, Input, Judged, Raised, Subject, Threshold};
use runbook::types::{Labels, Severity};

use crate::cases::{Scene, judged, level, pod, policy, threshold, told};
use crate::random::secs;

#[test]
fn an_alert_that_was_told_alone_ends_alone_where_its_group_has_another_name() {
    let escalate = vec![Escalate { level: 1, when: EscalateWhen::After(secs(600)) }];
    let grouped = Threshold { escalate, group_by: vec!["service".into()], ..threshold() };
    let mut scene = Scene::of(grouped, policy(vec![level(1, None, "chat")], 0));
    let opened = scene.judged(Some(true), &pod("a"));
    scene.after(secs(600));
    let closed = scene.judged(Some(false), &pod("a"));
    assert_eq!(told(&closed), ["chat closed", "mail closed"]);
    assert_eq!(closed.tell[1].message.about, opened.tell[0].message.about);
}

#[test]
fn the_end_of_one_withdraws_nothing_of_those_gathered_with_it() {
    let mut scene = Scene::of(Threshold { group_by: vec!["service".into()], ..threshold() }, None);
    for name in ["a", "b", "c"] {
        scene.judged(Some(true), &pod(name));
    }
    let gathered = scene.after(secs(30));
    assert_eq!(told(&gathered), ["mail opened"]);
    let closed = scene.judged(Some(false), &pod("b"));
    assert_eq!(told(&closed), ["mail closed"]);
    assert!(!closed.withdraw.contains(&gathered.tell[0].message.key), "of #3 people would never hear");
}

#[test]
fn who_closes_an_incident_closes_nothing_that_nobody_has_heard_of() {
    let grouped = Threshold { severity: Severity::Critical, group_by: vec!["service".into()], ..threshold() };
    let mut scene = Scene::of(grouped, policy(vec![level(1, None, "pager")], 0));
    scene.judged(Some(true), &pod("a"));
    scene.after(secs(2));
    assert_eq!(told(&scene.judged(Some(true), &pod("b"))), [""; 0], "it is gathered");
    scene.after(secs(2));
    let closed = scene.take(Input::Close { incident: 1, by: "ann".into() });
    assert_eq!(told(&closed), ["mail closed", "pager closed", "mail opened", "pager opened"]);
    let incidents: Vec<_> = closed.tell.iter().map(|tell| tell.message.incident.as_ref().unwrap().number).collect();
    assert_eq!(incidents, [1, 1, 2, 2]);
    assert_eq!(scene.engine.state().alerts.keys().collect::<Vec<_>>(), [&2]);
    // What fires again is gathered with one that people know of.
    scene.after(secs(1));
    assert_eq!(told(&scene.judged(Some(true), &pod("a"))), [""; 0]);
    assert_eq!(told(&scene.after(secs(30))), ["mail opened"], "the pager escalates by itself");
    assert_eq!(scene.engine.state().incidents.keys().collect::<Vec<_>>(), [&2]);
}

#[test]
fn who_closes_an_incident_closes_the_alert_that_it_has_gone_on_with() {
    let grouped = Threshold { severity: Severity::Critical, group_by: vec!["service".into()], ..threshold() };
    let mut scene = Scene::of(grouped, policy(vec![level(1, None, "pager")], 0));
    scene.judged(Some(true), &pod("a"));
    scene.judged(Some(true), &pod("b"));
    assert_eq!(told(&scene.judged(Some(false), &pod("a"))), [""; 0], "the incident goes on with it");
    scene.take(Input::Acknowledge { incident: 1, by: "ann".into() });
    let closed = scene.take(Input::Close { incident: 1, by: "ann".into() });
    assert_eq!(told(&closed), ["mail closed", "pager closed"]);
    assert!(scene.engine.state().alerts.is_empty(), "it was closed with it");
    assert_eq!(told(&scene.after(secs(30))), [""; 0]);
}

fn posted(pod_name: &str, since: Option<i64>) -> Input {
    let (subject, raiser) = (Subject { threshold: threshold().title, labels: pod(pod_name) }, "its sender".into());
    let since = since.map(|since| Timestamp::from_second(since).unwrap());
    Input::Raised(Raised { subject, raiser, text: format!("{pod_name} is down").into(), since })
}

#[test]
fn what_is_posted_at_once_is_told_together() {
    let mut scene = Scene::of(Threshold { group_by: vec!["service".into()], ..threshold() }, None);
    let opened = scene.take(Input::Together(["a", "b", "c"].map(|name| posted(name, None)).to_vec()));
    assert_eq!(told(&opened), ["mail opened"]);
    assert_eq!(opened.tell[0].message.text, "3 alerts:\na is down\nb is down\nc is down");
}

#[test]
fn what_is_said_late_of_an_earlier_time_ends_nothing_that_began_after_it() {
    let mut scene = Scene::of(threshold(), None);
    let resolved = |at: i64| Input::Resolved {
        subject: Subject { threshold: threshold().title, labels: pod("a") },
        raiser: "its sender".into(),
        at: Some(Timestamp::from_second(at).unwrap()),
    };
    assert_eq!(told(&scene.take(posted("a", Some(100)))), ["mail opened"]);
    let over = scene.take(resolved(200));
    assert_eq!(told(&over), ["mail closed"]);
    assert_eq!(over.tell[0].message.text, "it is over: whoever posted it says so; before: a is down");
    assert_eq!(told(&scene.take(posted("a", Some(300)))), ["mail opened"]);
    assert_eq!(told(&scene.take(posted("a", Some(100)))), [""; 0], "it comes twice, and late");
    assert_eq!(told(&scene.take(resolved(200))), [""; 0], "another server of theirs says it once more");
    assert_eq!(told(&scene.take(resolved(400))), ["mail closed"]);
}

#[test]
fn an_incident_is_not_over_while_others_of_its_group_are_gathered() {
    let grouped = Threshold { severity: Severity::Critical, group_by: vec!["service".into()], ..threshold() };
    let mut scene = Scene::of(grouped, policy(vec![level(1, Some(secs(60)), "chat"), level(2, None, "sms")], 0));
    assert_eq!(told(&scene.judged(Some(true), &pod("a"))), ["mail opened", "chat opened"]);
    scene.after(secs(10));
    assert_eq!(told(&scene.judged(Some(true), &pod("b"))), [""; 0]);
    assert_eq!(told(&scene.judged(Some(false), &pod("a"))), [""; 0]);
    assert_eq!(told(&scene.after(secs(30))), ["mail opened", "chat opened"]);
    assert_eq!(told(&scene.after(secs(20))), ["sms escalated"]);
    assert_eq!(told(&scene.judged(Some(false), &pod("b"))), ["chat closed", "mail closed", "sms closed"]);

    // Also where they are over before their time.
    scene.judged(Some(true), &pod("a"));
    scene.judged(Some(true), &pod("b"));
    scene.judged(Some(false), &pod("a"));
    assert_eq!(told(&scene.judged(Some(false), &pod("b"))), ["chat closed", "mail closed"]);
}

#[test]
fn what_is_told_of_several_has_a_name_of_its_own_and_is_over_with_the_last() {
    let mut scene = Scene::of(Threshold { group_by: vec!["service".into()], ..threshold() }, None);
    let alone = scene.judged(Some(true), &pod("a"));
    for name in ["b", "c"] {
        scene.judged(Some(true), &pod(name));
    }
    let gathered = scene.after(secs(30));
    let name = &gathered.tell[0].message.about;
    assert_ne!(*name, alone.tell[0].message.about);
    let first = scene.judged(Some(false), &pod("b"));
    assert_ne!(first.tell[0].message.about, *name, "a pager would take it for the end of all");
    let end = scene.judged(Some(false), &pod("a"));
    assert_eq!(end.tell[0].message.about, alone.tell[0].message.about);
    let last = scene.judged(Some(false), &pod("c"));
    assert_eq!(told(&last), ["mail closed"]);
    assert_eq!(last.tell[0].message.about, *name);
}

#[test]
fn those_that_were_told_together_go_on_together() {
    let escalate = vec![Escalate { level: 1, when: EscalateWhen::After(secs(600)) }];
    let grouped = Threshold { escalate, group_by: vec!["service".into()], ..threshold() };
    let mut scene = Scene::of(grouped, policy(vec![level(1, None, "chat")], 0));
    for name in ["a", "b", "c"] {
        scene.judged(Some(true), &pod(name));
    }
    let name = scene.after(secs(30)).tell[0].message.about.clone();
    let escalated = scene.after(secs(570));
    assert_eq!(told(&escalated), ["chat escalated"]);
    assert_eq!(escalated.tell[0].message.about, name);
    assert_eq!(scene.engine.state().incidents[&1].alerts.len(), 3);
    for name in ["a", "b"] {
        scene.judged(Some(false), &pod(name));
    }
    assert_eq!(told(&scene.judged(Some(false), &pod("c"))), ["chat closed", "mail closed"]);
}

#[test]
fn those_that_open_together_are_told_together_and_none_is_left_when_the_known_one_is_over() {
    let mut scene = Scene::of(Threshold { group_by: vec!["service".into()], ..threshold() }, None);
    let all = |scene: &Scene, states: [(&str, bool); 2]| {
        Input::Judged(states.map(|(name, holds)| judged(scene.now, Some(holds), &pod(name))).to_vec())
    };
    let input = all(&scene, [("a", true), ("b", true)]);
    let opened = scene.take(input);
    assert_eq!(told(&opened), ["mail opened"]);
    assert!(opened.tell[0].message.facts.iter().any(|(_, value)| value == "#1, #2"), "{:?}", opened.tell[0].message);
    let input = all(&scene, [("a", false), ("b", false)]);
    assert_eq!(told(&scene.take(input)), ["mail closed", "mail closed"]);

    scene.judged(Some(true), &pod("a"));
    scene.after(secs(5));
    assert_eq!(told(&scene.judged(Some(true), &pod("b"))), [""; 0], "it is gathered");
    assert_eq!(told(&scene.judged(Some(false), &pod("a"))), ["mail closed", "mail opened"]);
    assert_eq!(told(&scene.judged(Some(false), &pod("b"))), ["mail closed"]);

    // Nobody hears that one begins which is over with the same sample.
    scene.judged(Some(true), &pod("a"));
    scene.judged(Some(true), &pod("b"));
    let input = all(&scene, [("a", false), ("b", false)]);
    assert_eq!(told(&scene.take(input)), ["mail closed"]);
}

#[test]
fn what_becomes_quiet_while_it_is_gathered_is_told_after_it() {
    let grouped = Threshold { group_by: vec!["service".into()], quiet_while: vec!["Cause".into()], ..threshold() };
    let cause = Threshold { title: "Cause".into(), notify: Vec::new(), ..threshold() };
    let mut scene = Scene::of(grouped.clone(), None);
    let thresholds = [grouped, cause].map(|one| (Arc::clone(&one.title), one)).into();
    scene.engine.redefine(Arc::new(Definitions { thresholds, ..scene.engine.definitions().clone() }));
    let of_cause = |scene: &Scene, holds| {
        let subject = Subject { threshold: "Cause".into(), labels: Labels::new() };
        Input::Judged(vec![Judged { subject, ..judged(scene.now, Some(holds), &Labels::new()) }])
    };
    assert_eq!(told(&scene.judged(Some(true), &pod("a"))), ["mail opened"]);
    scene.after(secs(5));
    assert_eq!(told(&scene.judged(Some(true), &pod("b"))), [""; 0]);
    let input = of_cause(&scene, true);
    assert_eq!(told(&scene.take(input)), [""; 0]);
    assert_eq!(told(&scene.judged(Some(false), &pod("a"))), ["mail closed"]);
    assert_eq!(told(&scene.after(secs(60))), [""; 0]);
    let input = of_cause(&scene, false);
    let after = [told(&scene.take(input)), told(&scene.judged(Some(true), &pod("b")))].concat();
    assert_eq!(after, ["mail opened"]);
}

#[test]
fn one_that_joins_is_told_to_those_who_are_paged_now() {
    let grouped = Threshold { severity: Severity::Critical, group_by: vec!["service".into()], ..threshold() };
    let mut scene = Scene::of(grouped, policy(vec![level(1, None, "old")], 0));
    assert_eq!(told(&scene.judged(Some(true), &pod("a"))), ["mail opened", "old opened"]);
    let edited = Some(Arc::new(policy(vec![level(1, None, "new")], 0)));
    scene.engine.redefine(Arc::new(Definitions { policy: edited, ..scene.engine.definitions().clone() }));
    assert_eq!(told(&scene.judged(Some(true), &pod("b"))), ["new opened"]);
    assert_eq!(told(&scene.after(secs(30))), ["mail opened", "new opened"]);
}

#[test]
fn those_that_nobody_could_see_and_turn_out_bad_together_are_told_so_together() {
    let grouped = Threshold { unknown_for: Some(secs(0)), group_by: vec!["service".into()], ..threshold() };
    let mut scene = Scene::of(grouped, None);
    let both = |scene: &Scene, when| Input::Judged(["a", "b"].map(|name| judged(scene.now, when, &pod(name))).to_vec());
    let input = both(&scene, None);
    assert_eq!(told(&scene.take(input)), ["mail opened"]);
    let input = both(&scene, Some(true));
    assert_eq!(told(&scene.take(input)), ["mail again"]);
}
