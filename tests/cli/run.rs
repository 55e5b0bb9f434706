//! `runbook run`

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::program::{Folder, appears, finish, signal};

fn section(body: &str) -> String {
    format!("section \"A\" {{\n  step \"One\" {{\n{body}\n  }}\n}}\n")
}

#[test]
fn the_exit_code_is_the_worst_of_what_was_found() {
    for (body, code, says) in [
        ("check 1 < 2 as \"holds\"", 0, "1 passed"),
        ("check 2 < 1 as \"holds\"", 4, "FAILED   holds"),
        ("check 2 < 1 as \"holds\" else warning", 0, "WARNING"),
        ("check host.file(\"/nope/nope\").size > 1B as \"size\"", 3, "UNKNOWN"),
        ("check host.file(\"/nope/nope\").size > 1B as \"size\"\n    check 2 < 1 as \"holds\"", 4, "FAILED"),
    ] {
        Folder::with(section(body)).run(&["run", "a.runbook"]).code(code).out(says);
    }
}

#[test]
fn a_runbook_with_errors_is_not_begun() {
    let folder = Folder::with(section("check 10GiB > 10% as \"x\""));
    folder.run(&["run", "a.runbook"]).code(2).no_out().err("[unit-mismatch]").err("nothing was run");
    assert!(!folder.path("state").exists());
}

#[test]
fn standard_input_can_be_run() {
    let folder = Folder::new();
    folder.run_with_input(&["run", "-"], section("show 1 + 1 as \"two\"")).code(0).out("two  2");
}

#[test]
fn what_cannot_be_run_says_why() {
    let folder = Folder::with("library \"L\" { edition 1 }\n");
    folder.run(&["run", "a.runbook"]).code(1).err("it has no section");
    folder.run(&["run", "missing.runbook"]).code(2).err("there is no such file");
    folder.run(&["run", "."]).code(2).err("this is a folder");
}

#[test]
fn params_are_typed_and_looked_up() {
    let folder = Folder::with(format!("param limit: percent\n{}", section("show limit as \"limit\"")));
    folder.run(&["run", "a.runbook"]).code(1).err("`limit` (percent) has no default").err("--set limit=VALUE");
    folder.run(&["run", "a.runbook", "--set", "limit=80%"]).code(0).out("limit  80%");
    folder.run(&["run", "a.runbook", "--set", "limit=80"]).code(1).err("80%");
    folder.run(&["run", "a.runbook", "--set", "limt=80%"]).code(1).err("did you mean `--set limit=…`?");
    folder.run(&["run", "a.runbook", "--set", "limit"]).code(1).err("has no value");
    folder.run(&["run", "a.runbook", "--set", "limit=1%", "--set", "limit=2%"]).code(1).err("set twice");
}

#[test]
fn a_part_can_be_run_by_its_title() {
    let text = "section \"A\" {\n  step \"One\" { show 1 as \"one\" }\n  step \"Two\" { show 2 as \"two\" }\n}\n\
                section \"B\" {\n  step \"Three\" { show 3 as \"three\" }\n}\n";
    let folder = Folder::with(text);
    folder.run(&["run", "a.runbook", "--only", "two"]).code(0).out("two  2").lacks("one  1").lacks("three  3");
    folder
        .run(&["run", "a.runbook", "--only", "B", "--only", "One"])
        .code(0)
        .out("one  1")
        .out("three  3")
        .lacks("two  2");
    folder.run(&["run", "a.runbook", "--only", "Thre"]).code(1).no_out().err("did you mean `--only \"Three\"`?");
}

#[test]
fn json_is_a_stream_of_records_that_begins_with_the_version() {
    let lines =
        Folder::with(section("check 1 < 2 as \"holds\"")).run(&["run", "a.runbook", "--format", "json"]).lines();
    assert_eq!((&lines[0]["event"], &lines[0]["version"]), (&"run_started".into(), &1.into()));
    let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..lines.len() as u64).collect::<Vec<_>>());
    let last = lines.last().unwrap();
    assert_eq!((&last["event"], &last["exit"]), (&"run_finished".into(), &0.into()));
}

