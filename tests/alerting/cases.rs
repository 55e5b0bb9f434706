//! One thing that alerting does at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use runbook::alerting::{
    Cause, Definitions, Engine, Escalate, EscalateWhen, Input, Judged, Level, Outcome, Policy, Quiet, State, Subject,
    Threshold,
};
use runbook::catalog::{Message, Occasion, Person};
use runbook::check::program::{Duty, Roster};
use runbook::types::{Labels, Severity};

use crate::random::secs;

const EVENING: &str = "2026-03-05T22:00:00Z";

pub(crate) fn threshold() -> Threshold {
    Threshold {
        title: "Errors".into(),
        severity: Severity::Warning,
        held: vec![secs(0)],
        unknown_for: None,
        notify: vec!["mail".into()],
        escalate: Vec::new(),
        quiet_while: Vec::new(),
        group_by: Vec::new(),
        every: None,
        doc: "".into(),
        link: None,
    }
}

pub(crate) fn level(number: u32, after: Option<SignedDuration>, channel: &str) -> Level {
    let notify = vec![channel.into()];
    Level { number, role: format!("R{number}").into(), respond: None, after, unless_acknowledged: true, notify }
}

pub(crate) fn policy(levels: Vec<Level>, repeat: u32) -> Policy {
    Policy { name: "night".into(), levels, repeat, by_hand: Vec::new() }
}

/// Alerting with one threshold, and a clock.
pub(crate) struct Scene {
    pub(crate) engine: Engine,
    pub(crate) now: Timestamp,
}

impl Scene {
    pub(crate) fn of(threshold: Threshold, policy: impl Into<Option<Policy>>) -> Self {
        let definitions = Definitions {
            roster: None,
            ledger: "".into(),
            runbook: "Night".into(),
            timezone: "UTC".into(),
            thresholds: [(Arc::clone(&threshold.title), threshold)].into(),
            sections: BTreeSet::new(),
            owners: vec!["pager".into()],
            policy: policy.into().map(Arc::new),
        };
        Self { engine: Engine::new(Arc::new(definitions), State::default()), now: EVENING.parse().unwrap() }
    }

    pub(crate) fn after(&mut self, time: SignedDuration) -> Outcome {
        self.now = self.now.checked_add(time).unwrap();
        self.take(Input::Tick)
    }

    pub(crate) fn take(&mut self, input: Input) -> Outcome {
        self.engine.take(self.now, input)
    }

    pub(crate) fn judged(&mut self, when: Option<bool>, labels: &Labels) -> Outcome {
        let escalates = self.engine.definitions().thresholds["Errors"].escalate.len();
        let escalate = vec![Some(true); escalates];
        self.take(Input::Judged(vec![Judged { escalate, ..judged(self.now, when, labels) }]))
    }

    pub(crate) fn levels(&self) -> Vec<u32> {
        self.engine.state().incidents.values().map(|incident| incident.level).collect()
    }
}

pub(crate) fn judged(at: Timestamp, when: Option<bool>, labels: &Labels) -> Judged {
    let subject = Subject { threshold: "Errors".into(), labels: labels.clone() };
    let text = "errors are 50%".into();
    Judged { subject, at, began: None, when: vec![when], until: None, escalate: Vec::new(), text }
}

pub(crate) fn pod(name: &str) -> Labels {
    [("pod".into(), name.into()), ("service".into(), "shop".into())].into()
}

/// `channel occasion`, in order.
pub(crate) fn told(outcome: &Outcome) -> Vec<String> {
    let line = |tell: &runbook::alerting::Tell| format!("{} {}", tell.channel, tell.message.occasion.name());
    outcome.tell.iter().map(line).collect()
}

#[test]
fn whoever_heard_of_an_alert_before_its_incident_hears_its_end() {
    let escalate = vec![Escalate { level: 1, when: EscalateWhen::After(secs(600)) }];
    let mut scene = Scene::of(Threshold { escalate, ..threshold() }, policy(vec![level(1, None, "chat")], 0));
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["mail opened"]);
    assert_eq!(told(&scene.after(secs(600))), ["chat escalated"]);
    assert_eq!(told(&scene.judged(Some(false), &Labels::new())), ["chat closed", "mail closed"]);
}

