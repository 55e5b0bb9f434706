//! Runs that are killed at any moment, and gone on with: each change is made once, none is lost, and of one that may have been
//! made somebody is asked.
//!
//! `RUNBOOK_KILLS` says how many; each test begins with what it says it did.
#![expect(
    clippy::disallowed_macros,
    clippy::format_collect,
    clippy::unwrap_used,
    reason = "a test ends where something is not as it should be, and says what it did"
)]

use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::program::{Folder, Output, finish, signal};
use crate::resume::last;

/// Every kind of place for a change: a step, a loop, a branch, a command that is called and one that is run, a `verify`.
const TEXT: &str = "tool mark(text: string) -> string changes = argv(\"sh\", \"-c\", \"echo $0 >> made; echo $0\", text)\n\
    tool marks() -> string = argv(\"sh\", \"-c\", \"cat made 2>&1 || true\")\n\
    command pair(one: string, two: string) changes {\n  change mark(one)\n  change mark(two)\n}\n\
    section \"A\" {\n  step \"One\" {\n    change mark(\"first\")\n    if 1 < 2 {\n      change mark(\"then first\") verify marks() != \"\" within 9s\n    }\n\
    \x20   for node in [\"a\", \"b\"] {\n      change mark(\"node {node}\")\n    }\n  }\n\
    \x20 step \"Two\" for name in [\"x\", \"y\"] {\n    change mark(\"step {name}\")\n  }\n\
    \x20 change pair(\"called 1\", \"called 2\")\n  do pair(\"run 1\", \"run 2\")\n}\n";

const MADE: [&str; 10] =
    ["first", "then first", "node a", "node b", "step x", "step y", "called 1", "called 2", "run 1", "run 2"];

#[expect(clippy::disallowed_methods, reason = "a test asks the real environment what it is to do")]
fn kills(otherwise: usize) -> usize {
    std::env::var("RUNBOOK_KILLS").map_or(otherwise, |kills| kills.parse().unwrap())
}

