//! The audit trail: whatever is done to what was recorded is found, and what a kill leaves is no accusation.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use program::Folder;
use recorded::{finished, record, started};
use runbook::store::audit::{Kind, Report, State, Wanted, read_export};
use runbook::store::event::Event;
use runbook::store::journal::{KEPT, Store};

#[path = "support/program.rs"]
mod program;
#[path = "support/recorded.rs"]
mod recorded;

/// A run of as many records, and its end where it has one.
fn write(store: &Store, second: i64, run: &str, records: u64, finish: bool) -> PathBuf {
    let mut journal = store.begin(Timestamp::from_second(second).unwrap(), run).unwrap();
    if records > 0 {
        journal.append(&record(0, started(run))).unwrap();
    }
    for seq in 1..records {
        // One of the words that are in the way of a careless format.
        let hash = format!("\"sha256\":\"{seq}\"}}");
        journal.append(&record(seq, Event::Approved { hash, how: "ä".to_owned() })).unwrap();
    }
    if finish {
        journal.append(&record(records, finished())).unwrap();
    }
    journal.path().to_owned()
}

/// Three runs that ended, the middle one of them small enough for each of its bytes.
fn three(folder: &Path) -> (Store, [PathBuf; 3]) {
    let store = Store::new(folder);
    let paths = [(10, "aaa1"), (20, "bbb2"), (30, "ccc3")].map(|(at, run)| write(&store, at, run, 4, true));
    (store, paths)
}

fn look(store: &Store) -> Report {
    store.material().unwrap().verify(&Wanted::All, None)
}

#[track_caller]
fn fine(store: &Store) -> Report {
    let report = look(store);
    assert!(report.findings.is_empty() && report.unread.is_empty(), "{report:#?}");
    report
}

#[track_caller]
fn found(store: &Store, what: &str) -> Report {
    let report = look(store);
    assert!(!report.findings.is_empty(), "not found: {what}\n{report:#?}");
    report
}

/// Here, and in an export on another machine.
#[track_caller]
fn wrong(store: &Store, what: &str) -> Report {
    let report = found(store, what);
    let exported = exported(store);
    assert!(!exported.findings.is_empty(), "not found in an export: {what}\n{exported:#?}");
    report
}

fn export(store: &Store) -> Vec<u8> {
    let mut out = Vec::new();
    store.material().unwrap().export(&[], None, &mut out).unwrap();
    out
}

fn exported(store: &Store) -> Report {
    read_export("-", export(store).as_slice()).unwrap().verify(&Wanted::All, None)
}

fn kinds(report: &Report) -> Vec<Kind> {
    report.findings.iter().map(|finding| finding.kind).collect()
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

fn chain(folder: &Path) -> PathBuf {
    folder.join("chain.jsonl")
}

#[test]
fn what_was_recorded_is_whole_here_and_in_an_export() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = three(folder.path());
    let report = fine(&store);
    assert_eq!(report.count(State::Whole), 3);
    assert_eq!(report.links, 6);
    let exported = exported(&store);
    assert!(exported.findings.is_empty(), "{exported:#?}");
    assert_eq!(exported.count(State::Whole), 3);
    assert_eq!(exported.head, report.head);
}

#[test]
fn a_shell_can_compute_the_hashes() {
    let folder = Folder::new();
    three(&folder.path("state"));
    let script = r#"before=0000000000000000000000000000000000000000000000000000000000000000
        while read -r line; do
          body=${line%,\"sha256\":*}; stated=${line##*\"sha256\":\"}; stated=${stated%\"\}}
          [ "$(printf '%s\n%s' "$before" "$body" | sha256sum | cut -d' ' -f1)" = "$stated" ] || exit 1
          before=$stated
        done < state/chain.jsonl; echo "$before""#;
    let output = program::finish(folder.through("bash", &["-c", script]).spawn().unwrap());
    let head = folder.run(&["audit", "head"]);
    assert_eq!(output.code(0).stdout.trim(), head.code(0).stdout.split_whitespace().next().unwrap());
}

#[test]
fn a_flip_of_any_byte_of_a_journal_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [_, path, _]) = three(folder.path());
    let bytes = fs::read(&path).unwrap();
    for place in 0..bytes.len() {
        for bit in [1, 0x20, 0x80] {
            let mut edited = bytes.clone();
            edited[place] ^= bit;
            fs::write(&path, &edited).unwrap();
            let report = found(&store, &format!("byte {place} ^ {bit}"));
            assert_eq!(report.count(State::Wrong), 1, "only this run: {report:#?}");
        }
        if place % 16 == 0 {
            wrong(&store, &format!("byte {place}, in an export"));
        }
        let mut edited = bytes.clone();
        edited[place] = b'\n';
        fs::write(&path, &edited).unwrap();
        assert_eq!(look(&store).findings.is_empty(), edited == bytes, "a line feed at {place}");
    }
    fs::write(&path, &bytes).unwrap();
    fine(&store);
}