#[test]
fn what_hangs_could_not_look_since_it_was_begun() {
    let blind = Threshold { unknown_for: Some(secs(60)), ..threshold() };
    let mut scene = Scene::of(blind, None);
    scene.judged(Some(false), &Labels::new());
    scene.now = scene.now.checked_add(secs(40)).unwrap();
    let hung = |scene: &Scene, took| {
        let began = Some(scene.now.checked_sub(secs(took)).unwrap());
        Input::Judged(vec![Judged { began, ..judged(scene.now, None, &Labels::new()) }])
    };
    let input = hung(&scene, 30);
    assert_eq!(told(&scene.take(input)), [""; 0]);
    assert_eq!(told(&scene.after(secs(29))), [""; 0]);
    assert_eq!(told(&scene.after(secs(1))), ["mail opened"], "a minute since it was begun");
    assert_eq!(told(&scene.judged(Some(false), &Labels::new())), ["mail closed"]);
    // What another has seen meanwhile, somebody could see.
    scene.now = scene.now.checked_add(secs(10)).unwrap();
    let input = hung(&scene, 30);
    scene.take(input);
    assert_eq!(told(&scene.after(secs(49))), [""; 0]);
    assert_eq!(told(&scene.after(secs(1))), ["mail opened"]);
}

#[test]
fn a_level_whose_time_came_in_the_quiet_is_called_after_it() {
    let escalate = vec![Escalate { level: 2, when: EscalateWhen::After(secs(600)) }];
    let levels = vec![level(1, None, "chat"), level(2, None, "pager")];
    let mut scene = Scene::of(Threshold { escalate, ..threshold() }, policy(levels, 0));
    let until = scene.now.checked_add(secs(3600)).unwrap();
    let quiet = Quiet { thresholds: BTreeSet::from(["Errors".into()]), until };
    scene.take(Input::QuietBegins { by: "a section".into(), quiet });
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), [""; 0]);
    assert_eq!(told(&scene.after(secs(1200))), [""; 0]);
    assert_eq!(scene.engine.next_due(), Some(until), "nothing is due while it is quiet");
    assert_eq!(told(&scene.take(Input::QuietEnds { by: "a section".into() })), ["mail opened", "pager opened"]);
    assert_eq!(scene.levels(), [2]);
}

#[test]
fn the_last_level_waits_as_long_as_the_one_below_before_another_round() {
    let levels = vec![level(1, Some(secs(1800)), "chat"), level(2, None, "mail")];
    let critical = Threshold { severity: Severity::Critical, notify: Vec::new(), ..threshold() };
    let mut scene = Scene::of(critical, policy(levels, 1));
    scene.judged(Some(true), &Labels::new());
    assert_eq!(told(&scene.after(secs(1800))), ["mail escalated"]);
    assert_eq!(told(&scene.after(secs(1800))), ["chat escalated"]);
    assert_eq!(told(&scene.after(secs(1800))), ["mail escalated"]);
    assert_eq!(scene.engine.next_due(), None, "the second round is the last");
}

#[test]
fn a_round_that_begins_anew_begins_at_the_lowest_level() {
    let escalate = vec![Escalate { level: 2, when: EscalateWhen::AtOnce }];
    let levels = vec![level(1, Some(secs(1800)), "chat"), level(2, Some(secs(1800)), "mail")];
    let mut scene = Scene::of(Threshold { escalate, ..threshold() }, policy(levels, 1));
    scene.judged(Some(true), &Labels::new());
    assert_eq!(scene.levels(), [2]);
    scene.after(secs(1800));
    assert_eq!(scene.levels(), [1]);
    scene.judged(Some(true), &Labels::new());
    assert_eq!(scene.levels(), [1], "a sample that says what is known calls nobody");
}

#[test]
fn blindness_calls_the_level_of_its_threshold_at_once() {
    let escalate = vec![Escalate { level: 2, when: EscalateWhen::AtOnce }];
    let blind = Threshold { escalate, unknown_for: Some(secs(60)), severity: Severity::Critical, ..threshold() };
    let mut scene = Scene::of(blind, policy(vec![level(1, None, "chat"), level(2, None, "pager")], 0));
    scene.judged(None, &Labels::new());
    assert_eq!(told(&scene.after(secs(60))), ["mail opened", "pager opened"]);
    assert_eq!(scene.levels(), [2]);
}

