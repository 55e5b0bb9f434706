//! `runbook audit`
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;
use std::path::PathBuf;

use crate::program::Folder;

const TEXT: &str =
    "section \"A\" {\n  step \"One\" {\n    show [1, 2] as \"numbers\"\n    check 1 < 2 as \"holds\"\n  }\n}\n";

fn edit(path: &PathBuf, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from));
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

#[test]
fn where_nothing_was_recorded_nothing_is_wrong_and_nothing_is_made() {
    let folder = Folder::new();
    folder.run(&["audit", "verify"]).code(0).out("0 runs").out("no run is chained");
    folder.run(&["audit", "head"]).code(0).no_out().err("no run is chained");
    folder.run(&["audit", "verify", "last"]).code(1).err("there is no run `last`");
    assert!(!folder.path("state").exists());
}

#[test]
fn an_edit_is_named_with_its_run_and_line_and_show_warns_of_it() {
    let folder = Folder::with(TEXT);
    folder.run(&["run", "a.runbook"]).code(0);
    folder.run(&["run", "a.runbook"]).code(0);
    folder.run(&["audit", "verify"]).code(0).out("2 runs").out("2 whole").out("0 findings").out("head ");
    folder.run(&["show", "last"]).code(0).lacks("warning");
    let last = folder.journal_paths().pop().unwrap();
    edit(&last, "numbers", "numbxrs");
    let name = last.file_name().unwrap().to_str().unwrap();
    let output = folder.run(&["audit", "verify"]);
    output
        .code(4)
        .out("WRONG")
        .out(&format!("{name}:"))
        .out("was edited")
        .out("1 wrong")
        .out("1 whole")
        .out("1 finding");
    folder.run(&["show", "last"]).code(0).err("THIS RUN IS NOT AS IT WAS WRITTEN");
    folder.run(&["history"]).code(0);
    let lines = folder.run(&["audit", "verify", "last", "--format", "json"]).code(4).lines();
    assert_eq!(lines[0]["kind"], "edited");
    assert_eq!(lines[0]["file"], name);
    assert_eq!(lines.last().unwrap()["wrong"], 1);
    // The other run is as it was.
    let other = folder.journal_paths()[0].file_stem().unwrap().to_str().unwrap().rsplit_once('-').unwrap().1.to_owned();
    folder.run(&["audit", "verify", &other]).code(0).out("1 run ");
    folder.run(&["show", &other]).code(0).lacks("warning");
}

#[test]
fn a_head_that_was_noted_finds_that_the_end_was_cut_off() {
    let folder = Folder::with(TEXT);
    folder.run(&["run", "a.runbook"]).code(0);
    let before = folder.read("state/chain.jsonl");
    let early = folder.run(&["audit", "head"]).code(0).stdout.clone();
    folder.run(&["run", "a.runbook"]).code(0);
    let late = folder.run(&["audit", "head"]).code(0).stdout.clone();
    let [early, late] = [&early, &late].map(|head| head.split_whitespace().next().unwrap().to_owned());
    folder.run(&["audit", "verify", "--head", &early]).code(0).out("2 records before its end");
    folder.run(&["audit", "verify", "--head", &late]).code(0).out("0 records before its end");
    fs::remove_file(folder.journal_paths().pop().unwrap()).unwrap();
    fs::write(folder.path("state/chain.jsonl"), before).unwrap();
    folder.run(&["audit", "verify"]).code(0).out("not looked at without `--head`");
    folder.run(&["audit", "verify", "--head", &early]).code(0);
    folder.run(&["audit", "verify", "--head", &late]).code(4).out("is not in it");
    folder.run(&["audit", "verify", "--head", "12"]).code(1).err("at least 16 digits");
}