#[test]
fn a_flip_in_a_run_without_an_end_is_found_or_in_a_torn_line() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = write(&store, 10, "aaa1", 3, false);
    let whole = fs::read(&path).unwrap();
    let torn = whole.len() - 30;
    let feed = whole[..torn].iter().rposition(|byte| *byte == b'\n').unwrap();
    for (bytes, safe) in [(&whole[..], whole.len()), (&whole[..torn], feed + 1)] {
        for place in 0..bytes.len() {
            let mut edited = bytes.to_vec();
            edited[place] ^= 1;
            fs::write(&path, &edited).unwrap();
            assert!(place >= safe || !look(&store).findings.is_empty(), "byte {place} of {}", bytes.len());
        }
    }
}

#[test]
fn records_that_were_removed_moved_or_doubled_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [_, path, _]) = three(folder.path());
    let all = lines(&fs::read(&path).unwrap());
    let put = |lines: &[Vec<u8>]| fs::write(&path, lines.concat()).unwrap();
    for first in 0..all.len() {
        let mut less = all.clone();
        less.remove(first);
        put(&less);
        let report = wrong(&store, &format!("{first} removed"));
        let expected = if first + 1 == all.len() { Kind::Cut } else { Kind::Missing };
        assert!(kinds(&report).contains(&expected), "{first}: {report:#?}");
        for second in 0..all.len() {
            let mut more = all.clone();
            more.insert(second, all[first].clone());
            put(&more);
            wrong(&store, &format!("{first} once more at {second}"));
            if first != second {
                let mut moved = all.clone();
                moved.swap(first, second);
                put(&moved);
                wrong(&store, &format!("{first} and {second} swapped"));
            }
        }
    }
}

#[test]
fn a_journal_cut_at_any_byte_is_found_where_its_end_is_in_the_chain_and_is_no_accusation_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [_, path, _]) = three(folder.path());
    let bytes = fs::read(&path).unwrap();
    for len in 0..bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        assert_eq!(kinds(&found(&store, &format!("cut at {len}"))), [Kind::Cut]);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = write(&store, 10, "aaa1", 3, false);
    let bytes = fs::read(&path).unwrap();
    for len in 0..=bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        let at_line = len == 0 || bytes[len - 1] == b'\n';
        assert_eq!(fine(&store).runs[0].state, if at_line { State::NotEnded } else { State::Torn }, "{len}");
        if len % 16 == 0 {
            assert!(exported(&store).findings.is_empty());
        }
    }
}

#[test]
fn runs_that_were_removed_copied_renamed_or_put_there_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [first, second, third]) = three(folder.path());
    let beside = |name: &str| first.with_file_name(name);
    for path in [&first, &second, &third] {
        let hidden = path.with_extension("gone");
        fs::rename(path, &hidden).unwrap();
        assert_eq!(kinds(&wrong(&store, "a run removed")), [Kind::Removed]);
        fs::rename(&hidden, path).unwrap();
    }
    let copy = beside("19700101T000025.000000Z-ddd4.jsonl");
    fs::copy(&second, &copy).unwrap();
    let report = wrong(&store, "a copy");
    assert_eq!(kinds(&report), [Kind::Added]);
    assert!(report.findings[0].message.contains("copy of the journal of another run"), "{report:#?}");
    // A run whose bytes are those of another one.
    fs::remove_file(&copy).unwrap();
    let kept = fs::read(&third).unwrap();
    fs::copy(&second, &third).unwrap();
    assert_eq!(wrong(&store, "one in the place of another").findings[0].kind, Kind::Added);
    fs::write(&third, &kept).unwrap();
    fs::rename(&third, beside("19700101T000030.000000Z-ddd4.jsonl")).unwrap();
    assert_eq!(wrong(&store, "renamed").count(State::Wrong), 2);
    fs::rename(beside("19700101T000030.000000Z-ddd4.jsonl"), &third).unwrap();
    // A whole run that another folder recorded.
    let other = tempfile::tempdir().unwrap();
    let foreign = write(&Store::new(other.path()), 25, "eee5", 2, true);
    let there = beside("19700101T000025.000000Z-eee5.jsonl");
    fs::copy(foreign, &there).unwrap();
    assert_eq!(kinds(&wrong(&store, "of another folder")), [Kind::Added]);
    fs::remove_file(there).unwrap();
    fine(&store);
}