#[test]
fn an_alert_of_blindness_that_turns_out_bad_is_written_down_as_such() {
    let mut scene = Scene::of(Threshold { unknown_for: Some(secs(60)), ..threshold() }, None);
    scene.judged(None, &Labels::new());
    scene.after(secs(60));
    let text = scene.engine.state().alerts[&1].text.clone();
    let sample = Judged { text, ..judged(scene.now, Some(true), &Labels::new()) };
    let outcome = scene.take(Input::Judged(vec![sample]));
    assert_eq!(scene.engine.state().alerts[&1].cause, Cause::When);
    assert!(outcome.touched.alerts.contains(&1));
}

#[test]
fn a_clock_that_is_set_back_blinds_nobody() {
    let mut scene = Scene::of(Threshold { held: vec![secs(300)], ..threshold() }, None);
    scene.judged(Some(true), &Labels::new());
    scene.now = scene.now.checked_sub(secs(3600)).unwrap();
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), [""; 0]);
    scene.after(secs(300));
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["mail opened"], "and not an hour later");
}

#[test]
fn a_sample_that_comes_too_late_says_nothing_new() {
    let mut scene = Scene::of(threshold(), None);
    scene.judged(Some(true), &Labels::new());
    let late = judged(scene.now.checked_sub(secs(1)).unwrap(), Some(false), &Labels::new());
    assert_eq!(told(&scene.take(Input::Judged(vec![late]))), [""; 0]);
    assert_eq!(scene.engine.state().alerts.len(), 1);
}

#[test]
fn a_channel_with_an_escalation_of_its_own_hears_of_an_incident_once() {
    let levels = vec![level(1, Some(secs(600)), "pager"), level(2, None, "pager")];
    let grouped = Threshold {
        severity: Severity::Critical,
        group_by: vec!["service".into()],
        notify: vec!["mail".into(), "pager".into()],
        ..threshold()
    };
    let mut scene = Scene::of(grouped, policy(levels, 0));
    assert_eq!(told(&scene.judged(Some(true), &pod("a"))), ["mail opened", "pager opened"]);
    scene.judged(Some(true), &pod("b"));
    assert_eq!(told(&scene.after(secs(30))), ["mail opened"]);
    assert_eq!(told(&scene.after(secs(570))), [""; 0]);
    assert_eq!(scene.levels(), [2]);
    scene.judged(Some(false), &pod("a"));
    assert_eq!(told(&scene.judged(Some(false), &pod("b"))), ["mail closed", "pager closed"]);
}

#[test]
fn of_a_level_that_it_is_handed_first_it_hears_the_opening() {
    let levels = vec![level(1, Some(secs(600)), "chat"), level(2, None, "pager")];
    let critical = Threshold { severity: Severity::Critical, ..threshold() };
    let mut scene = Scene::of(critical, policy(levels, 0));
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["mail opened", "chat opened"]);
    let next = scene.after(secs(600));
    assert_eq!(next.tell[0].message.occasion, Occasion::Opened);
    assert_eq!(told(&next), ["pager opened"]);
}

#[test]
fn an_alert_that_was_kept_quiet_is_told_with_the_next_sample_that_still_says_so() {
    let every = Some(secs(300));
    let quiet_for = |scene: &Scene, time| Quiet {
        thresholds: BTreeSet::from(["Errors".into()]),
        until: scene.now.checked_add(secs(time)).unwrap(),
    };
    let kept_quiet = || {
        let mut scene = Scene::of(Threshold { every, ..threshold() }, None);
        let quiet = quiet_for(&scene, 60);
        scene.take(Input::QuietBegins { by: "a section".into(), quiet });
        scene.judged(Some(true), &Labels::new());
        assert_eq!(told(&scene.after(secs(60))), [""; 0], "what was seen in the quiet may be over");
        scene
    };
    let mut over = kept_quiet();
    over.now = over.now.checked_add(secs(240)).unwrap();
    assert_eq!(told(&over.judged(Some(false), &Labels::new())), [""; 0]);
    assert!(over.engine.state().alerts.is_empty());

    let mut still = kept_quiet();
    still.now = still.now.checked_add(secs(240)).unwrap();
    assert_eq!(told(&still.judged(Some(true), &Labels::new())), ["mail opened"]);

    let mut blind = kept_quiet();
    blind.now = blind.now.checked_add(secs(240)).unwrap();
    assert_eq!(told(&blind.judged(None, &Labels::new())), ["mail opened"], "nobody can say that it is over");

    let mut never = kept_quiet();
    let due = never.engine.next_due().unwrap();
    assert_eq!(due.duration_since(never.now), secs(360), "a sample that does not come keeps nothing quiet");
    assert_eq!(told(&never.after(secs(359))), [""; 0]);
    assert_eq!(told(&never.after(secs(1))), ["mail opened"]);

    let mut again = kept_quiet();
    let quiet = quiet_for(&again, 600);
    again.take(Input::QuietBegins { by: "another".into(), quiet });
    assert_eq!(told(&again.judged(Some(true), &Labels::new())), [""; 0]);
    assert_eq!(told(&again.after(secs(400))), [""; 0], "it waits for the end of that one, too");
}

