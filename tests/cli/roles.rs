//! `roles` of an escalation: the file, who is on call by it, and who is told.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use runbook::store::ledger::{Commit, Committed, Ledger};
use runbook::system;
use rustix::process::Signal;

use crate::program::{Folder, appears, finish, signal};
use crate::serving::{Sink, free_port, terminate, until};

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
    let said = folder.run(&["on-call", "a.runbook"]);
    said.code(1).err("names nothing that says who is on call").err("or a tool: `roles on_call()`");
}

const TOOL: &str = r#"runbook "Site" { edition 1  timezone "Europe/Berlin" }
secret hook = file("hook")
channel bot = webhook("http://127.0.0.1:PORT/bot")
channel people = slack(webhook: hook)
tool on_call() -> data = argv("./on-call")
metric there: bool every 1s = host.file("there").exists

threshold "Missing" critical {
  when not there
  notify bot, people
}

escalation ops {
  level 1 "Engineer" {
    escalate after 2h unless acknowledged
    notify bot, people
  }
  level 2 "Chief" {
    notify bot
  }
  roles on_call()
}
"#;

const ANSWER: &str = r#"{ "people": { "ann": { "name": "Ann Example", "email": "ann@example.com", "phone": null } },
  "roles": { "Engineer": { "people": ["ann"] }, "Sales": { "people": [] } } }"#;

/// A folder with a tool that prints what stands in `answer`, and fails where nothing does.
fn with_tool(port: u16, answer: &str) -> Folder {
    let folder = Folder::with(TOOL.replace("PORT", &port.to_string()));
    folder.write("answer", answer);
    folder.write("hook", format!("http://127.0.0.1:{port}/people"));
    folder.write("on-call", "#!/bin/sh\nexec cat answer\n");
    let path = folder.path("on-call");
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// As if the last answer was of long ago.
fn grow_old(folder: &Folder) {
    let mut ledger = Ledger::open(&folder.path("state/ledger.sqlite")).unwrap();
    let snapshot = ledger.load("Site").unwrap();
    let mut rota = snapshot.documents.into_iter().find(|document| document.kind == "rota").unwrap();
    rota.body.as_object_mut().unwrap().insert("asked_at".to_owned(), "2026-01-01T00:00:00Z".into());
    let commit = Commit { put: vec![rota], ..Commit::at(system::now()) };
    let written = ledger.commit("Site", snapshot.version, &commit).unwrap();
    assert!(matches!(written, Committed::Done { .. }), "{written:?}");
}

#[test]
fn a_tool_says_who_is_on_call() {
    let folder = with_tool(1, ANSWER);
    folder.run(&["check", "a.runbook"]).code(0);
    let said = folder.run(&["on-call", "a.runbook"]);
    said.code(0)
        .out("level 1  Engineer  Ann Example, ann@example.com")
        .out("level 2  Chief     `on_call()` does not say");
    let weekly = r#"{ "timezone": "UTC", "people": { "ann": {}, "ben": { "phone": "+49 1" } }, "roles": { "Engineer":
        { "people": ["ann", "ben"], "handover": "monday 09:00", "since": "2026-11-23", "hours": ["monday 09:00-18:00"] } } }"#;
    folder.write("answer", weekly);
    let at = |at: &str| folder.run(&["on-call", "a.runbook", "--at", at]);
    at("2026-11-23T10:00:00Z").code(0).out("Engineer  ann");
    at("2026-11-30T10:00:00Z").code(0).out("Engineer  ben, +49 1");
    at("2026-11-30T20:00:00Z").code(0).out("Engineer  nobody: the next level is told");
}

