//! `runbook history` and `runbook show`

use std::fs;

use crate::program::Folder;

const TEXT: &str =
    "section \"A\" {\n  step \"One\" {\n    show [1, 2] as \"numbers\"\n    check 2 < 1 as \"holds\"\n  }\n}\n";

#[test]
fn a_run_is_shown_again_as_it_was_printed() {
    let folder = Folder::with(TEXT);
    let first = folder.run(&["run", "a.runbook"]);
    let again = folder.run(&["show", "last"]);
    assert_eq!(first.code(4).stdout, again.code(0).stdout);
    folder.run(&["show", "last", "--format", "junit"]).code(0).out("<failure");
    folder.run(&["show", "last", "4"]).code(0).out("FAILED   holds");
    folder.run(&["show", "last", "99"]).code(1).err("recorded nothing of line 99");
    folder.run(&["show", "zzz"]).code(1).err("there is no run `zzz`");
}

#[test]
fn the_history_lists_runs_with_their_ends() {
    let folder = Folder::with(TEXT);
    folder.run(&["history"]).code(0).no_out().err("no runs are recorded");
    folder.run(&["run", "a.runbook"]);
    let output = folder.run(&["history"]);
    output.code(0).out("exit 4").out("1 failed");
    assert_eq!(output.stdout.lines().count(), 1);
    let lines = folder.run(&["history", "--format", "json"]).lines();
    assert_eq!(lines[0]["finished"]["exit"], 4);
    let id = lines[0]["run"].as_str().unwrap();
    folder.run(&["show", &id[..3]]).code(0).out(id);
}

#[test]
fn a_run_that_was_killed_is_unfinished_and_a_damaged_journal_is_said() {
    let folder = Folder::with(TEXT);
    folder.run(&["run", "a.runbook"]);
    let journal = folder.journal_paths().remove(0);
    let text = fs::read_to_string(&journal).unwrap();
    fs::write(&journal, &text[..text.len() - 30]).unwrap();
    folder.run(&["history"]).code(0).out("unfinished");
    folder.run(&["show", "last"]).code(0).out("the run did not finish").err("not written to its end");
    fs::write(&journal, text.replacen("\"seq\":1", "\"seq\":", 1)).unwrap();
    folder.run(&["show", "last"]).code(1).err("line 2");
    fs::write(&journal, "garbage\n").unwrap();
    folder.run(&["history"]).code(1).err("cannot read the journal");
}

#[test]
fn what_is_no_file_in_the_folder_of_runs_is_said_and_not_waited_for() {
    let zero = |path: &std::path::Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    let pipe = |path: &std::path::Path| {
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    };
    let places: [&dyn Fn(&std::path::Path); 2] = [&zero, &pipe];
    for put in places {
        let folder = Folder::with(TEXT);
        folder.run(&["run", "a.runbook"]).code(4);
        let journal = folder.journal_paths().remove(0);
        // Beside the journal, and in the place of the journal.
        let begun = journal.with_extension("begun");
        put(&begun);
        folder.run(&["audit", "verify"]).code(3).out("it is no file");
        fs::remove_file(&begun).unwrap();
        fs::remove_file(&journal).unwrap();
        put(&journal);
        folder.run(&["history"]).code(1).err("cannot read the journal").err("it is no file");
        folder.run(&["show", "last"]).code(1).err("it is no file");
        folder.run(&["resume", "last"]).code(1).err("it is no file");
        folder.run(&["audit", "verify"]).code(3).out("it is no file");
        let chain = folder.path("state/chain.jsonl");
        fs::remove_file(&chain).unwrap();
        put(&chain);
        folder.run(&["audit", "verify"]).code(3).out("it is no file");
    }
}

#[test]
fn show_alone_is_the_last_run() {
    let folder = Folder::with("section \"A\" {\n  show 1 as \"first\"\n}\n");
    folder.run(&["run", "a.runbook"]).code(0);
    folder.write("a.runbook", "section \"A\" {\n  show 2 as \"second\"\n}\n");
    folder.run(&["run", "a.runbook"]).code(0);
    folder.run(&["show"]).code(0).out("second  2").lacks("first  1");
    folder.run(&["show", "last", "2"]).code(0).out("second  2");
}

#[test]
fn what_a_run_says_is_kept_in_the_folder_that_the_header_names() {
    let folder = Folder::with(format!("runbook \"A\" {{\n  log \"logs/shop\"\n}}\n\n{TEXT}"));
    let printed = folder.run(&["run", "a.runbook"]);
    folder.run(&["run", "a.runbook", "--only", "One", "--format", "json"]).code(4);
    let mut names: Vec<String> = fs::read_dir(folder.path("logs/shop"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert!(names[0].starts_with("a_20") && names[1].starts_with("one_20"), "{names:?}");
    assert_eq!(folder.read(&format!("logs/shop/{}", names[0])), printed.code(4).stdout);
    // The log is for people, whatever the output is.
    assert!(folder.read(&format!("logs/shop/{}", names[1])).contains("FAILED   holds"));

    // Where it cannot be written, that is said, and the run goes on.
    folder.write("a.runbook", format!("runbook \"A\" {{\n  log \"a.runbook\"\n}}\n\n{TEXT}"));
    folder.run(&["run", "a.runbook"]).code(4).err("cannot be written, so the run has no log there");
}

#[test]
fn what_is_not_printed_is_said_with_what_of_it_is_kept() {
    let folder = Folder::with(
        "section \"S\" {\n  show logs(file: \"long\") | each(.number)\n  show logs(file: \"short\") | each(.number)\n}\n",
    );
    folder.write("long", "x\n".repeat(5000));
    folder.write("short", "x\n".repeat(25));
    let ran = folder.run(&["run", "a.runbook"]);
    ran.code(0).out("… 4980 more, of which 980 are kept: runbook show").out("… 5 more: runbook show");
}