#[test]
fn an_alert_whose_threshold_is_gone_from_the_runbook_closes_and_says_so() {
    let critical = Threshold { severity: Severity::Critical, ..threshold() };
    let mut scene = Scene::of(critical, policy(vec![level(1, Some(secs(600)), "chat")], 0));
    scene.judged(Some(true), &Labels::new());
    let mut edited = scene.engine.definitions().clone();
    edited.thresholds.clear();
    scene.engine.redefine(Arc::new(edited));
    assert!(scene.engine.next_due().unwrap() <= scene.now, "it is due at once");
    let outcome = scene.take(Input::Tick);
    assert_eq!(told(&outcome), ["chat closed", "mail closed"]);
    assert!(outcome.tell[0].message.text.starts_with("its threshold is gone from the runbook"));
    let state = scene.engine.state();
    assert!(state.alerts.is_empty() && state.incidents.is_empty() && state.watches.is_empty());
    assert_eq!(scene.engine.next_due(), None);
}

#[test]
fn a_channel_that_was_taken_out_of_the_runbook_is_paged_no_more_and_that_in_its_place_is() {
    let critical = Threshold { severity: Severity::Critical, ..threshold() };
    let levels = |second: &str| vec![level(1, Some(secs(600)), "chat"), level(2, None, second)];
    let mut scene = Scene::of(critical, policy(levels("old"), 0));
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["mail opened", "chat opened"]);
    let edited = Some(Arc::new(policy(levels("new"), 0)));
    scene.engine.redefine(Arc::new(Definitions { policy: edited, ..scene.engine.definitions().clone() }));
    assert_eq!(told(&scene.after(secs(600))), ["new escalated", "mail escalated"]);
}

#[test]
fn who_is_paged_in_the_place_of_others_hears_of_what_is_open_once() {
    let warning = |channel: &str| Threshold { notify: vec![channel.into()], ..threshold() };
    let mut scene = Scene::of(warning("old"), None);
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["old opened"]);
    let edit = |scene: &mut Scene, threshold: Threshold, policy: Option<Policy>| {
        let thresholds = [(Arc::clone(&threshold.title), threshold)].into();
        let policy = policy.map(Arc::new);
        scene.engine.redefine(Arc::new(Definitions { thresholds, policy, ..scene.engine.definitions().clone() }));
        [told(&scene.after(secs(1))), told(&scene.after(secs(1)))]
    };
    assert_eq!(edit(&mut scene, warning("new"), None), [vec!["new opened"], vec![""; 0]]);
    assert_eq!(edit(&mut scene, warning("new"), None), [vec![""; 0], vec![""; 0]]);
    assert_eq!(told(&scene.judged(Some(false), &Labels::new())), ["new closed", "old closed"]);

    let critical = || Threshold { severity: Severity::Critical, ..threshold() };
    let level = |channel: &str| policy(vec![level(1, None, channel)], 0);
    let mut scene = Scene::of(critical(), level("chat"));
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["mail opened", "chat opened"]);
    assert_eq!(edit(&mut scene, critical(), Some(level("sms"))), [vec!["sms opened"], vec![""; 0]]);
    // Also where the threshold is the one that pages others.
    assert_eq!(edit(&mut scene, warning("more"), Some(level("sms"))), [vec!["more opened"], vec![""; 0]]);
    // Of what somebody has taken on it is said that they have.
    scene.take(Input::Acknowledge { incident: 1, by: "ann".into() });
    assert_eq!(edit(&mut scene, warning("last"), Some(level("sms"))), [vec!["last acknowledged"], vec![""; 0]]);
}

