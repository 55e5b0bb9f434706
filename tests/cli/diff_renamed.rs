//! `runbook diff`: what is only called otherwise is said once, and not wherever its name stands.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use serde_json::Value as Json;

use crate::diff::{BASE, edited};
use crate::program::Folder;

/// What is replaced by what.
type Places<'t> = &'t [(&'t str, &'t str)];

/// A base in which everything has a name that stands in several places.
fn base() -> String {
    let own = "tool greet(name: string) changes = argv(\"./greet.sh\", name)\n\
               command look() { show db.size() as \"Size\" }\n\n\
               section \"More\" {\n  do look()\n  change greet(\"a\") within 1m\n  check db.size() < 1TiB\n  show history(errors, over: 1d) as \"Errors\"\n}\n\n\
               test \"errors\" {\n  given errors is 6%\n  after 1m\n  expect alert \"High Error Rate\"\n}\n";
    format!("{BASE}\n{own}")
}

/// `kind subject: headline` of each finding.
#[track_caller]
fn findings(old: &str, new: &str, more: &[&str]) -> Vec<String> {
    let folder = Folder::new();
    folder.write("old.runbook", old);
    folder.write("new.runbook", new);
    let output = folder.run(&[&["diff", "old.runbook", "new.runbook", "--format", "json"], more].concat());
    assert!(matches!(output.code, 0 | 2), "{}", output.stderr);
    let review: Json = serde_json::from_str(&output.stdout).unwrap();
    let all = review["runbooks"].as_array().unwrap().iter().flat_map(|one| one["findings"].as_array().unwrap());
    let text = |finding: &Json, name: &str| finding[name].as_str().unwrap().to_owned();
    all.map(|one| format!("{} {}: {}", text(one, "kind"), text(one, "subject"), text(one, "headline"))).collect()
}

/// A text with a word written otherwise, but in texts, and where it is a field or the name of an argument.
fn renamed(text: &str, places: Places<'_>) -> String {
    places.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "`{from}` is there");
        text.replace(from, to)
    })
}

#[test]
fn a_name_that_people_use_is_one_finding_and_another_one_is_none() {
    let cases: &[(Places<'_>, &[&str])] = &[
        (&[("error_limit", "most")], &["changed param most: only called otherwise: it was `error_limit`"]),
        (
            &[(" errors", " error_share"), ("(errors", "(error_share")],
            &["changed metric error_share: only called otherwise: it was `errors`"],
        ),
        (&[(" db", " orders_db")], &["changed connection orders_db: only called otherwise: it was `db`"]),
        (
            &[("channel slack", "channel chat"), ("notify slack", "notify chat")],
            &["changed channel chat: only called otherwise: it was `slack`"],
        ),
        (&[(" greet(", " hello(")], &["changed tool hello: only called otherwise: it was `greet`"]),
        // Nobody outside ever says these.
        (&[(" look()", " size_of_it()")], &[]),
        (&[("hook)", "web)"), ("secret hook", "secret web")], &[]),
        (&[("let pods", "let all_pods"), (" pods |", " all_pods |"), ("show pods", "show all_pods")], &[]),
        // Several at once, of which one stands in what another is.
        (
            &[("error_limit", "most"), (" look()", " size_of_it()"), (" db", " orders_db")],
            &[
                "changed param most: only called otherwise: it was `error_limit`",
                "changed connection orders_db: only called otherwise: it was `db`",
            ],
        ),
    ];
    for (places, wanted) in cases {
        let found = findings(&base(), &renamed(&base(), places), &[]);
        assert_eq!(found.len(), wanted.len(), "{places:?}: {found:#?}");
        assert!(wanted.iter().all(|one| found.iter().any(|other| other == one)), "{places:?}: {found:#?}");
    }
}

#[test]
fn what_is_called_otherwise_and_is_something_else_is_found() {
    for (places, begins) in [
        // Another value: another param.
        (
            &[("error_limit: percent = 5%", "most: percent = 50%"), ("> error_limit", "> most")][..],
            "loosened threshold",
        ),
        // Renamed, and weaker elsewhere.
        (&[("error_limit", "most"), ("> most\n", "> most for 20m\n")], "loosened threshold"),
        (
            &[("let pods", "let all"), (" pods |", " all |"), ("show pods", "show all"), ("> 2 as", "> 1 as")],
            "blind check",
        ),
        (&[(" db", " orders_db"), ("VACUUM ANALYZE", "VACUUM FULL")], "dangerous change"),
    ] {
        let found = findings(&base(), &renamed(&base(), places), &[]);
        assert!(found.iter().any(|one| one.starts_with(begins)), "{places:?}: {found:?}");
    }
    // Two names that changed places are two other things.
    let old = edited("section \"Look\"", "param low: int = 1\nparam high: int = 9\n\nsection \"Look\"");
    let old = old.replace("count > 2 as", "count > low as").replace("show pods as", "show high as");
    let new = old.replace("> low as", "> high as").replace("show high as", "show low as");
    assert!(!findings(&old, &new, &[]).is_empty());
}

#[test]
fn samples_of_a_metric_are_its_own_under_another_name() {
    let folder = Folder::new();
    let mut lines = vec!["{\"record\":\"ledger\",\"version\":1}".to_owned()];
    for minute in 0..60 {
        let value = if minute < 30 { 0.09 } else { 0.01 };
        lines.push(format!(
            "{{\"record\":\"sample\",\"runbook\":\"Shop\",\"metric\":\"errors\",\"labels\":[[\"service\",\"web\"]],\"at\":\"2026-11-01T08:{minute:02}:00Z\",\"value\":{value},\"why\":null}}"
        ));
    }
    folder.write("history.jsonl", lines.join("\n"));
    folder.write("old.runbook", base());
    let new = renamed(&base(), &[(" errors", " error_share"), ("(errors", "(error_share"), ("> error_limit", "> 20%")]);
    folder.write("new.runbook", new);
    let output = folder.run(&["diff", "old.runbook", "new.runbook", "--history", "history.jsonl"]);
    output.code(2).out("alerts in 90 days before: 1").out("alerts in 90 days now:    0");
}
