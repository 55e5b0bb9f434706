//! `runbook diff`
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use serde_json::Value as Json;

use crate::program::{Folder, Output};

pub(crate) const BASE: &str = r#"runbook "Shop" { edition 1 }
param error_limit: percent = 5%
secret hook = env("HOOK")
secret pager_key = env("PAGER")
connect api = http("https://api.example.com")
connect cluster = kubernetes(namespace: "shop")
connect db = postgres(host: "db.example", database: "shop")
channel slack = slack(webhook: hook)
channel pager = pagerduty(key: pager_key)

metric errors: percent for service in ["web", "worker"] every 5m =
  cluster.logs(deployment: service, since: 1h) | share(.text ~ /error/i)

threshold "High Error Rate" critical {
  when errors > error_limit
  when unknown for 30m
  notify slack, pager
  escalate to level 2 after 10m
}

escalation matrix {
  level 1 "Operations" { notify slack respond within 30m escalate after 30m unless resolved }
  level 2 "On call" { notify pager respond within 15m escalate after 1h unless resolved }
  level 3 "Management" { notify slack, pager respond within 30m }
  repeat 2
}

section "Look" every 1h {
  step "Pods" {
    let pods = cluster.pods()
    check pods | all(.ready) as "every pod is ready" else critical "a pod is not ready"
    check pods | count > 2 as "enough pods" else warning
    show pods as "Pods"
  }
}

section "Care" daily at 02:00 within 1h {
  require api.answers("/health") as "the API answers"
  change db.execute("VACUUM ANALYZE orders") within 30m verify db.answers()
  for pod in cluster.pods() at most 3 {
    change cluster.delete_pod(pod.name) within 5m
  }
}

section "Backups" daily at 02:30 {
  check db.size() > 1GiB as "the database has data"
}

test "a full night" {
  run "Look"
  expect no alert
}
"#;

fn diff(old: &str, new: &str, args: &[&str]) -> Output {
    let folder = Folder::new();
    folder.write("old.runbook", old);
    folder.write("new.runbook", new);
    folder.run(&[&["diff", "old.runbook", "new.runbook"], args].concat())
}

#[track_caller]
pub(crate) fn edited(from: &str, to: &str) -> String {
    assert_eq!(BASE.matches(from).count(), 1, "`{from}` is there once");
    BASE.replace(from, to)
}

/// The findings as `chapter kind subject`.
#[track_caller]
fn findings(new: &str) -> Vec<(String, String, String)> {
    let output = diff(BASE, new, &["--format", "json"]);
    assert!(matches!(output.code, 0 | 2), "{}", output.stderr);
    let review: Json = serde_json::from_str(&output.stdout).unwrap();
    let runbooks = review["runbooks"].as_array().unwrap();
    let all = runbooks.iter().flat_map(|one| one["findings"].as_array().unwrap());
    let text = |finding: &Json, name: &str| finding[name].as_str().unwrap().to_owned();
    let found: Vec<_> = all.map(|one| (text(one, "chapter"), text(one, "kind"), text(one, "subject"))).collect();
    assert_eq!(output.code, if found.is_empty() { 0 } else { 2 });
    found
}

#[test]
fn the_base_is_valid() {
    Folder::with(BASE).run(&["check", "a.runbook"]).code(0);
}

#[test]
fn what_only_looks_otherwise_is_no_finding() {
    let pods = "  step \"Pods\" {\n    let pods = cluster.pods()\n";
    let backups = BASE.split_once("section \"Backups\"").unwrap().1.split_once("\n}\n").unwrap().0;
    let moved = BASE.replace(&format!("section \"Backups\"{backups}\n}}\n"), "");
    let moved = moved.replace("section \"Look\"", &format!("section \"Backups\"{backups}\n}}\n\nsection \"Look\""));
    for (what, new) in [
        ("nothing", BASE.to_owned()),
        ("a comment", edited(pods, &format!("  # Pods are looked at first.\n{pods}"))),
        ("a doc", edited("metric errors", "## Of an hour.\nmetric errors")),
        ("layout", edited("notify slack, pager\n", "notify   slack,\n         pager\n")),
        ("a section that was moved", moved),
        ("the same bound in another unit", edited("db.size() > 1GiB", "db.size() > 1024MiB")),
    ] {
        let findings = findings(&new);
        assert!(findings.is_empty(), "{what}: {findings:?}");
    }
    diff(BASE, &edited(pods, &format!("  # first\n{pods}")), &[]).code(0).out("1 line moved, reformatted");
}

