//! `roles` of an escalation: the file, who is on call by it, and who is told.

use crate::program::Folder;

const RUNBOOK: &str = r#"runbook "Site" { edition 1 }
channel mail = email(to: ["ops@example.com"])
channel chat = slack(webhook: hook)
secret hook = file("hook")
metric errors: percent every 1m = 0%

threshold "Errors" critical {
  when errors > 5%
  notify mail
}

escalation ops {
  level 1 "Engineer" {
    escalate after 10m unless acknowledged
    notify chat
  }
  level 2 "Chief" {
    escalate after 10m unless acknowledged
    notify mail
  }
  level 3 "Manager" {
    notify mail
  }
  roles "on-call.toml"
}

test "out of hours the next level is told" {
  given errors is 12%
  after 1m
  expect level 1
  after 9h55m
  expect level 3
}
"#;

const ROLES: &str = r#"timezone = "Europe/Berlin"

[people.ann]
name = "Ann Example"
email = "ann@example.com"
slack = "U012AB3CD"

[people.ben]
phone = "+49 170 1234567"

[roles.Engineer]
people = ["ann", "ben"]
handover = "monday 09:00"
since = 2026-11-23

[roles.Chief]
people = ["ben"]
hours = ["monday-friday 08:00-18:00"]
"#;

fn folder(roles: &str) -> Folder {
    let folder = Folder::with(RUNBOOK);
    folder.write("on-call.toml", roles);
    folder
}

#[test]
fn who_is_on_call_is_said() {
    let folder = folder(ROLES);
    folder.run(&["check", "a.runbook"]).code(0);
    let at = |at: &str| folder.run(&["on-call", "a.runbook", "--at", at]);
    let monday = at("2026-11-23T09:00:00+01:00");
    monday
        .code(0)
        .out("level 1  Engineer  Ann Example, ann@example.com")
        .out("level 2  Chief     ben, +49 170 1234567");
    monday.out("level 3  Manager   `on-call.toml` does not say");
    at("2026-11-30T09:00:00+01:00").code(0).out("Engineer  ben, +49");
    at("2026-11-29T12:00:00+01:00").code(0).out("Engineer  Ann").out("Chief     nobody: the next level is told");
    folder.run(&["on-call", "a.runbook"]).code(0).out("level 1  Engineer  ");
}

#[test]
fn a_level_without_anybody_is_passed_over_and_that_is_said() {
    // A test begins on a Thursday at 09:00 in Berlin, and 10 h later is out of the hours.
    let roles =
        ROLES.replace("people = [\"ann\", \"ben\"]\nhandover = \"monday 09:00\"\nsince = 2026-11-23", "people = []");
    let folder = folder(&roles);
    let output = folder.run(&["test", "--timeline", "a.runbook"]);
    output.code(4).out("expected an incident at level 1").out("opens at level 2, Chief");
    output.out("nobody is on call for level 1, Engineer");
    let folder = self::folder(ROLES);
    // Level 1 answers nobody; level 2 is told 10 minutes later, within its hours.
    let output = folder.run(&["test", "--timeline", "a.runbook"]);
    output.code(0).out("level 2, Chief").lacks("nobody is on call");
}

#[test]
fn what_is_wrong_with_the_file_is_said_with_its_place() {
    for (from, to, said) in [
        ("[roles.Chief]", "[roles.Chef]", "no level is called `Chef`, so nobody is told what stands there"),
        ("[roles.Chief]", "[roles.Chef]", "did you mean `Chief`?"),
        ("\"ben\"]\nhours", "\"bem\"]\nhours", "on-call.toml:17:11 there is no `bem` under `people`"),
        ("people = [\"ben\"]\n", "", "`Chief` does not say who it is"),
        ("handover = \"monday 09:00\"\n", "", "`Engineer` has 2 people, and nobody says who of them is on call"),
        ("monday 09:00", "mondays 09:00", "`mondays 09:00` is no hand-over"),
        ("since = 2026-11-23", "since = 2026-11-24", "2026-11-24 is a tuesday, and it is handed over on monday"),
        ("since = 2026-11-23\n", "", "nobody says from when on they count"),
        ("08:00-18:00", "8-18", "`monday-friday 8-18` are no hours"),
        ("Europe/Berlin", "Europe/Berlim", "there is no time zone `Europe/Berlim`"),
        ("ann@example.com", "ann@example.com, eve@example.com", "is no address of mail"),
        ("U012AB3CD", "!channel", "`!channel` is no id of a member of Slack"),
        ("phone = ", "fone = ", "`fone` means nothing here"),
        ("[roles.Chief]", "[roles.Chief", "this is no TOML"),
        ("people = [\"ben\"]", "people = \"ben\"", "`people` is no list"),
    ] {
        assert!(ROLES.contains(from), "{from}");
        let folder = folder(&ROLES.replace(from, to));
        folder.run(&["check", "a.runbook"]).code(2).says(said);
    }
    let folder = Folder::with(RUNBOOK);
    folder.run(&["check", "a.runbook"]).code(2).says("`on-call.toml` cannot be read");
    let folder = Folder::with(RUNBOOK.replace("on-call.toml", "../on-call.toml"));
    folder.run(&["check", "a.runbook"]).code(2).says("leads out of the runbook's folder");
    let folder = Folder::with(RUNBOOK.replace("  roles \"on-call.toml\"\n", ""));
    folder.run(&["on-call", "a.runbook"]).code(1).err("names no file of roles");
}
