//! `runbook diff`: whether people are told, things are measured and failures are put right as before, also where that is
//! decided by what stands around a statement, in a command, or by the levels that a threshold calls.

use crate::diff_weighed::{findings, has};

const TELLS: &str = r#"runbook "Shop" { edition 1 }
param most: float = 5
connect site = http("https://site.example.com")
channel mail = email(to: ["a@example.com"])
channel boss = email(to: ["b@example.com"])
metric load: float = host.load().one
command tell() { notify mail "hello" }
command look() { check host.load().five < 3 as "five" }
threshold "Rz" warning { notify mail }
threshold "Odd" warning { notify mail }
threshold "Low" critical { when load > 8 notify mail }
escalation all { level 1 "One" { notify mail escalate after 30m unless resolved } level 2 "Two" { notify boss } }
section "A" every 1h {
  step "One" {
    manual "Is the backup there?" within 1h
    change site.post("/a") within 1m
    if host.load().one > most { raise "Rz" "low" }
    if host.load().one > 9 { notify mail, boss "high" measure load }
    on failure { notify boss "failed" change site.post("/back") within 1m }
    always { if host.load().one > 3 { change site.post("/end") within 1m } }
  }
  do tell()
  do look()
  show most
}
section "By hand" { show 1 check site.answers("/") raise "Rz" "by hand" raise "Odd" "by hand" measure load }
"#;

/// An edit, and what a finding has to be.
type Case<'t> = (&'t [(&'t str, &'t str)], &'t str, &'t str);

#[track_caller]
fn edited(old: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(old.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "`{from}` is there once");
        text.replace(from, to)
    })
}

