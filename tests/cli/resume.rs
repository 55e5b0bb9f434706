//! A run that was stopped is gone on with: no known change twice, none lost, and what nobody knows is asked.
#![expect(
    clippy::format_collect,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be, and says what it did"
)]

use std::fs;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::program::{Folder, Output, appears, finish, signal};

/// Three changes that write down that they were made; the second one cannot be begun until the folder `there` is.
pub(crate) const THREE: &str = "tool mark(text: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> made\", text)\n\
    tool shaky(text: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> ../made\", text, directory: \"there\")\n\
    section \"A\" {\n  step \"One\" {\n    change mark(\"one\") as \"first\"\n    change shaky(\"two\") as \"second\"\n\
    \x20   check 1 < 2 as \"holds\"\n    change mark(\"three\") as \"third\"\n  }\n}\n";

pub(crate) fn made(folder: &Folder) -> String {
    fs::read_to_string(folder.path("made")).unwrap_or_default().replace('\n', " ").trim_end().to_owned()
}

/// The id of the last run.
pub(crate) fn last(folder: &Folder) -> String {
    let lines = folder.run(&["history", "--format", "json"]).lines();
    lines.last().unwrap()["run"].as_str().unwrap().to_owned()
}

/// A run that failed in its second change.
fn failed(folder: &Folder) -> (String, Output) {
    let output = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    fs::create_dir(folder.path("there")).unwrap();
    assert_eq!(made(folder), "one");
    (last(folder), output)
}

#[test]
fn what_is_done_is_not_done_again_and_the_rest_is_made() {
    let folder = Folder::with(THREE);
    let (run, output) = failed(&folder);
    output.code(4).out(&format!("continue:  runbook resume {run}"));
    let waits = folder.run(&["resume", &run]);
    waits.code(5).out("WAITS FOR APPROVAL").out("not made in run").lacks("1  mark(\"one\")");
    waits.out(&format!("runbook resume {} --approve {}", last(&folder), folder.hash()));
    let second = last(&folder);
    assert_eq!(made(&folder), "one");
    // The one that waits goes on with it; the first one is left alone.
    folder.run(&["resume", &run]).code(1).err(&format!("runbook resume {second}"));
    let output = folder.run(&["resume", &second, "--approve", &folder.hash()]);
    output.code(0).out(&format!("first: done in run {run} at 20")).out("2 changes");
    assert_eq!(made(&folder), "one two three");
    folder.run(&["resume", "last"]).code(0).out("nothing is left to be done").out("3 changes done");
    assert_eq!(made(&folder), "one two three");
    folder.run(&["audit", "verify"]).code(0);
}

#[test]
fn a_terminal_is_asked_for_what_is_left() {
    let folder = Folder::with(THREE);
    let (run, _) = failed(&folder);
    let output = folder.run_on_terminal(&["resume", &run], &[("anything else to stop: ", "yes\n")]);
    output.code(0).out("shaky(\"two\")").out("not made in run").lacks("1  mark(\"one\")");
    assert_eq!(made(&folder), "one two three");
}

#[test]
fn tidying_up_is_no_change_and_a_change_is_shown() {
    let folder = Folder::with(THREE);
    let (run, _) = failed(&folder);
    for (edited, says) in [
        (
            THREE.replace("\"two\"", "\"2\""),
            vec!["different: shaky(\"2\")", "was  change shaky(\"two\")", "is   change shaky(\"2\")"],
        ),
        (THREE.replace("    change mark(\"three\") as \"third\"\n", ""), vec!["gone: mark(\"three\")   in A › One"]),
        (THREE.replace("as \"third\"", "as \"third\" change mark(\"four\")"), vec!["new: mark(\"four\")   in A › One"]),
        (
            THREE.replace("echo $0 >> made", "echo $0 >> other"),
            vec!["different: mark(\"one\")", "was  tool mark = argv("],
        ),
    ] {
        folder.write("a.runbook", &edited);
        let output = folder.run(&["resume", &run, "--approve", &folder.hash()]);
        output.code(1).no_out().err(&format!("not those that run {run} began with")).err("nothing was run");
        for part in says {
            output.err(part);
        }
    }
    let tidied = THREE
        .replace("\"One\"", "\"Uno\"")
        .replace("\"first\"", "\"1st\"")
        .replace("    check", "\n    # why\n    show 1\n    check");
    folder.write("b.runbook", tidied);
    fs::remove_file(folder.path("a.runbook")).unwrap();
    folder.run(&["resume", &run]).code(1).err("and it is not there");
    let plan = folder.run(&["plan", "--offline", "b.runbook"]).stdout;
    let hash = plan.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    folder.run(&["resume", &run, "b.runbook", "--approve", &hash]).code(0).out("1st: done in run");
    assert_eq!(made(&folder), "one two three");
}

