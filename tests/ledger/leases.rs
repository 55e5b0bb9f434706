//! Leases by name, and due times.

use runbook::store::ledger::Lease;

use crate::place::{Place, at};

fn taken(holder: &str, until: i64) -> Lease {
    Lease::Taken { holder: holder.to_owned(), until: at(until) }
}

#[test]
fn a_lease_has_one_holder_and_a_number_that_grows() {
    let place = Place::new();
    let mut ledger = place.open();
    assert_eq!(ledger.lease("leader", "me", at(0), at(10)).unwrap(), Lease::Held { fence: 1 });
    assert_eq!(ledger.lease("leader", "you", at(9), at(20)).unwrap(), taken("me", 10));
    assert_eq!(ledger.lease("leader", "me", at(9), at(15)).unwrap(), Lease::Held { fence: 1 }, "prolonged");
    assert_eq!(ledger.lease("other", "you", at(9), at(20)).unwrap(), Lease::Held { fence: 1 });
    assert_eq!(ledger.lease("leader", "you", at(15), at(20)).unwrap(), Lease::Held { fence: 2 });
    assert_eq!(ledger.lease("leader", "me", at(16), at(30)).unwrap(), taken("you", 20));
    assert_eq!(ledger.lease("leader", "you", at(21), at(30)).unwrap(), Lease::Held { fence: 3 }, "it had run out");
}

#[test]
fn a_lease_is_given_back_by_its_holder_alone() {
    let place = Place::new();
    let mut ledger = place.open();
    assert_eq!(ledger.lease("leader", "me", at(0), at(10)).unwrap(), Lease::Held { fence: 1 });
    ledger.release("leader", "you").unwrap();
    ledger.release("not there", "you").unwrap();
    assert_eq!(ledger.lease("leader", "you", at(1), at(20)).unwrap(), taken("me", 10));
    ledger.release("leader", "me").unwrap();
    assert_eq!(ledger.lease("leader", "you", at(1), at(20)).unwrap(), Lease::Held { fence: 2 });
}

#[test]
fn a_due_time_is_noted_once() {
    let place = Place::new();
    let mut ledger = place.open();
    assert_eq!(ledger.last_due("shop", "Morning").unwrap(), None);
    assert!(ledger.note_due("shop", "Morning", at(100), "run", Some("7f3a12")).unwrap());
    assert!(!ledger.note_due("shop", "Morning", at(100), "skipped", None).unwrap());
    assert!(ledger.note_due("shop", "Morning", at(50), "missed", None).unwrap());
    assert!(ledger.note_due("shop", "Evening", at(100), "run", None).unwrap());
    assert_eq!(ledger.last_due("shop", "Morning").unwrap(), Some(at(100)));
    assert_eq!(ledger.last_due("bank", "Morning").unwrap(), None);
}
