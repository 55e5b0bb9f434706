//! Changes of several runs on one connection: one at a time, whoever makes them.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

mod rehearsal;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rehearsal::clock::Clock;
use rehearsal::step;
use rehearsal::world::value;
use runbook::store::ledger::{Asked, Exclusive, FILE, Hold, Place};
use tempfile::TempDir;

const SET: &str = r#"change lab.set("x", to: 1)"#;

/// What a run says that waits for another one.
const WAITS: &str =
    "change \"lab.set(\"x\", to: 1)\" waits: lab is held by run aaaaaa of ops@db1, since 2026-11-23T08:00:00Z";

struct Shared(TempDir);

impl Shared {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    fn of(&self, run: &str) -> Exclusive {
        Exclusive::new(Place::File(self.0.path().join(FILE)), run, "ops@db1")
    }
}

fn start() -> Timestamp {
    Clock::new().now()
}

fn held(asked: Asked) -> Hold {
    match asked {
        Asked::Held { hold, .. } => hold,
        Asked::Taken { holder } => panic!("{holder} has it"),
    }
}

#[test]
fn a_change_waits_for_the_one_of_another_run_and_then_reads_its_guards_again() {
    let shared = Shared::new();
    let other = held(Arc::new(shared.of("aaaaaa")).ask("lab", start()).unwrap());
    let elsewhere = held(Arc::new(shared.of("aaaaaa")).ask("another lab", start()).unwrap());
    let ran = step(&format!("require lab.flag(\"calm\") as \"calm\"  {SET}"))
        .answers("calm", [value(true), value(false)])
        .answers("set x", [value(1)])
        .approved()
        .sharing(shared.of("bbbbbb"))
        .meanwhile(Duration::from_secs(20), move || drop(other))
        .run();
    assert_eq!(
        ran.told(),
        [
            "require \"calm\": passed",
            WAITS,
            "require \"calm\": failed",
            "change \"lab.set(\"x\", to: 1)\": withheld, guard \"calm\" failed"
        ]
    );
    assert_eq!((ran.world.times("read calm"), ran.world.times("set x=1")), (2, 0));
    assert_eq!(ran.took, Duration::from_secs(20));
    drop(elsewhere);
}

#[test]
fn who_does_not_come_to_an_end_is_named_and_nothing_is_changed() {
    let shared = Shared::new();
    let other = held(Arc::new(shared.of("aaaaaa")).ask("lab", start()).unwrap());
    let other = Arc::new(other);
    let mut run = step(&format!("{SET}  show 5")).answers("set x", [value(1)]).approved().sharing(shared.of("bbbbbb"));
    for beat in 1..=6 {
        let (other, at) = (Arc::clone(&other), Duration::from_secs(beat * 10));
        run = run.meanwhile(at, move || assert!(other.prolong(start() + at).unwrap()));
    }
    let ran = run.run();
    let holder = "lab is held by run aaaaaa of ops@db1, since 2026-11-23T08:00:00Z";
    assert_eq!(ran.told(), [WAITS, &format!("change \"lab.set(\"x\", to: 1)\": withheld, {holder}"), "show \"5\": 5"]);
    assert_eq!((ran.finished.exit, ran.world.times("set x=1"), ran.took), (4, 0, Duration::from_mins(1)));
}

#[test]
fn a_change_that_takes_long_keeps_others_away_until_it_is_over() {
    let shared = Shared::new();
    let seen: Arc<Mutex<Vec<bool>>> = Arc::default();
    let mut run = step(SET).answers("set x", [value(1).after(100_000)]).approved().sharing(shared.of("bbbbbb"));
    for second in [1, 35, 65, 99, 101] {
        let (other, seen, at) = (Arc::new(shared.of("aaaaaa")), Arc::clone(&seen), Duration::from_secs(second));
        run = run.meanwhile(at, move || {
            let asked = other.ask("lab", start() + at).unwrap();
            seen.lock().unwrap().push(matches!(asked, Asked::Held { .. }));
        });
    }
    assert_eq!(run.run().finished.exit, 0);
    // The last one is behind the end of the run.
    assert_eq!(*seen.lock().unwrap(), [false, false, false, false]);
    drop(held(Arc::new(shared.of("aaaaaa")).ask("lab", start() + SignedDuration::from_secs(100)).unwrap()));
}

#[test]
fn who_was_killed_is_waited_for_no_longer_than_its_lease() {
    let shared = Shared::new();
    std::mem::forget(held(Arc::new(shared.of("aaaaaa")).ask("lab", start()).unwrap()));
    let ran = step(SET).answers("set x", [value(1)]).approved().sharing(shared.of("bbbbbb")).run();
    assert_eq!((ran.finished.exit, ran.world.times("set x=1"), ran.took.as_secs()), (0, 1, 30));
    // Whoever comes after it is told whose change may be there in half.
    assert_eq!(ran.told()[..2], [WAITS.to_owned(), WAITS.replace("waits: lab is held", "takes over: lab was held")]);
    // What was given back in good order is nothing to speak of.
    let ran = step(SET).answers("set x", [value(1)]).approved().sharing(shared.of("cccccc")).run();
    assert!(!ran.told().iter().any(|line| line.contains("takes over")), "{:?}", ran.told());
}

#[test]
fn a_ledger_that_cannot_be_asked_lets_nothing_be_changed() {
    let shared = Shared::new();
    std::fs::write(shared.0.path().join(FILE), "garbage").unwrap();
    let ran = step(SET).answers("set x", [value(1)]).approved().sharing(shared.of("bbbbbb")).run();
    assert_eq!((ran.finished.exit, ran.world.times("set x=1")), (3, 0), "{:?}", ran.told());
}
