//! Outputs that are full or closed, state folders that are none, arguments that make no sense.

use std::fs::{self, File};

use crate::program::{Folder, PROGRAM, finish};

const GOOD: &str = "section \"s\" { step \"t\" { check 1 == 1 as \"one\" } }\n";

#[test]
fn an_output_that_is_full_is_no_pass() {
    let folder = Folder::with(GOOD);
    let full = |args: &[&str]| {
        let mut command = folder.command(args);
        finish(command.stdout(File::options().write(true).open("/dev/full").unwrap()).spawn().unwrap())
    };
    for format in ["terminal", "json", "junit"] {
        full(&["run", "a.runbook", "--format", format]).code(1).says("No space left on device");
    }
    for args in [&["check", "a.runbook", "--format", "sarif"][..], &["fmt", "-"], &["doc"], &["history"]] {
        let output = full(args);
        assert!(output.code == 1 || args == ["fmt", "-"], "{args:?}: {output:?}");
    }
    for args in [&["--help"][..], &["--version"], &["check", "--help"], &["help", "run"]] {
        full(args).code(1).says("error: cannot write: No space left on device");
    }
}

#[test]
fn an_output_that_nobody_reads_to_its_end_is_no_failure() {
    let many: String = "show 1 as \"number\"\n".repeat(2_000);
    let folder = Folder::with(format!("section \"s\" {{ {many} check 1 == 1 as \"one\" }}"));
    let mut child = folder.command(&["run", "a.runbook"]).spawn().unwrap();
    drop(child.stdout.take());
    finish(child).code(0);
    for args in [&["--help"][..], &["--version"], &["check", "--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = finish(folder.command(args).stdout(writer).spawn().unwrap());
        assert_eq!(output.code(0).stderr, "", "{args:?}");
    }
    assert!(folder.journals().contains("run_finished"), "the journal is whole all the same");
    let closed = folder.through("sh", &["-c", "exec \"$0\" run a.runbook <&- >&- 2>&-", PROGRAM]).spawn().unwrap();
    finish(closed).code(0);
}

#[test]
fn a_state_folder_that_cannot_hold_a_run_is_said() {
    let look = Folder::with(GOOD);
    look.write("state", "I am a file");
    look.run(&["run", "a.runbook"]).code(0).says("the run cannot be recorded").says("the run goes on without a record");
    look.run(&["history"]).code(1).says("cannot read the folder of runs");
    look.run(&["run", "a.runbook", "--state", "/proc/nowhere"]).code(0).says("the run cannot be recorded");

    let change = Folder::with(
        "tool touch() changes = argv(\"touch\", \"done\")\nsection \"s\" { step \"t\" { change touch() } }\n",
    );
    let hash = change.hash();
    change.write("state", "I am a file");
    change
        .run(&["run", "a.runbook", "--approve", &hash])
        .code(1)
        .says("the run cannot be recorded")
        .says("nothing was run");
    assert!(!change.path("done").exists());
}

/// A journal that breaks off in the middle: what is not written down beforehand is not done.
#[test]
fn a_disk_that_runs_full_stops_the_changes() {
    let folder = Folder::with(
        "tool touch() changes = argv(\"touch\", \"done\")\nsection \"s\" { step \"t\" {\n  let x = \"0123456789\"\n  \
         for n in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20] { show \"{x}{x}{x}{x}{x}{x}\" }\n  \
         change touch()\n} }\n",
    );
    let hash = folder.hash();
    // A limit of 4 blocks of 512 bytes on what a file may hold: the run's own, and the changes are never reached.
    // With the signal that such a limit sends, and without it.
    for trap in ["", "trap '' XFSZ; "] {
        let script = format!("{trap}ulimit -f 4; exec \"$0\" run a.runbook --approve \"$1\"");
        let output = finish(folder.through("sh", &["-c", &script, PROGRAM, &hash]).spawn().unwrap());
        assert!((1..1000).contains(&output.code), "{output:?}");
        output.says("the run cannot be recorded").says("File too large");
        assert!(!folder.path("done").exists(), "{output:?}");
    }
}

#[test]
fn runs_at_once_keep_a_journal_each() {
    let folder = Folder::with(GOOD);
    let children: Vec<_> = (0..8).map(|_| folder.command(&["run", "a.runbook"]).spawn().unwrap()).collect();
    for child in children {
        finish(child).code(0);
    }
    assert_eq!(fs::read_dir(folder.path("state/runs")).unwrap().count(), 8);
    assert_eq!(folder.journals().matches("run_finished").count(), 8);
}

#[test]
fn settings_of_another_type_are_refused() {
    let folder = Folder::with(
        "param n: int = 1\nparam d: duration = 1s\nparam l: list<string> = []\nparam p: percent = 5%\nparam f: float = 1.0\n\
         param day: date = 2026-01-01\nsection \"A\" { show n show d show l show p show f show day }\n",
    );
    let wrong = [
        "n=abc",
        "n=1.5",
        "n=99999999999999999999",
        "n=",
        "n=1 + 1",
        "n",
        "=1",
        "d=5",
        "d=-5s",
        "d=99999999999w",
        "l=[",
        "l=[\"a\",1]",
        "p=5",
        "p=NaN%",
        "f=NaN",
        "f=inf",
        "f=1e999",
        "day=2026-02-30",
        "other=1",
    ];
    for set in wrong {
        let output = folder.run(&["run", "a.runbook", "--set", set]);
        output.code(1).says("error: ");
        assert_eq!(output.stdout, "", "{set}");
    }
    folder.run(&["run", "a.runbook", "--set", "n=1", "--set", "n=2"]).code(1).says("`n` is set twice");

    for title in ["zz", "", "A ", "\u{1b}[2J"] {
        let output = folder.run(&["run", "a.runbook", "--only", title]);
        output.code(1).says("there is no section, step or report");
        assert!(!output.stderr.contains('\u{1b}'));
    }
}