#[test]
fn a_clock_that_jumps_loses_no_level_and_calls_none_twice() {
    let critical = Threshold { severity: Severity::Critical, notify: Vec::new(), ..threshold() };
    let levels = || vec![level(1, Some(secs(1800)), "chat"), level(2, None, "pager")];
    let opened = || {
        let mut scene = Scene::of(critical.clone(), policy(levels(), 0));
        assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["chat opened"]);
        scene
    };
    let mut back = opened();
    back.now = back.now.checked_sub(secs(3600)).unwrap();
    assert_eq!(told(&back.take(Input::Tick)), [""; 0]);
    assert_eq!(told(&back.judged(Some(true), &Labels::new())), [""; 0], "what is known opens nothing anew");
    assert_eq!(told(&back.after(secs(3600))), [""; 0]);
    assert_eq!(told(&back.after(secs(1800))), ["pager opened"], "at the time that was written down");
    assert_eq!(told(&back.after(secs(86_400))), [""; 0]);

    let mut on = opened();
    assert_eq!(told(&on.after(secs(86_400))), ["pager opened"], "once, however long ago it was due");
    on.now = on.now.checked_sub(secs(86_400)).unwrap();
    assert_eq!(told(&on.after(secs(1800))), [""; 0], "and not again when the clock is right again");
    assert_eq!(on.levels(), [2]);
}

fn person(name: &str) -> Arc<Person> {
    Arc::new(Person { name: name.into(), email: Some(format!("{name}@example.com").into()), phone: None, slack: None })
}

#[test]
fn whoever_was_called_being_on_call_hears_how_it_goes_on_and_nobody_else() {
    let mut critical = Scene::of(
        Threshold { severity: Severity::Critical, ..threshold() },
        policy(vec![level(1, Some(secs(600)), "mail"), level(2, None, "chat")], 0),
    );
    let duty = |role: &str, name: &str| {
        let duty = Duty { people: vec![person(name)], handover: None, hours: Vec::new() };
        (Arc::<str>::from(role), duty)
    };
    let roles = [duty("R1", "ann"), duty("R2", "ben")].into();
    critical.engine.hand_over(Some(Arc::new(Roster { zone: TimeZone::UTC, roles })));
    let named = |outcome: &Outcome| -> Vec<String> {
        let names = |message: &Message| message.people().map(|person| person.name.to_string()).collect::<Vec<_>>();
        let line = |tell: &runbook::alerting::Tell| {
            format!("{} {}: {}", tell.channel, tell.message.occasion.name(), names(&tell.message).join(", "))
        };
        outcome.tell.iter().map(line).collect()
    };
    assert_eq!(named(&critical.judged(Some(true), &Labels::new())), ["mail opened: ann"]);
    assert_eq!(named(&critical.after(secs(600))), ["chat escalated: ben"]);
    let closed = critical.judged(Some(false), &Labels::new());
    assert_eq!(named(&closed), ["chat closed: ben", "mail closed: ann"]);
}

#[test]
fn what_is_told_later_says_what_is_so_then() {
    let critical = Threshold { severity: Severity::Critical, ..threshold() };
    let levels = vec![level(1, Some(secs(600)), "mail"), level(2, Some(secs(600)), "chat"), level(3, None, "mail")];
    let mut scene = Scene::of(critical, policy(levels, 0));
    let sample = |scene: &mut Scene, when, until, text: &str| {
        let judged = judged(scene.now, Some(when), &Labels::new());
        scene.take(Input::Judged(vec![Judged { until: Some(Some(until)), text: text.into(), ..judged }]))
    };
    let text = |outcome: &Outcome| outcome.tell[0].message.text.clone();
    assert_eq!(text(&sample(&mut scene, true, false, "load is 90% (> 80%)")), "load is 90% (> 80%)");
    sample(&mut scene, false, false, "load is 65%");
    assert_eq!(text(&scene.after(secs(600))), "load is 65%, not over yet; before: load is 90% (> 80%)");
    sample(&mut scene, true, false, "load is 95% (> 80%)");
    assert_eq!(text(&scene.after(secs(600))), "load is 95% (> 80%)");
    sample(&mut scene, false, false, "load is 70%");
    let over = sample(&mut scene, false, true, "load is 40%");
    assert_eq!(text(&over), "it is over: load is 40%; before: load is 95% (> 80%)");
    sample(&mut scene, true, false, "load is 90% (> 80%)");
    sample(&mut scene, false, false, "load is 65%");
    let listed = Input::Listed { threshold: "Errors".into(), present: BTreeSet::new() };
    assert_eq!(text(&scene.take(listed)), "it is over: load is 65%; before: load is 90% (> 80%)");
}

