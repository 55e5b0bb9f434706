//! Leases by name, and due times.

use std::sync::Arc;

use jiff::SignedDuration;
use runbook::store::ledger::{Asked, Commit, Committed, Exclusive, Fence, Lease, Retention};
use runbook::types::{Fault, FaultKind};

use crate::place::{Place, at, document, message, sample, tell};

both!(
    a_lease_has_one_holder_and_a_number_that_grows,
    a_lease_is_given_back_by_its_holder_alone,
    a_due_time_is_noted_once,
    what_a_connection_leads_to_is_held_by_one_run_at_a_time,
    whoever_lost_the_lease_writes_nothing_but_what_it_has_told
);

fn taken(holder: &str, until: i64) -> Lease {
    Lease::Taken { holder: holder.to_owned(), until: at(until) }
}

fn a_lease_has_one_holder_and_a_number_that_grows(place: &Place) {
    let mut ledger = place.open();
    assert_eq!(ledger.lease("leader", "me", at(0), at(10)).unwrap(), Lease::Held { fence: 1 });
    assert_eq!(ledger.lease("leader", "you", at(9), at(20)).unwrap(), taken("me", 10));
    assert_eq!(ledger.lease("leader", "me", at(9), at(15)).unwrap(), Lease::Held { fence: 1 }, "prolonged");
    assert_eq!(ledger.lease("other", "you", at(9), at(20)).unwrap(), Lease::Held { fence: 1 });
    assert_eq!(ledger.lease("leader", "you", at(15), at(20)).unwrap(), Lease::Held { fence: 2 });
    assert_eq!(ledger.lease("leader", "me", at(16), at(30)).unwrap(), taken("you", 20));
    assert_eq!(ledger.lease("leader", "you", at(21), at(30)).unwrap(), Lease::Held { fence: 2 }, "nobody else had it");
    assert_eq!(ledger.lease("leader", "me", at(31), at(40)).unwrap(), Lease::Held { fence: 3 }, "it had run out");
}

fn a_lease_is_given_back_by_its_holder_alone(place: &Place) {
    let mut ledger = place.open();
    assert_eq!(ledger.lease("leader", "me", at(0), at(10)).unwrap(), Lease::Held { fence: 1 });
    ledger.release("leader", "you").unwrap();
    ledger.release("not there", "you").unwrap();
    assert_eq!(ledger.lease("leader", "you", at(1), at(20)).unwrap(), taken("me", 10));
    ledger.release("leader", "me").unwrap();
    assert_eq!(ledger.lease("leader", "you", at(1), at(20)).unwrap(), Lease::Held { fence: 2 });
}

fn a_due_time_is_noted_once(place: &Place) {
    let mut ledger = place.open();
    assert_eq!(ledger.last_due("shop", "Morning").unwrap(), None);
    assert!(ledger.note_due("shop", "Morning", at(100), "run", Some("7f3a12")).unwrap());
    assert!(!ledger.note_due("shop", "Morning", at(100), "skipped", None).unwrap());
    assert!(ledger.note_due("shop", "Morning", at(50), "missed", None).unwrap());
    assert!(ledger.note_due("shop", "Evening", at(100), "run", None).unwrap());
    assert_eq!(ledger.last_due("shop", "Morning").unwrap(), Some(at(100)));
    assert_eq!(ledger.last_due("bank", "Morning").unwrap(), None);
}

