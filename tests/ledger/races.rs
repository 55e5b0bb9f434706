//! Two on one file.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use jiff::SignedDuration;
use runbook::store::ledger::{Commit, Committed, Lease, Ledger};

use crate::place::{Place, at, document, message, tell};

both!(
    no_commit_is_lost_or_made_on_a_version_that_is_gone,
    no_message_is_given_to_two,
    a_lease_is_held_by_one_and_its_numbers_are_given_once
);

const THREADS: usize = 4;

/// Each with a connection of its own, all beginning at once.
fn race<T: Send>(place: &Place, work: impl Fn(usize, &mut Ledger) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(THREADS);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|own| {
                let (barrier, work) = (&barrier, &work);
                scope.spawn(move || {
                    barrier.wait();
                    work(own, &mut place.open())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn a_ledger_may_go_to_another_thread() {
    fn goes<T: Send>() {}
    goes::<Ledger>();
}

#[test]
fn all_who_begin_at_once_begin_the_same_tables() {
    for _ in 0..5 {
        let Some(place) = Place::shared() else { return };
        let noted = race(&place, |_, ledger| ledger.note_due("shop", "Morning", at(0), "run", None).unwrap());
        assert_eq!(noted.iter().filter(|noted| **noted).count(), 1, "one ledger, one due time");
        assert_eq!(place.problems(), [""; 0]);
    }
}

#[test]
fn all_who_begin_at_once_begin_the_same_file() {
    for _ in 0..20 {
        let place = Place::new();
        let noted = race(&place, |_, ledger| ledger.note_due("shop", "Morning", at(0), "run", None).unwrap());
        assert_eq!(noted.iter().filter(|noted| **noted).count(), 1, "one file, one due time");
        let left: Vec<_> = std::fs::read_dir(place.folder()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.iter().all(|name| name.to_str().unwrap().starts_with("ledger.sqlite")), "{left:?}");
    }
}

fn no_commit_is_lost_or_made_on_a_version_that_is_gone(place: &Place) {
    let each = 25;
    let stale: usize = race(place, |own, ledger| {
        let (mut done, mut stale) = (0, 0);
        while done < each {
            let snapshot = ledger.load("shop").unwrap();
            // Each document says how many were there before it: twice the same number is a lost commit.
            let id = snapshot.documents.len().to_string();
            assert_eq!(snapshot.version, snapshot.documents.len() as u64);
            let mut put = document("alert", &id, 0, None);
            put.body = own.into();
            let commit = Commit { put: vec![put], ..Commit::at(at(0)) };
            match ledger.commit("shop", snapshot.version, &commit).unwrap() {
                Committed::Done { version } => {
                    assert_eq!(version, snapshot.version + 1);
                    done += 1;
                }
                Committed::Stale { version } => {
                    assert!(version > snapshot.version);
                    stale += 1;
                }
            }
        }
        stale
    })
    .into_iter()
    .sum();
    let snapshot = place.open().load("shop").unwrap();
    assert_eq!(snapshot.version, (THREADS * each) as u64);
    assert_eq!(snapshot.documents.len(), THREADS * each, "{stale} were stale");
    for own in 0..THREADS {
        assert_eq!(snapshot.documents.iter().filter(|document| document.body == own).count(), each);
    }
}

fn no_message_is_given_to_two(place: &Place) {
    tell(&mut place.open(), "shop", (0..200).map(|n| message(&n.to_string(), 0)).collect());
    let claimed = race(place, |own, ledger| {
        let mut mine = Vec::new();
        loop {
            let some =
                ledger.claim(("shop", "ops"), &own.to_string(), at(0), SignedDuration::from_secs(60), 3, None).unwrap();
            if some.is_empty() {
                return mine;
            }
            mine.extend(some.into_iter().map(|message| message.id));
        }
    });
    let mut times = BTreeMap::new();
    for id in claimed.into_iter().flatten() {
        *times.entry(id).or_insert(0) += 1;
    }
    assert_eq!(times.len(), 200);
    assert!(times.values().all(|times| *times == 1), "{times:?}");
}

fn a_lease_is_held_by_one_and_its_numbers_are_given_once(place: &Place) {
    // Time goes on by one for everybody who asks; a lease lasts three.
    let clock = std::sync::atomic::AtomicI64::new(0);
    let held = race(place, |own, ledger| {
        let mut held = Vec::new();
        for _ in 0..100 {
            let now = clock.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            if let Lease::Held { fence } = ledger.lease("leader", &own.to_string(), at(now), at(now + 3)).unwrap() {
                held.push(fence);
            }
        }
        assert!(held.is_sorted(), "{held:?}");
        held.dedup();
        held
    });
    let mut all: Vec<u64> = held.into_iter().flatten().collect();
    all.sort_unstable();
    let given = all.len();
    all.dedup();
    assert_eq!(all.len(), given, "a number belongs to one holder");
    assert!(given > 1);
}
