//! Logs that come from standard input and from the journal of systemd, as the program reads them.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use super::program::{Folder, Output, PROGRAM, finish};

const COUNTS: &str = "section \"Log\" {\n  let lines = logs(file: \"-\")\n  show lines | count as \"all\"\n  \
    show lines | where(.text ~ /error/i) | count as \"errors\"\n  \
    show logs(file: \"-\", at_most: 1GiB) | patterns | count as \"kinds\"\n}\n";

/// The numbers that were shown, by their titles: what is known first comes first.
#[track_caller]
fn numbers(output: &Output) -> Vec<i64> {
    let events = output.lines();
    let shown = events.iter().filter(|event| event["event"] == "shown");
    let mut shown: Vec<_> = shown
        .filter_map(|event| Some((event["title"].to_string(), event["shown"]["body"]["cell"]["value"].as_i64()?)))
        .collect();
    shown.sort();
    shown.into_iter().map(|(_, number)| number).collect()
}

#[test]
fn standard_input_is_read_once_for_all_that_ask() {
    let folder = Folder::with(COUNTS);
    let args = ["run", "a.runbook", "--format", "json"];
    // More than a pipe holds.
    let text = "one error\r\ntwo\n\0three\n".repeat(100_000);
    assert_eq!(numbers(folder.run_with_input(&args, &text).code(0)), [300_000, 100_000, 3]);
    // An empty pipe is an empty log; a file is read where it lies.
    assert_eq!(numbers(folder.run_with_input(&args, "").code(0)), [0, 0, 0]);
    folder.write("a.log", &text);
    let file = Stdio::from(File::open(folder.path("a.log")).unwrap());
    assert_eq!(numbers(finish(folder.command(&args).stdin(file).spawn().unwrap()).code(0)), [300_000, 100_000, 3]);
    let packed = zstd::encode_all(text.as_bytes(), 1).unwrap();
    assert_eq!(numbers(folder.run_with_input(&args, packed).code(0)), [300_000, 100_000, 3]);
}

/// All that comes is one log, whoever asks for how much of it and reads it in whichever way.
#[test]
fn what_comes_is_the_same_for_all_that_ask_while_it_comes() {
    let asked = |name: &str, log: &str, stages: &str| format!("  show {log} | {stages} as \"{name}\"\n");
    let (all, some) = ("logs(file: \"-\")", "logs(file: \"-\", at_most: 1GiB)");
    let window = "logs(file: \"-\", since: 1h, timezone: \"UTC\")";
    let shows = [
        asked("a", all, "count"),
        asked("b", some, "each(.number) | max"),
        asked("c", some, "where(.text ~ /error 399999$/) | count"),
        asked("d", window, "count"),
        asked("e", all, "where(.number > 399999) | count"),
    ];
    let folder = Folder::with(format!("section \"Log\" {{\n{}}}\n", shows.concat()));
    let old = "2020-01-01 08:00:00 error\n".repeat(100_000);
    let time = super::stamp(5);
    let new = (100_000..400_000).map(|number| format!("{time} error {number}\n")).collect::<Vec<_>>().concat();
    let output = folder.run_with_input(&["run", "a.runbook", "--format", "json"], old + &new);
    assert_eq!(numbers(output.code(0)), [400_000, 400_000, 1, 300_000, 1]);
    // An answer that is known early is none where there is too much.
    let first = "section \"Log\" {\n  show logs(file: \"-\", at_most: 2MiB) | first as \"first\"\n}\n";
    folder.write("first.runbook", first);
    folder.run_with_input(&["run", "first.runbook"], new).code(3).says("more than the 2MiB that are taken");
}

#[test]
fn what_is_no_log_on_standard_input_is_a_fault() {
    let folder = Folder::with(COUNTS);
    folder.run(&["run", "a.runbook"]).code(3).says("standard input is no pipe and no file");
    folder.run_on_terminal(&["run", "a.runbook"], &[]).code(3).says("standard input is a terminal");
    let twice = folder.run_with_input(&["run", "-"], COUNTS);
    twice.code(3).says("standard input was read as the runbook");
    let small = "section \"Log\" {\n  show logs(file: \"-\", at_most: 8B) | count as \"all\"\n}\n";
    folder.write("small.runbook", small);
    folder.run_with_input(&["run", "small.runbook"], "12345678\n").code(3).says("more than the 8B that are taken");
    // What is too much for one is not too much for another.
    let both = "section \"Log\" {\n  step \"A\" { show logs(file: \"-\", at_most: 8B) | count as \"all\" }\n  \
                step \"B\" { show logs(file: \"-\") | count as \"all\" }\n}\n";
    folder.write("both.runbook", both);
    let output = folder.run_with_input(&["run", "both.runbook", "--format", "json"], "12345678\n".repeat(50_000));
    assert_eq!(numbers(output.code(3)), [50_000]);
}

