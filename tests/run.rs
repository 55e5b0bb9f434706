//! Expressions and reads of a run: what is read how often, what is side by side, what poisons what.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

mod rehearsal;

use std::time::Duration;

use rehearsal::world::{fault, json, log, value};
use rehearsal::{runbook, section, step};
use runbook::shown::ShownBody;
use runbook::store::event::{Event, Status};
use runbook::types::{FaultKind, Value};

#[test]
fn shows_values_as_they_are() {
    let ran =
        step(r#"show 1 + 2  show { a: 1GiB, b: 5% }  show ["x", "y"]  show [1, 2, 3] | where(it > 1) | count"#).run();
    assert_eq!(
        ran.told(),
        [
            "show \"1 + 2\": 3",
            "show \"{ a: 1GiB, b: 5% }\": a=1GiB b=5%",
            "show \"[\"x\", \"y\"]\": [x; y] of 2",
            "show \"[1, 2, 3] | where(it > 1) | count\": 2"
        ]
    );
    assert_eq!((ran.finished.exit, ran.finished.status), (0, Status::Passed));
}

#[test]
fn makes_identical_reads_once() {
    let ran =
        step(r#"show lab.number("a")  check lab.number("a") == 1  let x = lab.number("a")  show x + lab.number("b")"#)
            .answers("a", [value(1).after(10), value(2)])
            .answers("b", [value(5).after(10)])
            .run();
    assert_eq!(
        ran.told(),
        [
            "show \"lab.number(\"a\")\": 1",
            "check \"lab.number(\"a\") == 1\": passed",
            "show \"x + lab.number(\"b\")\": 6"
        ]
    );
    assert_eq!((ran.world.times("read a"), ran.world.times("read b"), ran.world.times("open lab")), (1, 1, 1));
    assert_eq!(ran.took, Duration::from_millis(10));
}

#[test]
fn reads_side_by_side_across_steps_and_as_many_as_the_connection_takes() {
    let source = |at_once: u32| {
        let steps = (0..12)
            .map(|n| format!("step \"{n}\" {{ check lab.number(\"n{n}\") == 1 }}"))
            .collect::<Vec<_>>()
            .join("\n");
        format!("connect lab = lab(at_once: {at_once})\nsection \"S\" {{ {steps} }}")
    };
    for (at_once, took) in [(12, 50), (4, 150), (1, 600)] {
        let mut rehearsal = runbook(&source(at_once));
        for n in 0..12 {
            rehearsal = rehearsal.answers(&format!("n{n}"), [value(1).after(50)]);
        }
        let ran = rehearsal.run();
        assert_eq!(ran.took, Duration::from_millis(took));
        assert_eq!(ran.world.most_at_once(), at_once as usize);
        assert_eq!(ran.finished.counts.passed, 12);
    }
}

#[test]
fn reads_of_all_items_are_side_by_side() {
    let ran = step(r#"let names = lab.words("names")  check names | all(n => lab.number(n) > 0)  show names | sum(n => lab.number(n))"#)
        .answers("names", [value(Value::list(["a", "b", "c"].map(Value::string).to_vec())).after(5)])
        .answers("a", [value(1).after(20)])
        .answers("b", [value(2).after(20)])
        .answers("c", [value(3).after(20)])
        .run();
    assert_eq!(
        ran.told(),
        ["check \"names | all(n => lab.number(n) > 0)\": passed", "show \"names | sum(n => lab.number(n))\": 6"]
    );
    assert_eq!(ran.took, Duration::from_millis(25));
    assert_eq!(ran.world.calls().len(), 5);
}

#[test]
fn a_fault_poisons_only_what_needs_it() {
    let ran = step(
        r#"let bad = lab.number("bad")  show bad + 1  check bad > 1  check 1 < 2  show try bad on unreachable otherwise 7
           check (try bad on not_found otherwise 7) == 7"#,
    )
    .answers("bad", [fault(FaultKind::Unreachable, "no route")])
    .run();
    assert_eq!(
        ran.told(),
        [
            "show \"bad + 1\": unreachable: no route",
            "check \"bad > 1\": not measured, unreachable: no route",
            "check \"1 < 2\": passed",
            "show \"try bad on unreachable otherwise 7\": 7",
            "check \"(try bad on not_found otherwise 7) == 7\": not measured, unreachable: no route",
        ]
    );
    assert_eq!((ran.finished.exit, ran.finished.status), (3, Status::NotMeasured));
}

#[test]
fn a_let_that_nobody_looks_at_tells_of_its_own_fault() {
    let ran = step(r#"let bad = lab.number("bad")  if 1 > 2 { show bad }  check 1 < 2"#).run();
    assert_eq!(
        ran.told(),
        ["let bad = lab.number(\"bad\"): not_found: nothing answers `bad`", "check \"1 < 2\": passed"]
    );
    assert_eq!(ran.finished.exit, 3);
}

#[test]
fn logic_is_that_of_kleene() {
    let ran = step(
        r#"let bad = lab.flag("bad")  let yes = lab.flag("yes")  let no = lab.flag("no")
           check bad or yes  check yes or bad  check not (bad and no)  check not (no and bad)
           check bad or no   check bad and yes  check not bad"#,
    )
    .answers("yes", [value(true).after(5)])
    .answers("no", [value(false).after(9)])
    .run();
    let told = ran.told();
    assert_eq!(told.len(), 7);
    assert!(told[..4].iter().all(|line| line.ends_with("\": passed")), "{told:?}");
    assert!(told[4..].iter().all(|line| line.contains("\": not measured, ")), "{told:?}");
}

#[test]
fn all_of_nothing_is_not_measured() {
    let ran = step(r#"check lab.words("none") | all(it == "a")  check lab.words("none") | is_empty"#)
        .answers("none", [value(Value::list(Vec::new()))])
        .run();
    assert!(ran.told()[0].contains("\": not measured, "), "{:?}", ran.told());
    assert!(ran.told()[1].ends_with("\": passed"));
}

#[test]
fn a_log_that_was_cut_short_is_not_measured_but_shown() {
    let ran = step(
        r#"let lines = lab.log("l")  let errors = lines | where(.text ~ /error/)
           show errors  show errors | count  check errors | count > 0  check errors | count < 9 or 1 < 2
           show try lines | count on partial otherwise 0"#,
    )
    .answers("l", [log(&["an error", "ok", "error 2"], Some("it begins late"))])
    .run();
    assert_eq!(
        ran.told(),
        [
            "show \"errors\": [an error; error 2] of 2 (not whole: it begins late)",
            "show \"errors | count\": 2 (not whole: it begins late)",
            "check \"errors | count > 0\": not measured, partial: it begins late",
            "check \"errors | count < 9 or 1 < 2\": passed",
            "show \"try lines | count on partial otherwise 0\": 0",
        ]
    );
    assert_eq!(ran.world.times("read l"), 1);
}

#[test]
fn data_is_what_it_plainly_is() {
    let ran = step(
        r#"let d = lab.json("d")  show d.items[1].name  check d.count > 2  show d.contt  check d.items[0].name > 5
           show d?.gone?.deeper ?? "none"  show d.items[7]"#,
    )
    .answers("d", [json(serde_json::json!({ "count": 3, "items": [{ "name": "a" }, { "name": "b" }] }))])
    .run();
    let told = ran.told();
    assert_eq!(told[0], "show \"d.items[1].name\": b");
    assert!(told[1].ends_with("\": passed"));
    assert!(told[2].contains("`.contt` is not there: it has `count`, `items`"), "{}", told[2]);
    assert!(told[3].contains("\": not measured, "), "{}", told[3]);
    assert_eq!(told[4], "show \"d?.gone?.deeper ?? \"none\"\": none");
    assert!(told[5].contains("`[7]` of a list of 2"), "{}", told[5]);
}

#[test]
fn computes_nothing_that_has_no_result() {
    let ran = step(r#"let zero = lab.number("z")  check 5 / zero > 1  check 9223372036854775807 + zero + 1 > 1"#)
        .answers("z", [value(0)])
        .run();
    assert_eq!(
        ran.told().iter().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>(),
        [
            "not measured, no_value: division by zero: `5 / 0`",
            "not measured, no_value: `9223372036854775807 + 1` is out of range"
        ]
    );
}

#[test]
fn a_read_that_gives_no_answer_is_cut_off() {
    let ran = section(
        r#"step "A" within 10s { check lab.flag("slow")  check 1 < 2 }
           step "B" { check lab.flag("slower")  check lab.flag("own", within: 2m) }"#,
    )
    .answers("slow", [value(true).after(30_000)])
    .answers("slower", [value(true).after(90_000)])
    .answers("own", [value(true).after(90_000)])
    .run();
    assert_eq!(
        ran.told(),
        [
            "check \"lab.flag(\"slow\")\": not measured, timeout: step \"A\" is limited to 10s",
            "check \"1 < 2\": passed",
            "check \"lab.flag(\"slower\")\": not measured, timeout: `lab.flag` gave no answer within 1m",
            "check \"lab.flag(\"own\", within: 2m)\": passed",
        ]
    );
    assert_eq!(ran.finished.exit, 3);
}

#[test]
fn a_connection_that_cannot_be_opened_is_told_once() {
    let ran =
        runbook("connect lab = lab()\nsection \"S\" { check lab.flag(\"a\")  check lab.flag(\"b\")  check 1 < 2 }")
            .answers("open lab", [fault(FaultKind::Unreachable, "connection refused")])
            .run();
    let failed = ran.events().filter(|event| matches!(event, Event::ConnectionFailed { .. })).count();
    assert_eq!((failed, ran.world.times("open lab")), (1, 1));
    assert_eq!(ran.told()[0], "check \"lab.flag(\"a\")\": not measured, unreachable: `lab`: connection refused");
    assert_eq!(ran.told()[2], "check \"1 < 2\": passed");
}

#[test]
fn no_secret_is_told_even_by_the_other_side() {
    let ran = runbook("secret key = env(\"LAB_KEY\")\nconnect lab = lab(key: key)\nsection \"S\" { show lab.json(\"a\")  check lab.flag(\"b\") }")
        .answers("a", [json(serde_json::json!({ "echo": "Bearer hunter2-key" }))])
        .answers("b", [fault(FaultKind::Denied, "hunter2-key is no key")])
        .env("LAB_KEY", "hunter2-key")
        .run();
    assert_eq!(
        ran.told(),
        [
            "show \"lab.json(\"a\")\": echo=Bearer (secret)",
            "check \"lab.flag(\"b\")\": not measured, denied: (secret) is no key"
        ]
    );
}

#[test]
fn a_failed_check_says_what_decided_it() {
    let ran = step(r#"check lab.words("w") | all(it == "ok")  check lab.number("n") < 5 and 1 < 2"#)
        .answers("w", [value(Value::list(["ok", "bad", "worse"].map(Value::string).to_vec()))])
        .answers("n", [value(7)])
        .run();
    let evidence: Vec<_> = ran
        .events()
        .filter_map(|event| match event {
            Event::Checked(checked) => Some(checked.evidence.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(evidence[0][0].title.as_deref(), Some("2 of 3"));
    assert_eq!(evidence[0][0].body, ShownBody::Lines { lines: vec!["bad".into(), "worse".into()], total: 2 });
    assert_eq!(evidence[1].len(), 1);
    assert_eq!(evidence[1][0].title.as_deref(), Some("lab.number(\"n\")"));
    assert_eq!(ran.finished.exit, 4);
}

#[test]
fn severities_weigh_differently() {
    let exit = |body: &str| step(body).run().finished.exit;
    assert_eq!(exit("check 1 > 2 else info"), 0);
    assert_eq!(exit("check 1 > 2 else warning \"it is so\""), 0);
    assert_eq!(exit("check 1 > 2 else critical"), 4);
    assert_eq!(exit("check 1 > 2  check lab.flag(\"gone\")"), 4);
}

#[test]
fn commands_and_params_compute() {
    let ran = runbook(
        r#"connect lab = lab()
        param limit: int = 3
        command over(n: int) -> bool { let x = lab.number("n")  if x > n { return true }  return false }
        section "S" { show over(limit)  show over(10) }"#,
    )
    .answers("n", [value(7)])
    .set("limit", Value::Int(6))
    .run();
    assert_eq!(ran.told(), ["show \"over(limit)\": yes", "show \"over(10)\": no"]);
    assert_eq!(ran.world.times("read n"), 1);
}

#[test]
fn only_what_was_selected_is_run() {
    let ran = section(r#"let x = 4  step "A" { show x }  step "B" { show x + 1 }  check 1 < 2"#).only("B").run();
    assert_eq!(ran.told(), ["show \"x + 1\": 5"]);
}

#[test]
fn a_thousand_steps_cost_nothing() {
    let steps = (0..1000).map(|n| format!("step \"s{n}\" {{ check 1 < 2 }}")).collect::<Vec<_>>().join("\n");
    let ran = section(&steps).run();
    assert_eq!(ran.finished.counts.passed, 1000);
    assert_eq!(ran.took, Duration::ZERO);
}