fn made(folder: &Folder) -> Vec<String> {
    fs::read_to_string(folder.path("made")).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn journal(folder: &Folder) -> PathBuf {
    folder.journal_paths().pop().unwrap()
}

/// Whether there is a run at all: it may have been killed before.
fn is_begun(folder: &Folder) -> bool {
    !folder.run(&["history", "--format", "json"]).stdout.is_empty()
}

/// The number of the change of which nobody knows.
fn asked(output: &Output) -> Option<String> {
    Some(output.stderr.split_once("--done ")?.1.split_whitespace().next()?.to_owned())
}

/// How often somebody had to be asked, and how many runs it took.
#[derive(Default, Debug)]
struct Counted {
    asked: usize,
    runs: usize,
}

/// Goes on with the last run until nothing is left, and says of what nobody knows what is so: whoever answers looks at what
/// is there.
fn go_on(folder: &Folder, hash: &str, counted: &mut Counted) {
    let mut outputs = Vec::new();
    for _ in 0..5 {
        let run = last(folder);
        let mut args = vec!["resume".to_owned(), run, "--approve".to_owned(), hash.to_owned()];
        let borrowed: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut output = folder.run(&borrowed);
        counted.runs += 1;
        if let Some(number) = asked(&output) {
            assert_eq!(output.code, 5, "{output:?}");
            counted.asked += 1;
            args.push(if is_made(folder) { "--done" } else { "--not-done" }.to_owned());
            args.push(number);
            let borrowed: Vec<&str> = args.iter().map(String::as_str).collect();
            output = folder.run(&borrowed);
            counted.runs += 1;
        }
        if output.code == 0 {
            return;
        }
        outputs.push(output);
    }
    panic!(
        "it does not come to its end: {:?}\n{}",
        made(folder),
        outputs.iter().map(|one| format!("{}\n{}\n{}\n", one.code, one.stdout, one.stderr)).collect::<String>()
    );
}

/// Whether the change that was in flight was made: then one more is there than all that are known to be done.
fn is_made(folder: &Folder) -> bool {
    let mut done = 0;
    // One by one: the last line of each may not be whole.
    for path in folder.journal_paths() {
        let text = fs::read_to_string(path).unwrap();
        let ended = |line: &&str| {
            line.ends_with("\"}")
                && line.contains("\"event\":\"change_ended\"")
                && line.contains("\"outcome\":\"done\"")
        };
        // What a command made is written down part by part.
        done += text.lines().filter(ended).filter(|line| !line.contains("\"title\":\"pair(")).count();
        done += text.matches("\"done\":true").count();
    }
    made(folder).len() > done
}

/// The journal of a whole run, cut at each place where it may have ended, with and without the change that was in flight.
#[test]
fn a_run_cut_at_any_record_is_gone_on_with() {
    let whole = Folder::with(TEXT);
    let hash = whole.hash();
    whole.run(&["run", "a.runbook", "--approve", &hash]).code(0);
    assert_eq!(made(&whole), MADE);
    let (name, bytes) = (journal(&whole), fs::read(journal(&whole)).unwrap());
    let name = name.file_name().unwrap().to_owned();
    let chain = fs::read_to_string(whole.path("state/chain.jsonl")).unwrap();
    let chain = format!("{}\n", chain.lines().next().unwrap());
    let text = String::from_utf8(bytes.clone()).unwrap();
    // The journals below are gone on with in folders of their own, as on another machine: the one of the run is not there.
    fs::remove_file(whole.path("a.runbook")).unwrap();
    let mut ends = vec![];
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        // Before the line feed, in the middle of the line, and whole.
        if at > line.len() {
            ends.extend([at - line.len() / 2, at - 1]);
        }
        ends.push(at);
    }
    let wanted = kills(24);
    if wanted > ends.len() * 2 {
        // As many as are wanted, at any byte behind the first record.
        ends = (ends[0]..=bytes.len()).collect();
    }
    let every = (ends.len() * 2).div_ceil(wanted).max(1);
    let (mut cuts, mut counted) = (0, Counted::default());
    for (index, (end, and_made)) in ends.iter().flat_map(|end| [(*end, false), (*end, true)]).enumerate() {
        if index % every != 0 {
            continue;
        }
        let folder = Folder::with(TEXT);
        let kept = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let intents = kept.matches("\"event\":\"change_intended\"").count();
        let sealed = |line: &&str| line.ends_with("\"}") && line.contains("\"sha256\"");
        let of = |event: &str| {
            kept.lines()
                .filter(sealed)
                .filter(|line| line.contains(event) && !line.contains("\"title\":\"pair("))
                .count()
        };
        let (begun, ended) = (of("\"change_intended\""), of("\"change_ended\""));
        assert!(begun == ended || begun == ended + 1, "{intents}");
        // Before its call, or after it: both look the same in the journal.
        let there = if and_made { begun } else { ended };
        fs::create_dir_all(folder.path("state/runs")).unwrap();
        fs::write(folder.path("state/runs").join(&name), &bytes[..end]).unwrap();
        fs::write(folder.path("state/chain.jsonl"), &chain).unwrap();
        fs::write(folder.path("made"), MADE[..there].iter().map(|line| format!("{line}\n")).collect::<String>())
            .unwrap();
        go_on(&folder, &hash, &mut counted);
        assert_eq!(made(&folder), MADE, "cut at {end} of {}, with {there} made", bytes.len());
        cuts += 1;
    }
    println!("RUNBOOK_KILLS: {cuts} cuts of {} bytes: {counted:?}", bytes.len());
    assert!(cuts > 0 && counted.asked > 0, "{counted:?}");
}

#[test]
fn a_run_killed_at_any_moment_is_gone_on_with() {
    let wanted = kills(12);
    let mut random = RandomState::new().hash_one(0);
    println!("RUNBOOK_KILLS: begun with {random:#x}");
    let (mut killed, mut folders, mut counted) = (0, 0, Counted::default());
    while killed < wanted {
        let folder = Folder::with(TEXT);
        let hash = folder.hash();
        folders += 1;
        let mut args = vec!["run".to_owned(), "a.runbook".to_owned()];
        // The one that goes on is killed as well.
        for _ in 0..3 {
            args.extend(["--approve".to_owned(), hash.clone()]);
            let borrowed: Vec<&str> = args.iter().map(String::as_str).collect();
            let child = folder.command(&borrowed).spawn().unwrap();
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            thread::sleep(Duration::from_millis(20 + random % 130));
            signal(&child, Signal::KILL);
            let output = finish(child);
            killed += usize::from(output.code == 1009);
            // A program that had been started comes to its end.
            thread::sleep(Duration::from_millis(30));
            if !is_begun(&folder) {
                break;
            }
            let run = last(&folder);
            args = vec!["resume".to_owned(), run];
            let borrowed: Vec<&str> = args.iter().map(String::as_str).collect();
            let output = folder.run(&borrowed);
            if let Some(number) = asked(&output) {
                counted.asked += 1;
                args.extend([if is_made(&folder) { "--done" } else { "--not-done" }.to_owned(), number]);
            } else if output.code == 0 {
                break;
            } else {
                // Asking for consent began a run of its own.
                args = vec!["resume".to_owned(), last(&folder)];
            }
        }
        if is_begun(&folder) {
            go_on(&folder, &hash, &mut counted);
            assert_eq!(made(&folder), MADE);
            folder.run(&["audit", "verify"]).code(0);
        }
    }
    println!("RUNBOOK_KILLS: {killed} kills in {folders} folders: {counted:?}");
}