#[test]
fn every_edit_that_does_something_is_found_and_weighed() {
    for (from, to, chapter, kind, subject) in [
        // Who is told.
        ("when errors > error_limit", "when errors > 8%", "told", "loosened", "High Error Rate"),
        ("when errors > error_limit", "when errors > 2%", "told", "safer", "High Error Rate"),
        ("when errors > error_limit", "when errors > error_limit for 20m", "told", "loosened", "High Error Rate"),
        ("percent = 5%", "percent = 9%", "told", "loosened", "High Error Rate"),
        ("percent = 5%", "percent = 9%", "inputs", "changed", "param error_limit"),
        ("when unknown for 30m\n", "", "told", "blind", "High Error Rate"),
        ("  notify slack, pager\n", "  notify slack\n", "told", "loosened", "High Error Rate"),
        ("\"High Error Rate\" critical", "\"High Error Rate\" warning", "told", "loosened", "High Error Rate"),
        ("level 2 after 10m", "level 2 after 40m", "told", "loosened", "High Error Rate"),
        ("respond within 15m escalate after 1h", "respond within 15m escalate after 3h", "told", "loosened", "level 2"),
        ("notify slack, pager respond", "notify slack respond", "told", "loosened", "level 3"),
        ("repeat 2", "repeat 1", "told", "loosened", "escalation matrix"),
        ("threshold \"High", "## What to do: look.\nthreshold \"High", "told", "changed", "High Error Rate"),
        ("slack(webhook: hook)", "slack(webhook: pager_key)", "told", "changed", "channel slack"),
        // What changes.
        ("VACUUM ANALYZE orders", "VACUUM FULL orders", "changes", "dangerous", "VACUUM FULL orders"),
        ("orders\") within 30m", "orders\")", "changes", "dangerous", "VACUUM ANALYZE orders"),
        (" verify db.answers()", "", "changes", "dangerous", "VACUUM ANALYZE orders"),
        (
            "  require api.answers(\"/health\") as \"the API answers\"\n",
            "",
            "changes",
            "dangerous",
            "VACUUM ANALYZE orders",
        ),
        (" at most 3 {", " at most 30 {", "changes", "dangerous", "delete_pod"),
        ("    change cluster.delete_pod(pod.name) within 5m\n", "    show pod\n", "changes", "safer", "delete_pod"),
        ("    show pods as \"Pods\"\n", "    change api.delete(\"/cache\")\n", "changes", "dangerous", "api.delete"),
        ("host: \"db.example\"", "host: \"db2.example\"", "changes", "dangerous", "VACUUM"),
        // Permissions.
        ("kubernetes(namespace: \"shop\")", "kubernetes(namespace: \"*\")", "permissions", "permissions", "kubernetes"),
        ("show pods as", "show cluster.services() as", "permissions", "permissions", "kubernetes"),
        ("https://api.example.com", "https://api.example.org", "permissions", "permissions", "the network"),
        // Blindness.
        ("    check pods | count > 2 as \"enough pods\" else warning\n", "", "blindness", "blind", "enough pods"),
        ("count > 2 as", "count > 1 as", "blindness", "blind", "enough pods"),
        ("count > 2 as", "count > 3 as", "blindness", "safer", "enough pods"),
        ("else critical \"a pod", "else warning \"a pod", "blindness", "blind", "every pod is ready"),
        ("let pods = cluster.pods()", "let pods = try cluster.pods() otherwise []", "blindness", "blind", "Look"),
        ("every 5m =", "every 10m =", "blindness", "blind", "metric errors"),
        ("/error/i", "/error/", "blindness", "changed", "metric errors"),
        (
            "  expect no alert\n",
            "  expect no alert\n  expect \"enough pods\" passed\n",
            "blindness",
            "changed",
            "a full night",
        ),
        // Schedules.
        ("daily at 02:00", "daily at 03:00", "schedules", "changed", "Care"),
        ("every 1h {", "every 2h {", "schedules", "blind", "Look"),
        ("section \"Look\" every 1h", "section \"Look\"", "schedules", "blind", "Look"),
        // What else there is.
        ("    show pods as \"Pods\"\n", "    show pods | count as \"Pods\"\n", "reads", "changed", "Look"),
        ("env(\"HOOK\")", "env(\"OTHER_HOOK\")", "inputs", "changed", "secret hook"),
        ("\"Shop\" {", "\"Shop\" { timezone \"Asia/Tokyo\"", "inputs", "changed", "time zone"),
    ] {
        let findings = findings(&edited(from, to));
        let fits = |(a, b, c): &(String, String, String)| a == chapter && b == kind && c.contains(subject);
        assert!(findings.iter().any(fits), "`{from}` to `{to}`: no {chapter} {kind} {subject} in {findings:#?}");
    }
}

