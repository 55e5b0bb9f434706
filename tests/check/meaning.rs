//! What a runbook means: which edits ask for another consent, and which ones a review must speak of.

use std::collections::BTreeMap;
use std::sync::Arc;

use runbook::check::program::Program;
use runbook::plan::{self, Selection};
use runbook::review::{self, Side};

use crate::checked::{checked, lines};

const DECLARED: &str = "runbook \"T\" { edition 1 }\n\
    param strict: bool = false\n\
    connect shop = http(\"https://shop.example.com\")\n\
    connect db = postgres(host: \"db\", database: \"d\")\n\
    secret k = env(\"K\")\n\
    channel p = pagerduty(key: k)\n\
    channel m = email(to: [\"a@example.com\"])\n\
    tool w(what: string) changes = argv(\"./w.sh\", what)\n\
    tool d(what: string) changes = argv(\"./d.sh\", what)\n\
    metric l: float every 1m = host.load().one\n";

/// Two texts below the same declarations. A part that declares something itself begins with another line.
fn texts(case: &str) -> [String; 2] {
    let (old, new) = case.split_once("  ->  ").expect("two sides");
    [old, new].map(|side| format!("{DECLARED}{side}\n"))
}

fn whole(text: &str) -> runbook::check::Checked {
    let (sources, checked, diagnostics) = checked(text);
    let errors: Vec<String> =
        lines(&sources, &diagnostics).into_iter().filter(|line| !line.contains("unused")).collect();
    assert!(!runbook::diagnostics::has_errors(&diagnostics), "{text}\n{errors:#?}");
    checked
}

fn hash(program: &Program) -> String {
    plan::plan(program, &Selection::all(), &BTreeMap::new()).expect("it can be planned").hash.expect("it changes")
}

/// What a review says of an edit, a line a finding.
fn said(old: &str, new: &str) -> Vec<String> {
    let sides = [old, new].map(|text| {
        let (sources, checked, _) = checked(text);
        let id = sources.ids().next().expect("a file");
        (runbook::syntax::parse(id, text).file, sources, Arc::new(checked.program))
    });
    let [before, after] =
        sides.each_ref().map(|(file, sources, program)| Side { program, files: std::slice::from_ref(file), sources });
    let now = "2026-03-05T22:00:00Z".parse().expect("a time");
    let found = review::compare(before, after, None, now).expect("they can be compared");
    found
        .iter()
        .map(|one| format!("{:?} {}: {} {:?} {:?}", one.kind, one.subject, one.headline, one.rows, one.notes))
        .collect()
}

