//! The journal: what was written is read back, and what was damaged is said.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use recorded::{finished, record, started};
use runbook::store::event::{ChangeEnded, ChangeOutcome, Event, Place};
use runbook::store::history::Lookup;
use runbook::store::journal::Store;
use runbook::store::kept::Kept;
use runbook::store::past::State;

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

/// Changes with and without an outcome, and what is between them.
fn begun(store: &Store, changes: u32, beside: u32, finish: bool) -> PathBuf {
    let mut journal = store.begin(Timestamp::from_second(10).unwrap(), "aaa1").unwrap();
    let mut seq = 0;
    let mut add = |event| {
        journal.append(&record(seq, event)).unwrap();
        seq += 1;
    };
    add(started("aaa1"));
    for change in 1..=changes {
        add(intended(change));
        (0..beside).for_each(|_| add(Event::Interrupted { signal: "INT".to_owned() }));
        if change < changes || finish {
            add(ended(change));
        }
    }
    if finish {
        add(finished());
    }
    journal.path().to_owned()
}

fn intended(change: u32) -> Event {
    Event::ChangeIntended {
        approvals: Vec::new(),
        place: place(),
        change,
        title: "wipe".into(),
        items: Vec::new(),
        target: None,
        led_to: None,
        call: "wipe()".into(),
        key: Some(change.to_string().into()),
        parts: false,
        with: vec![("before".into(), Kept::String("old".to_owned()))],
    }
}

fn ended(change: u32) -> Event {
    Event::ChangeEnded(ChangeEnded {
        place: place(),
        change,
        title: "wipe".into(),
        items: Vec::new(),
        outcome: ChangeOutcome::Done,
        fault: None,
        result: None,
        verified: None,
        said: Vec::new(),
        evidence: Vec::new(),
        undo: None,
        seconds: 0.5,
        value: None,
    })
}

fn place() -> Place {
    Place { path: vec![0, 0], file: "daily.runbook".into(), line: 3, column: 5, items: Vec::new(), called: None }
}

/// The states of the changes that were begun, or why nothing is said.
fn past(store: &Store, path: &Path) -> Result<Vec<State>, String> {
    let past = store.past(path, Some("me")).map_err(|fault| fault.message.to_string())?;
    Ok(past.last().unwrap().changes.iter().map(|made| made.state.clone()).collect())
}

#[test]
fn a_flipped_bit_at_any_byte_is_found_before_anybody_goes_on() {
    for finish in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let path = begun(&store, 2, 1, finish);
        let bytes = fs::read(&path).unwrap();
        let whole = past(&store, &path).unwrap();
        assert_eq!((whole.len(), whole.contains(&State::Unknown { ended: false })), (2, !finish));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, &flipped).unwrap();
            assert!(past(&store, &path).is_err(), "byte {at} of {}, finished: {finish}", bytes.len());
        }
        fs::write(&path, &bytes).unwrap();
        assert_eq!(past(&store, &path).unwrap(), whole);
    }
}

#[test]
fn a_journal_that_is_cut_is_found_or_leaves_a_change_unknown_and_never_done() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = begun(&store, 2, 1, true);
    let bytes = fs::read(&path).unwrap();
    for end in 0..bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        assert!(past(&store, &path).is_err(), "cut at {end} of {}: the chain knows its end", bytes.len());
    }
    // A run that was killed: its chain knows no end.
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = begun(&store, 3, 1, false);
    let bytes = fs::read(&path).unwrap();
    let all = String::from_utf8(bytes.clone()).unwrap();
    let lines: Vec<&str> = all.lines().collect();
    for end in 0..bytes.len() {
        fs::write(&path, &bytes[..end]).unwrap();
        let text = String::from_utf8_lossy(&bytes[..end]);
        // A record is whole without its line feed.
        let whole = |event: &str| text.lines().filter(|line| lines.contains(line) && line.contains(event)).count();
        match past(&store, &path) {
            Ok(states) => {
                assert_eq!(states.len(), 3, "cut at {end}: all that was begun is told of");
                let done = states.iter().filter(|state| **state == State::Done { by: None }).count();
                assert_eq!(
                    (states.len(), done),
                    (whole("\"change_intended\""), whole("\"change_ended\"")),
                    "cut at {end}"
                );
            }
            // What was begun and is not told of is known from beside it.
            Err(why) if whole("\"run_started\"") > 0 => {
                assert!(whole("\"change_intended\"") < 3, "cut at {end}: {why}");
                assert!(why.contains("does not tell"), "cut at {end}: {why}");
            }
            Err(_) => {}
        }
    }
}

#[test]
#[expect(clippy::disallowed_macros, reason = "whoever measures reads the figure")]
fn ten_thousand_events_are_read_while_a_person_waits() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    let path = begun(&store, 200, 48, false);
    let lines = fs::read_to_string(&path).unwrap().lines().count();
    let begun = std::time::Instant::now();
    let states = past(&store, &path).unwrap();
    let took = begun.elapsed();
    println!("{lines} events in {took:?}");
    assert_eq!((states.len(), lines), (200, 10_000));
    assert!(took < std::time::Duration::from_secs(3), "{took:?}");
}
