//! `runbook test`: its exit codes, and what it says of tests that cannot be as they are written.

use std::time::{Duration, Instant};

use crate::program::Folder;

const GOOD: &str = "runbook \"Site\" { edition 1 }\n\
    connect site = http(\"https://example.com\")\n\
    section \"Site\" {\n  check site.answers(\"/\") as \"the site answers\"\n}\n\
    test \"it answers\" {\n  given site.answers(\"/\") is true\n  run \"Site\"\n  expect run passed\n}\n\
    test \"an outage\" {\n  given site is unreachable\n  run \"Site\"\n  expect \"the site answers\" failed\n}\n";

#[test]
fn tests_that_hold_are_told_with_what_they_took() {
    let folder = Folder::with(GOOD);
    let output = folder.run(&["test", "a.runbook"]);
    output.code(0).out("✓ it answers  ").out("✓ an outage  ").out(" ms\n").err("2 tests rehearsed, 0 failed");
}

#[test]
fn one_that_does_not_hold_is_told_with_its_place() {
    let folder = Folder::with(GOOD.replace("answers\" failed", "answers\" passed"));
    let output = folder.run(&["test", "a.runbook"]);
    output.code(4).out("✓ it answers").out("✗ an outage").err("2 tests rehearsed, 1 failed");
    output.out("a.runbook:14: expected \"the site answers\" passed").out("it failed");
}

#[test]
fn a_file_without_tests_is_said() {
    let folder = Folder::with("runbook \"Site\" { edition 1 }\nsection \"Site\" {\n  show 1\n}\n");
    folder.run(&["test", "a.runbook"]).code(1).err("there is no test in a.runbook").err("test \"title\" {");
}

#[test]
fn titles_that_no_test_has_are_said() {
    let folder = Folder::with(GOOD);
    let output = folder.run(&["test", "--only", "flood", "--only", "fire", "a.runbook"]);
    output.code(1).err("no test has such a title").err("\"it answers\"").err("\"an outage\"");
    folder.run(&["test", "--only", "outage", "a.runbook"]).code(0).out("✓ an outage").lacks("it answers");
}

#[test]
fn one_invalid_file_keeps_the_others_from_nothing() {
    let folder = Folder::with(GOOD);
    folder.write("b.runbook", "runbook \"Broken\" { edition 1 }\nsection \"S\" {\n  show nothing.at.all\n}\n");
    let output = folder.run(&["test", "."]);
    output.code(2).out("✓ it answers").err("nothing").err("what is not valid was not rehearsed");
    folder.run(&["test", "missing.runbook"]).code(2).err("missing.runbook");
    let report = folder.run(&["test", "--format", "junit", "."]);
    report.code(2).out("it answers").out("<testsuite name=\"b.runbook\" tests=\"1\" failures=\"0\" errors=\"1\"");
    report.out("`nothing`");
    folder.run(&["test", "--format", "junit", "missing.runbook"]).code(2).out("errors=\"1\"").out("missing.runbook");
}

#[test]
fn a_wait_of_hours_takes_no_time_and_ends() {
    let folder = Folder::with(
        "runbook \"Site\" { edition 1 }\n\
         connect site = http(\"https://example.com\")\n\
         section \"Wait\" {\n  wait until site.answers(\"/\") every 10s within 10h\n}\n\
         test \"it never comes\" {\n  given site is unreachable\n  run \"Wait\"\n  expect run passed\n}\n",
    );
    let begun = Instant::now();
    folder.run(&["test", "a.runbook"]).code(4).out("✗ it never comes").out("expected the run passed");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_retry_of_hours_takes_no_time_and_ends() {
    let folder = Folder::with(
        "runbook \"Site\" { edition 1 }\n\
         connect site = http(\"https://example.com\")\n\
         section \"Again\" {\n  retry 500 every 5m {\n    check site.answers(\"/\") as \"it answers\"\n  }\n}\n\
         test \"it never comes\" {\n  given site is unreachable\n  run \"Again\"\n  expect \"it answers\" failed\n}\n",
    );
    folder.run(&["test", "a.runbook"]).code(0).out("✓ it never comes");
}

#[test]
fn what_is_given_has_the_type_of_what_it_stands_for() {
    let folder = Folder::with(GOOD.replace("is true", "is 12%"));
    folder.run(&["test", "a.runbook"]).code(2).err("what is given").err("percent");
    let folder = Folder::with(GOOD.replace("run \"Site\"\n  expect run", "run \"Sita\"\n  expect run"));
    folder.run(&["test", "a.runbook"]).code(2).err("there is no section or report `Sita`; did you mean `Site`?");
    let folder = Folder::with(GOOD.replace("given site.answers(\"/\")", "given 1 + 1"));
    folder.run(&["test", "a.runbook"]).code(2).err("the form is `given call(…) is value`");
}

#[test]
fn a_command_is_not_given_but_what_it_reads() {
    let folder = Folder::with(
        "runbook \"Site\" { edition 1 }\n\
         connect site = http(\"https://example.com\")\n\
         command healthy(path: string) -> bool {\n  return site.answers(\"/{path}\")\n}\n\
         section \"Site\" {\n  check healthy(\"a\") as \"the site answers\"\n}\n\
         test \"it answers\" {\n  given healthy(\"a\") is true\n  run \"Site\"\n  expect run passed\n}\n",
    );
    let output = folder.run(&["test", "a.runbook"]);
    output.code(2).err("is a command: it asks nobody by itself").err("give what the command reads");
    folder.write("a.runbook", folder.read("a.runbook").replace("given healthy(\"", "given site.answers(\"/"));
    folder.run(&["test", "a.runbook"]).code(0).out("✓ it answers");
}

#[test]
fn a_threshold_that_others_raise_is_reached_by_what_a_test_posts() {
    let text = "runbook \"Site\" { edition 1 }\n\
         channel mail = email(to: [\"ops@example.com\"])\n\
         threshold \"Down\" warning {\n  from alertmanager \"InstanceDown\"\n  notify mail\n}\n\
         test \"posted\" {\n  alert \"InstanceDown\" { instance: \"a\" } fires\n  expect notified mail\n}\n";
    Folder::with(text).run(&["test", "--coverage", "a.runbook"]).code(0).lacks("never opens");
    let other = text.replace("fires\n  expect notified", "ends\n  expect no notified");
    Folder::with(&other).run(&["test", "--coverage", "a.runbook"]).out("threshold \"Down\" never opens");
}
