//! Changes are made with consent and not without.

use std::time::Duration;

use rustix::process::Signal;

use crate::approvals::{of_database, with_host};
use crate::program::{Folder, appears, finish, signal};

const CHANGE: &str = "tool mark(text: string) changes = argv(\"touch\", text)\n\
    section \"A\" {\n  step \"One\" {\n    require 1 < 2 as \"numbers hold\"\n    change mark(\"made\") within 10s\n  }\n}\n";

fn made(folder: &Folder) -> bool {
    folder.path("made").exists()
}

#[test]
fn without_a_terminal_the_run_stops_before_the_change_and_says_what_to_type() {
    let folder = Folder::with(CHANGE);
    let hash = folder.hash();
    let output = folder.run(&["run", "a.runbook"]);
    output.code(5).out("WAITS FOR APPROVAL").out(&format!("runbook run a.runbook --approve {hash}"));
    assert!(!made(&folder));
}

#[test]
fn with_the_hash_of_the_plan_it_is_made_and_written_down_before_and_after() {
    let folder = Folder::with(CHANGE);
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(0).out("1 change");
    assert!(made(&folder));
    let events: Vec<String> = folder
        .run(&["show", "last", "--format", "json"])
        .lines()
        .iter()
        .map(|line| line["event"].as_str().unwrap().to_owned())
        .collect();
    let at = |name: &str| events.iter().position(|event| event == name).unwrap();
    assert!(at("approved") < at("change_intended") && at("change_intended") < at("change_ended"), "{events:?}");
}

#[test]
fn an_edit_of_the_change_voids_the_approval_and_tidying_up_does_not() {
    let folder = Folder::with(CHANGE);
    let first = folder.hash();
    folder
        .write("a.runbook", CHANGE.replace("\"One\"", "\"Renamed\"").replace("    change", "    # why\n\n    change"));
    assert_eq!(folder.hash(), first);
    for edited in [
        CHANGE.replace("mark(\"made\")", "mark(\"other\")"),
        CHANGE.replace("within 10s", "within 11s"),
        CHANGE.replace("1 < 2", "1 < 3"),
        CHANGE.replace("argv(\"touch\", text)", "argv(\"touch\", \"-a\", text)"),
    ] {
        folder.write("a.runbook", &edited);
        assert_ne!(folder.hash(), first, "{edited}");
        folder.run(&["run", "a.runbook", "--approve", &first]).code(5).no_out().err("nothing was run");
        assert!(!made(&folder));
    }
    folder.run(&["run", "a.runbook", "--approve", "12"]).code(1).err("too short");
}

#[test]
fn a_value_behind_a_name_is_part_of_what_is_approved() {
    let text = "param name: string = \"made\"\ntool mark(text: string) changes = argv(\"touch\", text)\n\
        section \"A\" {\n  step \"One\" {\n    let target = name\n    change mark(target)\n  }\n}\n";
    let folder = Folder::with(text);
    let first = folder.hash();
    folder.run(&["run", "a.runbook", "--approve", &first, "--set", "name=other"]).code(5);
    // What is set to what it is by itself is the same plan.
    folder.run(&["run", "a.runbook", "--approve", &first, "--set", "name=made"]).code(0);
    folder.write("a.runbook", text.replace("= name", "= \"x{name}\""));
    assert_ne!(folder.hash(), first);
}

#[test]
fn what_stands_around_that_which_opens_an_alert_is_agreed_to_with_the_section_that_answers_it() {
    let text = "channel hook = webhook(\"https://hooks.example.com\")\ntool mark(text: string) changes = argv(\"touch\", text)\n\
        metric b: int every 1m = 1\n\
        threshold \"Bad\" warning {\n  notify hook\n}\nthreshold \"Other\" warning {\n  when b > 1\n  notify hook\n}\n\
        section \"Looks\" every 1m {\n  require 1 < 2 as \"up\"\n  step \"One\" for x in [1, 2] {\n    if host.load().one > 1 {\n      raise \"Bad\" \"it is\"\n    }\n  }\n}\n\
        section \"Answers\" on alert \"Bad\" {\n  step \"One\" {\n    change mark(\"made\")\n  }\n}\n";
    let folder = Folder::with(text);
    let hash = |text: &str| {
        folder.write("a.runbook", text);
        folder.hash()
    };
    let first = hash(text);
    let edits = [
        ("one > 1 {", "one > 0 {"),
        ("require 1 < 2", "require 1 < 3"),
        ("in [1, 2]", "in [1, 2, 3]"),
        ("warning {\n  notify", "warning {\n  quiet while \"Other\"\n  notify"),
    ];
    for (from, to) in edits {
        assert_ne!(hash(&text.replacen(from, to, 1)), first, "{to}");
    }
    let quiet = text.replacen("warning {\n  notify", "warning {\n  quiet while \"Other\"\n  notify", 1);
    assert_ne!(hash(&quiet), hash(&quiet.replace("b > 1", "b > 0")));
    assert_eq!(hash(&text.replace("it is", "it is so")), first);
}

