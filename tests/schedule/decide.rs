//! What is done after an outage, in an overlap, and when the clock jumps.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use runbook::schedule::{Decision, OwnRun, Past, Why};

use crate::{Clocked, moment};

/// A decision of a schedule in UTC.
#[track_caller]
fn decided(schedule: &str, last: &str, run: Option<(&str, Option<&str>)>, now: &str) -> Decision {
    let clocked = Clocked::new(schedule, "UTC");
    let run = run.map(|(began, ended)| OwnRun { began: moment(began), ended: ended.map(moment) });
    clocked.table().decide(Past { last: Some(moment(last)), run }, moment(now))
}

/// `run …, missed … why, next …, last …`, in hours and minutes of a day in January 2026.
fn said(decision: &Decision) -> String {
    let short = |at: Timestamp| at.to_string().replace("2026-01-", "").replace(":00Z", "");
    let mut said = Vec::new();
    for (word, due) in [("run", &decision.run), ("waiting", &decision.waiting)] {
        said.extend(due.as_ref().map(|due| format!("{word} {}", short(due.scheduled))));
    }
    said.extend(decision.missed.iter().map(|missed| format!("{:?} {}", missed.why, short(missed.due.scheduled))));
    said.extend(decision.next.as_ref().map(|due| format!("next {}", short(due.at))));
    said.push(format!("last {}", short(decision.last)));
    said.join(", ")
}

#[test]
fn what_is_missed_while_nothing_was_up() {
    for (schedule, last, now, wanted) in [
        // On time.
        ("daily at 08:00", "2026-01-01T08:00Z", "2026-01-02T08:00Z", "run 02T08:00, next 03T08:00, last 02T08:00"),
        ("daily at 08:00", "2026-01-01T08:00Z", "2026-01-02T07:59Z", "next 02T08:00, last 01T08:00"),
        // Up again in the afternoon: the morning's run is made. Up again in the night: it is not.
        ("daily at 08:00", "2026-01-01T08:00Z", "2026-01-02T15:00Z", "run 02T08:00, next 03T08:00, last 02T08:00"),
        ("daily at 08:00", "2026-01-01T08:00Z", "2026-01-02T20:00Z", "run 02T08:00, next 03T08:00, last 02T08:00"),
        ("daily at 08:00", "2026-01-01T08:00Z", "2026-01-02T20:01Z", "TooLate 02T08:00, next 03T08:00, last 02T08:00"),
        (
            "daily at 08:00 (late: 1h)",
            "2026-01-01T08:00Z",
            "2026-01-02T09:30Z",
            "TooLate 02T08:00, next 03T08:00, last 02T08:00",
        ),
        (
            "daily at 08:00 (late: 3d)",
            "2026-01-01T08:00Z",
            "2026-01-04T07:00Z",
            "run 03T08:00, NotUp 02T08:00, next 04T08:00, last 03T08:00",
        ),
        // Suspended for three hours, or a clock that jumped ahead: the latest is made, the others are recorded.
        (
            "every 1h",
            "2026-01-01T08:00Z",
            "2026-01-01T11:20Z",
            "run 01T11:00, NotUp 01T09:00, NotUp 01T10:00, next 01T12:00, last 01T11:00",
        ),
        ("every 12h", "2026-01-01T00:00Z", "2026-01-02T01:00Z", "run 02, NotUp 01T12:00, next 02T12:00, last 02"),
        // A clock that went back makes nothing again, and goes on where it was.
        ("every 30m", "2026-01-01T09:00Z", "2026-01-01T08:05Z", "next 01T09:30, last 01T09:00"),
        ("every 30m", "2026-01-01T09:00Z", "2026-01-01T09:30Z", "run 01T09:30, next 01T10:00, last 01T09:30"),
    ] {
        let decision = decided(schedule, last, None, now);
        assert_eq!(said(&decision).replace("T00:00", ""), wanted, "{schedule}: {last}, {now}");
        assert!(!decision.clock_was_wrong);
    }
}

#[test]
fn a_schedule_that_is_new_has_missed_nothing() {
    let clocked = Clocked::new("every 1h", "UTC");
    let first = clocked.table().decide(Past::default(), moment("2026-01-01T08:20Z"));
    assert_eq!(said(&first), "next 01T09:00, last 01T08:20");
    let then = clocked.table().decide(Past { last: Some(first.last), run: None }, moment("2026-01-01T09:00Z"));
    assert_eq!(said(&then), "run 01T09:00, next 01T10:00, last 01T09:00");
}

