//! `runbook diff`: who is on call, and what is kept under the title of a runbook.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use serde_json::Value as Json;

use crate::program::Folder;

const ROSTER: &str = r#"timezone = "Europe/Berlin"
[people.ann]
name = "Ann"
email = "ann@example.com"
slack = "U012AB3CD"
[people.ben]
name = "Ben"
phone = "+49 170 1234567"
[people.eve]
name = "Eve"
email = "eve@example.com"
[roles.Ops]
people = ["ann", "ben"]
handover = "monday 09:00"
since = 2026-11-23
hours = ["monday-sunday 00:00-24:00"]
[roles.Lead]
people = ["eve"]
hours = ["monday-friday 08:00-18:00"]
"#;

const LEVELS: &str = r#"secret key = env("KEY")
channel pager = pagerduty(key: key)
escalation matrix {
  level 1 "Ops" { notify pager respond within 5m escalate after 10m unless resolved }
  level 2 "Lead" { notify pager }
  roles "team.toml"
}
section "S" { show 1 }
"#;

/// `kind subject: headline` of each finding of two folders.
#[track_caller]
fn found(folder: &Folder, args: &[&str]) -> Vec<String> {
    let output = folder.run(&[&["diff", "old", "new", "--format", "json"], args].concat());
    assert!(matches!(output.code, 0 | 2), "{}", output.stderr);
    let review: Json = serde_json::from_str(&output.stdout).unwrap();
    let runbooks = review.get("runbooks").unwrap().as_array().unwrap();
    let all = runbooks.iter().flat_map(|one| one.get("findings").unwrap().as_array().unwrap());
    let text = |finding: &Json, name: &str| finding.get(name).unwrap().as_str().unwrap().to_owned();
    all.map(|one| {
        let more = [one.get("rows").unwrap(), one.get("notes").unwrap()].map(ToString::to_string).join(" ");
        let [chapter, kind] = ["chapter", "kind"].map(|name| text(one, name));
        format!("{chapter} {kind} {}: {} {more}", text(one, "subject"), text(one, "headline"))
    })
    .collect()
}

#[test]
fn who_is_on_call_less_is_told_less() {
    let folder = Folder::new();
    folder.write("old/a.runbook", LEVELS);
    folder.write("old/team.toml", ROSTER);
    let always = "hours = [\"monday-sunday 00:00-24:00\"]";
    let office = "hours = [\"monday-friday 08:00-18:00\"]";
    for (from, to, kind, says) in [
        (always, "hours = [\"monday 08:00-08:30\"]", "loosened", "Monday 08:00-08:30"),
        (always, "", "changed", "Ops: always"),
        (office, "", "safer", "Lead: always"),
        (office, "hours = [\"monday-saturday 07:00-18:00\"]", "safer", "Saturday"),
        (office, "hours = [\"monday-friday 09:00-20:00\"]", "loosened", "20:00"),
        ("people = [\"ann\", \"ben\"]", "people = [\"ann\"]", "loosened", "Ops: Ann"),
        ("people = [\"eve\"]", "people = []", "loosened", "Lead: nobody"),
        ("people = [\"eve\"]", "people = [\"ben\"]", "loosened", "Lead: Ben"),
        ("people = [\"ann\", \"ben\"]", "people = [\"ann\", \"ben\", \"eve\"]", "changed", "Eve"),
        ("people = [\"ann\", \"ben\"]", "people = [\"ben\", \"ann\"]", "changed", "Ben"),
        ("email = \"eve@example.com\"\n", "", "loosened", "Lead: Eve"),
        ("ann@example.com", "ann@example.org", "loosened", "ann@example.org"),
        ("slack = \"U012AB3CD\"\n", "", "loosened", "Slack"),
        ("name = \"Ben\"", "name = \"Benjamin\"", "changed", "Benjamin"),
        ("name = \"Eve\"", "name = \"Eve\"\nphone = \"+49 1\"", "safer", "+49 1"),
        ("Europe/Berlin", "Asia/Tokyo", "loosened", "time zone of hours"),
        ("Europe/Berlin", "Europe/Paris", "changed", "time zone of hours"),
    ] {
        assert_eq!(ROSTER.matches(from).count(), 1, "`{from}` is there once");
        folder.write("new/a.runbook", LEVELS);
        folder.write("new/team.toml", ROSTER.replace(from, to));
        let findings = found(&folder, &[]);
        let fits = |one: &String| one.starts_with(&format!("told {kind} escalation matrix")) && one.contains(says);
        assert!(findings.len() == 1 && findings.iter().all(fits), "`{from}` to `{to}`: {findings:#?}");
    }
    // A role that is called otherwise, with its level, has the same people.
    folder.write("new/a.runbook", LEVELS.replace("\"Lead\"", "\"Boss\""));
    folder.write("new/team.toml", ROSTER.replace("roles.Lead", "roles.Boss"));
    let findings = found(&folder, &[]);
    assert!(findings.len() == 1 && findings.iter().all(|one| one.contains("level 2 (Boss)")), "{findings:#?}");
    // Nobody is told by name any more, and the other way round.
    folder.write("new/a.runbook", LEVELS.replace("  roles \"team.toml\"\n", ""));
    let output = folder.run(&["diff", "old", "new", "--fail-on", "loosened"]);
    output.code(2).out("nobody is told by name any more").out("by name any more: Ann, Ben, Eve");
    folder.run(&["diff", "new", "old"]).code(2).out("1 safer");
}