/// A journalctl that says what the real one says.
const FAKE: &str = r#"#!/bin/sh
case "$*" in
*--unit=denied*) echo "Hint: You are currently not seeing messages from other users and the system." >&2; exit 0 ;;
*--unit=locked*) echo "No journal files were opened due to insufficient permissions." >&2; exit 1 ;;
*--unit=nofiles*) echo "No journal files were found." >&2; exit 0 ;;
*--unit=broken*) echo "Failed to open journal" >&2; exit 1 ;;
*--unit=endless*) exec yes 2026-11-23T08:00:00.000000+0000 ;;
*--unit=slow*) exec sleep 60 ;;
*--lines=0*) exit 0 ;;
*--unit=*) ;;
# Of all units: whether there is something from before.
*--until=*) [ -e "$JOURNAL_BEGINS_LATER" ] || echo "2026-01-01T08:00:00.000000+0000 host kernel: begun"; exit 0 ;;
esac
case "$*" in
*--lines=1*--unit=quiet*) echo "2026-11-20T08:00:00.000000+0000 host quiet[1]: started" ;;
*--unit=quiet*|*--unit=unknown*) exit 0 ;;
*)
  echo "2026-11-23T08:00:00.250000+0000 host nginx[7]: order 17 error"
  echo "                                              java.lang.Error: it"
  echo "2026-11-23T08:00:01.250000+0000 host nginx[7]: order 18 error" ;;
esac
"#;

fn journal(call: &str, bin: Option<&str>) -> Output {
    journal_of(call, bin, None)
}

/// `later`: the journal has nothing from before.
fn journal_of(call: &str, bin: Option<&str>, later: Option<&str>) -> Output {
    let folder = Folder::with(format!(
        "section \"Log\" {{\n  let lines = {call}\n  show lines | count as \"all\"\n  \
         show lines | patterns | each(.count) | join(\" \") as \"kinds\"\n}}\n"
    ));
    folder.write("bin/journalctl", FAKE);
    fs::set_permissions(folder.path("bin/journalctl"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = bin.map_or_else(|| format!("{}:/usr/bin:/bin", folder.path("bin").display()), str::to_owned);
    let mut command = folder.command(&["run", "a.runbook", "--format", "json"]);
    command.env("PATH", path).envs(later.map(|_| ("JOURNAL_BEGINS_LATER", folder.path("a.runbook"))));
    finish(command.spawn().unwrap())
}

#[test]
fn the_journal_of_a_unit_is_a_log() {
    let output = journal("host.journal(unit: \"nginx\")", None);
    assert_eq!(numbers(output.code(0)), [3]);
    output.out("\"2\"");
    // One that may have begun later than it is asked for says nothing of what was before.
    let check = "host.journal(unit: \"nginx\", since: 30d)";
    assert_eq!(numbers(journal(check, None).code(0)), [3]);
    let output = journal_of(check, None, Some("1"));
    output.code(0).out("the journal has nothing from before that time");
    // A unit that has been quiet for so long has a log, and it is empty.
    assert_eq!(numbers(journal("host.journal(unit: \"quiet\", since: 1h)", None).code(0)), [0]);
}

#[test]
fn a_journal_that_cannot_be_read_is_a_fault_and_never_empty() {
    let cases = [
        ("host.journal(unit: \"denied\")", "this user may not read the system's journal"),
        ("host.journal(unit: \"locked\")", "this user may not read the system's journal"),
        ("host.journal(unit: \"nofiles\")", "this machine keeps no journal"),
        ("host.journal(unit: \"broken\")", "Failed to open journal"),
        ("host.journal(unit: \"unknown\", since: 1h)", "nothing of a unit `unknown`, at any time"),
        ("host.journal(unit: \"endless\", at_most: 1MiB)", "more than the 1MiB that are taken"),
        ("host.journal(unit: \"slow\", within: 300ms)", "within 300ms"),
        ("host.journal(unit: \"\")", "an empty text is no unit"),
    ];
    for (call, why) in cases {
        journal(call, None).code(3).says(why);
    }
    journal("host.journal(unit: \"nginx\")", Some("/nowhere")).code(3).says("there is no `journalctl` here");
}

/// The real one says what it says: lines, or why there are none, and never that all is well where it could not look.
#[test]
#[expect(clippy::disallowed_macros, reason = "it names what this machine does not have")]
fn the_real_journal_is_asked_where_there_is_one() {
    let output = journal("host.journal(unit: \"no-such-unit-at-all\", since: 1h)", Some("/usr/bin:/bin"));
    output.code(3);
    let reasons = ["there is no `journalctl` here", "this machine keeps no journal", "may not read", "at any time"];
    let found = reasons.iter().find(|reason| output.stdout.contains(**reason));
    println!("1 case against {PROGRAM}: journalctl says: {}", found.unwrap_or_else(|| panic!("{}", output.stdout)));
}