#[test]
fn an_edit_of_any_byte_of_the_chain_is_found_and_a_cut_as_far_as_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = three(folder.path());
    let path = chain(folder.path());
    let bytes = fs::read(&path).unwrap();
    for place in 0..bytes.len() {
        for bit in [1, 0x20, 0x80] {
            let mut edited = bytes.clone();
            edited[place] ^= bit;
            fs::write(&path, &edited).unwrap();
            found(&store, &format!("byte {place} ^ {bit} of the chain"));
        }
        if place % 16 == 0 {
            wrong(&store, &format!("byte {place} of the chain, in an export"));
        }
    }
    assert!(store.head().is_err(), "nothing is chained to what was edited");
    assert!(store.begin(Timestamp::UNIX_EPOCH, "aaaa").is_err());
    fs::write(&path, &bytes).unwrap();
    let noted = store.head().unwrap().unwrap().hash.to_string();
    let all = lines(&bytes);
    let without_last = bytes.len() - all.last().unwrap().len();
    for len in 0..bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        let report = look(&store);
        if len + 1 < without_last {
            assert!(!report.findings.is_empty(), "the chain cut at {len}");
        } else if len + 1 < bytes.len() {
            // That the last run had ended is all that is gone.
            assert!(report.findings.is_empty(), "{report:#?}");
            assert_eq!(report.count(State::EndNotChained), 1, "{len}");
            assert_eq!(report.torn, len > without_last);
            let report = store.material().unwrap().verify(&Wanted::All, Some(&noted));
            assert_eq!(kinds(&report), [Kind::Head]);
        }
    }
    for first in 0..all.len() - 1 {
        let mut less = all.clone();
        less.remove(first);
        fs::write(&path, less.concat()).unwrap();
        wrong(&store, &format!("line {first} of the chain removed"));
        let mut moved = all.clone();
        moved.swap(first, first + 1);
        fs::write(&path, moved.concat()).unwrap();
        wrong(&store, &format!("line {first} of the chain moved"));
    }
    fs::remove_file(&path).unwrap();
    assert!(kinds(&wrong(&store, "no chain")).iter().all(|kind| *kind == Kind::Removed));
}

#[test]
fn the_newest_run_removed_with_the_end_of_the_chain_is_found_by_a_head_that_was_noted() {
    let folder = tempfile::tempdir().unwrap();
    let (store, [_, _, third]) = three(folder.path());
    let noted = store.head().unwrap().unwrap().hash.to_string();
    let all = lines(&fs::read(chain(folder.path())).unwrap());
    fs::write(chain(folder.path()), all[..4].concat()).unwrap();
    fs::remove_file(third).unwrap();
    fine(&store);
    let report = store.material().unwrap().verify(&Wanted::All, Some(&noted[..20]));
    assert_eq!(kinds(&report), [Kind::Head]);
    let earlier = store.head().unwrap().unwrap().hash.to_string();
    write(&store, 40, "fff6", 1, true);
    let report = store.material().unwrap().verify(&Wanted::All, Some(&earlier));
    assert_eq!((report.findings.len(), report.since_head), (0, Some(2)));
}

#[test]
fn a_torn_line_of_the_chain_is_closed_by_whoever_comes_next_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = three(folder.path());
    let path = chain(folder.path());
    let bytes = fs::read(&path).unwrap();
    let last = lines(&bytes).last().unwrap().len();
    for len in bytes.len() - last + 1..bytes.len() {
        fs::write(&path, &bytes[..len]).unwrap();
        let journal = write(&store, 40, "fff6", 1, true);
        let report = fine(&store);
        // Only its line feed was missing, or more of it.
        assert_eq!(report.mended, usize::from(len + 1 < bytes.len()), "{len}");
        assert_eq!(report.count(State::EndNotChained), report.mended);
        let mut edited = fs::read(&path).unwrap();
        edited[bytes.len() - last] ^= 1;
        fs::write(&path, &edited).unwrap();
        wrong(&store, "the torn line edited");
        fs::remove_file(journal).unwrap();
    }
}

#[test]
fn runs_of_a_version_without_a_chain_are_not_good_and_not_bad_unless_they_are_younger() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path().join("runs");
    fs::create_dir_all(&runs).unwrap();
    let text = serde_json::to_string(&record(0, started("0001"))).unwrap() + "\n";
    let old = runs.join("19700101T000001.000000Z-0001.jsonl");
    fs::write(&old, &text).unwrap();
    let store = Store::new(folder.path());
    assert_eq!(fine(&store).runs[0].state, State::NotChained);
    write(&store, 10, "aaa1", 2, true);
    let report = fine(&store);
    assert_eq!((report.count(State::NotChained), report.count(State::Whole)), (1, 1));
    fs::copy(&old, runs.join("19700101T000011.000000Z-0002.jsonl")).unwrap();
    assert_eq!(kinds(&wrong(&store, "younger than the chain")), [Kind::Added]);
}

