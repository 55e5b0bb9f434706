//! Files that are not as they should be.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};

use runbook::store::ledger::{Commit, Committed, Ledger, Sample};
use runbook::types::{Fault, FaultKind};

use crate::place::{Place, at, document, happening, sample};

/// A ledger with a few hundred pages in it, closed.
fn filled() -> Place {
    let place = Place::new();
    let mut ledger = place.open();
    let commit = Commit {
        put: (0..2000).map(|n| document("alert", &n.to_string(), n, None)).collect(),
        happened: (0..2000).map(|n| happening(n, &format!("alert/{n}"), "fired")).collect(),
        ..Commit::at(at(0))
    };
    assert_eq!(ledger.commit("shop", 0, &commit).unwrap(), Committed::Done { version: 1 });
    let samples: Vec<Sample> = (0..5000).map(|n| sample("used", &[], n, Some(1.0))).collect();
    ledger.record("shop", &samples).unwrap();
    place
}

/// What the fault of a damaged file must say.
fn says_so(place: &Place, fault: &Fault) {
    assert!(fault.message.contains(place.path().to_str().unwrap()), "{fault}");
    assert!(fault.help.as_ref().unwrap().contains("runbook store check"), "{fault:?}");
}

fn problems(place: &Place) -> Vec<String> {
    Ledger::check(&place.path()).unwrap().unwrap().problems
}

fn everything(place: &Place) -> Result<(), Fault> {
    let ledger = Ledger::open(&place.path())?;
    ledger.load("shop")?;
    ledger.happenings("shop", None, None)?;
    ledger.samples("shop", "used", jiff::Timestamp::MIN, jiff::Timestamp::MAX)?;
    Ok(())
}

#[test]
fn the_file_is_its_owners_alone() {
    let place = Place::new();
    let mut ledger = place.open();
    assert!(ledger.note_due("shop", "Morning", at(0), "run", None).unwrap());
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.folder()), 0o700);
    for entry in fs::read_dir(place.folder()).unwrap() {
        assert_eq!(mode(&entry.unwrap().path()), 0o600);
    }
    assert_eq!(problems(&place), [""; 0]);
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(problems(&place)[0].contains("mode 644"));
}

#[test]
fn a_file_that_is_not_there_is_not_made_by_looking() {
    let place = Place::new();
    assert!(Ledger::check(&place.path()).unwrap().is_none());
    assert!(Ledger::open_existing(&place.path()).unwrap().is_none());
    assert!(!place.folder().exists());
    drop(place.open());
    assert!(Ledger::open_existing(&place.path()).unwrap().is_some());
}

#[test]
fn a_file_of_a_newer_version_is_refused_and_left_as_it_is() {
    let place = filled();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    conn.pragma_update(None, "user_version", 7).unwrap();
    drop(conn);
    let before = fs::read(place.path()).unwrap();
    let fault = Ledger::open(&place.path()).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Unsupported);
    assert!(fault.message.contains("is of version 7, and this runbook knows it up to version 3"), "{fault}");
    assert!(Ledger::check(&place.path()).is_err());
    assert!(fs::read(place.path()).unwrap() == before);
}

#[test]
fn a_file_of_an_older_version_is_brought_up_to_this_one_and_keeps_what_it_has() {
    let place = filled();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    conn.execute_batch("DROP TABLE identity; PRAGMA user_version = 2").unwrap();
    drop(conn);
    let id = place.open().id().unwrap();
    assert_eq!((place.open().id().unwrap(), place.open().load("shop").unwrap().documents.len()), (id, 2000));
    assert_eq!(problems(&place), [""; 0]);
    rusqlite::Connection::open(place.path()).unwrap().execute_batch("DELETE FROM identity").unwrap();
    assert!(place.open().id().unwrap_err().message.contains("no name of its own"));
    assert_eq!(problems(&place), ["1 names of the ledger too many or too few"]);
}

#[test]
fn what_is_no_ledger_is_not_taken_for_one() {
    let place = Place::new();
    fs::create_dir(place.folder()).unwrap();
    fs::write(place.path(), "# Notes\n".repeat(1000)).unwrap();
    says_so(&place, &Ledger::open(&place.path()).unwrap_err());
    assert!(problems(&place)[0].contains("not a database"));
    assert!(fs::read_to_string(place.path()).unwrap().starts_with("# Notes"));

    fs::remove_file(place.path()).unwrap();
    rusqlite::Connection::open(place.path()).unwrap().execute_batch("CREATE TABLE cats (name)").unwrap();
    let fault = Ledger::open(&place.path()).unwrap_err();
    assert!(fault.message.contains("a database, but not a ledger"), "{fault}");
}