const TITLED: &str = r#"runbook "Old" {
  edition 1
  timezone "Europe/Berlin"
}
secret key = env("KEY")
channel pager = pagerduty(key: key)
metric up: bool every 1m = host.load().one < 9
threshold "Bad" critical { when not up notify pager }
tool mark(text: string) changes = argv("touch", text)
section "Night" daily at 04:30 quiet "Bad" { change mark("x") within 1m }
section "Often" every 1h { measure up }
report "Morning" daily at 08:00 { show 1 send to pager }
"#;

#[test]
fn another_title_leaves_behind_what_is_kept_under_the_old_one() {
    let folder = Folder::new();
    folder.write("old/a.runbook", TITLED);
    folder.write("new/a.runbook", TITLED.replace("\"Old\"", "\"New\""));
    let findings = found(&folder, &[]);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    for says in [
        "told changed title of the runbook",
        "stay open under the old title",
        "samples stay",
        "due times stay",
        "approvals stay",
    ] {
        assert!(findings.iter().all(|one| one.contains(says)), "no {says}: {findings:#?}");
    }
    let hash = folder.run(&["plan", "old/a.runbook", "--format", "json"]).code(0).stdout.clone();
    let hash: Json = serde_json::from_str(&hash).unwrap();
    let hash = hash.get("hash").unwrap().as_str().unwrap();
    folder.run(&["approve", "old/a.runbook", "--as", "dba", "--plan", hash]).code(0);
    folder.run(&["store", "export"]).code(0);
    let output = folder.run(&["diff", "old", "new", "--recorded"]);
    output.code(2).out("as \"dba\"").out("void: it is for the old title of the runbook");
    // What is open is over for nobody.
    let incident = r#"{"number":7,"about":"x","title":"Bad","labels":[],"severity":"critical","text":"","doc":"","alerts":[],"opened_at":"2026-11-01T00:25:00Z","end":null,"policy":{"name":"matrix","levels":[],"repeat":0,"by_hand":[]},"level":2,"round":1,"acknowledged":null,"respond_due":null,"next_due":null,"late":[],"told":[],"messages":1}"#;
    let document = format!(r#"{{"record":"document","runbook":"Old","kind":"incident","body":{incident}}}"#);
    folder.write("h.jsonl", format!("{{\"record\":\"ledger\",\"version\":1}}\n{document}\n"));
    let output = folder.run(&["diff", "old", "new", "--history", "h.jsonl", "--fail-on", "loosened"]);
    output.code(2).out("open under the old title: #7 \"Bad\"");
}

#[test]
fn another_zone_moves_what_is_due() {
    let folder = Folder::new();
    folder.write("old/a.runbook", TITLED);
    folder.write("new/a.runbook", TITLED.replace("Europe/Berlin", "Asia/Tokyo"));
    let findings = found(&folder, &[]);
    let of = |subject: &str| findings.iter().find(|one| one.starts_with(subject)).cloned().unwrap_or_default();
    let night = of("schedules changed section \"Night\"");
    assert!(
        night.contains("runs at other times") && night.contains("04:30 JST (= ") && night.contains(" CE"),
        "{night}"
    );
    assert!(night.contains("keeps quiet: \\\"Bad\\\""), "{findings:#?}");
    assert!(of("schedules changed report \"Morning\"").contains("08:00 JST"), "{findings:#?}");
    assert!(of("inputs changed time zone of the runbook").contains("Asia/Tokyo"), "{findings:#?}");
    assert!(of("schedules changed section \"Often\"").is_empty(), "{findings:#?}");
    // Zones of one clock are the same times.
    folder.write("new/a.runbook", TITLED.replace("Europe/Berlin", "Europe/Paris"));
    let findings = found(&folder, &[]);
    assert!(findings.iter().all(|one| !one.starts_with("schedules")), "{findings:#?}");
}

#[test]
fn approvals_of_what_starts_programs_hold_in_one_folder() {
    let folder = Folder::new();
    folder.write("old/a.runbook", TITLED);
    folder.write("new/b/a.runbook", TITLED);
    let findings = found(&folder, &[]);
    assert!(findings.len() == 1 && findings.iter().all(|one| one.contains("hold in one folder")), "{findings:#?}");
}