#[test]
fn a_measure_is_agreed_to_where_a_sample_may_begin_a_change_or_hold_it_back() {
    let text = "channel hook = webhook(\"https://hooks.example.com\")\ntool mark(text: string) changes = argv(\"touch\", text)\n\
        metric m: int every 1m = 1\nthreshold \"High\" warning {\n  when m > 1\n  notify hook\n}\n\
        section \"Works\" {\n  step \"One\" {\n    if 1 < 2 {\n      measure m\n    }\n    change mark(\"made\")\n  }\n}\n";
    let folder = Folder::with(text);
    let hash = |text: &str| {
        folder.write("a.runbook", text);
        folder.hash()
    };
    let without = |text: &str| text.replacen("    if 1 < 2 {\n      measure m\n    }\n", "", 1);
    assert_eq!(hash(text), hash(&without(text)));
    let answered = format!("{text}section \"Answers\" on alert \"High\" {{\n  change mark(\"other\")\n}}\n");
    assert_ne!(hash(&answered), hash(&without(&answered)));
    assert_ne!(hash(&answered), hash(&answered.replace("if 1 < 2", "if 1 < 3")));
    for guard in ["history(m, 1h) | is_empty", "alerts() | is_empty"] {
        let guarded = text.replace("    change", &format!("    require {guard}\n    change"));
        assert_ne!(hash(&guarded), hash(&without(&guarded)), "{guard}");
    }
}

#[test]
fn read_only_withholds_changes_and_looks_on() {
    let folder = Folder::with(CHANGE);
    folder.run(&["run", "a.runbook", "--read-only"]).out("REFUSED").out("the run is read-only").out("1 passed");
    assert!(!made(&folder));
    folder.run(&["run", "a.runbook", "--read-only", "--approve", "12345678"]).code(1).err("cannot be used with");
}

#[test]
fn a_guard_that_does_not_hold_keeps_the_change_back() {
    let folder = Folder::with(CHANGE.replace("1 < 2", "2 < 1"));
    let output = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    output.out("guard \"numbers hold\" is false").out("nothing was changed");
    assert!(!made(&folder));
}

#[test]
fn a_terminal_is_asked_once_and_only_yes_is_yes() {
    let folder = Folder::with(CHANGE);
    let question = "anything else to stop: ";
    let refused = folder.run_on_terminal(&["run", "a.runbook"], &[(question, "y\n")]);
    refused.code(5).out("mark(\"made\")");
    assert!(!made(&folder));
    folder.run_on_terminal(&["run", "a.runbook"], &[(question, "yes\n")]).code(0).out("typed yes at the terminal");
    assert!(made(&folder));
}

#[test]
fn a_person_is_asked_to_do_what_is_manual() {
    let folder = Folder::with("section \"A\" {\n  step \"One\" {\n    manual \"Turn the key\"\n  }\n}\n");
    let question = "if you like";
    folder.run_on_terminal(&["run", "a.runbook"], &[(question, "done\n")]).code(0).out("Turn the key");
    folder
        .run_on_terminal(&["run", "a.runbook"], &[(question, "what?\n"), ("Write done", "problem it is stuck\n")])
        .code(4)
        .out("note: it is stuck");
    let alone = folder.run(&["run", "a.runbook"]);
    assert_ne!(alone.code, 0, "nobody answered");
    alone.out("nobody answered");
}