/// Edits after which something else is done, or where something else stops it.
const OTHER_CONSENTS: &[&str] = &[
    // A guard in a branch that is not taken.
    r#"section "S" { require host.memory().total < 1B if strict { show 1 } change w("a") }  ->  section "S" { if strict { require host.memory().total < 1B show 1 } change w("a") }"#,
    r#"section "S" { require host.memory().total < 1B change w("a") }  ->  section "S" { for x in ["a"] { require host.memory().total < 1B } change w("a") }"#,
    // What a person does first, and what is waited for.
    r#"section "S" { manual "Take it out" change w("a") }  ->  section "S" { change w("a") manual "Take it out" }"#,
    r#"section "S" { manual "Take it out" change w("a") }  ->  section "S" { change w("a") }"#,
    r#"section "S" { manual "Take it out" change w("a") }  ->  section "S" { manual "Have a coffee" change w("a") }"#,
    r#"section "S" { wait until db.answers() every 1s within 2s change w("a") }  ->  section "S" { wait until true or db.answers() every 1s within 2s change w("a") }"#,
    r#"section "S" { wait until db.answers() every 1s within 2s change w("a") }  ->  section "S" { change w("a") wait until db.answers() every 1s within 2s }"#,
    r#"command c() changes { wait until db.answers() every 1s within 2s change w("a") } section "S" { do c() }  ->  command c() changes { change w("a") } section "S" { do c() }"#,
    // Nesting in a command.
    r#"command c(deep: bool) changes { if deep { show "deep" change w("a") } } section "S" { change c(false) }  ->  command c(deep: bool) changes { if deep { show "deep" } change w("a") } section "S" { change c(false) }"#,
    r#"command c(deep: bool) changes { if deep { change w("a") } else { show 1 } } section "S" { change c(false) }  ->  command c(deep: bool) changes { if deep { show 1 } else { change w("a") } } section "S" { change c(false) }"#,
    // Names that are exchanged.
    r#"section "S" { step "A" { let t = "prod" change w(t) } step "B" { let t = "staging" change d(t) } }  ->  section "S" { step "A" { let t = "staging" change w(t) } step "B" { let t = "prod" change d(t) } }"#,
    r#"section "S" { if strict { let t = "a" change w(t) } else { let t = "b" change d(t) } }  ->  section "S" { if strict { let t = "b" change w(t) } else { let t = "a" change d(t) } }"#,
    r#"section "S" { for x in ["a"] { for y in ["a"] { change w(x) change d(y) } } }  ->  section "S" { for x in ["a"] { for y in ["b"] { change w(x) change d(y) } } }"#,
    // A value in a text, and the same as it is written.
    r#"command c(name: string) changes { change w("made-{name}") } section "S" { do c("x") }  ->  command c(name: string) changes { change w('made-{name}') } section "S" { do c("x") }"#,
    r#"command c(name: string) changes { change w("made-{name}") } section "S" { change c("x") }  ->  command c(name: string) changes { change w('made-{name}') } section "S" { change c("x") }"#,
    r#"section "S" { change shop.post("/a", json: { note: "run {run.id}" }) }  ->  section "S" { change shop.post("/a", json: { note: 'run {run.id}' }) }"#,
    // Types.
    r#"section "S" { let n: int = shop.get("/").json.id change shop.post("/a", json: { id: n }) }  ->  section "S" { let n: string = shop.get("/").json.id change shop.post("/a", json: { id: n }) }"#,
    // When a value is read.
    r#"section "S" { let n = host.load().one change w("a") change w("{n}") }  ->  section "S" { change w("a") let n = host.load().one change w("{n}") }"#,
    // Bounds.
    r#"section "S" { retry 3 every 10s { change x("a") } } tool x(what: string) changes idempotent = argv("./x.sh", what)  ->  section "S" { retry 3 every 10ms { change x("a") } } tool x(what: string) changes idempotent = argv("./x.sh", what)"#,
    r#"section "S" within 10m { change w("a") }  ->  section "S" within 10h { change w("a") }"#,
    r#"section "S" { step "A" within 10m { change w("a") } }  ->  section "S" { step "A" within 10h { change w("a") } }"#,
    r#"section "S" { change w("a") }  ->  section "S" every 1m { change w("a") }"#,
    r#"threshold "A" critical { when l > 5.0 notify p } section "S" { change w("a") }  ->  threshold "A" critical { when l > 5.0 notify p } section "S" on alert "A" { change w("a") }"#,
    r#"metric z: float every 1m = host.load().one section "S" { require history(z, over: 1h) | all(.value < 3.0) change w("a") }  ->  metric z: float every 1m = host.load().one * 0.0 section "S" { require history(z, over: 1h) | all(.value < 3.0) change w("a") }"#,
    r#"threshold "A" critical { when l > 5.0 notify p } section "S" { require alerts(state: "open") | is_empty change w("a") }  ->  threshold "A" critical { when l > 500.0 notify p } section "S" { require alerts(state: "open") | is_empty change w("a") }"#,
    // What lets a section begin.
    r#"threshold "A" critical { when l > 5.0 notify p } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { when l > 0.1 notify p } section "S" on alert "A" { change w("a") }"#,
    // What decides whether an alert is raised that a section waits for, and told.
    r#"threshold "A" critical { notify p } section "L" every 1m { if host.load().one > 1 { raise "A" "m" } } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p } section "L" every 1m { if host.load().one > 0 { raise "A" "m" } } section "S" on alert "A" { change w("a") }"#,
    r#"threshold "A" critical { notify p } section "L" every 1m { if host.load().one > 1 { raise "A" "m" } } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p } section "L" every 1m { raise "A" "m" } section "S" on alert "A" { change w("a") }"#,
    r#"threshold "A" critical { notify p } section "L" every 1m { if strict { show 1 } else { check db.answers() else raise "A" } } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p } section "L" every 1m { if strict { show 1 } check db.answers() else raise "A" } section "S" on alert "A" { change w("a") }"#,
    r#"threshold "A" critical { notify p } section "L" { raise "A" "m" } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p } section "L" every 1m { raise "A" "m" } section "S" on alert "A" { change w("a") }"#,
    r#"threshold "A" critical { notify p } section "L" every 1m { check db.answers() on failure { raise "A" "m" } } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p } section "L" every 1m { check db.answers() always { raise "A" "m" } } section "S" on alert "A" { change w("a") }"#,
    r#"threshold "A" critical { notify p } command c() { raise "A" "m" } section "L" every 1m { if strict { do c() } } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p } command c() { raise "A" "m" } section "L" every 1m { do c() } section "S" on alert "A" { change w("a") }"#,
    r#"threshold "B" critical { when l > 5.0 notify p } threshold "A" critical { when l > 1.0 notify p quiet while "B" } section "S" on alert "A" { change w("a") }  ->  threshold "B" critical { when l > 5.0 notify p } threshold "A" critical { when l > 1.0 notify p } section "S" on alert "A" { change w("a") }"#,
    r#"threshold "A" critical { notify p } section "L" { check db.answers() else raise "A" } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p } section "L" { check false else raise "A" } section "S" on alert "A" { change w("a") }"#,
    r#"tool x() changes = argv("./x.sh") section "S" { change x() }  ->  tool x() changes idempotent = argv("./x.sh") section "S" { change x() }"#,
    r#"tool x() changes = argv("./x.sh") section "S" { change x() }  ->  tool x() changes = argv("./y.sh") section "S" { change x() }"#,
    r#"section "S" { change w("a") within 5m }  ->  section "S" { change w("a") within 6m }"#,
    r#"section "S" { change w("a") approve by "DBA" }  ->  section "S" { change w("a") }"#,
    r#"section "S" { change w("a") change d("b") }  ->  section "S" { change d("b") change w("a") }"#,
    r#"connect c = postgres(host: "a") section "S" { change c.execute("V") }  ->  connect c = postgres(host: "b") section "S" { change c.execute("V") }"#,
];

