//! Little texts that ask for much.

use std::fmt::Write;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::program::{Folder, PROGRAM, finish, signal};

fn step(statements: &str) -> String {
    format!("section \"s\" {{ step \"t\" {{ {statements} }} }}\n")
}

/// Commands of which each calls the one before it twice: `f40` computes for days.
fn doubling() -> String {
    let mut text = "command f0(a: int) -> int { return a }\n".to_owned();
    for n in 1..=40 {
        let before = n - 1;
        writeln!(text, "command f{n}(a: int) -> int {{ return f{before}(a) + f{before}(a) }}").unwrap();
    }
    text
}

#[test]
fn a_time_limit_ends_a_computation() {
    let text =
        doubling() + "section \"s\" { step \"long\" within 1s { check f40(1) > 0 as \"c\" } step \"next\" { show 1 } }";
    let folder = Folder::with(text);
    folder.run(&["check", "a.runbook"]).code(0);
    folder.run(&["plan", "--offline", "a.runbook"]).code(0);
    let begun = Instant::now();
    folder.run(&["run", "a.runbook"]).code(3).says("step \"long\" is limited to 1s");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_signal_ends_a_computation() {
    for sent in [Signal::INT, Signal::TERM] {
        let folder = Folder::with(doubling() + &step("show f40(1)"));
        let child = folder.command(&["run", "a.runbook"]).spawn().unwrap();
        std::thread::sleep(Duration::from_secs(2));
        signal(&child, sent);
        finish(child).code(130).says("NOT REACHED");
    }
}

#[test]
fn commands_that_run_one_another_without_end_are_refused() {
    let mut text = "tool t() changes = argv(\"true\")\ncommand f0() changes { change t() }\n".to_owned();
    for n in 1..=40 {
        let before = n - 1;
        writeln!(text, "command f{n}() changes {{ do f{before}() do f{before}() }}").unwrap();
    }
    let folder = Folder::with(text + &step("do f40()"));
    for args in [&["plan", "--offline", "a.runbook"][..], &["run", "a.runbook"], &["run", "--read-only", "a.runbook"]] {
        folder.run(args).code(1).says("the commands of this runbook run one another more than 10000 times");
    }
    let circle = "command f(a: int) -> int { return g(a) }\ncommand g(a: int) -> int { return f(a) }\n";
    Folder::with(circle.to_owned() + &step("show f(1)")).run(&["check", "a.runbook"]).code(2).says("`f` needs itself");
}

#[test]
fn a_deep_row_of_commands_is_not_measured() {
    let mut text = "command f0(a: int) -> int { return a }\n".to_owned();
    for n in 1..=3_000 {
        writeln!(text, "command f{n}(a: int) -> int {{ return f{}(a + 1) }}", n - 1).unwrap();
    }
    let folder = Folder::with(text + &step("check f3000(1) == 3001 as \"c\""));
    folder.run(&["run", "a.runbook"]).code(3).says("nested too deeply");
    // Whatever stack the first thread is given.
    let script = "ulimit -s 512; exec \"$0\" run a.runbook";
    let child = folder.through("sh", &["-c", script, PROGRAM]).spawn().unwrap();
    finish(child).code(3).says("nested too deeply");
}

#[test]
fn texts_that_double_are_not_measured() {
    let mut lets = format!("let a0 = \"{}\" ", "z".repeat(100_000));
    for n in 1..=5 {
        write!(lets, "let a{n} = \"{}\" ", format!("{{a{}}}", n - 1).repeat(10)).unwrap();
    }
    let folder = Folder::with(step(&(lets + "check a5 == \"z\" as \"c\"")));
    folder.run(&["run", "a.runbook"]).code(3).says("a text of more than 64MiB");
    let replaced = format!(
        "let a = \"{}\" let b = a | replace(\"a\", a) check b | replace(\"a\", a) == \"a\" as \"c\"",
        "a".repeat(3_000)
    );
    Folder::with(step(&replaced)).run(&["run", "a.runbook"]).code(3).says("`replace` makes 64MiB at most");
}

#[test]
fn lists_of_lists_of_lists_are_cut_and_not_measured_as_text() {
    let mut lets = "let a0 = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10] ".to_owned();
    for n in 1..=8 {
        write!(lets, "let a{n} = [{}] ", [format!("a{}", n - 1).as_str(); 10].join(", ")).unwrap();
    }
    let folder = Folder::with(step(&(lets + "show a8 show \"{a8}\" as \"c\" for x in a8 { show 1 }")));
    folder.run(&["run", "a.runbook"]).code(3).says("a text of more than 64MiB").says("bytes more");
}

#[test]
fn much_of_everything_is_done() {
    let mut statements = String::new();
    for n in 0..5_000 {
        writeln!(statements, "let a{n} = {n} check a{n} == {n} as \"c{n}\"").unwrap();
    }
    let wide: Vec<String> = (0..200).map(|n| format!("c{n}: {n}")).collect();
    write!(statements, "show [{{ {} }}]", wide.join(", ")).unwrap();
    Folder::with(step(&statements)).run(&["run", "a.runbook"]).code(0).says("5000 passed");
    let items: Vec<String> = (0..100_000).map(|n| n.to_string()).collect();
    let many =
        format!("let xs = [{}] check xs | count == 100000 as \"c\" check xs | sum > 0 as \"d\"", items.join(", "));
    Folder::with(step(&many)).run(&["run", "a.runbook"]).code(0).says("2 passed");
}