#[test]
fn a_last_time_from_a_wrong_clock_stops_nothing() {
    let decision = decided("every 1h", "2027-06-01T00:00Z", None, "2026-01-01T08:20Z");
    assert!(decision.clock_was_wrong);
    assert_eq!(said(&decision), "next 01T09:00, last 01T08:20");
}

#[test]
fn a_run_that_would_overlap_itself() {
    let (skip, queue) = ("every 1h", "every 1h (overlap: \"queue\", late: 10m)");
    let going_on = Some(("2026-01-01T08:00Z", None));
    for (schedule, last, run, now, wanted) in [
        (skip, "2026-01-01T08:00Z", going_on, "2026-01-01T09:00Z", "Overlap 01T09:00, next 01T10:00, last 01T09:00"),
        (queue, "2026-01-01T08:00Z", going_on, "2026-01-01T09:00Z", "waiting 01T09:00, next 01T10:00, last 01T08:00"),
        // One waits at most.
        (
            queue,
            "2026-01-01T08:00Z",
            going_on,
            "2026-01-01T10:00Z",
            "waiting 01T10:00, Overlap 01T09:00, next 01T11:00, last 01T09:00",
        ),
        // It is made right after, and is late only from then on.
        (
            queue,
            "2026-01-01T09:00Z",
            Some(("2026-01-01T08:00Z", Some("2026-01-01T10:40Z"))),
            "2026-01-01T10:40Z",
            "run 01T10:00, next 01T11:00, last 01T10:00",
        ),
        (
            queue,
            "2026-01-01T09:00Z",
            Some(("2026-01-01T08:00Z", Some("2026-01-01T10:40Z"))),
            "2026-01-01T10:55Z",
            "TooLate 01T10:00, next 01T11:00, last 01T10:00",
        ),
        // What fell into a run that has ended by now is not made behind it.
        (
            skip,
            "2026-01-01T08:00Z",
            Some(("2026-01-01T08:00Z", Some("2026-01-01T09:30Z"))),
            "2026-01-01T09:31Z",
            "Overlap 01T09:00, next 01T10:00, last 01T09:00",
        ),
        // A run by hand since then is none of the schedule's.
        (
            skip,
            "2026-01-01T08:00Z",
            Some(("2026-01-01T09:10Z", Some("2026-01-01T09:20Z"))),
            "2026-01-01T09:31Z",
            "run 01T09:00, next 01T10:00, last 01T09:00",
        ),
    ] {
        assert_eq!(said(&decided(schedule, last, run, now)), wanted, "{schedule}: {last}, {run:?}, {now}");
    }
}

#[test]
fn jitter_is_waited_for_and_not_missed() {
    let clocked = Clocked::new("daily at 08:00 (jitter: 2h)", "UTC");
    let table = clocked.table();
    let due = table.next(moment("2026-01-02T08:00Z")).unwrap();
    assert!(due.at > due.scheduled, "{due:?}");
    let past = Past { last: Some(moment("2026-01-01T08:00Z")), run: None };
    let early = table.decide(past, due.scheduled);
    assert_eq!((early.run, early.next.as_ref()), (None, Some(&due)));
    let then = table.decide(past, due.at);
    assert_eq!((then.run.as_ref(), then.last), (Some(&due), due.scheduled));
    assert_eq!(table.decide(Past { last: Some(then.last), run: None }, due.at).run, None);
}

/// A month without power, in seconds: the newest are named, the others counted, and nobody waits for it.
#[test]
fn many_missed_times_are_bounded() {
    let begun = Instant::now();
    let decision = decided("every 1s", "2025-12-01T00:00Z", None, "2026-01-01T00:00Z");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(decision.run.map(|due| due.scheduled), Some(moment("2026-01-01T00:00Z")));
    assert_eq!(decision.missed.len(), 100);
    assert_eq!(decision.missed.last().map(|missed| missed.due.scheduled), Some(moment("2025-12-31T23:59:59Z")));
    assert!(decision.missed.iter().all(|missed| missed.why == Why::NotUp));
    assert!(decision.more_before && decision.missed_before > 99_000, "{}", decision.missed_before);
    let hours = decided("every 1h", "2025-12-01T00:00Z", None, "2026-01-01T00:30Z");
    assert_eq!((hours.missed.len(), hours.missed_before, hours.more_before), (100, 31 * 24 - 101, false));
}