#[test]
fn an_answer_that_makes_no_sense_is_none() {
    for (answer, why) in [
        ("", "on-call"),
        ("[]", "it is no object with `people` and `roles`"),
        ("{}", "no role is in this file"),
        (r#"{ "roles": {} }"#, "it says nothing of any level"),
        (r#"{ "roles": { "engineer": { "people": [] } } }"#, "it says nothing of any level: its roles are `engineer`"),
        (r#"{ "roles": { "Engineer": {} } }"#, "`Engineer` does not say who it is"),
        (r#"{ "roles": { "Engineer": { "people": ["eve"] } } }"#, "there is no `eve` under `people`"),
        (
            r#"{ "people": { "a": { "email": "x" } }, "roles": { "Engineer": { "people": ["a"] } } }"#,
            "no address of mail",
        ),
    ] {
        let folder = with_tool(1, answer);
        let said = folder.run(&["on-call", "a.runbook"]);
        said.code(3).err(why).lacks("nobody: the next level");
    }
}

#[test]
fn a_server_tells_who_is_on_call_and_goes_on_with_the_last_answer_where_nobody_can_say() {
    let sink = Sink::new();
    let folder = with_tool(sink.port, ANSWER);
    folder.write("there", "");
    let port = free_port();
    let listen = format!("127.0.0.1:{port}");
    let serve = || folder.command(&["serve", "a.runbook", "--listen", &listen]).spawn().unwrap();
    let server = serve();
    let known = || folder.run(&["store", "export"]).stdout.contains("ann@example.com");
    until("it is known who is on call", known);
    terminate(&server);
    finish(server).code(0).lacks("nobody can say who is on call");

    // The tool breaks: that is told, and the last answer holds. The answer was just now, so it is asked for anew later.
    folder.write("answer", "{}");
    grow_old(&folder);
    let server = serve();
    until("it is told", || sink.occasions("Who is on call").contains(&"note".to_owned()));
    std::fs::remove_file(folder.path("there")).unwrap();
    until("somebody is called", || !sink.keys("opened").is_empty());
    let heard = sink.heard.lock().unwrap().join("\n");
    assert!(heard.contains("nobody can say who is on call: no role is in this file. What was said at 20"), "{heard}");
    assert!(heard.contains("\"on_call\":{\"name\":\"Ann Example\""), "{heard}");
    assert_eq!(sink.occasions("Who is on call").len(), 1, "told once");
    let said = folder.run(&["on-call", "a.runbook"]);
    said.code(3).out("Engineer  Ann Example").err("nobody can say who is on call now").err("This was said at 20");
    terminate(&server);
    finish(server).code(0).err("nobody can say who is on call");

    folder.write("answer", ANSWER);
    grow_old(&folder);
    let server = serve();
    until("that it is known again is told", || sink.occasions("Who is on call").len() == 2);
    terminate(&server);
    finish(server).code(0);
    assert!(sink.heard.lock().unwrap().join("\n").contains("it is known again who is on call"));
}

/// A tool that says which process it is, and then nothing.
const SILENT: &str = "#!/bin/sh\necho $$ > new\nmv new asked\nexec sleep 300\n";

/// Whether the tool has ended. What nobody has taken note of yet has no words any more.
fn has_ended(folder: &Folder) -> bool {
    let words = std::fs::read(format!("/proc/{}/cmdline", folder.read("asked").trim()));
    words.unwrap_or_default().is_empty()
}

#[test]
fn a_run_that_is_stopped_while_the_tool_is_asked_says_so_and_leaves_nothing_behind() {
    let folder = with_tool(1, ANSWER);
    let text = folder.read("a.runbook") + "section \"Look\" {\n  check 1 < 2 as \"numbers hold\"\n}\n";
    folder.write("a.runbook", text);
    folder.write("on-call", SILENT);
    for (sent, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let run = folder.command(&["run", "a.runbook"]).spawn().unwrap();
        appears(&folder.path("asked"));
        signal(&run, sent);
        finish(run).code(130).err("stopping: changes made so far: 0, none in flight").out("1 not reached");
        until("the tool has ended", || has_ended(&folder));
        std::fs::remove_file(folder.path("asked")).unwrap();
        assert!(folder.journals().contains(name), "{}", folder.journals());
    }
    folder.run(&["audit", "verify"]).code(0);
}

#[test]
fn whoever_calls_somebody_or_asks_who_it_is_may_stop_the_tool() {
    let folder = with_tool(1, ANSWER);
    let text = folder.read("a.runbook");
    folder.write("a.runbook", text.replace("  roles on_call()", "  by hand \"Impact\" to level 2\n  roles on_call()"));
    folder.write("on-call", SILENT);
    for (args, left) in [
        (&["escalate", "a.runbook", "Impact"][..], "nothing was said"),
        (&["on-call", "a.runbook"], "nobody has said who is on call"),
    ] {
        for (sent, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
            let command = folder.command(args).spawn().unwrap();
            appears(&folder.path("asked"));
            signal(&command, sent);
            let output = finish(command);
            output.code(130).err(&format!("stopped by {name}: {left}"));
            assert_eq!(output.stdout, "");
            until("the tool has ended", || has_ended(&folder));
            std::fs::remove_file(folder.path("asked")).unwrap();
        }
    }
    folder.run(&["incidents", "--all"]).code(0).err("no incident and no alert is kept");
}

#[test]
fn a_server_asks_anew_at_once_where_the_tool_itself_is_edited() {
    let folder = with_tool(1, ANSWER);
    folder.write("there", "");
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    let known = |who: &str| folder.run(&["store", "export"]).stdout.contains(who);
    until("it is known who is on call", || known("ann@example.com"));
    folder.write("other", ANSWER.replace("ann@example.com", "eve@example.com"));
    folder.write("on-call", "#!/bin/sh\nexec cat other\n");
    until("the edited tool has said it", || known("eve@example.com"));
    // A run asks once for what the server knows, and again for what is edited then.
    folder.write("on-call", "#!/bin/sh\nprintf . >> often\nexec cat answer\n");
    until("it is asked once more", || known("ann@example.com"));
    terminate(&server);
    finish(server).code(0).lacks("nobody can say who is on call");
    let text = folder.read("a.runbook") + "section \"Look\" {\n  check 1 < 2 as \"numbers hold\"\n}\n";
    folder.write("a.runbook", text);
    folder.run(&["run", "a.runbook"]).code(0);
    assert_eq!(folder.read("often"), ".", "the answer is good for the tool as it is");
    folder.write("on-call", "#!/bin/sh\nprintf - >> often\nexec cat answer\n");
    folder.run(&["run", "a.runbook"]).code(0);
    assert_eq!(folder.read("often"), ".-");
}

#[test]
fn a_server_asks_anew_at_once_where_the_call_is_edited() {
    let folder = with_tool(1, ANSWER);
    folder.write("there", "");
    std::fs::copy(folder.path("on-call"), folder.path("other")).unwrap();
    folder.write("on-call", SILENT);
    let server = folder.command(&["serve", "a.runbook", "--no-listen"]).spawn().unwrap();
    appears(&folder.path("asked"));
    folder.write("a.runbook", folder.read("a.runbook").replace("./on-call", "./other"));
    until("the new tool has said it", || folder.run(&["store", "export"]).stdout.contains("ann@example.com"));
    until("the old tool is not waited for", || has_ended(&folder));
    terminate(&server);
    finish(server).code(0).err("was edited, and is served as it is now").lacks("nobody can say who is on call");
}

#[test]
fn who_is_on_call_is_asked_with_what_is_set() {
    let folder = with_tool(1, ANSWER);
    let text = TOOL
        .replace("PORT", "1")
        .replace("on_call() -> data = argv(\"./on-call\")", "on_call(of: string) -> data = argv(\"./on-call\", of)");
    let text = text.replace("roles on_call()", "roles on_call(team)");
    folder.write("a.runbook", text.replace("secret hook", "param team: string\nparam rest: int\nsecret hook"));
    folder.write("on-call", "#!/bin/sh\nexec cat \"answer of $1\"\n");
    folder.write("answer of a", ANSWER);
    folder.run(&["on-call", "a.runbook", "--set", "team=a"]).code(0).out("Engineer  Ann Example");
    folder.run(&["on-call", "a.runbook", "--set", "team=b"]).code(3).err("answer of b");
    folder.run(&["on-call", "a.runbook"]).code(3).err("`--set team=VALUE`");
    folder.run(&["on-call", "a.runbook", "--set", "teams=a"]).code(1).err("did you mean `--set team=…`?");

    // A file needs nothing that is set.
    let folder = self::folder(ROLES);
    folder.write("a.runbook", RUNBOOK.replace("secret hook", "param team: string\nsecret hook"));
    folder.run(&["on-call", "a.runbook"]).code(0).out("level 2  Chief");
    folder.run(&["on-call", "a.runbook", "--set", "teams=a"]).code(1).err("did you mean `--set team=…`?");
}

#[test]
fn what_is_wrong_with_the_tool_is_said_where_the_ledger_cannot_be_opened_either() {
    let folder = with_tool(1, "{}");
    folder.write(
        "state/ledger.sqlite",
        "this is no ledger, and long enough to be read as one by nobody at all. ".repeat(20),
    );
    folder.run(&["on-call", "a.runbook"]).code(3).err("no role is in this file").err("ledger.sqlite");
    let nobody = format!("postgres://ops@127.0.0.1:{}/shop?sslmode=disable", free_port());
    let said = folder.run(&["on-call", "a.runbook", "--store", &nobody]);
    said.code(3).err("no role is in this file").err("the ledger cannot be reached");
    let none = folder.run(&["on-call", "a.runbook", "--store", "mysql://ops@127.0.0.1:1/shop"]);
    none.code(3).err("no role is in this file").err("not in `mysql`");
}
