//! Files that are no runbooks.

use std::process::Stdio;

use crate::program::{Folder, finish};

const GOOD: &str = "section \"s\" { step \"t\" { check 1 == 1 as \"one\" } }\n";

fn step(statements: &str) -> String {
    format!("section \"s\" {{ step \"t\" {{ {statements} }} }}\n")
}

/// Each command refuses the file, with this message at this place, and nothing is run or written.
#[track_caller]
fn refused(text: impl AsRef<[u8]>, place: &str, message: &str) {
    let folder = Folder::with(&text);
    for args in [&["check", "a.runbook"][..], &["fmt", "a.runbook"], &["run", "a.runbook"]] {
        folder.run(args).code(2).says(&format!("error: a.runbook{place} {message}"));
    }
    assert_eq!(std::fs::read(folder.path("a.runbook")).unwrap(), text.as_ref());
    assert!(!folder.path("state").exists());
}

/// What the checker refuses and the formatter need not.
#[track_caller]
fn not_valid(text: &str, place: &str, message: &str) {
    let folder = Folder::with(text);
    for command in ["check", "run"] {
        folder.run(&[command, "a.runbook"]).code(2).says(&format!("error: a.runbook{place} {message}"));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_at_the_first_of_them() {
    refused(b"section \"s\xff\" { show 1 }", ":1:11", "the file is not UTF-8 text from here on");
    let utf16: Vec<u8> = b"\xff\xfe".iter().copied().chain(GOOD.bytes().flat_map(|byte| [byte, 0])).collect();
    refused(utf16, ":1:1", "the file is not UTF-8 text from here on");
    let noise: Vec<u8> = (0..200_000u32).map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    let folder = Folder::with(noise);
    for command in ["check", "fmt", "run"] {
        folder.run(&[command, "a.runbook"]).code(2).says("[not-utf8]");
    }
}

#[test]
fn characters_that_nobody_sees_are_refused_where_they_stand() {
    refused(step("show \"a\0b\""), ":1:33", "U+0000 is a control character");
    refused(step("show \"a\u{1b}[2Jb\""), ":1:33", "U+001B is a control character");
    refused(step("show \"a\u{202e}b\""), ":1:33", "U+202E is a character that changes the direction");
    refused(step("show \"a\u{200b}b\""), ":1:33", "U+200B is a character that cannot be seen");
    refused(format!("\u{feff}\u{feff}{GOOD}"), ":1:2", "U+FEFF is a character that cannot be seen");
}

#[test]
fn a_mark_at_the_beginning_and_other_ends_of_lines_are_none_of_ours() {
    let folder = Folder::with(format!("\u{feff}{}", GOOD.replace("{ ", "{\r\n")));
    folder.run(&["check", "a.runbook"]).code(0);
    folder.run(&["run", "a.runbook"]).code(0).says("1 passed");
    folder.run(&["fmt", "a.runbook"]).code(0);
    folder.run(&["fmt", "--check", "a.runbook"]).code(0);
    let formatted = std::fs::read(folder.path("a.runbook")).unwrap();
    assert!(formatted.starts_with(b"section") && !formatted.contains(&b'\r'));
}

#[test]
fn what_holds_nothing_is_no_runbook_that_passed() {
    for text in ["", "\u{feff}", " \r\n\t\n"] {
        let folder = Folder::with(text);
        for command in ["check", "run"] {
            folder.run(&[command, "a.runbook"]).code(2).says("there is nothing in this file [file-unreadable]");
        }
    }
    Folder::with("# soon\n").run(&["run", "a.runbook"]).code(1).says("it has no section");
    let folder = Folder::new();
    for command in ["check", "run"] {
        folder.run(&[command, "-"]).code(2).says("there is nothing in this file");
        folder.run(&[command, "b.runbook"]).code(2).says("b.runbook: there is no such file");
        folder.run(&[command, ""]).code(2).says("there is no such file");
    }
    folder.run(&["run", "."]).code(2).says("this is a folder");
    folder.run(&["check", "."]).code(2).says("there is no `.runbook` file in this folder");
}

#[test]
fn a_name_that_is_no_text_is_said_and_not_passed_by() {
    use std::os::unix::ffi::OsStrExt;
    let folder = Folder::new();
    let name = std::ffi::OsStr::from_bytes(b"b\xff\x1b[2J.runbook");
    std::fs::write(folder.path("").join(name), GOOD).unwrap();
    folder.write("c\u{1b}[2J.runbook", "section \"s\" { show x }");
    for format in ["terminal", "json", "github", "sarif"] {
        let output = folder.run(&["check", ".", "--format", format]);
        output.code(2).says("is not UTF-8");
        assert!(!output.stdout.contains('\u{1b}'), "{}", output.stdout);
    }
    folder.write("a b\n.runbook", GOOD);
    folder.run(&["run", "a b\n.runbook"]).code(0).says("a b\\n · run ");
}

#[test]
fn a_file_without_an_end_has_one() {
    let folder = Folder::with(format!("{GOOD}{}", format!("# {}\n", "x".repeat(77)).repeat(131_072)));
    for command in ["check", "fmt", "run"] {
        folder.run(&[command, "a.runbook"]).code(2).says("error: a.runbook: the file is larger than 4MiB");
        folder.run(&[command, "/dev/zero"]).code(2).says("the file is larger than 4MiB");
    }
    let mut yes = std::process::Command::new("yes").stdout(Stdio::piped()).spawn().unwrap();
    let output = finish(folder.command(&["check", "-"]).stdin(yes.stdout.take().unwrap()).spawn().unwrap());
    output.code(2).says("error: -: the file is larger than 4MiB");
    yes.wait().unwrap();
}

#[test]
fn deep_nesting_is_refused() {
    let deep = |open: &str, close: &str| step(&format!("show {}1{}", open.repeat(100_000), close.repeat(100_000)));
    refused(deep("(", ")"), ":1:93", "brackets nest more than 64 deep here");
    refused(deep("[", ""), ":1:93", "brackets nest more than 64 deep here");
    let blocks = format!("section \"s\" {{ {}", "if true { ".repeat(100_000));
    let folder = Folder::with(blocks);
    for command in ["check", "fmt", "run"] {
        folder.run(&[command, "a.runbook"]).code(2).says("brackets nest more than 64 deep here");
    }
}

#[test]
fn a_long_line_is_read_and_its_mistake_found() {
    let folder = Folder::with(step(&format!("show \"{}\"", "x".repeat(1_000_000))));
    folder.run(&["check", "a.runbook"]).code(0);
    folder.run(&["fmt", "a.runbook"]).code(0);
    folder.run(&["run", "a.runbook"]).code(0);
    refused(step(&format!("show {} !", "x".repeat(1_000_000))), ":1:1000032", "there is no operator `!` here");
}

#[test]
fn a_file_of_nothing_but_mistakes_is_left_soon() {
    for piece in
        ["}", ")", "\"\"\"", "'''", "\"", "'", "\"\\q\" ", "x ! ", "section \"s\" { show !}\n", "\"{", "show \n"]
    {
        let folder = Folder::with(piece.repeat(1_000_000 / piece.len()));
        for command in ["check", "fmt"] {
            let output = folder.run(&[command, "a.runbook"]);
            output.code(2);
            assert!(output.stdout.len() + output.stderr.len() < 8 << 20, "{piece}");
        }
    }
    Folder::with("}".repeat(1_000_000)).run(&["check", "a.runbook"]).code(2).says("there are more than 10000 mistakes");
}

#[test]
fn numbers_that_do_not_fit_are_refused_or_not_measured() {
    not_valid(&step("show 99999999999999999999"), ":1:31", "`99999999999999999999` is more than an int can hold");
    not_valid(&step("show 9223372036854775807 + 1"), ":1:31", "`9223372036854775807 + 1` is more than an int can hold");
    not_valid(&step("show 99999999999GiB"), ":1:31", "`99999999999GiB` is more than its type can hold");
    not_valid(&step("show run.date + 100000000d"), ":1:42", "`100000000d` is more than its type can hold");
    not_valid(&step("show 1GiB / 0B"), ":1:38", "`1GiB / 0B` divides by zero");
    not_valid(&step("show [1][99999999999999999999]"), ":1:35", "`99999999999999999999` is more than an int can hold");
    let folder = Folder::with(step(
        "let x = 9223372036854775807 let z = 0 check x + 1 > 0 as \"a\" check -x - 2 < 0 as \"b\" check 1 / z == 1 as \"c\" \
         check x * 1ns * x > 1s as \"d\" check run.date + (x * 1ns) * 400 > run.date as \"e\" check [1][x] == 1 as \"f\" \
         check 0s / (z * 1s) < 5% as \"g\"",
    ));
    let output = folder.run(&["run", "a.runbook"]);
    output.code(3).says("0 passed · 7 unknown");
}

#[test]
fn a_regex_that_is_slow_elsewhere_is_not() {
    let text = format!("check not (\"{}!\" ~ /^(a+)+$/) as \"no\"", "a".repeat(100_000));
    Folder::with(step(&text)).run(&["run", "a.runbook"]).code(0).says("1 passed");
    not_valid(
        &step("check \"a\" ~ /((a{0,1000}){0,1000}){0,1000}/"),
        ":1:38",
        "the pattern is not valid: it is too large",
    );
    let nested = format!("check \"a\" ~ /{}a{}/", "(".repeat(200), ")".repeat(200));
    not_valid(&step(&nested), ":1:38", "the pattern is not valid");
}

#[test]
fn times_and_numbers_of_nothing_are_refused() {
    not_valid(&step("retry 0 every 1s { show 1 }"), ":1:32", "the number of tries is at least 1");
    not_valid(
        &step("wait until false every 0s within 1s"),
        ":1:49",
        "the time between two looks is longer than nothing",
    );
    not_valid(&step("wait until false every 1s within 0s"), ":1:59", "a time limit is longer than nothing");
    not_valid(&step("for x in [1] at most 0 { show x }"), ":1:47", "the number of rounds is at least 1");
    not_valid("section \"\" { show 1 }", ":1:9", "a title is not empty");
    not_valid(&format!("{GOOD}{GOOD}"), ":2:9", "`s` is declared twice");
}
