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
pub(crate) fn findings(old: &str, new: &str, more: &[&str]) -> Vec<String> {
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
fn a_renaming_reaches_no_further_than_its_name() {
    for (what, old, new, begins) in [
        (
            "a name of a section, one of a step that is shorter now, and a label behind both",
            "section \"A\" {\n  let pod = host.facts()\n  check pod.hostname != \"\" as \"named\"\n  step \"S\" {\n    let the_largest_of_all_the_processes = host.processes()\n    show the_largest_of_all_the_processes\n  }\n}\nmetric up: bool for pod in [\"a\"] every 1m = pod == \"a\"\n",
            "section \"A\" {\n  let p = host.facts()\n  check p.hostname != \"\" as \"named\"\n  step \"S\" {\n    let most = host.processes()\n    show most\n  }\n}\nmetric up: bool for p in [\"a\"] every 1m = p == \"a\"\n",
            "changed metric up",
        ),
        (
            "the parameter of a command, which others give by its name",
            "command least_of_all() -> int {\n  let least = 1\n  return least\n}\ncommand big(least: int) -> bool {\n  return least > 5\n}\nsection \"S\" {\n  show least_of_all()\n  show big(7)\n}\n",
            "command least_of_all() -> int {\n  let most = 1\n  return most\n}\ncommand big(most: int) -> bool {\n  return most > 5\n}\nsection \"S\" {\n  show least_of_all()\n  show big(7)\n}\n",
            "changed command big",
        ),
        (
            "two params with one default whose uses were exchanged",
            "param a: percent = 85%\nparam b: percent = 85%\nsection \"S\" {\n  check host.memory().used_share < a as \"memory\"\n  check host.memory().swap_used_share < b as \"swap\"\n}\n",
            "param c: percent = 85%\nparam d: percent = 85%\nsection \"S\" {\n  check host.memory().used_share < d as \"memory\"\n  check host.memory().swap_used_share < c as \"swap\"\n}\n",
            "changed check \"memory\"",
        ),
    ] {
        let found = findings(old, new, &[]);
        assert!(found.iter().any(|one| one.starts_with(begins)), "{what}: {found:#?}");
    }
}

#[test]
fn a_section_and_a_step_that_are_only_called_otherwise_are_one_finding_each() {
    let text = "runbook \"R\" { edition 1 }\nchannel c = webhook(\"https://example.com/h\")\nthreshold \"T\" warning { notify c }\n\
        tool mark(text: string) changes = argv(\"touch\", text)\n\
        section \"Clean\" daily at 02:00 {\n  step \"One\" {\n    require host.memory().available > 1GiB as \"enough\"\n    change mark(\"a\") within 1m\n  }\n\
        \x20 step \"Two\" for x in [\"a\", \"b\"] {\n    manual \"ok?\" within 1h\n    change mark(\"c {x}\") within 1m\n    raise \"T\" \"x\"\n  }\n}\n\
        test \"t\" {\n  run \"Clean\"\n  expect no alert\n}\n";
    let section = renamed(text, &[("\"Clean\"", "\"Tidy\"")]);
    let only = "only called otherwise: it was `Clean`";
    assert_eq!(findings(text, &section, &[]), [format!("changed section \"Tidy\": {only}")]);
    let both = renamed(&section, &[("\"Two\"", "\"Zwei\"")]);
    let step = "changed section \"Tidy\" / \"Zwei\": only called otherwise: it was `Two`".to_owned();
    assert_eq!(findings(text, &both, &[]), [format!("changed section \"Tidy\": {only}"), step]);
    // What else is done otherwise is seen.
    let weaker = renamed(&both, &[("> 1GiB", "> 1MiB")]);
    assert!(findings(text, &weaker, &[]).iter().any(|one| one.starts_with("dangerous")));
    // What a check of another name has raised goes on.
    let check = text.replace("raise \"T\" \"x\"", "let y = host.file(\"/x\")\n    check y.exists else raise \"T\"");
    assert_eq!(findings(&check, &renamed(&check, &[("let y", "let z"), ("check y", "check z")]), &[]), [""; 0]);
}

#[test]
fn a_thousand_names_take_no_longer_than_the_text_is_long() {
    let text = |name: &str| {
        let params = (0..1000).map(|number| format!("param {name}{number}: int = {number}\n"));
        let params = params.collect::<Vec<_>>().concat();
        format!("runbook \"T\" {{ edition 1 }}\n{params}section \"S\" {{ show {name}0 }}\n")
    };
    assert_eq!(findings(&text("a"), &text("b"), &[]).len(), 1000);
}

#[test]
fn what_others_call_in_a_library_has_another_name_for_them() {
    let library = |name: &str| {
        format!(
            "library \"L\" {{ edition 1 }}\ncommand {name}(over: percent) -> list<disk> {{\n  return host.disks() | where(.used_share > over)\n}}\n"
        )
    };
    assert!(!findings(&library("full"), &library("almost_full"), &[]).is_empty());
}

#[test]
fn libraries_of_one_name_are_two() {
    let folder = Folder::new();
    let library = |body: &str| {
        format!("library \"Care\" {{ edition 1 }}\ncommand full() -> list<disk> {{\n  return {body}\n}}\n")
    };
    for (side, used) in [("old", "one"), ("new", "other")] {
        folder.write(&format!("{side}/a/care.runbook"), library("host.disks() | where(.used_share > 90%)"));
        folder.write(&format!("{side}/b/care.runbook"), library("host.disks() | where(.used_share > 100%)"));
        folder.write(
            &format!("{side}/main.runbook"),
            format!(
                "use \"./a/care\" as one\nuse \"./b/care\" as other\nsection \"S\" {{\n  check {used}.full() | is_empty as \"room\"\n  show one.full() | count\n  show other.full() | count\n}}\n"
            ),
        );
    }
    folder.run(&["diff", "old", "new"]).code(2).out("a/care.full()").out("b/care.full()");
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
    output.code(2).out("alerts in the history before: 1").out("alerts in the history now:    0");
}
