//! Statements in their order: barriers, guards, changes and their outcomes, consent, stops, and what closes a step.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

mod rehearsal;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};
use rehearsal::world::{failed, fault, value};
use rehearsal::{runbook, section, step};
use runbook::run::EventSink;
use runbook::store::event::{Event, ManualAnswer, Status};
use runbook::types::{Fault, FaultKind, Value};

const SET: &str = r#"change lab.set("x", to: 1)"#;

#[test]
fn a_change_waits_for_all_above_it_and_holds_back_all_below() {
    let ran = section(&format!(
        r#"step "A" {{ show lab.number("a")  {SET}  show lab.number("a") }}  step "B" {{ show lab.number("a")  show lab.number("b") }}"#
    ))
    .answers("a", [value(1).after(30), value(2).after(10)])
    .answers("b", [value(9).after(10)])
    .answers("set x", [value(1).after(100)])
    .approved()
    .run();
    assert_eq!(ran.world.calls(), ["open lab", "read a", "asked", "set x=1", "read a", "read b"]);
    assert_eq!(
        ran.told(),
        [
            "show \"lab.number(\"a\")\": 1",
            "change 1 \"lab.set(\"x\", to: 1)\": intended",
            "change 1 \"lab.set(\"x\", to: 1)\": done",
            "show \"lab.number(\"a\")\": 2",
            "show \"lab.number(\"a\")\": 2",
            "show \"lab.number(\"b\")\": 9"
        ]
    );
    assert_eq!(ran.took, Duration::from_millis(140));
    assert_eq!((ran.finished.exit, ran.finished.counts.changes_done), (0, 1));
}

#[test]
fn without_consent_the_run_stops_before_the_first_change() {
    for rehearsal in [
        step(&format!("check 1 < 2  {SET}  show 5")),
        step(&format!("check 1 < 2  {SET}  show 5")).asking(None, Duration::ZERO),
    ] {
        let ran = rehearsal.run();
        assert_eq!(
            ran.told(),
            [
                "check \"1 < 2\": passed",
                "change \"lab.set(\"x\", to: 1)\": withheld, not approved",
                "show 5: not reached, the run waits for approval"
            ]
        );
        assert!(ran.events().any(|event| matches!(event, Event::ApprovalNeeded { .. })));
        assert_eq!((ran.finished.exit, ran.finished.status), (5, Status::Stopped));
        assert_eq!(ran.world.times("set x=1"), 0);
    }
}