/// Two nodes are drained; the run is killed in the second one.
const SLOW: &str = "param who: string = \"nobody\"\n\
    tool drain(node: string, by: string) changes = argv(\"sh\", \"-c\", \"echo $0:$1 >> made; test $0 != b -o -e go || (touch begun; sleep 30)\", node, by)\n\
    tool ready(node: string) -> string = argv(\"sh\", \"-c\", \"cat made\", node)\n\
    section \"A\" {\n  for node in [\"a\", \"b\", \"c\"] {\n    change drain(node, who) as \"drain {node}\" within 1m verify ready(node) != \"\"\n  }\n}\n";

fn killed(folder: &Folder) -> String {
    let plan = folder.run(&["plan", "--offline", "a.runbook", "--set", "who=me"]).stdout;
    let hash = plan.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let child = folder.command(&["run", "a.runbook", "--set", "who=me", "--approve", &hash]).spawn().unwrap();
    appears(&folder.path("begun"));
    let run = last(folder);
    // Somebody who comes too early is told that it is still there.
    folder.run(&["resume", &run]).code(1).err(&format!("run {run} is still going on: begun by "));
    signal(&child, Signal::KILL);
    finish(child);
    folder.write("go", "");
    run
}

#[test]
fn what_nobody_knows_is_said_with_what_to_type_and_what_verify_says_now() {
    let folder = Folder::with(SLOW);
    let run = killed(&folder);
    let shown = folder.run(&["show", &run]);
    shown.code(0).out("UNKNOWN  change drain b").out("nothing says how it ended").lacks("change drain a");
    let refused = folder.run(&["resume", &run]);
    refused
        .code(5)
        .no_out()
        .err("nobody knows whether a change was made")
        .err("drain b   for b")
        .err("`verify` holds now");
    refused.err(&format!("`runbook resume {run}` with --done 2 or --not-done 2"));
    folder.run(&["resume", &run, "--done", "9"]).code(1).err("has begun no change 9");
    folder.run(&["resume", &run, "--done", "2", "--not-done", "2"]).code(1).err("named twice");
    folder.run(&["resume", &run, "--done", "x"]).code(1).err("no number of a change");
    assert_eq!(made(&folder), "a:me b:me");
    // The parameters are those of the run, so the plan is as well.
    let waits = folder.run(&["resume", &run, "--done", "2"]);
    waits.code(5).out("done for a in run").out("done, says ").out("drain b: done in run").out("--approve");
    let next = last(&folder);
    let hash = waits.stdout.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    folder.run(&["resume", &next, "--approve", &hash]).code(0).out("drain a: done in run").out("drain b: done in run");
    assert_eq!(made(&folder), "a:me b:me c:me");
}

#[test]
fn a_person_says_at_the_terminal_what_nobody_knows() {
    let folder = Folder::with(SLOW);
    let run = killed(&folder);
    let question = "anything else to stop: ";
    folder.run_on_terminal(&["resume", &run], &[(question, "stop\n")]).code(5).out("nothing was run");
    assert_eq!(made(&folder), "a:me b:me");
    let output = folder.run_on_terminal(&["resume", &run], &[(question, "not\n"), ("(plan", "yes\n")]);
    output.code(0).out("and the run was stopped before it was over").out("`verify` holds now");
    assert_eq!(made(&folder), "a:me b:me b:me c:me");
}

