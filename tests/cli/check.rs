//! `runbook check`

use std::process::Stdio;

use crate::program::{Folder, finish};

const GOOD: &str = "section \"A\" {\n  check 1 < 2 as \"numbers hold\"\n}\n";
const BAD: &str = "section \"A\" {\n  check 10GiB > 10% as \"x\"\n}\n";

#[test]
fn a_valid_runbook_prints_nothing_on_standard_output() {
    let folder = Folder::with(GOOD);
    folder.run(&["check", "a.runbook"]).code(0).no_out().err("1 file checked, nothing found");
}

#[test]
fn an_invalid_one_is_told_with_its_place_and_fails_with_2() {
    let folder = Folder::with(BAD);
    let output = folder.run(&["check", "a.runbook"]);
    output.code(2).out("error: a.runbook:2:17 `10GiB` is a size, `10%` is a percent [unit-mismatch]").err("1 error");
}

#[test]
fn standard_input_is_a_file_named_with_a_dash() {
    let folder = Folder::new();
    folder.run_with_input(&["check", "-"], BAD).code(2).out("error: -:2:17 ");
    folder.run_with_input(&["check", "-"], GOOD).code(0);
}

#[test]
fn folders_are_searched_and_one_without_runbooks_is_an_error() {
    let folder = Folder::new();
    folder.write("team/b/deep.runbook", BAD);
    folder.write("team/a.runbook", GOOD);
    folder.write("team/notes.txt", BAD);
    folder.write("empty/notes.txt", "");
    folder.run(&["check", "team"]).code(2).out("team/b/deep.runbook:2:17").err("1 error in 1 file");
    folder.run(&["check", "empty"]).code(2).out("there is no `.runbook` file in this folder");
}

#[test]
fn every_bad_file_is_told_and_the_others_are_checked_all_the_same() {
    let folder = Folder::with(BAD);
    folder.write("latin.runbook", b"# caf\xe9\n");
    folder.write("nul.runbook", "# a\0b\n");
    folder.write("bidi.runbook", "# a\u{202e}b\n");
    folder.write("large.runbook", vec![b'#'; 10 * 1024 * 1024]);
    let output = folder.run(&[
        "check",
        "missing.runbook",
        "latin.runbook",
        "nul.runbook",
        "bidi.runbook",
        "large.runbook",
        "a.runbook",
        "--format",
        "json",
    ]);
    let found: Vec<(String, String)> = output
        .code(2)
        .lines()
        .iter()
        .map(|line| (line["file"].as_str().unwrap().to_owned(), line["code"].as_str().unwrap().to_owned()))
        .collect();
    let wanted = [
        ("missing.runbook", "file-unreadable"),
        ("latin.runbook", "not-utf8"),
        ("nul.runbook", "hidden-character"),
        ("bidi.runbook", "hidden-character"),
        ("large.runbook", "file-too-large"),
        ("a.runbook", "unit-mismatch"),
    ];
    assert_eq!(found, wanted.map(|(file, code)| (file.to_owned(), code.to_owned())));
}

#[test]
fn an_endless_file_ends_as_one_that_is_too_large() {
    let folder = Folder::new();
    folder.run(&["check", "/dev/zero"]).code(2).out("[file-too-large]");
}

#[test]
fn a_byte_order_mark_and_other_line_ends_are_taken() {
    let folder = Folder::new();
    folder.write("dos.runbook", format!("\u{feff}{}", GOOD.replace('\n', "\r\n")));
    folder.run(&["check", "dos.runbook"]).code(0);
}

#[test]
fn an_error_in_a_used_file_is_shown_in_its_own_file_and_once() {
    let folder = Folder::with("use \"./lib/care\" as care\nsection \"A\" {\n  do care.look()\n}\n");
    folder.write("b.runbook", "use \"./lib/care\" as care\nsection \"B\" {\n  do care.look()\n}\n");
    folder
        .write("lib/care.runbook", "library \"Care\" { edition 1 }\ncommand look() {\n  check 1GiB > 1% as \"x\"\n}\n");
    let output = folder.run(&["check", "a.runbook", "b.runbook", "--format", "json"]);
    let lines = output.code(2).lines();
    let mismatches: Vec<_> = lines.iter().filter(|line| line["code"] == "unit-mismatch").collect();
    assert_eq!(mismatches.len(), 1, "{lines:?}");
    assert_eq!(mismatches[0]["file"], "lib/care.runbook");
}

#[test]
fn every_format_is_written_to_standard_output() {
    let folder = Folder::with(BAD);
    folder.run(&["check", "a.runbook", "--format", "github"]).code(2).out("::error file=a.runbook,line=2,col=17,");
    let sarif = folder.run(&["check", "a.runbook", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&sarif.code(2).stdout).unwrap();
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "unit-mismatch");
    let valid = Folder::with(GOOD).run(&["check", "a.runbook", "--format", "sarif"]);
    let log: serde_json::Value = serde_json::from_str(&valid.code(0).stdout).unwrap();
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let folder = Folder::with(BAD);
    folder.run(&["check", "a.runbook"]).lacks("\x1b");
    let forced = |name: &str, value: &str| {
        let mut command = folder.command(&["check", "a.runbook"]);
        command.env("CLICOLOR_FORCE", "1").env(name, value);
        finish(command.spawn().unwrap()).stdout.contains('\x1b')
    };
    assert!(forced("LANG", "C"));
    assert!(!forced("NO_COLOR", "1"));
}

#[test]
fn a_reader_that_had_enough_is_no_panic() {
    let folder = Folder::with(format!("section \"A\" {{\n{}}}\n", "  check 10GiB > 10% as \"x\"\n".repeat(3000)));
    let mut child = folder.command(&["check", "a.runbook"]).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    finish(child).code(2).lacks("panicked");
}

#[test]
fn bad_usage_is_told_and_fails_with_1() {
    let folder = Folder::new();
    folder.run(&["check"]).code(1).err("<FILE>");
    folder.run(&["check", "a", "--format", "xml"]).code(1).err("possible values");
    folder.run(&["chek", "a"]).code(1).err("check");
    folder.run(&[]).code(1).err("Usage");
    folder.run(&["--version"]).code(0).out("runbook ");
    folder.run(&["--help"]).code(0).out("Usage");
}

#[test]
fn files_below_here_are_named_without_a_point() {
    let folder = Folder::new();
    folder.write("ops/a.runbook", "section \"A\" {\n  show nothing\n}\n");
    folder.run(&["check", ".", "--format", "github"]).code(2).out("::error file=ops/a.runbook,line=2");
}

#[test]
fn a_used_file_that_is_no_text_is_reported_as_that() {
    let folder = Folder::with("use \"./care\" as care\n\nsection \"A\" {\n  show care.x()\n}\n");
    folder.write("care.runbook", b"library \"x\" { edition 1 }\n# caf\xe9\n");
    folder.run(&["check", "a.runbook"]).code(2).out("[not-utf8]").out("in line 2").lacks("module-missing");
    folder.write("care.runbook", "library \"x\" { edition 1 }\n# \u{202e}\n");
    folder
        .run(&["check", "a.runbook"])
        .code(2)
        .out("[hidden-character]")
        .out("`runbook check care.runbook` shows where");
}