/// Edits that change nothing of what a consent is given to.
const SAME_CONSENT: &[&str] = &[
    "section \"S\" { let n = 5 change db.execute(\"V {n}\") within 5m }  ->  section \"S\" { # why\n let x = 5 show 1 change db.execute( # what\n \"V {x}\")\n within 300s }",
    r#"connect c = postgres(host: "a") section "S" { change c.execute("V") }  ->  connect other = postgres(host: "a") section "S" { change other.execute("V") }"#,
    r#"command c(a: string) changes { change w(a) } section "S" { do c("x") }  ->  command x(b: string) changes { show "hi" change w(b) } section "T" { show 1 do x("x") }"#,
    r#"section "S" { for x in ["a", "b"] { change w(x) } }  ->  section "S" { for y in ["a", "b"] { change w(y) as "it" } }"#,
    r#"section "S" { let a = 1 let b = 2 change w("{a}{b}") }  ->  section "S" { let b = 2 show b let a = 1 change w("{a}{b}") }"#,
    r#"section "S" { require host.disks() | all(one => one.used_share < 90%) change w("a") } section "L" { require 1 == 1 }  ->  section "S" { require host.disks() | all(.used_share < 90%) as "room" change w("a") } section "L" { manual "look" }"#,
    r#"threshold "A" critical { notify p } section "L" { if strict { raise "A" "m" } check db.answers() else raise "A" } section "S" on alert "A" { change w("a") }  ->  threshold "A" critical { notify p, m } section "Other" { check db.answers() as "up" else raise "A" if strict { show 1 raise "A" "more" } } section "S" on alert "A" { change w("a") }"#,
    r#"section "S" { step "A" { change w("a") } }  ->  section "S" { step "B" { check host.load().one < 5.0 change w("a") if strict { show 1 } } }"#,
];