fn whoever_lost_the_lease_writes_nothing_but_what_it_has_told(place: &Place) {
    let (mut ledger, mut other) = (place.open(), place.open());
    let claim = SignedDuration::from_secs(60);
    tell(&mut ledger, "shop", vec![message("a", 0), message("b", 0), message("c", 0)]);
    assert_eq!(ledger.lease("leader", "me", at(0), at(10)).unwrap(), Lease::Held { fence: 1 });
    let fence = Fence::new("leader", "me", 1);
    ledger.guard(Some(&fence));
    assert!(ledger.note_due("shop", "Morning", at(1), "run", None).unwrap());
    let claimed = ledger.claim(("shop", "ops"), "me", at(1), claim, 2, None).unwrap();
    // That it has run out takes nothing away as long as nobody else has it.
    let commit = Commit { put: vec![document("alert", "1", 0, None)], ..Commit::at(at(20)) };
    assert_eq!(ledger.commit("shop", 1, &commit).unwrap(), Committed::Done { version: 2 });
    ledger.holds().unwrap();
    assert!(!fence.is_lost());

    assert_eq!(other.lease("leader", "you", at(21), at(30)).unwrap(), Lease::Held { fence: 2 });
    let before = everything(&other);
    let lost = |refused: Fault| {
        assert_eq!(refused.kind, FaultKind::Cancelled);
        assert!(refused.message.contains("`leader` is not held any more"), "{refused}");
    };
    lost(ledger.commit("shop", 2, &commit).unwrap_err());
    assert!(fence.is_lost(), "all who have the fence know");
    lost(ledger.note_due("shop", "Morning", at(2), "run", None).unwrap_err());
    lost(ledger.record("shop", &[sample("used", &[], 0, Some(1.0))]).unwrap_err());
    lost(ledger.claim(("shop", "ops"), "me", at(22), claim, 10, None).unwrap_err());
    lost(ledger.postpone("shop", "ops", at(22), at(30), "later").unwrap_err());
    lost(ledger.not_told(claimed[0].id, "me", at(22), "503", None).unwrap_err());
    lost(ledger.tidy(at(500 * 86_400), &Retention::default()).unwrap_err());
    lost(ledger.holds().unwrap_err());
    assert_eq!(everything(&other), before);
    assert!(ledger.told(claimed[0].id, "me", at(22), "ok").unwrap(), "what is out is out, whoever leads");

    // Given back and taken again, it is another one.
    other.release("leader", "you").unwrap();
    assert_eq!(ledger.lease("leader", "me", at(40), at(50)).unwrap(), Lease::Held { fence: 3 });
    lost(ledger.commit("shop", 2, &commit).unwrap_err());
    ledger.guard(Some(&Fence::new("leader", "me", 3)));
    assert_eq!(ledger.commit("shop", 2, &commit).unwrap(), Committed::Done { version: 3 });
    // A person who answers leads nothing.
    ledger.guard(None);
    assert_eq!(other.lease("leader", "you", at(51), at(60)).unwrap(), Lease::Held { fence: 4 });
    assert_eq!(ledger.commit("shop", 3, &commit).unwrap(), Committed::Done { version: 4 });
}

fn what_a_connection_leads_to_is_held_by_one_run_at_a_time(place: &Place) {
    let of = |run: &str, by: &str| Arc::new(Exclusive::new(place.place(), run, by));
    let (one, other) = (of("aaaaaa", "ops@db1"), of("bbbbbb", "ops@db2"));
    let Asked::Held { hold: held, .. } = one.ask("postgres://db/shop", at(0)).unwrap() else { panic!("it is free") };
    let holder = |now: i64| match other.ask("postgres://db/shop", at(now)).unwrap() {
        Asked::Held { hold: held, .. } => {
            drop(held);
            None
        }
        Asked::Taken { holder } => Some(holder),
    };
    let since = Some(format!("run aaaaaa of ops@db1, since {}", at(0)));
    assert_eq!(holder(29), since);
    assert!(held.prolong(at(29)).unwrap());
    assert_eq!(holder(58), since);
    assert!(matches!(other.ask("postgres://db/other", at(0)).unwrap(), Asked::Held { .. }));
    // Who said nothing for too long has lost it, and gives back nothing of the next one.
    let Asked::Held { hold: next, lapsed: Some(_) } = other.ask("postgres://db/shop", at(60)).unwrap() else {
        panic!("it has run out")
    };
    assert!(!held.prolong(at(61)).unwrap());
    drop(held);
    assert!(matches!(one.ask("postgres://db/shop", at(62)).unwrap(), Asked::Taken { .. }));
    drop(next);
    assert!(matches!(one.ask("postgres://db/shop", at(62)).unwrap(), Asked::Held { .. }));
}

fn everything(ledger: &runbook::store::ledger::Ledger) -> String {
    let mut all = Vec::new();
    ledger.export(&mut all).unwrap();
    String::from_utf8(all).unwrap()
}
