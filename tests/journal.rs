//! The journal: what was written is read back, and what was damaged is said.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use recorded::{finished, record, started};
use runbook::store::event::Event;
use runbook::store::history::Lookup;
use runbook::store::journal::Store;

#[path = "support/recorded.rs"]
mod recorded;

fn write(store: &Store, second: i64, run: &str, finish: bool) -> PathBuf {
    let mut journal = store.begin(Timestamp::from_second(second).unwrap(), run).unwrap();
    journal.append(&record(0, started(run))).unwrap();
    journal.append(&record(1, Event::Interrupted { signal: "INT".to_owned() })).unwrap();
    if finish {
        journal.append(&record(2, finished())).unwrap();
    }
    journal.path().to_owned()
}

fn found(store: &Store, prefix: &str) -> runbook::store::history::Recorded {
    match store.load(prefix).unwrap() {
        Lookup::Found(recorded) => *recorded,
        other => panic!("{other:?}"),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn what_was_written_is_read_back_by_its_owner_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("state"));
    let path = write(&store, 10, "7f3a12", true);
    assert_eq!(mode(&folder.path().join("state")), 0o700);
    assert_eq!(mode(&path), 0o600);
    let recorded = found(&store, "7f3");
    assert_eq!(recorded.records.len(), 3);
    assert!(!recorded.torn);
    assert!(store.begin(Timestamp::from_second(10).unwrap(), "7f3a12").is_err(), "one run, one journal");
}

#[test]
fn the_history_tells_finished_from_unfinished_and_ids_apart() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    write(&store, 20, "aab1", false);
    write(&store, 10, "aaa1", true);
    let (entries, faults) = store.history().unwrap();
    assert!(faults.is_empty());
    let ids: Vec<(&str, bool)> = entries.iter().map(|e| (&*e.started.run, e.finished.is_some())).collect();
    assert_eq!(ids, [("aaa1", true), ("aab1", false)]);
    assert!(matches!(store.load("aa").unwrap(), Lookup::Several(ids) if ids == ["aaa1", "aab1"]));
    assert!(matches!(store.load("b").unwrap(), Lookup::None));
    assert_eq!(found(&store, "last").records.len(), 2);
}

#[test]
fn nothing_recorded_is_an_empty_history() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path().join("not/there"));
    assert!(store.history().unwrap().0.is_empty());
    assert!(!folder.path().join("not").exists(), "looking creates nothing");
}

#[test]
fn a_torn_last_line_is_tolerated_and_said_and_any_other_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = write(&store, 10, "aaa1", true);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() - 20]).unwrap();
    let recorded = found(&store, "aaa1");
    assert!(recorded.torn);
    assert_eq!(recorded.records.len(), 2);
    assert!(store.history().unwrap().0[0].finished.is_none());

    let lines: Vec<&str> = text.lines().collect();
    fs::write(&path, format!("{}\n{}\n{}\n", lines[0], &lines[1][..10], lines[2])).unwrap();
    let fault = store.load("aaa1").unwrap_err();
    assert!(fault.message.contains("line 2"), "{fault}");
}

#[test]
fn unknown_events_are_counted_and_a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = write(&store, 10, "aaa1", true);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("\"event\":\"interrupted\"", "\"event\":\"of_tomorrow\"")).unwrap();
    assert_eq!(found(&store, "aaa1").skipped, 1);
    fs::write(&path, text.replace("\"version\":1", "\"version\":99")).unwrap();
    let fault = store.load("aaa1").unwrap_err();
    assert!(fault.message.contains("version 99"), "{fault}");
    assert!(fault.help.is_some());
    assert_eq!(store.history().unwrap().1.len(), 1, "one journal that cannot be read hides no other");
}

#[test]
fn a_folder_that_cannot_be_written_is_said_before_anything_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let fault = Store::new(file.join("state")).begin(Timestamp::UNIX_EPOCH, "aaa1").unwrap_err();
    assert!(fault.message.contains("cannot be recorded"), "{fault}");
    assert!(fault.help.is_some_and(|help| help.contains("--state")));
}