#[test]
fn what_was_made_and_did_not_verify_is_not_made_twice_without_a_word() {
    let folder = Folder::with(
        "tool pay() changes = argv(\"sh\", \"-c\", \"echo paid >> made\")\n\
        section \"A\" {\n  change pay() within 1s verify host.file(\"receipt\").exists\n}\n",
    );
    let plan = folder.run(&["plan", "--offline", "a.runbook"]).stdout;
    let hash = plan.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    folder.run(&["run", "a.runbook", "--approve", &hash]).code(4);
    let run = last(&folder);
    let refused = folder.run(&["resume", &run]);
    refused.code(5).no_out().err("a change was made, and its `verify` did not hold").err("`verify` does not hold now");
    folder.write("receipt", "");
    folder.run(&["resume", &run]).code(5).err("`verify` holds now").err("--done 1 or --not-done 1");
    folder.run(&["resume", &run, "--done", "1"]).code(0).out("done, says ");
    assert_eq!(made(&folder), "paid");
}

#[test]
fn one_goes_on_and_the_other_is_told_who() {
    let folder = Folder::with(SLOW);
    let run = killed(&folder);
    fs::remove_file(folder.path("go")).unwrap();
    fs::remove_file(folder.path("begun")).unwrap();
    let waits = folder.run(&["resume", &run, "--not-done", "2"]);
    let hash = waits.code(5).stdout.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    let next = last(&folder);
    let child = folder.command(&["resume", &next, "--approve", &hash]).spawn().unwrap();
    appears(&folder.path("begun"));
    let told = folder.run(&["resume", &next, "--approve", &hash]);
    told.code(1).err(&format!("somebody goes on with run {next} right now: ")).err(", since 20").err("process ");
    folder.run(&["undo", &next, "1"]).code(1).err("goes on with run");
    signal(&child, Signal::TERM);
    thread::sleep(Duration::from_millis(300));
    signal(&child, Signal::INT);
    finish(child)
        .code(130)
        .err("SIGTERM again stops at once")
        .out(&format!("continue:  runbook resume {}", last(&folder)));
    assert_eq!(made(&folder), "a:me b:me b:me");
}

#[test]
fn two_at_the_same_moment_make_no_change_twice() {
    for _ in 0..5 {
        let folder = Folder::with(THREE);
        let (run, _) = failed(&folder);
        let hash = folder.hash();
        let children: Vec<_> =
            (0..4).map(|_| folder.command(&["resume", &run, "--approve", &hash]).spawn().unwrap()).collect();
        let ended: Vec<_> = children.into_iter().map(finish).collect();
        assert_eq!(ended.iter().filter(|one| one.code == 0).count(), 1, "{ended:?}");
        for other in ended.iter().filter(|one| one.code != 0) {
            assert!(
                other.stderr.contains("goes on with run") || other.stderr.contains("gone on with already"),
                "{other:?}"
            );
        }
        assert_eq!(made(&folder), "one two three");
    }
}

#[test]
fn what_a_change_gave_comes_from_the_journal_and_a_secret_does_not() {
    let text = "secret key = env(\"KEY\")\n\
        tool ticket(token: secret) -> string changes = argv(\"sh\", \"-c\", \"echo t-17\", env: { T: token })\n\
        tool leaky(token: secret) -> string changes = argv(\"sh\", \"-c\", \"echo got $T\", env: { T: token })\n\
        tool mark(text: string) changes = argv(\"sh\", \"-c\", \"echo $0 >> ../made\", text, directory: \"there\")\n\
        section \"A\" {\n  step \"One\" {\n    change opened = ticket(key)\n    change mark(opened)\n  }\n\
        \x20 step \"Two\" {\n    change said = leaky(key)\n    change mark(said)\n  }\n}\n";
    let folder = Folder::with(text);
    let with_key = |args: &[&str]| finish(folder.command(args).env("KEY", "hunter2-and-more").spawn().unwrap());
    with_key(&["run", "a.runbook", "--only", "One", "--approve", &only_hash(&folder, "One")]).code(4);
    let first = last(&folder);
    with_key(&["run", "a.runbook", "--only", "Two", "--approve", &only_hash(&folder, "Two")]).code(4);
    let second = last(&folder);
    assert!(!folder.journals().contains("hunter2"), "a secret in a journal");
    fs::create_dir(folder.path("there")).unwrap();
    with_key(&["resume", &first, "--approve", &only_hash(&folder, "One")]).code(0);
    assert_eq!(made(&folder), "t-17");
    let output = with_key(&["resume", &second, "--approve", &only_hash(&folder, "Two")]);
    output.code(3).out(&format!("gave in run {second}")).out("it is a secret");
    assert_eq!(made(&folder), "t-17");
}