#[test]
fn thresholds_that_keep_each_other_quiet_keep_not_all_of_them_quiet() {
    let names = ["A", "B", "C"];
    let next = |at: usize| vec![names[(at + 1) % 3].into()];
    let circle = |at: usize| Threshold { title: names[at].into(), quiet_while: next(at), ..threshold() };
    let mut scene = Scene::of(threshold(), None);
    let thresholds = [0, 1, 2].map(|at| (names[at].into(), circle(at))).into();
    scene.engine.redefine(Arc::new(Definitions { thresholds, ..scene.engine.definitions().clone() }));
    let until = scene.now.checked_add(secs(60)).unwrap();
    scene.take(Input::Silence { threshold: None, labels: Labels::new(), until, by: "ann".into(), why: "works".into() });
    let of = |scene: &Scene, title: &str| {
        let subject = Subject { threshold: title.into(), labels: Labels::new() };
        Input::Judged(vec![Judged { subject, ..judged(scene.now, Some(true), &Labels::new()) }])
    };
    for title in names {
        let input = of(&scene, title);
        assert_eq!(told(&scene.take(input)), [""; 0]);
    }
    let mut all = told(&scene.after(secs(61)));
    for title in names {
        let input = of(&scene, title);
        all.extend(told(&scene.take(input)));
    }
    all.retain(|one| !one.is_empty());
    assert_eq!(all, ["mail opened"], "one of them is told, and keeps the others quiet");
    let quiet = scene.engine.state().alerts.values().filter(|alert| alert.quiet).count();
    assert_eq!(quiet, 2);
}

#[test]
fn what_could_not_be_seen_and_turns_out_bad_is_told_once_more() {
    let blind = |severity| Threshold { unknown_for: Some(secs(0)), severity, ..threshold() };
    for (severity, opened) in
        [(Severity::Warning, vec!["mail opened"]), (Severity::Critical, vec!["mail opened", "pager opened"])]
    {
        let mut scene = Scene::of(blind(severity), policy(vec![level(1, None, "pager")], 0));
        assert_eq!(told(&scene.judged(None, &Labels::new())), opened);
        scene.after(secs(5));
        let bad = scene.judged(Some(true), &Labels::new());
        assert_eq!(told(&bad), ["mail again"], "the pager escalates by itself");
        assert_eq!(told(&scene.judged(Some(true), &Labels::new())), [""; 0]);
        assert_eq!(told(&scene.judged(None, &Labels::new())), [""; 0]);
        assert_eq!(told(&scene.judged(Some(false), &Labels::new())).len(), opened.len());
    }
}

#[test]
fn who_took_it_on_before_the_next_level_was_called_is_not_forgotten() {
    let critical = Threshold { severity: Severity::Critical, notify: Vec::new(), ..threshold() };
    let first = Level { unless_acknowledged: false, ..level(1, Some(secs(600)), "chat") };
    let second = Level { respond: Some(secs(60)), ..level(2, None, "sms") };
    let mut scene = Scene::of(critical, policy(vec![first, second], 0));
    assert_eq!(told(&scene.judged(Some(true), &Labels::new())), ["chat opened"]);
    scene.take(Input::Acknowledge { incident: 1, by: "ann".into() });
    assert_eq!(told(&scene.after(secs(600))), ["sms escalated"]);
    let late = scene.after(secs(60));
    assert_eq!(told(&late), ["sms again"]);
    let text = &late.tell[0].message.text;
    assert!(text.starts_with("ann has taken it on before, and level 2 has not answered in time"), "{text}");
}