#[track_caller]
fn all(old: &str, cases: &[Case<'_>]) {
    for (edits, begins, says) in cases {
        let found = findings(old, &edited(old, edits));
        assert!(has(&found, begins, says), "{edits:?}: no `{begins}` with `{says}` in {found:#?}");
    }
}

#[test]
fn what_tells_and_measures_is_come_to_as_before() {
    let raise = "told loosened raise \"Rz\"";
    all(
        TELLS,
        &[
            (&[("one > most {", "one > 500 {")], raise, "host.load().one > 500"),
            (&[("most: float = 5", "most: float = 500")], raise, "most = 500"),
            (&[("if host.load().one > most { raise \"Rz\" \"low\" }", "")], raise, "gone"),
            (
                &[("if host.load().one > most { raise \"Rz\" \"low\" }", "raise \"Rz\" \"low\"")],
                "told safer raise",
                "in",
            ),
            (&[("raise \"Rz\" \"low\"", "raise \"Rz\" \"too low\"")], "told changed raise \"Rz\"", "says"),
            (&[("raise \"Rz\" \"low\"", "raise \"Odd\" \"low\"")], "told loosened raise \"Odd\"", "raises"),
            (&[("one > 9 {", "one > 90 {")], "told loosened notify boss, mail", "one > 90"),
            (&[("one > 9 {", "one > 90 {")], "blindness blind measure load", "one > 90"),
            (&[("mail, boss \"high\"", "mail \"high\"")], "told loosened notify mail \"high\"", "boss, mail"),
            (&[("\"high\" measure load", "\"high\"")], "blindness blind measure load", "gone"),
            (
                &[("on failure { notify boss \"failed\"", "on failure {")],
                "told loosened notify boss \"failed\"",
                "gone",
            ),
            (&[("  do tell()\n", "")], "told loosened notify mail \"hello\" in section \"A\"", "gone"),
            (&[("  do tell()\n", "  if host.load().one > 7 { do tell() }\n")], "told loosened notify mail", "one > 7"),
            (
                &[("{ notify mail \"hello\" }", "{ if host.load().one > 7 { notify mail \"hello\" } }")],
                "told loosened notify mail",
                "one > 7",
            ),
            (&[("  do tell()\n", ""), ("{ show 1", "{ do tell()")], "told loosened notify mail", "By hand"),
            (&[("  do look()\n", "")], "blindness blind do look()", "gone"),
        ],
    );
}

#[test]
fn an_edit_that_tells_less_hides_no_other() {
    let manual = "    manual \"Is the backup there?\" within 1h\n";
    let held = "changes dangerous section \"A\" / \"One\"";
    all(
        TELLS,
        &[
            (&[(manual, ""), ("\"Rz\" \"low\"", "\"Rz\" \"lower\"")], held, "holds changes back"),
            (&[(manual, ""), ("\"high\" measure load", "\"high\"")], held, "holds changes back"),
            (&[(manual, ""), ("\"high\" measure load", "\"high\"")], "blindness blind measure load", "gone"),
            (
                &[("\"high\" measure load", "\"high\""), ("\"Rz\" \"low\"", "\"Rz\" \"lower\"")],
                "blindness blind measure load",
                "gone",
            ),
        ],
    );
    // A rewording is no less of anything.
    let found = findings(TELLS, &TELLS.replace("\"Rz\" \"low\"", "\"Rz\" \"lower\""));
    assert_eq!(found.len(), 1, "{found:#?}");
    let found = findings(TELLS, &TELLS.replace("\"Rz\"", "\"Rooms\""));
    assert!(!found.iter().any(|one| one.starts_with("told loosened")), "{found:#?}");
}

#[test]
fn what_puts_a_failure_right_is_missed() {
    let (back, end) = ("changes dangerous change site.post(\"/back\")", "changes dangerous change site.post(\"/end\")");
    let always = "    always { if host.load().one > 3 { change site.post(\"/end\") within 1m } }\n";
    all(
        TELLS,
        &[
            (&[(" change site.post(\"/back\") within 1m", "")], back, "no longer put right"),
            (&[(always, "")], end, "whatever became of the rest"),
            (&[("one > 3 {", "one > 300 {")], end, "one > 300"),
            (
                &[
                    (always, "    on failure { change site.post(\"/end\") within 1m }\n"),
                    ("    on failure { notify boss \"failed\" change site.post(\"/back\") within 1m }\n", ""),
                ],
                end,
                "on failure",
            ),
        ],
    );
    // With what they put right they are gone as any other.
    let from = TELLS.find("  step \"One\"").unwrap();
    let to = TELLS.find("  do tell()").unwrap();
    let gone = format!("{}{}", TELLS.get(..from).unwrap(), TELLS.get(to..).unwrap());
    let found = findings(TELLS, &gone);
    assert!(has(&found, "changes safer change site.post(\"/back\")", "gone"), "{found:#?}");
}

#[test]
fn changes_that_are_made_more_often() {
    let old = "connect site = http(\"https://site.example.com\")\nsection \"A\" daily at 02:00 { change site.post(\"/a\") }\nsection \"B\" daily at 02:00 { check site.answers(\"/\") }\n";
    all(
        old,
        &[
            (
                &[("\"A\" daily at 02:00", "\"A\" every 1m")],
                "schedules dangerous section \"A\"",
                "50400 times in 35 days",
            ),
            (
                &[("\"A\" daily at 02:00", "\"A\" daily at 02:00, 14:00")],
                "schedules dangerous section \"A\"",
                "70 times",
            ),
            (&[("\"A\" daily at 02:00", "\"A\" daily at 03:00")], "schedules changed section \"A\"", "03:00"),
            (&[("\"B\" daily at 02:00", "\"B\" every 1m")], "schedules changed section \"B\"", "every 1m"),
        ],
    );
}

const LEVELS: &str = r#"runbook "Levels" { edition 1 }
channel mail = email(to: ["ops@example.com"])
channel pager = email(to: ["p@example.com"])
channel robot = webhook("https://r.example.com")
metric m: float every 1m = host.load().one
metric taken: float = host.load().five
threshold "Hi" critical {
  when m > 10 for 5m
  notify robot
}
threshold "Taken" critical { when taken > 10 notify robot }
escalation e {
  level 1 "One" {
    escalate after 30m unless resolved
    notify mail
  }
  level 2 "Two" { notify pager }
}
section "S" { measure taken }
"#;

/// As `runbook test` plays it: the level that a critical threshold begins at is told with it.
#[test]
fn how_long_it_takes_with_the_levels_until_a_person_is_told() {
    let hi = "told loosened threshold \"Hi\"";
    all(
        LEVELS,
        &[
            (&[("    notify mail\n", "    notify robot\n")], hi, "\"before\":\"within 6m\",\"after\":\"within 36m\""),
            (
                &[("    notify mail\n", "    notify robot\n")],
                "told loosened threshold \"Taken\"",
                "within 30m of the first sample",
            ),
            (&[("for 5m", "for 1h")], hi, "\"before\":\"within 6m\",\"after\":\"within 1h1m\""),
            (
                &[("\"Hi\" critical", "\"Hi\" warning")],
                hi,
                "\"before\":\"level 1 at once, level 2 after 30m\",\"after\":\"no level\"",
            ),
            (&[("\"Hi\" critical", "\"Hi\" warning")], hi, "no person is told by this threshold any more"),
            (&[("after 30m", "after 3h")], hi, "\"before\":\"within 36m\",\"after\":\"within 3h6m\""),
        ],
    );
    let more = LEVELS.replace("m\n  notify robot", "m\n  notify robot, mail\n  escalate to level 2 after 15m");
    let found = findings(LEVELS, &more);
    assert!(
        has(&found, "told safer threshold \"Hi\"", "\"before\":\"within 36m\",\"after\":\"within 21m\""),
        "{found:#?}"
    );
    assert!(!has(&found, "told", "a person is told"), "{found:#?}");
    // It is told by the first level as before.
    let found = findings(&more, LEVELS);
    assert!(!has(&found, "told", "no person"), "{found:#?}");
    assert!(!has(&found, "told", "by no time limit"), "{found:#?}");
}

const HANGS: &str = r#"runbook "Hangs" { edition 1 }
param lim: float = 3
param hosts: list<string> = ["a", "b"]
param n: float = 3
connect s2 = http("https://s2.example.com")
connect db = postgres(host: "db", database: "d")
channel mail = email(to: ["a@example.com"])
metric bad: bool every 1m = host.load().one > lim
metric up: bool for h in hosts every 1m = s2.answers("/{h}")
metric used: percent for disk in host.disks() every 1m = disk.used_share
threshold "Bad" critical { when bad notify mail }
threshold "Down" critical { when not up notify mail quiet while "Bad" }
threshold "Full" critical { when used > 90% notify mail }
section "S" {
  let q = n
  check host.load().one < q as "q"
  check s2.answers("/") as "s2"
  let most = 5
  check host.load().five < most as "five"
  if host.load().one > most { notify mail "high" check db.answers() as "seen" }
}
"#;

#[test]
fn what_hangs_on_a_param_or_a_connection_is_named() {
    all(
        HANGS,
        &[
            (&[("lim: float = 3", "lim: float = 300")], "blindness changed metric bad", "lim = 300"),
            (&[("lim: float = 3", "lim: float = 300")], "blindness changed metric bad", "\\\"Bad\\\" (critical)"),
            (&[("lim: float = 3", "lim: float = 300")], "inputs changed param lim", "metrics that measure by it: bad"),
            (&[("[\"a\", \"b\"]", "[\"a\"]")], "blindness blind metric up", "sampled of fewer"),
            (&[("n: float = 3", "n: float = 300")], "inputs changed param n", "check \\\"q\\\" in section"),
            (&[("n: float = 3", "n: float = 300")], "blindness blind check \"q\"", "passes where"),
            (&[("most = 5", "most = 500")], "blindness blind check \"five\"", "most = 500"),
            (&[("most = 5", "most = 500")], "told loosened notify mail", "most = 500"),
            (&[("most = 5", "most = 500")], "blindness blind check \"seen\"", "most = 500"),
            (&[("most = 5", "most = 4")], "blindness safer check \"five\"", "most = 4"),
            (&[("https://s2.", "https://dev.")], "inputs changed connection s2", "\\\"Down\\\" (critical)"),
            (&[("https://s2.", "https://dev.")], "inputs changed connection s2", "check \\\"s2\\\" in section"),
            (
                &[("in host.disks()", "in host.disks() | where(.mount != \"/\")")],
                "blindness blind metric used",
                "sampled of fewer",
            ),
            (&[(" quiet while \"Bad\"", "")], "told safer threshold \"Down\"", "is quiet while"),
        ],
    );
}

/// What holds changes back is gone with the changes, or with another name there.
#[test]
fn what_held_changes_back_that_are_no_longer_made() {
    let header = "runbook \"Held\" { edition 1 }\nconnect site = http(\"https://site.example.com\")\n";
    let look = "section \"Look\" { check site.answers(\"/\") as \"up\" }\n";
    let clean = "section \"Clean\" { manual \"Is it out?\" within 1h change site.post(\"/a\") within 1m }\n";
    let old = format!("{header}{look}{clean}");
    let less = |new: &str| findings(&old, new).iter().any(|one| one.contains("what holds changes back is less"));
    assert!(!less(&format!("{header}{look}")));
    assert!(!less(&old.replace("\"Clean\"", "\"Tidy\"")));
    assert!(less(&old.replace("\"Clean\"", "\"Tidy\"").replace("manual \"Is it out?\" within 1h", "")));
    assert!(less(&old.replace("manual \"Is it out?\" within 1h", "")));
}