fn only_hash(folder: &Folder, title: &str) -> String {
    let plan = folder.run(&["plan", "--offline", "a.runbook", "--only", title]).stdout;
    plan.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn what_sets_things_right_does_so_again_and_a_person_is_warned_of_it() {
    let text = THREE.replace(
        "    change mark(\"three\") as \"third\"\n  }",
        "    always {\n      change mark(\"closed\") as \"close\"\n    }\n  }",
    );
    let folder = Folder::with(&text);
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(4);
    fs::create_dir(folder.path("there")).unwrap();
    assert_eq!(made(&folder), "one closed");
    let run = last(&folder);
    let output = folder.run(&["resume", &run, "--not-done", "1", "--approve", &folder.hash()]);
    output.code(0).err("`on failure` or `always` made changes").err("`close`").out("not done, says");
    assert_eq!(made(&folder), "one closed one two closed");
}

#[test]
fn a_command_is_gone_on_with_part_by_part() {
    let text = THREE.replace("section \"A\" {\n  step \"One\" {\n", "command several() changes {\n").replace(
        "  }\n}\n",
        "}\nsection \"A\" {\n  change several() as \"all of it\"\n  change mark(\"four\")\n  do several()\n}\n",
    );
    let folder = Folder::with(&text);
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(4);
    fs::create_dir(folder.path("there")).unwrap();
    assert_eq!(made(&folder), "one");
    folder.run(&["resume", "last", "--approve", &folder.hash()]).code(0).out("first: done in run");
    assert_eq!(made(&folder), "one two three four one two three");
}

#[test]
fn a_damaged_journal_is_refused_and_named() {
    let folder = Folder::with(THREE);
    let (run, _) = failed(&folder);
    let path = folder.journal_paths().pop().unwrap();
    let bytes = fs::read(&path).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let refused = |bytes: &[u8], why: &str| {
        fs::write(&path, bytes).unwrap();
        let output = folder.run(&["resume", &run, "--approve", &folder.hash()]);
        output.code(1).no_out().err(&name).err(why).err("runbook audit verify");
        assert_eq!(made(&folder), "one");
    };
    let text = String::from_utf8(bytes.clone()).unwrap();
    refused(text.replacen("\"outcome\":\"done\"", "\"outcome\":\"fail\"", 1).as_bytes(), "not as it was written");
    let without: String =
        text.lines().filter(|line| !line.contains("\"change_ended\"")).map(|line| format!("{line}\n")).collect();
    refused(without.as_bytes(), "not as it was written");
    let cut = text.trim_end().rfind('\n').unwrap() + 1;
    refused(&bytes[..cut], "cut off");
    fs::write(&path, &bytes).unwrap();
    folder.run(&["resume", &run, "--approve", &folder.hash()]).code(0);
}

#[test]
fn a_journal_whose_end_is_gone_is_not_taken_for_one_of_a_run_that_was_stopped_there() {
    let folder = Folder::with(SLOW);
    let run = killed(&folder);
    let path = folder.journal_paths().pop().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    // All that is left is whole, and the second change is not among it.
    let (before, behind) = text.split_once("\"event\":\"change_ended\"").unwrap();
    let line = behind.split_inclusive('\n').next().unwrap();
    fs::write(&path, format!("{before}\"event\":\"change_ended\"{line}")).unwrap();
    let refused = folder.run(&["resume", &run, "--not-done", "1"]);
    refused
        .code(1)
        .no_out()
        .err("the end of `")
        .err("changes were begun of which it does not tell (1)")
        .err("`--only`");
    folder.run(&["undo", &run, "1"]).code(1).no_out().err("does not tell (1)");
    folder.run(&["show", &run]).code(0).err("THE END OF THIS RUN IS GONE");
    let verified = folder.run(&["audit", "verify"]);
    verified.code(4).out("its end is cut off: changes were begun of which it does not tell (1)").out("1 wrong");
    fs::write(&path, &text).unwrap();
    folder.run(&["audit", "verify"]).code(0);
    folder.run(&["resume", &run]).code(5).err("--done 2 or --not-done 2");
}

/// A change for each thing, which fails for the one in zone c until `go` is there, and one more.
const LISTED: &str = "tool things() -> list<{ name: string, zone: string, load: int }> = argv(\"cat\", \"things.json\", output: \"json\")\n\
    tool mark(name: string, zone: string) changes = argv(\"sh\", \"-c\", \"test $1 != c -o -e go && echo $0/$1 >> made\", name, zone)\n\
    section \"A\" {\n  for x in things() at most 9 {\n    change mark(x.name, x.zone) undo mark(\"back\", x.zone)\n  }\n  \
    change mark(\"last\", \"z\") as \"the last\"\n}\n";

#[test]
fn items_of_one_name_are_shown_by_what_is_different_in_them() {
    let folder = Folder::with(LISTED);
    let things = |zones: &[&str]| {
        let all: Vec<String> = zones
            .iter()
            .map(|zone| format!("{{\"name\":\"web\",\"zone\":\"{zone}\",\"load\":{}}}", zone.len()))
            .collect();
        folder.write("things.json", format!("[{}]", all.join(",")));
    };
    things(&["a", "b", "c"]);
    let first = folder.run(&["run", "a.runbook", "--approve", &folder.hash()]);
    first
        .code(4)
        .out("UNKNOWN  change mark(x.name, x.zone) for web (zone: c)")
        .out("undoes mark(x.name, x.zone) for web (zone: b)");
    let run = last(&folder);
    folder
        .run(&["resume", &run])
        .code(5)
        .err(&format!("change 3 of run {run}: mark(x.name, x.zone)   for web (zone: c)"));
    folder.run(&["undo", &run, "1"]).code(5).out("undoes `mark(x.name, x.zone) for web (zone: a)` of run");
    folder.write("go", "");
    // What shares its name, and says something else now, is not known again.
    things(&["a", "b", "d"]);
    let resumed = folder.run(&["resume", &run, "--not-done", "3", "--approve", &folder.hash()]);
    resumed.out("mark(x.name, x.zone) for web (zone: a): done in run").lacks("it has no name");
}

#[test]
fn what_is_done_is_not_said_to_be_refused_where_nobody_agrees() {
    let folder = Folder::with(LISTED);
    folder.write(
        "things.json",
        r#"[{"name":"a","zone":"a","load":1},{"name":"c","zone":"c","load":1},{"name":"d","zone":"d","load":1}]"#,
    );
    folder.write("go", "");
    fs::create_dir(folder.path("made")).unwrap();
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(4);
    let run = last(&folder);
    fs::remove_dir(folder.path("made")).unwrap();
    let hash = folder.hash();
    folder.run(&["resume", &run, "--not-done", "1", "--approve", &hash]).code(0).out("4 changes");
    let run = last(&folder);
    let undo = folder.run(&["undo", &run, "2"]);
    let agreed = undo.stdout.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    folder.run(&["undo", &run, "2", "--approve", &agreed]).code(0);
    let waits = folder.run(&["resume", &run]);
    waits
        .code(5)
        .out("REFUSED  change mark(x.name, x.zone) for c")
        .out("the last: done in run")
        .lacks("REFUSED  change the last")
        .lacks("REFUSED  change mark(x.name, x.zone) for d");
}

#[test]
fn the_runbook_is_where_the_run_had_it_wherever_one_is() {
    let folder = Folder::with(THREE);
    folder.run(&["run", "a.runbook", "--approve", &folder.hash()]).code(4);
    let run = last(&folder);
    fs::create_dir_all(folder.path("there")).unwrap();
    fs::create_dir_all(folder.path("else")).unwrap();
    // What has the same name here is another runbook.
    folder.write("else/a.runbook", "section \"B\" { check 1 < 2 }\n");
    let elsewhere = |args: &[&str]| finish(folder.command(args).current_dir(folder.path("else")).spawn().unwrap());
    let waits = elsewhere(&["resume", &run]);
    waits.code(5);
    let hash = waits.stdout.split_once("--approve ").unwrap().1.split_whitespace().next().unwrap().to_owned();
    elsewhere(&["resume", &last(&folder), "--approve", &hash]).code(0);
    assert_eq!(made(&folder), "one two three");
    let second = last(&folder);
    fs::rename(folder.path("a.runbook"), folder.path("b.runbook")).unwrap();
    fs::remove_file(folder.path("else/a.runbook")).unwrap();
    let gone = elsewhere(&["resume", &second, "--done", "1"]);
    gone.code(1).err("and it is not there").err("FILE`");
}
