//! What `runbook diff` says of tests, of the check, and of what is recorded.

use jiff::{SignedDuration, Timestamp};
use runbook::store::ledger::{FILE, Ledger, Sample};
use runbook::types::Labels;
use serde_json::Value as Json;

use crate::program::Folder;

const BASE: &str = r#"runbook "Shop" { edition 1 }
param limit: percent = 5%
secret hook = env("HOOK")
connect api = http("https://api.example.com")
channel slack = slack(webhook: hook)

metric errors: percent every 5m = if api.answers("/") then 0% else 100%

threshold "Down" warning {
  when errors > limit
  notify slack
}

section "Look" every 1h {
  measure errors
  check api.answers("/") as "the API answers" else warning
}

test "somebody is told" {
  given api.answers("/") is false
  run "Look"
  expect alert "Down" warning
}

test "never right" {
  given api.answers("/") is true
  run "Look"
  expect alert "Down" warning
}
"#;

const ARGS: [&str; 3] = ["diff", "old.runbook", "new.runbook"];

fn sides(new: &str) -> Folder {
    let folder = Folder::new();
    folder.write("old.runbook", BASE);
    folder.write("new.runbook", new);
    folder
}

#[test]
fn tests_that_fail_are_said_with_whether_they_did_before() {
    let commented = sides(&format!("# looked at\n{BASE}"));
    let output = commented.run(&ARGS);
    output.code(0).out("nothing does anything else than before · ❌ 1 test fails").out("TESTS AND WARNINGS");
    output.out("❌ never right: fails, and did before").lacks("somebody is told");
    let folder = sides(&BASE.replace("given api.answers(\"/\") is false", "given api.answers(\"/\") is true"));
    folder.run(&ARGS).code(2).out("1 changed · ❌ 2 tests fail").out("❌ somebody is told: fails   new.runbook:22");
    folder.run(&[&ARGS[..], &["--fail-on", "test"]].concat()).code(2);
    folder.run(&[&ARGS[..], &["--fail-on", "loosened,warning"]].concat()).code(0);
    let comment = folder.run(&[&ARGS[..], &["--format", "markdown"]].concat());
    comment.code(2).out("#### Tests and warnings").out("❌ `somebody is told` **fails** · `new.runbook`:22");
    let json: Json =
        serde_json::from_str(&folder.run(&[&ARGS[..], &["--format", "json"]].concat()).code(2).stdout).unwrap();
    let remarks = json.pointer("/runbooks/0/remarks").unwrap().as_array().unwrap();
    let said = |name: &str| remarks.iter().map(|remark| remark.get(name).unwrap().clone()).collect::<Vec<_>>();
    assert_eq!((said("about"), said("before")), (vec!["test".into(); 2], vec![false.into(), true.into()]));
    // A change of behaviour that a test was there for.
    let loosened = sides(&BASE.replace("percent = 5%", "percent = 100%"));
    loosened.run(&ARGS).code(2).out("loosened").out("❌ somebody is told: fails ");
}

#[test]
fn only_warnings_that_are_new_are_said() {
    let old = BASE.replace("connect api", "param former: int = 1\nconnect api");
    let folder = sides(&old.replace("connect api", "param later: int = 1\nconnect api"));
    folder.write("old.runbook", &old);
    let output = folder.run(&[&ARGS[..], &["--fail-on", "warning"]].concat());
    output.code(2).out("⚠ 1 new warning").out("`later`").lacks("`former`");
    // One that is gone is none.
    folder.write("new.runbook", BASE);
    folder.run(&[&ARGS[..], &["--fail-on", "warning"]].concat()).code(0).lacks("⚠");
}

#[test]
fn a_title_cannot_forge_the_comment() {
    let hostile = BASE.replace("test \"never right\"", "test \"a`](x)<img src=x> @ops ## all is well\"");
    let folder = sides(&hostile.replace("percent = 5%", "percent = 6%"));
    let comment = folder.run(&[&ARGS[..], &["--format", "markdown"]].concat());
    comment.code(2).out("``a`](x)<img src=x> @ops ## all is well``");
}

#[test]
fn what_is_recorded_here_is_a_history() {
    let folder = sides(&BASE.replace("percent = 5%", "percent = 8%"));
    let args = [&ARGS[..], &["--recorded"]].concat();
    folder.run(&args).code(1).err("nothing is recorded").err("ledger.sqlite").err("--history FILE");
    let at: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let mut ledger = Ledger::open(&folder.path("state").join(FILE)).unwrap();
    let samples: Vec<Sample> = (0..24)
        .map(|look| {
            let value = match look {
                5 | 6 => Some(0.07),
                15..=17 => Some(0.2),
                20 => None,
                _ => Some(0.01),
            };
            let why = value.is_none().then(|| "no way".to_owned());
            let at = at + SignedDuration::from_mins(look * 5);
            Sample { metric: "errors".into(), labels: Labels::new(), at, value, why }
        })
        .collect();
    ledger.record("Shop", &samples).unwrap();
    let output = folder.run(&args);
    output.code(2).out("24 samples, 1 not measured; 2 alerts before, 1 now").out("to 2026-11-01T01:55:00Z");
    // The same as of its export.
    folder.write("history.jsonl", folder.run(&["store", "export"]).code(0).stdout.clone());
    let exported = folder.run(&[&ARGS[..], &["--history", "history.jsonl"]].concat());
    assert_eq!(exported.code(2).stdout, output.stdout);
    // A ledger that is damaged is no empty one.
    folder.write("state/ledger.sqlite", "garbage");
    folder.run(&args).code(1).err("ledger.sqlite");
}

#[test]
fn standing_approvals_that_an_edit_makes_void_are_named() {
    let text = "runbook \"A\" { edition 1 }\ntool mark(text: string) changes = argv(\"touch\", text)\nsection \"A\" {\n  change mark(\"x\")\n}\n";
    let folder = Folder::with(text);
    folder.run(&["approve", "a.runbook", "--as", "dba", "--plan", &folder.hash()]).code(0);
    folder.write("b.runbook", text.replace("\"x\"", "\"y\""));
    folder.run(&["diff", "a.runbook", "b.runbook"]).code(2).lacks("approval");
    let output = folder.run(&["diff", "--recorded", "a.runbook", "b.runbook"]);
    output.code(2).out("approval ").out("as \"dba\"").out("void: what it covers was edited");
    folder.write("b.runbook", text.replace("section \"A\"", "# tidy\nsection \"B\""));
    folder.run(&["diff", "--recorded", "a.runbook", "b.runbook"]).lacks("void");
}