#[test]
fn what_cannot_be_recorded_is_not_changed() {
    let folder = Folder::with(CHANGE);
    folder.write("file", "");
    let output = folder.run(&["run", "a.runbook", "--approve", &folder.hash(), "--state", "file/state"]);
    output.code(1).no_out().err("cannot be recorded").err("nothing was run").err("--state");
    assert!(!made(&folder));
    folder.write("look.runbook", "section \"A\" {\n  check 1 < 2 as \"holds\"\n}\n");
    folder
        .run(&["run", "look.runbook", "--state", "file/state"])
        .code(0)
        .err("goes on without a record")
        .out("1 passed");
}

#[test]
fn a_run_interrupted_in_a_change_says_what_is_in_flight() {
    let text = "tool slow() changes = argv(\"sh\", \"-c\", \"touch begun; sleep 30\")\n\
        section \"A\" {\n  step \"One\" {\n    change slow() within 1m\n  }\n}\n";
    let folder = Folder::with(text);
    let child = folder.command(&["run", "a.runbook", "--approve", &folder.hash()]).spawn().unwrap();
    appears(&folder.path("begun"));
    signal(&child, Signal::INT);
    std::thread::sleep(Duration::from_millis(500));
    signal(&child, Signal::INT);
    let output = finish(child);
    output.code(130).err("waiting for the end of").err("stopped at once").out("nobody can say whether it was made");
    let journal = folder.journals();
    assert!(journal.contains("change_intended") && journal.contains("\"unknown\""), "{journal}");
}

#[test]
fn whoever_agrees_sees_what_the_names_in_the_changes_stand_for() {
    let text = "param folder: string = \"/var/old\"\n\
                tool clear(path: string) changes = argv(\"true\", path)\n"
        .to_owned()
        + "section \"A\" {\n  change clear(folder)\n}\n";
    let folder = Folder::with(&text);
    folder.run(&["plan", "--offline", "a.runbook"]).code(0).out("    with folder = \"/var/old\"");
    folder.run(&["run", "a.runbook"]).code(5).out("      with folder = \"/var/old\"");
    let set = ["run", "a.runbook", "--set", "folder=/home", "--approve", "0123456789ab"];
    folder.run(&set).code(5).err("plan a.runbook --set");
    folder.run_on_terminal(&["run", "a.runbook", "--set", "folder=/home"], &[("stop: ", "no\n")]).code(5).out("/home");
}

#[test]
fn what_is_agreed_to_of_a_plan_that_looked_holds_for_the_systems_that_it_saw() {
    let folder = of_database();
    let at = |host: &str, args: &[&str]| with_host(&folder, host, args);
    let plan: serde_json::Value =
        serde_json::from_str(&at("127.0.0.1", &["plan", "a.runbook", "--format", "json"]).stdout).unwrap();
    let typed = plan["approve"].as_str().unwrap();
    let hash = folder.hash();
    assert!(typed.starts_with(&format!("{hash}@")), "{typed}");
    at("127.0.0.1", &["plan", "a.runbook"]).out(&format!("approve: runbook run a.runbook --approve {typed}"));
    // Elsewhere the same runbook leads to something else.
    let run = ["run", "a.runbook", "--approve", typed];
    let output = at("127.0.0.2", &run);
    output.code(5).out("the plan was made of other systems").out("`db` leads to postgres://127.0.0.2:1/shop");
    assert!(!folder.journals().contains("change_intended"));
    // What it says to type is for where it leads here.
    let other = output.stdout.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap();
    assert!(other.starts_with(&format!("{hash}@")) && other != typed, "{other}");
    at("127.0.0.2", &["run", "a.runbook", "--approve", other]).code(4).out("approved plan");
    let approve = ["approve", "a.runbook", "--as", "dba", "--plan", typed];
    at("127.0.0.2", &approve).code(1).err("the plan was made of other systems").err("postgres://127.0.0.2:1/shop");
    // There the change is tried, and nobody answers; and one that opened nothing holds wherever it leads.
    at("127.0.0.1", &run).code(4).out("approved plan");
    at("127.0.0.1", &approve).code(0);
    at("127.0.0.2", &["run", "a.runbook", "--approve", &hash]).code(4).out("approved plan");
    at("127.0.0.1", &["run", "a.runbook", "--approve", &format!("{hash}@1234")]).code(1).err("too short");
}