#[test]
fn a_renamed_threshold_is_not_a_new_one() {
    let found = findings(&edited("threshold \"High Error Rate\"", "threshold \"Errors\""));
    let told: Vec<_> = found.iter().filter(|one| one.0 == "told").collect();
    assert_eq!(told.len(), 1, "{found:?}");
    assert_eq!(told[0].1, "changed");
}

#[test]
fn a_change_in_a_library_is_found_where_it_is_used() {
    let folder = Folder::new();
    for (side, body) in [("old", "VACUUM"), ("new", "VACUUM FULL")] {
        let library = format!(
            "library \"Care\" {{ edition 1 }}\nconnect db = postgres(host: \"db\", database: \"shop\")\ncommand tidy() changes {{\n  change db.execute(\"{body}\") within 5m\n}}\n"
        );
        folder.write(&format!("{side}/lib/care.runbook"), library);
        folder.write(&format!("{side}/a.runbook"), "use \"./lib/care\" as care\nsection \"Care\" { do care.tidy() }\n");
    }
    let output = folder.run(&["diff", "old", "new"]);
    output.code(2).out("VACUUM FULL").out("more dangerous");
    assert_eq!(output.stdout.matches("more dangerous").count(), 1, "{}", output.stdout);
}

#[test]
fn the_exit_code_can_be_for_some_kinds_only() {
    let tightened = edited("when errors > error_limit", "when errors > 2%");
    diff(BASE, &tightened, &[]).code(2);
    diff(BASE, &tightened, &["--fail-on", "loosened,blind,permissions"]).code(0);
    let blind = edited("every 5m =", "every 10m =");
    diff(BASE, &blind, &["--fail-on", "loosened,blind"]).code(2);
    diff(BASE, BASE, &["--fail-on", "lost"]).code(1).err("there are: loosened, blind");
}

#[test]
fn a_side_that_is_not_valid_is_named() {
    let broken = edited("show pods as", "show pots as");
    diff(BASE, &broken, &[]).code(1).err("new.runbook").err("it cannot be compared").no_out();
    diff(&broken, BASE, &[]).code(1).err("in old.runbook: it cannot be compared").no_out();
    let folder = Folder::with(BASE);
    folder.run(&["diff", "a.runbook", "."]).code(1).err("name two files, or two folders");
    folder.run(&["diff", "a.runbook"]).code(1).err("two sides are needed");
    folder.run(&["diff", "a.runbook", "none.runbook"]).code(1).err("none.runbook");
}

#[test]
fn new_gone_and_renamed_files_are_told_apart() {
    let folder = Folder::new();
    folder.write("old/a.runbook", BASE);
    folder.write("old/gone.runbook", "section \"Gone\" { check 1 < 2 as \"sane\" }\n");
    folder.write("new/b.runbook", BASE.replace("> 2 as", "> 1 as"));
    folder.write("new/fresh.runbook", "section \"Fresh\" { check 2 < 3 as \"well\" }\n");
    let output = folder.run(&["diff", "old", "new", "--format", "json"]);
    let review: Json = serde_json::from_str(&output.code(2).stdout).unwrap();
    let names: Vec<_> = review["runbooks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["before"].as_str(), one["after"].as_str()))
        .collect();
    assert!(names.contains(&(Some("a.runbook"), Some("b.runbook"))), "{names:?}");
    assert!(names.contains(&(Some("gone.runbook"), None)), "{names:?}");
    assert!(names.contains(&(None, Some("fresh.runbook"))), "{names:?}");
}

#[test]
fn nothing_in_a_runbook_forges_the_comment_or_the_screen() {
    let attack = "</details> <img src=x> @everyone [x](http://evil) `` ` | **ok** <!-- -->";
    let new = edited("else warning\n", &format!("else warning \"{attack}\"\n"));
    let new = new.replace("as \"enough pods\"", &format!("as \"enough pods {attack}\""));
    let comment = diff(BASE, &new, &["--format", "markdown"]).code(2).stdout.clone();
    // Outside of code spans nothing of it is left.
    for line in comment.lines().filter(|line| line.contains("evil")) {
        let plain = outside_of_code(line);
        for word in ["details", "<img", "@everyone", "http", "**ok**", "<!--"] {
            assert!(!plain.contains(word), "{word} in {plain:?} of {line:?}");
        }
        if line.starts_with('|') {
            let cells = line.replace("\\|", "").matches('|').count();
            assert_eq!(cells, 4, "{line}");
        }
    }
    assert!(comment.contains("evil"), "{comment}");
    let screen = diff(BASE, &edited("as \"enough pods\"", "as \"enough \\u{1b}[2J pods\""), &[]);
    assert!(!screen.stdout.contains('\u{1b}'), "{}", screen.stdout);
}

/// A line of Markdown without its code spans, by the rule of `CommonMark`: as many backticks end a span as begin it.
fn outside_of_code(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        plain.push_str(&rest[..start]);
        let fence: String = rest[start..].chars().take_while(|c| *c == '`').collect();
        let inner = &rest[start + fence.len()..];
        let mut from = 0;
        rest = loop {
            let Some(at) = inner[from..].find('`').map(|at| at + from) else { panic!("an open span in {line}") };
            let run = inner[at..].chars().take_while(|c| *c == '`').count();
            if run == fence.len() {
                break &inner[at + run..];
            }
            from = at + run;
        };
    }
    plain + rest
}