#[test]
fn an_old_run_is_removed_with_a_word_in_the_chain_and_a_young_one_is_missed_all_the_same() {
    // Thousands of writes that are waited for: in memory where there is such a place.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let store = Store::new(folder.path());
    for run in 0..KEPT + 3 {
        write(&store, i64::try_from(run).unwrap(), &format!("{run:06x}"), 1, run != 1);
    }
    assert!(store.prune(Timestamp::UNIX_EPOCH).unwrap().is_empty());
    let report = fine(&store);
    // The one that never ended stays.
    assert_eq!((report.pruned, report.runs.len()), (2, KEPT + 1));
    assert_eq!(exported(&store).pruned, 2);
    assert!(exported(&store).findings.is_empty());
    fs::remove_file(folder.path().join("runs/19700101T000003.000000Z-000003.jsonl")).unwrap();
    assert_eq!(kinds(&wrong(&store, "a run that was to be kept")), [Kind::Removed]);
}

#[test]
fn a_full_disk_is_said_and_the_chain_stays_whole() {
    let folder = Folder::with("section \"A\" {\n  show 1 as \"one\"\n}\n");
    folder.run(&["run", "a.runbook"]).code(0);
    let path = folder.path("state/chain.jsonl");
    let blocks = fs::metadata(&path).unwrap().len() / 1024 + 1;
    // As long as no file may become longer than this, the chain is the first that is full.
    let filled = Store::new(folder.path("state"));
    let mut run = 0;
    while fs::metadata(&path).unwrap().len() + 700 < blocks * 1024 * 8 {
        run += 1;
        write(&filled, run, &format!("{run:06x}"), 1, true);
    }
    for _ in 0..3 {
        let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", blocks * 8);
        let command = ["-c", script.as_str(), program::PROGRAM, "run", "a.runbook"];
        let output = program::finish(folder.through("bash", &command).spawn().unwrap());
        if output.stderr.contains("chain.jsonl") {
            output.err("the run cannot be recorded").err("File too large");
            fine(&filled);
            folder.run(&["run", "a.runbook"]).code(0);
            fine(&filled);
            return;
        }
    }
    panic!("the chain was never full");
}

#[test]
fn kills_are_no_accusation() {
    // A run that goes on for a while, with many events.
    let folder = Folder::with(format!("section \"A\" {{\n{}}}\n", "  show 1 as \"one\"\n".repeat(300)));
    let store = Store::new(folder.path("state"));
    let mut random: u64 = 0x2545_f491_4f6c_dd1d;
    let runs = || fs::read_dir(folder.path("state/runs")).map_or(0, Iterator::count);
    for _ in 0..13 {
        let before = runs();
        let mut children: Vec<Child> = (0..4).map(|_| folder.command(&["run", "a.runbook"]).spawn().unwrap()).collect();
        // From the moment on at which the first of them has a journal.
        while runs() == before && children.iter_mut().all(|child| child.try_wait().unwrap().is_none()) {
            thread::sleep(Duration::from_micros(200));
        }
        for mut child in children {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            thread::sleep(Duration::from_micros(random % 12_000));
            child.kill().unwrap();
            child.wait().unwrap();
        }
        fine(&store);
    }
    let report = fine(&store);
    assert!(report.runs.len() > report.count(State::Whole) + 5, "they were killed too early or too late: {report:#?}");
    folder.run(&["run", "a.runbook"]).code(0);
    folder.run(&["audit", "verify"]).code(0);
}

#[test]
fn two_hundred_runs_of_several_processes_at_once_make_one_chain() {
    let folder = Folder::with("section \"A\" {\n  show 1 as \"one\"\n}\n");
    let loops = "for n in $(seq 25); do \"$0\" run a.runbook || exit 1; done";
    let children: Vec<Child> =
        (0..8).map(|_| folder.through("bash", &["-c", loops, program::PROGRAM]).spawn().unwrap()).collect();
    let store = Store::new(folder.path("state"));
    for child in children {
        fine(&store);
        program::finish(child).code(0);
    }
    let report = fine(&store);
    assert_eq!((report.count(State::Whole), report.links), (200, 400));
    assert_eq!(report.head.unwrap().runs, 200);
}