/// The cases of which both sides have one hash, or else two.
fn with(cases: &[&'static str], one: bool) -> Vec<&'static str> {
    let is_so = |case: &&str| {
        let [old, new] = texts(case).map(|text| hash(&whole(&text).program));
        (old == new) == one
    };
    cases.iter().copied().filter(is_so).collect()
}

#[test]
fn an_edit_that_does_something_else_asks_for_another_consent() {
    let same = with(OTHER_CONSENTS, true);
    assert!(same.is_empty(), "one consent for both:\n{}", same.join("\n"));
}

#[test]
fn tidying_up_asks_for_no_other_consent() {
    let other = with(SAME_CONSENT, false);
    assert!(other.is_empty(), "two consents:\n{}", other.join("\n"));
}

/// Edits of order and nesting, with a word that the review must say.
const SEEN: &[(&str, &str)] = &[
    (
        r#"section "S" { if strict { notify p "bad" } else { show "fine" } }  ->  section "S" { if strict { show "fine" } else { notify p "bad" } }"#,
        "else",
    ),
    (
        r#"command ok(x: int) -> bool { if x > 5 { return false } else { return true } } section "S" { show ok(1) }  ->  command ok(x: int) -> bool { if x > 5 { return true } else { return false } } section "S" { show ok(1) }"#,
        "return",
    ),
    (
        r#"command f(x: int) -> int { if x > 5 { return 1 } if x > 3 { return 2 } return 3 } section "S" { show f(1) }  ->  command f(x: int) -> int { if x > 3 { return 2 } if x > 5 { return 1 } return 3 } section "S" { show f(1) }"#,
        "return",
    ),
    (
        r#"section "S" { check shop.answers("/") as "up" if strict { show 1 } }  ->  section "S" { if strict { show 1 check shop.answers("/") as "up" } }"#,
        "check",
    ),
    (
        r#"section "S" { retry 3 every 2s { check shop.answers("/") as "up" show 1 } }  ->  section "S" { check shop.answers("/") as "up" retry 3 every 2s { show 1 } }"#,
        "retry",
    ),
    (
        r#"report "R" daily at 08:00 { show 1 check shop.answers("/") send to m, p }  ->  report "R" daily at 08:00 { show 1 send to m, p check shop.answers("/") }"#,
        "send to",
    ),
    (
        r#"section "S" { let n = host.load().one change w("a") show n }  ->  section "S" { change w("a") let n = host.load().one show n }"#,
        "change w",
    ),
    (
        r#"section "S" { change w("a") wait until db.answers() every 1s within 5s change d("b") }  ->  section "S" { change w("a") change d("b") wait until db.answers() every 1s within 5s }"#,
        "Dangerous",
    ),
    (
        r#"section "S" { step "A" { change w("a") } step "B" { wait until db.answers() every 1s within 5s } }  ->  section "S" { step "B" { wait until db.answers() every 1s within 5s } step "A" { change w("a") } }"#,
        "step",
    ),
    (
        r#"section "S" { if strict { show 1 } if l2() { notify p "x" } } command l2() -> bool { return true }  ->  section "S" { if strict { show 1 if l2() { notify p "x" } } } command l2() -> bool { return true }"#,
        "notify p",
    ),
    (r#"section "S" { notify m "Down: {run.id}" }  ->  section "S" { notify m 'Down: {run.id}' }"#, "notify m"),
    (
        r#"section "S" { let n: int = shop.get("/").json.count show n }  ->  section "S" { let n: float = shop.get("/").json.count show n }"#,
        "let n: float",
    ),
    (
        r#"command c() changes { change shop.post("/cache/clear") } section "S" { change c() }  ->  command c() changes { change shop.delete("/users") } section "S" { change c() }"#,
        "/users",
    ),
    (
        r#"command c() changes { change w("a") approve by "DBA" } section "S" { change c() }  ->  command c() changes { change w("a") } section "S" { change c() }"#,
        "approve by",
    ),
    (r#"section "S" { manual "Take it out" change w("a") }  ->  section "S" { change w("a") }"#, "Dangerous"),
    (r#"section "S" { notify p "bad" show 1 }  ->  section "S" { show 1 }"#, "Loosened"),
    (
        r#"metric z: float = 1.0 section "S" { measure z show 1 }  ->  metric z: float = 1.0 section "S" { show 1 }"#,
        "Blind",
    ),
    (
        r#"section "S" { do c("a") do c("b") } command c(x: string) changes { change w(x) }  ->  section "S" { do c("b") do c("a") } command c(x: string) changes { change w(x) }"#,
        "do c",
    ),
];

#[test]
fn a_review_speaks_of_order_and_nesting() {
    let mut missing = Vec::new();
    for (case, word) in SEEN {
        let [old, new] = texts(case);
        whole(&old);
        whole(&new);
        let said = said(&old, &new);
        if !said.iter().any(|line| line.contains(word)) {
            missing.push(format!("{case}\n  {word}\n  {said:#?}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Edits of statements that do the same as before.
const UNSEEN: &[&str] = &[
    r#"section "S" { let n = 5 show n let t = "x" show t }  ->  section "S" { let t = "x" let x = 5 show t show x }"#,
    r#"section "S" { show host.disks() | all(one => one.used_share < 90%) }  ->  section "S" { show host.disks() | all(disk => disk.used_share < 90%) }"#,
    r#"section "S" { for x in ["a"] { show x } notify m, p "x" }  ->  section "S" { for y in ["a"] { show y } notify p, m "x" }"#,
    r#"command f(x: int) -> int { let y = x + 1 return y } section "S" { show f(1) }  ->  command f(x: int) -> int { let z = x + 1 return z } section "S" { show f(1) }"#,
];

#[test]
fn a_review_is_silent_where_nothing_is_different() {
    for case in UNSEEN {
        let [old, new] = texts(case);
        assert_eq!(said(&old, &new), Vec::<String>::new(), "{case}");
    }
}