#[test]
fn a_cut_file_is_damaged_and_never_a_new_one() {
    let whole = fs::metadata(filled().path()).unwrap().len();
    for left in [0, 1, 50, 100, 4095, 4096, 4097, whole / 2, whole - 4096] {
        let place = filled();
        fs::File::options().write(true).open(place.path()).unwrap().set_len(left).unwrap();
        says_so(&place, &everything(&place).unwrap_err());
        assert!(!problems(&place).is_empty(), "{left} of {whole} bytes");
        assert_eq!(fs::metadata(place.path()).unwrap().len(), left, "it is left as it is");
    }
    let place = filled();
    fs::File::options().write(true).open(place.path()).unwrap().set_len(whole - 1).unwrap();
    assert!(problems(&place)[0].contains("cut within a page"));
}

#[test]
fn a_log_without_its_file_is_not_begun_over() {
    let place = Place::new();
    let mut ledger = place.open();
    assert!(ledger.note_due("shop", "Morning", at(0), "run", None).unwrap());
    fs::remove_file(place.path()).unwrap();
    let fault = Ledger::open(&place.path()).unwrap_err();
    says_so(&place, &fault);
    assert!(fault.message.contains("-wal"), "{fault}");
    assert!(problems(&place)[0].contains("-wal"));
    assert!(!place.path().exists());
}

#[test]
fn a_damaged_page_is_found_by_check_and_never_read_as_something_else() {
    let place = filled();
    let whole = fs::read(place.path()).unwrap();
    let expected = {
        let ledger = place.open();
        (ledger.load("shop").unwrap(), ledger.happenings("shop", None, None).unwrap())
    };
    let mut unreadable = 0;
    let pages = whole.len() / 4096;
    for page in 0..pages {
        // The beginning of a page says where everything in it is.
        let file = fs::File::options().write(true).open(place.path()).unwrap();
        file.write_all_at(&[0xA5; 16], (page * 4096) as u64 + if page == 0 { 100 } else { 0 }).unwrap();
        assert!(!problems(&place).is_empty(), "page {page} of {pages}");
        match everything(&place) {
            Ok(()) => {
                let ledger = place.open();
                assert!(ledger.load("shop").unwrap() == expected.0, "page {page}");
                assert!(ledger.happenings("shop", None, None).unwrap() == expected.1, "page {page}");
            }
            Err(fault) => {
                says_so(&place, &fault);
                unreadable += 1;
            }
        }
        for end in ["-wal", "-shm"] {
            let mut beside = place.path().into_os_string();
            beside.push(end);
            let _ = fs::remove_file(beside);
        }
        fs::write(place.path(), &whole).unwrap();
    }
    assert!(unreadable > pages / 2, "{unreadable} of {pages}");
    assert_eq!(problems(&place), [""; 0]);
}

#[test]
fn what_is_wrong_in_whole_pages_is_found_as_well() {
    let wrong = [
        ("UPDATE document SET body = '{' WHERE id = '7'", "1 documents that are no JSON"),
        ("DELETE FROM runbook", "belongs to a `runbook` that is not there"),
        ("UPDATE runbook SET version = 0", "never committed"),
        ("DROP INDEX document_open", "tables are not what they should be"),
        ("PRAGMA ignore_check_constraints = 1; UPDATE runbook SET version = -1", "CHECK constraint failed in runbook"),
    ];
    for (sql, found) in wrong {
        let place = filled();
        let conn = rusqlite::Connection::open(place.path()).unwrap();
        conn.execute_batch(&format!("PRAGMA foreign_keys = 0; {sql}")).unwrap();
        drop(conn);
        let problems = problems(&place);
        assert!(problems.iter().any(|problem| problem.contains(found)), "{sql}: {problems:?}");
    }
    let place = filled();
    let conn = rusqlite::Connection::open(place.path()).unwrap();
    conn.execute_batch("UPDATE document SET body = '{' WHERE id = '7'").unwrap();
    drop(conn);
    says_so(&place, &everything(&place).unwrap_err());
}