#[test]
fn junit_is_one_document() {
    let folder = Folder::with(section("check 2 < 1 as \"holds\""));
    folder.run(&["run", "a.runbook", "--format", "junit"]).code(4).out("<failure").out("</testsuites>");
}

#[test]
fn an_interrupted_run_stops_and_says_so() {
    let folder = Folder::with(section(
        "let ready = host.file(\"/tmp\").exists\n    wait until not ready every 50ms within 10m\n    check 1 < 2 as \"later\"",
    ));
    for (sent, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        let child = folder.command(&["run", "a.runbook", "--format", "json", "--state", name]).spawn().unwrap();
        appears(&folder.path(name).join("runs"));
        std::thread::sleep(Duration::from_millis(300));
        let begun = Instant::now();
        signal(&child, sent);
        let output = finish(child);
        assert!(begun.elapsed() < Duration::from_secs(5));
        output.code(130).err("nothing more is begun").out(&format!("\"signal\":\"{name}\"")).out("\"run_finished\"");
    }
}

#[test]
fn a_reader_that_had_enough_does_not_stop_the_run() {
    let folder = Folder::with(section("show 1..1 as \"x\"").replace("show 1..1 as \"x\"", "check 2 < 1 as \"holds\""));
    let mut child = folder.command(&["run", "a.runbook"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    finish(child).code(4).lacks("panicked");
    folder.run(&["show", "last"]).code(0).out("FAILED   holds");
}

#[test]
fn what_the_tool_does_is_logged_on_demand_and_never_a_secret() {
    let text = "secret key = env(\"KEY\")\nconnect api = http(\"http://127.0.0.1:9\", bearer: key)\n\
                section \"A\" {\n  check api.answers(\"/\") as \"answers\"\n}\n";
    let folder = Folder::with(text);
    let mut command = folder.command(&["run", "a.runbook"]);
    command.env("KEY", "hunter2-hunter2").env("RUNBOOK_LOG", "trace");
    let output = finish(command.spawn().unwrap());
    output.code(4).err("runbook::events").lacks("hunter2");
    let mut command = folder.command(&["run", "a.runbook"]);
    command.env("RUNBOOK_LOG", "a=b=c");
    finish(command.spawn().unwrap()).code(1).err("RUNBOOK_LOG");
}

#[test]
fn the_output_keeps_the_order_of_the_page_whatever_is_ready_first() {
    let folder = Folder::with(
        "section \"A\" {\n  show sleeper() | count as \"slow\"\n  show 1 as \"quick\"\n  \
         step \"Each\" for i in sleeper() {\n    show i as \"item\"\n  }\n  \
         step \"Last\" {\n    show 2 as \"late\"\n  }\n  check 1 < 2 as \"own\"\n  check 2 < 1 as \"other\"\n}\n\
         tool sleeper() -> list<line> = argv(\"sh\", \"-c\", \"sleep 0.3; echo x\", output: \"lines\")\n",
    );
    let output = folder.run(&["run", "a.runbook"]);
    let at = |part: &str| output.stdout.find(part).unwrap_or_else(|| panic!("no {part:?} in {}", output.stdout));
    assert!(at("slow  1") < at("quick  1") && at("quick  1") < at("Each [") && at("Each [") < at("Last"));
    // What the section checks itself stands behind its steps.
    output.out("✗ A                                  1 of 2 failed");
    assert!(at("Last") < at("1 of 2 failed"));
}

#[test]
fn a_program_beside_the_runbook_is_found_from_any_folder() {
    let folder = Folder::new();
    folder.write("there/a.runbook", section("show hello()") + "tool hello() -> string = argv(\"./hello.sh\")\n");
    folder.write("there/hello.sh", "#!/bin/sh\necho hello from $(basename $(pwd))\n");
    std::process::Command::new("chmod").arg("+x").arg(folder.path("there/hello.sh")).status().unwrap();
    folder.run(&["run", "there/a.runbook"]).code(0).out("hello from there");
}

#[test]
fn long_texts_and_wide_tables_are_cut_and_are_whole_in_show() {
    let long = "x".repeat(3_000);
    let body = format!("show [{{ name: \"a\", text: \"{long}\" }}]\n    show \"{long}\" as \"text\"");
    let folder = Folder::with(section(&body));
    folder.run_on_terminal(&["run", "a.runbook"], &[]).code(0).lacks(&"x".repeat(401)).out("…");
    folder.run(&["run", "a.runbook"]).code(0).out(&long);
    folder.run_on_terminal(&["show", "last", "3"], &[]).code(0).out(&long);
    let columns: Vec<String> = (0..12).map(|n| format!("column_{n}: {n}")).collect();
    let folder = Folder::with(section(&format!("show [{{ {} }}]", columns.join(", "))));
    folder.run_on_terminal(&["run", "a.runbook"], &[]).code(0).out("more columns: ").out("column_11");
}

#[test]
fn a_list_on_the_command_line_has_no_brackets_and_a_report_is_run_by_its_title() {
    let text = "param hosts: list<string> = []\nchannel mail = email(to: [\"a@b.c\"])\n\
                section \"A\" {\n  show hosts\n}\n\
                report \"Weekly\" weekly on monday at 09:00 {\n  show hosts\n  send to mail\n}\n";
    let folder = Folder::with(text);
    folder.run(&["run", "a.runbook", "--set", "hosts=[\"a\"]"]).code(1).err("a list is written without brackets");
    folder.run(&["run", "a.runbook"]).code(0).out("(none)").lacks("send to mail");
    let weekly = folder.run(&["run", "a.runbook", "--only", "Weekly", "--no-notify"]);
    weekly.code(0).out("Weekly").out("send to mail").lacks("\nA\n");
}

#[test]
fn the_same_said_in_each_round_of_retry_is_said_once() {
    let text = section("retry 3 every 1ms {\n      change broken() as \"mend it\"\n    }")
        + "tool broken() changes idempotent = argv(\"sh\", \"-c\", \"exit 3\")\n";
    let folder = Folder::with(&text);
    let output = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    // The last round counts, and those before it are attempts.
    output.code(4).out("NOTE     change mend it").out("         2 times");
    assert_eq!(output.stdout.matches("UNKNOWN  change mend it").count(), 1, "{}", output.stdout);
}

#[test]
fn a_server_that_does_not_answer_is_told_with_the_reason() {
    let text = "connect api = http(\"http://127.0.0.1:1\")\n".to_owned()
        + &section("check api.answers(\"/\") as \"it answers\"\n    check not api.answers(\"/\") as \"it is down\"");
    let output = Folder::with(&text).run(&["run", "a.runbook"]);
    output.code(4).out("FAILED   it answers").out("refused").out("1 passed · 1 failed");
}

#[test]
fn a_secret_of_several_lines_is_hidden_and_one_that_is_too_short_is_said_so() {
    let folder = Folder::with(
        "secret _several = file(\"several\")\nsecret _short = file(\"short\")\n\
         tool echo() -> string = argv(\"cat\", \"several\")\n\
         section \"A\" {\n  show echo() as \"text\"\n  show echo() | lines as \"lines\"\n}\n",
    );
    folder.write("several", "admin\nhunter2hunter2\n");
    folder.write("short", "abc\n");
    let output = folder.run(&["run", "a.runbook"]);
    output.code(0).lacks("hunter2").lacks("admin").out("(secret)").lacks("1 more");
    assert_eq!(output.stdout.matches("secret `_short`").count(), 1, "{}", output.stdout);
    output.out("too short to be hidden").lacks("secret `_several`");
    let journal = folder.journals();
    assert!(!journal.contains("hunter2") && !journal.contains("admin"), "{journal}");
    folder
        .run(&["run", "a.runbook", "--format", "json"])
        .code(0)
        .out("\"event\":\"secret_too_short\",\"name\":\"_short\"");
}