#[test]
fn a_long_comment_is_folded() {
    let mut new = BASE.to_owned();
    for number in 0..40 {
        new += &["section \"New ", "\" { check 1 < 2 as \"sane ", "\" }\n"].join(&number.to_string());
    }
    let comment = diff(BASE, &new, &["--format", "markdown"]).code(2).stdout.clone();
    let shown = comment.split("<details>").next().unwrap().lines().count();
    assert!(
        shown <= 62 && comment.contains("<details><summary>more</summary>") && comment.contains("</details>"),
        "{shown}"
    );
    assert!(comment.starts_with("<!-- runbook diff -->\n"), "{comment}");
    assert!(comment.contains("no connection was opened"), "{comment}");
}

#[test]
fn a_history_says_what_would_have_opened() {
    let folder = Folder::new();
    folder.write("old.runbook", BASE);
    folder.write("new.runbook", edited("when errors > error_limit", "when errors > 8%"));
    let mut lines = vec![r#"{"record":"ledger","version":1}"#.to_owned()];
    // Two hours: once 7%, once 20%, and once nobody could look.
    for look in 0..24_u32 {
        let value = match look {
            5 | 6 => "0.07",
            15..=17 => "0.2",
            20 => "null",
            _ => "0.01",
        };
        let why = if value == "null" { "\"no way\"" } else { "null" };
        let at = format!("2026-11-01T{:02}:{:02}:00Z", look / 12, look % 12 * 5);
        lines.push(format!(
            r#"{{"record":"sample","runbook":"Shop","metric":"errors","labels":[["service","web"]],"at":"{at}","value":{value},"why":{why}}}"#
        ));
    }
    lines.push(
        r#"{"record":"document","runbook":"Shop","kind":"incident","id":"7","opened_at":"2026-11-01T00:25:00Z","closed_at":"2026-11-01T00:35:00Z","body":{"number":7,"about":"x","title":"High Error Rate","labels":[["service","web"]],"severity":"critical","text":"","doc":"","alerts":[],"opened_at":"2026-11-01T00:25:00Z","end":{"how":"over","at":"2026-11-01T00:35:00Z"},"policy":{"name":"matrix","levels":[],"repeat":0,"by_hand":[]},"level":2,"round":1,"acknowledged":null,"respond_due":null,"next_due":null,"late":[],"told":[],"messages":1}}"#.to_owned(),
    );
    folder.write("history.jsonl", lines.join("\n"));
    let args = ["diff", "old.runbook", "new.runbook", "--history", "history.jsonl"];
    folder
        .run(&args)
        .code(2)
        .out("24 samples, 1 not measured; 2 alerts before, 1 now")
        .out("1 incidents would not have been told: #7")
        .out("numbers from recorded history, 2026-11-01T00:00:00Z to 2026-11-01T01:55:00Z");
    folder.write("history.jsonl", "{\"record\":\"sample\"}\n");
    folder.run(&args).code(1).err("line 1 of the history").err("runbook store export");
    folder.write("history.jsonl", "");
    folder.run(&args).code(1).err("the history is empty");
}