#[test]
fn read_only_withholds_changes_and_goes_on() {
    let ran = step(r#"change done = lab.set("x")  show done  show 5"#).read_only().run();
    assert_eq!(
        ran.told(),
        [
            "change \"lab.set(\"x\")\": withheld, read-only",
            "show \"done\": no_value: `lab.set(\"x\")` was not done",
            "show \"5\": 5"
        ]
    );
    assert_eq!(ran.finished.exit, 3);
    assert_eq!(step(&format!("{SET}  check 1 < 2")).read_only().run().finished.exit, 0);
}

#[test]
fn a_guard_holds_back_the_changes_below_it_in_its_step() {
    let ran = section(&format!(
        r#"step "A" {{ require lab.flag("no") as "calm"  {SET}  show 1 }}  step "B" {{ require lab.flag("gone") as "there"  {SET} }}  step "C" {{ {SET} }}"#
    ))
    .answers("no", [value(false)])
    .answers("set x", [value(1)])
    .approved()
    .run();
    assert_eq!(
        ran.told(),
        [
            "require \"calm\": failed",
            "change \"lab.set(\"x\", to: 1)\": withheld, guard \"calm\" failed",
            "show \"1\": 1",
            "require \"there\": not measured, not_found: nothing answers `gone`",
            "change \"lab.set(\"x\", to: 1)\": withheld, guard \"there\" not measured",
            // A guard speaks for its own step.
            "change 3 \"lab.set(\"x\", to: 1)\": intended",
            "change 3 \"lab.set(\"x\", to: 1)\": done",
        ]
    );
    assert_eq!((ran.finished.exit, ran.world.times("asked"), ran.world.times("set x=1")), (4, 1, 1));
}

#[test]
fn a_guard_is_read_again_after_the_run_waited_for_a_person() {
    let ran = step(&format!(r#"require lab.flag("calm") as "calm"  {SET}"#))
        .answers("calm", [value(true), value(false)])
        .answers("set x", [value(1)])
        .asking(Some("yes"), Duration::from_mins(10))
        .run();
    assert_eq!(
        ran.told(),
        [
            "require \"calm\": passed",
            "require \"calm\": failed",
            "change \"lab.set(\"x\", to: 1)\": withheld, guard \"calm\" failed"
        ]
    );
    assert_eq!(ran.finished.exit, 4);
    assert_eq!(ran.world.times("read calm"), 2);
}

#[test]
fn outcomes_of_changes_are_not_guessed() {
    for (kind, outcome) in [
        (FaultKind::Unreachable, "failed"),
        (FaultKind::Denied, "failed"),
        (FaultKind::Timeout, "unknown"),
        (FaultKind::BadAnswer, "unknown"),
    ] {
        let ran =
            step(&format!(r#"{SET}  change lab.set("y")"#)).answers("set x", [fault(kind, "no")]).approved().run();
        let told = ran.told();
        assert!(told[1].starts_with(&format!("change 1 \"lab.set(\"x\", to: 1)\": {outcome}, ")), "{told:?}");
        assert_eq!(told[2], "change \"lab.set(\"y\")\": withheld, earlier change \"lab.set(\"x\", to: 1)\"");
        assert_eq!(ran.finished.exit, 4);
    }
}

#[test]
fn a_change_that_went_out_and_was_not_answered_is_unknown() {
    let lost = Fault::new(FaultKind::Unreachable, "it closed the connection").sent();
    let ran = step(SET).answers("set x", [failed(lost)]).approved().run();
    assert_eq!(ran.told()[1], "change 1 \"lab.set(\"x\", to: 1)\": unknown, unreachable: it closed the connection");
}

#[test]
fn a_change_beyond_its_limit_is_unknown() {
    let ran = step(r#"change lab.set("x") within 5s"#).answers("set x", [value(1).after(60_000)]).approved().run();
    assert_eq!(
        ran.told(),
        [
            "change 1 \"lab.set(\"x\")\": intended",
            "change 1 \"lab.set(\"x\")\": unknown, timeout: the change is limited to 5s"
        ]
    );
    // The call is told the limit, and has a little longer to say how it ended: this one does not keep to it.
    assert_eq!(ran.took, Duration::from_secs(8));
    assert_eq!(ran.finished.counts.changes_unknown, 1);
}

#[test]
fn verify_is_polled_with_fresh_reads_and_decides() {
    let body = r#"change n = lab.set("x") verify lab.number("x") == n  show n"#;
    let ran = step(body)
        .answers("set x", [value(4)])
        .answers("x", [fault(FaultKind::Unreachable, "starting"), value(3), value(4)])
        .approved()
        .run();
    assert_eq!(
        ran.told(),
        ["change 1 \"lab.set(\"x\")\": intended", "change 1 \"lab.set(\"x\")\": done, verified", "show \"n\": 4"]
    );
    assert_eq!(ran.took, Duration::from_secs(2));
    let ran = step(body).answers("set x", [value(4)]).answers("x", [value(3)]).approved().run();
    assert_eq!(
        ran.told()[1],
        "change 1 \"lab.set(\"x\")\": failed, not verified, failed: it was made, and `verify` does not hold, \
         lab.number(\"x\") = 3, n = 4"
    );
    let ran = step(body).answers("set x", [value(4)]).approved().run();
    assert_eq!(
        ran.told()[1],
        "change 1 \"lab.set(\"x\")\": unknown, not_found: it was done, and `verify` could not look: nothing answers `x`"
    );
    assert_eq!(ran.took, Duration::from_secs(30));
}

#[test]
fn what_cannot_be_written_down_is_not_begun() {
    #[derive(Default)]
    struct Full(Mutex<Vec<Event>>);
    impl EventSink for Full {
        fn emit(&self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
        fn durable(&self, _: Event) -> BoxFuture<'_, Result<(), Fault>> {
            async { Err(Fault::new(FaultKind::Setup, "the disk is full")) }.boxed()
        }
    }
    let sink = Arc::new(Full::default());
    let ran = step(SET).answers("set x", [value(1)]).approved().sink(sink.clone()).run();
    assert_eq!(ran.world.times("set x=1"), 0);
    assert_eq!(ran.finished.counts.changes_withheld, 1);
    assert_ne!(ran.finished.exit, 0);
    assert!(sink.0.lock().unwrap().iter().any(|event| matches!(event, Event::ChangeWithheld { .. })));
}

#[test]
fn the_intent_is_written_before_the_call_and_the_outcome_after() {
    let ran = step(SET).answers("set x", [value(1).after(10)]).approved().run();
    let told = ran.told_as_told();
    assert_eq!(told, ["change 1 \"lab.set(\"x\", to: 1)\": intended", "change 1 \"lab.set(\"x\", to: 1)\": done"]);
}

#[test]
fn ctrl_c_drops_reads_and_says_what_was_not_reached() {
    let ran = step(&format!(r#"check lab.flag("slow")  show lab.number("quick")  {SET}  show 1"#))
        .answers("slow", [value(true).after(60_000)])
        .answers("quick", [value(1).after(10)])
        .cancelled_at(1_000)
        .run();
    assert_eq!(
        ran.told(),
        [
            "check lab.flag(\"slow\"): not reached, the run was stopped",
            "show \"lab.number(\"quick\")\": 1",
            "change \"lab.set(\"x\", to: 1)\": withheld, the run was stopped",
            "show 1: not reached, the run was stopped",
        ]
    );
    assert_eq!((ran.finished.exit, ran.finished.status, ran.took), (130, Status::Stopped, Duration::from_secs(1)));
    assert!(ran.events().any(|event| matches!(event, Event::Interrupted { .. })));
}

#[test]
fn ctrl_c_waits_for_a_change_in_flight_and_a_second_one_does_not() {
    let source = |takes: u64| step(&format!("{SET}  show 1")).answers("set x", [value(1).after(takes)]).approved();
    let ran = source(20_000).cancelled_at(1_000).run();
    assert_eq!(
        ran.told()[1..],
        ["change 1 \"lab.set(\"x\", to: 1)\": done", "show 1: not reached, the run was stopped"]
    );
    assert_eq!((ran.finished.exit, ran.took), (130, Duration::from_secs(20)));
    let ran = source(60_000).cancelled_at(1_000).run();
    assert_eq!(
        ran.told()[1],
        "change 1 \"lab.set(\"x\", to: 1)\": unknown, cancelled: the run was stopped while the change was under way"
    );
    assert_eq!(ran.took, Duration::from_secs(31));
    let ran = source(60_000).cancelled_at(1_000).aborted_at(3_000).run();
    assert_eq!(
        ran.told()[1],
        "change 1 \"lab.set(\"x\", to: 1)\": unknown, cancelled: the run was stopped while the change was under way"
    );
    assert_eq!(ran.took, Duration::from_secs(3));
}

#[test]
fn ctrl_c_while_consent_is_asked_changes_nothing() {
    let ran = step(SET).asking(Some("yes"), Duration::from_secs(9)).cancelled_at(1_000).run();
    assert_eq!(ran.told(), ["change \"lab.set(\"x\", to: 1)\": withheld, the run was stopped"]);
    assert_eq!(ran.finished.exit, 130);
}

#[test]
fn what_closes_a_step_runs_when_it_is_for() {
    let with =
        |body: &str| format!(r#"step "A" {{ {body} on failure {{ show "failed" }} always {{ show "closed" }} }}"#);
    assert_eq!(section(&with("check 1 < 2")).run().told(), ["check \"1 < 2\": passed", "show \"\"closed\"\": closed"]);
    assert_eq!(
        section(&with("check 1 > 2")).run().told(),
        ["check \"1 > 2\": failed", "show \"\"failed\"\": failed", "show \"\"closed\"\": closed"]
    );
    let ran = section(&with(r#"check lab.flag("gone")"#)).run();
    assert_eq!(ran.told()[1..], ["show \"\"failed\"\": failed", "show \"\"closed\"\": closed"]);
    let ran = section(&with(r#"check lab.flag("slow")"#))
        .answers("slow", [value(true).after(60_000)])
        .cancelled_at(1_000)
        .run();
    assert_eq!(
        ran.told(),
        ["check lab.flag(\"slow\"): not reached, the run was stopped", "show \"\"closed\"\": closed"]
    );
    assert_eq!(ran.finished.exit, 130);
}

#[test]
fn what_closes_after_a_stop_has_little_time() {
    let ran = section(r#"step "A" { check lab.flag("slow") always { show lab.number("slower") } }"#)
        .answers("slow", [value(true).after(60_000)])
        .answers("slower", [value(1).after(60_000)])
        .cancelled_at(1_000)
        .run();
    assert_eq!(
        ran.told(),
        [
            "check lab.flag(\"slow\"): not reached, the run was stopped",
            "show lab.number(\"slower\"): not reached, the run was stopped, and its time to close is over"
        ]
    );
    assert_eq!(ran.took, Duration::from_secs(11));
}

#[test]
fn a_wait_polls_until_it_is_true_or_its_time_is_over() {
    let body = r#"wait until lab.flag("up") every 2s within 10s  show lab.number("n")"#;
    let ran = step(body)
        .answers("up", [value(false), fault(FaultKind::Unreachable, "no"), value(true)])
        .answers("n", [value(1)])
        .run();
    assert_eq!(ran.told(), ["wait lab.flag(\"up\"): passed after 3 polls in 4s", "show \"lab.number(\"n\")\": 1"]);
    assert_eq!(ran.took, Duration::from_secs(4));
    let ran = step(body).answers("up", [value(false)]).answers("n", [value(1)]).run();
    assert_eq!(ran.told()[0], "wait lab.flag(\"up\"): failed after 6 polls in 10s");
    assert_eq!((ran.took, ran.finished.exit), (Duration::from_secs(10), 4));
    let ran = step(&format!("{body} {SET}")).answers("n", [value(1)]).approved().run();
    assert!(ran.told()[0].starts_with("wait lab.flag(\"up\"): not measured after "));
    assert!(ran.told()[2].contains("\": withheld, "));
}

#[test]
fn retry_repeats_with_fresh_reads_and_only_the_last_round_counts() {
    let body = r#"retry 3 every 1s { check lab.flag("up") as "up" }"#;
    let ran = step(body).answers("up", [value(false), fault(FaultKind::Unreachable, "no"), value(true)]).run();
    assert_eq!(
        ran.told(),
        ["retry: round 1 of 3 did not do", "retry: round 2 of 3 did not do, unreachable: no", "check \"up\": passed"]
    );
    assert_eq!((ran.finished.exit, ran.finished.counts.passed, ran.finished.counts.failed), (0, 1, 0));
    let ran = step(body).answers("up", [value(false)]).run();
    assert_eq!(
        ran.told(),
        ["retry: round 1 of 3 did not do", "retry: round 2 of 3 did not do", "check \"up\": failed"]
    );
    assert_eq!((ran.finished.exit, ran.world.times("read up")), (4, 3));
}

#[test]
fn retry_repeats_changes_that_may_be_repeated() {
    let ran = step(r#"retry 3 every 1s { change lab.touch("x") }  change lab.touch("y")"#)
        .answers("touch x", [fault(FaultKind::Unreachable, "no"), value(1)])
        .answers("touch y", [value(1)])
        .approved()
        .run();
    assert_eq!(ran.world.calls()[2..], ["touch x", "touch x", "touch y"]);
    assert_eq!((ran.finished.exit, ran.finished.counts.changes_done, ran.finished.counts.changes_failed), (0, 2, 0));
}

#[test]
fn loops_that_change_go_one_by_one_and_know_their_bound() {
    let body = r#"for n in lab.words("names") at most 2 { change lab.set(n)  show n }"#;
    let names = |names: &[&str]| value(Value::list(names.iter().copied().map(Value::string).collect()));
    let ran = step(body)
        .answers("names", [names(&["a", "b"])])
        .answers("set a", [value(1).after(10)])
        .answers("set b", [value(1).after(10)])
        .approved()
        .run();
    assert_eq!(ran.world.calls()[2..], ["asked", "set a", "set b"]);
    assert_eq!((ran.took, ran.world.most_at_once()), (Duration::from_millis(20), 1));
    let ran = step(body).answers("names", [names(&["a", "b", "c"])]).approved().run();
    assert_eq!(ran.told(), ["change \"lab.set(n)\": withheld, 3 found, at most 2"]);
    assert_eq!((ran.finished.exit, ran.world.times("asked")), (4, 0));
}

#[test]
fn loops_that_read_go_side_by_side_in_the_order_of_the_source() {
    let ran = section(r#"step "T" for n in ["c", "a", "b"] { for m in [1, 2] { show lab.number("{n}{m}") } }"#)
        .answers("c1", [value(1).after(30)])
        .answers("c2", [value(2).after(10)])
        .answers("a1", [value(3).after(20)])
        .answers("a2", [value(4)])
        .answers("b1", [value(5)])
        .answers("b2", [value(6).after(5)])
        .run();
    assert_eq!(
        ran.told(),
        [
            "show \"lab.number(\"{n}{m}\")\": 1",
            "show \"lab.number(\"{n}{m}\")\": 2",
            "show \"lab.number(\"{n}{m}\")\": 3",
            "show \"lab.number(\"{n}{m}\")\": 4",
            "show \"lab.number(\"{n}{m}\")\": 5",
            "show \"lab.number(\"{n}{m}\")\": 6"
        ]
    );
    assert_eq!(ran.took, Duration::from_millis(30));
    let labels: Vec<_> = ran
        .events()
        .filter_map(|event| match event {
            Event::StepStarted { label, .. } => label.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(labels, ["n=c", "n=a", "n=b"]);
}

#[test]
fn a_person_answers_or_nobody_does() {
    let body = format!(r#"manual "unplug it"  {SET}"#);
    let ran = step(&body).answers("set x", [value(1)]).person(ManualAnswer::Done).approved().run();
    assert_eq!((ran.told()[0].as_str(), ran.finished.exit), ("manual \"unplug it\": done", 0));
    for (rehearsal, exit) in [(step(&body).person(ManualAnswer::Problem), 4), (step(&body), 3)] {
        let ran = rehearsal.approved().run();
        assert!(ran.told()[1].contains("\": withheld, "), "{:?}", ran.told());
        assert_eq!(ran.finished.exit, exit);
    }
}

#[test]
fn a_command_that_changes_writes_down_what_it_does() {
    let ran = runbook(
        r#"connect lab = lab()
        command both(name: string) -> int changes { change lab.set(name, to: 1)  change n = lab.set(name, to: 2)  return n }
        section "S" { change n = both("x")  show n }"#,
    )
    .answers("set x", [value(1), value(2)])
    .approved()
    .run();
    assert_eq!((ran.world.times("set x=1"), ran.world.times("set x=2"), ran.world.times("asked")), (1, 1, 1));
    assert_eq!(ran.told().last().unwrap(), "show \"n\": 2");
    assert_eq!((ran.finished.exit, ran.finished.counts.changes_done), (0, 1));
}

#[test]
fn a_section_that_takes_too_long_changes_nothing_more() {
    let ran = runbook(&format!(
        r#"connect lab = lab()
        section "S" within 5s {{ show lab.number("slow")  {SET} }}
        section "U" {{ show 1 }}"#
    ))
    .answers("slow", [value(1).after(30_000)])
    .approved()
    .run();
    assert_eq!(
        ran.told(),
        [
            "show \"lab.number(\"slow\")\": timeout: section \"S\" is limited to 5s",
            "change \"lab.set(\"x\", to: 1)\": withheld, section \"S\" is limited to 5s",
            "show \"1\": 1",
        ]
    );
    assert_eq!(ran.took, Duration::from_secs(5));
}

#[test]
fn what_tells_people_is_handed_on() {
    let ran = runbook(
        r#"channel mail = email(to: ["a@example.com"])
        threshold "T" warning { notify mail }
        threshold "U" warning { notify mail }
        section "S" { notify mail "hello {1 + 1}"  check 1 > 2 else raise "T"  raise "U" "it is so" }"#,
    )
    .run();
    let said = ran.records.iter().filter_map(|record| match &record.event {
        Event::Notified { channels, message, .. } => Some(format!("{}: {message:?}", channels.join(" "))),
        Event::Raised { threshold, message, .. } => Some(format!("{threshold}: {message:?}")),
        Event::Checked(checked) => Some(format!("{:?} raises {:?}", checked.outcome, checked.raises)),
        _ => None,
    });
    let mut said: Vec<String> = said.collect();
    said.sort();
    assert_eq!(said, ["Failed raises Some(\"T\")", "U: Some(\"it is so\")", "mail: Some(\"hello 2\")"]);
    assert_eq!((ran.finished.exit, ran.finished.counts.warned), (0, 1));
}