#[test]
fn a_plan_that_could_not_see_where_it_leads_says_so() {
    let text = "secret key = env(\"NOT_SET_ANYWHERE\")\nconnect db = postgres(host: \"db-1\", database: \"shop\", user: \"ops\", password: key)\n\
                section \"A\" {\n  change db.execute(\"VACUUM\")\n}\n";
    let folder = Folder::with(text);
    let output = folder.run(&["plan", "a.runbook"]);
    output.code(3).out("where `db` leads is not known: ").out("NOT_SET_ANYWHERE").out("wherever that is");
    assert!(!output.stdout.contains('@'), "{}", output.stdout);
}

#[test]
fn a_password_in_the_address_of_a_store_is_not_repeated() {
    let folder = Folder::with("section \"A\" {\n  step \"B\" { check 1 > 2 as \"never\" }\n}\n");
    let args = ["run", "a.runbook", "--no-notify", "--store", "postgres://u:hunter2@127.0.0.1:9/x"];
    let output = folder.run(&args);
    assert!(!format!("{}{}", output.stdout, output.stderr).contains("hunter2"), "{output:?}");
    let args = ["run", "a.runbook", "--no-notify", "--store", "postgres://u@127.0.0.1:9/x"];
    folder.run(&args).out("runbook run --store ").out("postgres://u@127.0.0.1:9/x");
}

#[test]
fn what_holds_a_change_back_holds_back_its_step_alone_as_well() {
    let text = "runbook \"Only\" { edition 1 }\n\
        tool touch(file: string) changes = argv(\"touch\", file)\n\
        command drained() {\n  manual \"traffic is drained\"\n}\n\
        section \"S\" {\n  if 1 < 2 { do drained() }\n  \
        wait until host.file(\"free\").exists every 100ms within 200ms\n  \
        step \"look\" { show 1 }\n  step \"act\" { change touch(\"made\") as \"act\" }\n  manual \"traffic is back\"\n}\n";
    let folder = Folder::with(text);
    let only = ["--only", "act"];
    let hash = folder.hash_of(&only);
    folder.run(&["plan", "a.runbook", "--offline", "--only", "act"]).out("traffic is drained").lacks("traffic is back");
    folder.run(&["run", "a.runbook", "--only", "act", "--approve", &hash]).code(4).out("REFUSED");
    assert!(!folder.path("made").exists());
    // What only looks is held back by nothing.
    folder.run(&["run", "a.runbook", "--only", "look"]).code(0).lacks("drained");
}

/// Two blanks are two, and a line end is seen as one: an SQL of which a comment seems to take the rest is another one.
#[test]
fn what_is_agreed_to_is_shown_as_it_is_sent() {
    let text = "tool t(x: string) changes = argv(\"true\", x)\n\
        section \"S\" {\n  change t(\"a  b\",\n  )\n  change t(\"\"\"\n    UPDATE d SET b = 'a  b' -- all\n    WHERE id = -1\n    \"\"\")\n\
        change t('''\n    {\"a\":\t1}\n    ''')\n  check \"a  b\" == \"a b\" as \"same\"\n}\n";
    let folder = Folder::with(text);
    let sql = r#"t("UPDATE d SET b = 'a  b' -- all\nWHERE id = -1\n")"#;
    folder.run(&["plan", "a.runbook"]).out(r#"t("a  b", )"#).out(sql).out(r#"t("\{\"a\":\t1\}\n")"#);
    folder.run(&["print", "a.runbook"]).code(0).out(r#"**CHANGE** 1: `t("a  b", )`"#).out(sql);
    folder.run(&["run", "a.runbook"]).out(sql).out(r#""a  b" == "a b""#);
}

#[test]
fn what_is_set_to_several_lines_is_typed_as_such() {
    let folder = Folder::with(
        "param s: string\ntool t(x: string) changes = argv(\"true\", x)\nsection \"S\" {\n  change t(s)\n}\n",
    );
    let set = ["plan", "a.runbook", "--offline", "--set", "s=two\n  lines"];
    folder.run(&set).code(0).out(r"approve: runbook run a.runbook --set $'s=two\n  lines' --approve ");
}