#[test]
fn an_export_is_verified_on_another_machine() {
    let folder = Folder::with(TEXT);
    for _ in 0..3 {
        folder.run(&["run", "a.runbook"]).code(0);
    }
    let elsewhere = Folder::new();
    let verify = |text: &str| elsewhere.run_with_input(&["audit", "verify", "--file", "-"], text);
    let export = folder.run(&["audit", "export"]).code(0).stdout.clone();
    verify(&export).code(0).out("3 runs").out("3 whole");
    elsewhere.write("export.jsonl", &export);
    elsewhere.run(&["audit", "verify", "last", "--file", "export.jsonl"]).code(0).out("1 run ");
    // Each event says whose it is.
    let events: Vec<serde_json::Value> = export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let event = events.iter().find(|event| event["export"] == "event").unwrap();
    assert_eq!((&event["seq"], &event["record"]["event"]), (&0.into(), &"run_started".into()));
    assert_eq!(event["hash"], event["record"]["sha256"]);
    assert_eq!(event["run"], event["record"]["run"]);

    verify(&export.replacen("numbers", "numbxrs", 1)).code(4).out("was edited");
    let lines: Vec<&str> = export.split_inclusive('\n').collect();
    for left_out in 1..lines.len() {
        let less: String = lines.iter().enumerate().filter(|(n, _)| *n != left_out).map(|(_, line)| *line).collect();
        verify(&less).code(4);
    }
    verify("").code(3).err("nothing is in it");
    verify("garbage\n").code(3).err("line 1");

    let run = event["run"].as_str().unwrap();
    let some = folder.run(&["audit", "export", run]).code(0).stdout.clone();
    verify(&some).code(0).out("1 run ").out("2 not in the export");
    folder.run(&["audit", "export", "zzz"]).code(1).err("there is no run `zzz`");
    let some = folder.run(&["audit", "export", "--since", "2999-01-01"]).code(0).stdout.clone();
    verify(&some).code(0).out("0 runs").out("3 not in the export");
    folder.run(&["audit", "export", "--since", "tea"]).code(1).err("is no time");
}

#[test]
fn what_is_not_chained_is_never_good_and_what_cannot_be_read_is_said() {
    let folder = Folder::with(TEXT);
    folder.run(&["run", "a.runbook"]).code(0);
    // As a version without a chain left it.
    let journal = folder.journal_paths().remove(0);
    let text: String = fs::read_to_string(&journal)
        .unwrap()
        .lines()
        .map(|line| {
            let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
            value.as_object_mut().unwrap().retain(|key, _| key != "sha256" && key != "chain");
            value.to_string() + "\n"
        })
        .collect();
    fs::write(&journal, text).unwrap();
    folder.run(&["audit", "verify"]).code(4);
    fs::remove_file(folder.path("state/chain.jsonl")).unwrap();
    folder.run(&["audit", "verify"]).code(3).out("not chained").out("0 whole");
    folder.run(&["audit", "verify", "--allow-not-chained"]).code(0).out("1 not chained");
    folder.run(&["show", "last"]).code(0).out("numbers").lacks("warning");
    folder.run(&["history"]).code(0).out("exit 0");
    folder.run(&["run", "a.runbook"]).code(0);
    folder.run(&["audit", "verify"]).code(3).out("1 whole").out("1 not chained");
    fs::create_dir(folder.path("state/runs/29991231T000000.000000Z-aaaaaa.jsonl")).unwrap();
    folder.run(&["audit", "verify", "aaaaaa"]).code(3).out("NOT READ");
}

#[test]
fn a_chain_that_is_damaged_is_not_chained_to() {
    let folder = Folder::with(TEXT);
    folder.run(&["run", "a.runbook"]).code(0);
    edit(&folder.path("state/chain.jsonl"), "ended", "endxd");
    let before = folder.read("state/chain.jsonl");
    folder.run(&["run", "a.runbook"]).code(0).err("not as it was written").err("runbook audit verify");
    assert_eq!(folder.read("state/chain.jsonl"), before);
    assert_eq!(folder.journal_paths().len(), 1, "no journal that the chain does not know");
    folder.run(&["show", "last"]).code(0).err("the chain of runs is not as it was written");
    folder.run(&["audit", "verify"]).code(4).out("chain.jsonl:2");
}
