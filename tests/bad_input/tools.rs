//! Programs that are not there, do not end, or say too much.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::program::{Folder, finish, signal};

#[test]
fn a_tool_that_misbehaves_is_not_measured() {
    let folder = Folder::with(
        r#"tool missing() -> list<string> = argv("/no/such/tool", output: "lines")
tool yes() -> list<string> = argv("yes", output: "lines")
tool never() -> list<string> = argv("sleep", "1000", output: "lines")
tool gigabyte() -> string = argv("head", "-c", "1000000000", "/dev/zero", output: "text")
section "s" {
  step "m" { check missing() | is_empty as "missing" }
  step "y" { check yes() | is_empty as "yes" }
  step "n" within 1s { check never() | is_empty as "never" }
  step "g" { check gigabyte() == "" as "gigabyte" }
}
"#,
    );
    folder
        .run(&["run", "a.runbook"])
        .code(3)
        .says("`/no/such/tool` cannot be started")
        .says("`yes` printed more than 16MiB and was stopped")
        .says("step \"n\" is limited to 1s")
        .says("`head` printed more than 16MiB and was stopped")
        .says("0 passed · 4 unknown");
}

#[test]
fn what_a_tool_writes_does_nothing_to_the_terminal() {
    let folder = Folder::with(
        r#"tool escapes() -> list<string> = argv("printf", "\\033[31mred\\033]0;x\\007\\377\\000", output: "lines")
section "s" { step "t" { show escapes() for x in escapes() { check x == "" as "is {x}" } } }
"#,
    );
    let output = folder.run(&["run", "a.runbook"]);
    output.code(4).says("\\x1b[31mred\\x1b]0;x\\x07");
    assert!(!output.stdout.contains(['\u{1b}', '\u{7}', '\0']), "{}", output.stdout);
}

/// A folder with a program that hears no signal and starts another one.
fn stubborn(statements: &str) -> Folder {
    let folder = Folder::with(format!(
        "tool slow() changes = argv(\"./slow.sh\")\nsection \"s\" {{ step \"t\" {{ {statements} }} }}\n"
    ));
    folder.write(
        "slow.sh",
        "#!/bin/sh\ntrap '' TERM INT HUP\necho $$ >> pids\nsleep 1000 &\necho $! >> pids\nwait\nsleep 1000\n",
    );
    fs::set_permissions(folder.path("slow.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// The command that runs it with consent.
fn approved(folder: &Folder) -> Command {
    folder.command(&["run", "a.runbook", "--approve", &folder.hash()])
}

/// Both programs are over.
#[track_caller]
fn nothing_is_left(folder: &Folder) {
    let pids = fs::read_to_string(folder.path("pids")).unwrap();
    let begun = Instant::now();
    let is_over = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Nobody collects what was orphaned in a container without an init.
        stat.is_empty() || stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
    };
    assert_eq!(pids.lines().count(), 2, "{pids}");
    while !pids.lines().all(is_over) {
        assert!(begun.elapsed() < Duration::from_secs(10), "{pids} is left");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_change_that_hears_no_signal_ends_with_its_limit() {
    let folder = stubborn("change slow() as \"slow\" within 1s change slow() as \"next\"");
    let output = finish(approved(&folder).spawn().unwrap());
    output.code(4).says("UNKNOWN  change slow").says("REFUSED  change next");
    nothing_is_left(&folder);
    let journal = folder.journals();
    assert!(journal.contains(r#""outcome":"unknown""#) && journal.contains(r#""event":"run_finished""#), "{journal}");
}

#[test]
fn two_signals_end_a_run_at_once_and_leave_nothing() {
    for sent in [Signal::INT, Signal::TERM, Signal::HUP] {
        let folder = stubborn("change slow() as \"slow\" change slow() as \"next\"");
        let child = approved(&folder).spawn().unwrap();
        let begun = Instant::now();
        while fs::read_to_string(folder.path("pids")).unwrap_or_default().lines().count() < 2 {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        for _ in 0..2 {
            signal(&child, sent);
            std::thread::sleep(Duration::from_millis(300));
        }
        finish(child).code(130).says("stopped at once, not waiting for: slow").says("nothing was changed");
        nothing_is_left(&folder);
        let journal = folder.journals();
        assert!(journal.contains(r#""outcome":"unknown""#) && journal.contains(r#""exit":130"#), "{journal}");
    }
}
