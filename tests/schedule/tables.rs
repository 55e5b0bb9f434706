//! Tables: what runs when, at the edges of the clock and of the calendar.

use jiff::Timestamp;
use jiff::civil::date;
use runbook::schedule::Clock;

use crate::{Clocked, moment};

/// A schedule in a zone gives these times after a moment.
#[track_caller]
fn gives(schedule: &str, zone: &str, after: &str, wanted: &[&str]) {
    assert_eq!(Clocked::new(schedule, zone).local(after, wanted.len()), wanted, "{schedule} in {zone} after {after}");
}

#[test]
fn a_time_that_is_left_out() {
    let (next, skip) = ("daily at 02:30, 12:00 (gap: \"next\")", "daily at 02:30, 12:00 (gap: \"skip\")");
    for (zone, day, wanted) in [
        ("Europe/Berlin", "2026-03-28T12:00Z", "2026-03-29 03:00+02:00"),
        ("America/New_York", "2026-03-07T18:00Z", "2026-03-08 03:00-04:00"),
    ] {
        let found = Clocked::new(next, zone).local(day, 2);
        assert_eq!(found.first().map(String::as_str), Some(wanted), "{zone}");
        let found = Clocked::new(skip, zone).local(day, 1);
        assert!(found.first().unwrap().contains(" 12:00"), "{zone}: {found:?}");
    }
    // Half an hour is left out there: from 02:00 to 02:30.
    let zone = "Australia/Lord_Howe";
    gives(
        "daily at 02:15 (gap: \"next\")",
        zone,
        "2026-10-03T00:00Z",
        &["2026-10-04 02:30+11:00", "2026-10-05 02:15+11:00"],
    );
    gives("daily at 02:15 (gap: \"skip\")", zone, "2026-10-03T00:00Z", &["2026-10-05 02:15+11:00"]);
    gives("daily at 02:30", zone, "2026-10-03T00:00Z", &["2026-10-04 02:30+11:00", "2026-10-05 02:30+11:00"]);
    // Two times that are left out on one day, and the one of the first moment after, are one run.
    gives(
        "daily at 02:15, 02:45, 03:00 (gap: \"next\")",
        "Europe/Berlin",
        "2026-03-28T12:00Z",
        &["2026-03-29 03:00+02:00", "2026-03-30 02:15+02:00"],
    );
    // Samoa left out a whole day.
    gives(
        "daily at 09:00, 18:00 (gap: \"next\")",
        "Pacific/Apia",
        "2011-12-30T00:00Z",
        &["2011-12-29 18:00-10:00", "2011-12-31 00:00+14:00", "2011-12-31 09:00+14:00"],
    );
    // In Beirut midnight itself is left out.
    gives("daily at 00:00 (gap: \"next\")", "Asia/Beirut", "2026-03-28T12:00Z", &["2026-03-29 01:00+03:00"]);
}

#[test]
fn a_time_that_is_repeated() {
    for (schedule, zone, after, wanted) in [
        (
            "daily at 02:30 (gap: \"next\")",
            "Europe/Berlin",
            "2026-10-24T12:00Z",
            ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"],
        ),
        (
            "daily at 01:30",
            "America/New_York",
            "2026-10-31T12:00Z",
            ["2026-11-01 01:30-04:00", "2026-11-02 01:30-05:00"],
        ),
        (
            "daily at 01:45",
            "Australia/Lord_Howe",
            "2026-04-04T12:00Z",
            ["2026-04-05 01:45+11:00", "2026-04-06 01:45+10:30"],
        ),
        (
            "cron \"30 2 * * *\" (gap: \"next\")",
            "Europe/Berlin",
            "2026-10-24T12:00Z",
            ["2026-10-25 02:30+02:00", "2026-10-26 02:30+01:00"],
        ),
        (
            "weekly on sunday at 02:00 (gap: \"next\")",
            "Europe/Berlin",
            "2026-10-24T12:00Z",
            ["2026-10-25 02:00+02:00", "2026-11-01 02:00+01:00"],
        ),
        // Asked in the second of the two hours.
        (
            "daily at 02:30 (gap: \"next\")",
            "Europe/Berlin",
            "2026-10-25T01:15Z",
            ["2026-10-26 02:30+01:00", "2026-10-27 02:30+01:00"],
        ),
    ] {
        gives(schedule, zone, after, &wanted);
    }
}

#[test]
fn intervals_on_the_clock() {
    // Even hours, also after the change; the hour that is left out is made up for at once.
    gives(
        "every 2h",
        "Europe/Berlin",
        "2026-03-28T22:30Z",
        &["2026-03-29 00:00+01:00", "2026-03-29 03:00+02:00", "2026-03-29 04:00+02:00"],
    );
    gives("every 2h (gap: \"skip\")", "Europe/Berlin", "2026-03-28T23:30Z", &["2026-03-29 04:00+02:00"]);
    gives(
        "every 2h",
        "Europe/Berlin",
        "2026-10-24T21:30Z",
        &["2026-10-25 00:00+02:00", "2026-10-25 02:00+02:00", "2026-10-25 04:00+01:00"],
    );
    // What comes at least once an hour goes on.
    gives(
        "every 30m",
        "Europe/Berlin",
        "2026-10-25T00:00Z",
        &["2026-10-25 02:30+02:00", "2026-10-25 02:00+01:00", "2026-10-25 02:30+01:00", "2026-10-25 03:00+01:00"],
    );
    gives("every 30m", "Europe/Berlin", "2026-03-29T00:30Z", &["2026-03-29 03:00+02:00", "2026-03-29 03:30+02:00"]);
    gives(
        "every 1h",
        "Australia/Lord_Howe",
        "2026-10-03T14:00Z",
        &["2026-10-04 01:00+10:30", "2026-10-04 02:30+11:00", "2026-10-04 03:00+11:00"],
    );
    gives(
        "every 15m",
        "Australia/Lord_Howe",
        "2026-04-04T14:30Z",
        &["2026-04-05 01:45+11:00", "2026-04-05 01:30+10:30", "2026-04-05 01:45+10:30", "2026-04-05 02:00+10:30"],
    );
    gives("every 1h", "Asia/Kolkata", "2026-01-01T00:00Z", &["2026-01-01 06:00+05:30", "2026-01-01 07:00+05:30"]);
    gives("every 90m", "Asia/Kolkata", "2025-12-31T17:20Z", &["2026-01-01 00:00+05:30", "2026-01-01 01:30+05:30"]);
    gives("every 30s", "UTC", "2026-12-31T23:59:29.5Z", &["2026-12-31 23:59:30+00:00", "2027-01-01 00:00+00:00"]);
    gives("every 24h", "Europe/Berlin", "2026-03-28T12:00Z", &["2026-03-29 00:00+01:00", "2026-03-30 00:00+02:00"]);
    gives("every 7d", "Europe/Berlin", "2026-03-25T12:00Z", &["2026-03-30 00:00+02:00", "2026-04-06 00:00+02:00"]);
}

#[test]
fn intervals_that_no_clock_shows_are_counted_through() {
    let seven = Clocked::new("every 7h", "Europe/Berlin");
    let monday = moment("1970-01-05T00:00Z");
    let times: Vec<Timestamp> = seven.table().after(monday).take(30_000).map(|due| due.at).collect();
    assert_eq!(times.first(), Some(&moment("1970-01-05T07:00Z")));
    assert!(times.windows(2).all(|two| two[1].duration_since(two[0]).as_hours() == 7));
    assert_eq!(Clocked::new("every 7h", "Asia/Kolkata").table().next(times[100]).map(|due| due.at), Some(times[101]));
    gives("every 36h", "UTC", "1970-01-05T00:00Z", &["1970-01-06 12:00+00:00", "1970-01-08 00:00+00:00"]);
}

#[test]
fn the_edges_of_the_calendar() {
    let berlin = "Europe/Berlin";
    gives("daily at 00:00", "UTC", "2026-12-31T12:00Z", &["2027-01-01 00:00+00:00"]);
    gives("monthly on day 29 at 09:00", "UTC", "2027-02-01T00:00Z", &["2027-03-29 09:00+00:00"]);
    gives("monthly on day 29 at 09:00", "UTC", "2028-02-01T00:00Z", &["2028-02-29 09:00+00:00"]);
    gives(
        "monthly on day 31 at 09:00",
        berlin,
        "2026-03-31T07:00Z",
        &["2026-05-31 09:00+02:00", "2026-07-31 09:00+02:00"],
    );
    gives(
        "monthly on day 15, 1 at 09:00",
        berlin,
        "2026-12-15T08:00Z",
        &["2027-01-01 09:00+01:00", "2027-01-15 09:00+01:00"],
    );
    gives("weekly on thursday, monday at 09:00", berlin, "2026-12-31T08:00Z", &["2027-01-04 09:00+01:00"]);
    gives("cron \"0 0 29 2 *\"", "UTC", "2026-01-01T00:00Z", &["2028-02-29 00:00+00:00", "2032-02-29 00:00+00:00"]);
    // 2100 is no leap year.
    gives("cron \"0 0 29 2 *\"", "UTC", "2096-03-01T00:00Z", &["2104-02-29 00:00+00:00"]);
    assert_eq!(Clocked::new("daily at 00:00", "UTC").table().next(Timestamp::MAX), None);
    assert!(Clocked::new("daily at 00:00 (jitter: 1h)", "UTC").table().next(Timestamp::MIN).is_some());
}

#[test]
fn cron() {
    let berlin = "Europe/Berlin";
    gives("cron \"0 9 13 * fri\"", "UTC", "2026-01-10T00:00Z", &["2026-01-13 09:00+00:00", "2026-01-16 09:00+00:00"]);
    gives("cron \"0 8 * * 7\"", "UTC", "2026-01-01T00:00Z", &["2026-01-04 08:00+00:00"]);
    gives(
        "cron \"0 8 * * fri-sun\"",
        "UTC",
        "2026-01-03T08:00Z",
        &["2026-01-04 08:00+00:00", "2026-01-09 08:00+00:00"],
    );
    // A pattern for every hour means the hours there are: none is owed in spring, both are there in autumn.
    gives("cron \"30 * * * *\"", berlin, "2026-03-29T00:00Z", &["2026-03-29 01:30+01:00", "2026-03-29 03:30+02:00"]);
    gives(
        "cron \"30 * * * *\"",
        berlin,
        "2026-10-24T23:40Z",
        &["2026-10-25 02:30+02:00", "2026-10-25 02:30+01:00", "2026-10-25 03:30+01:00"],
    );
    gives("cron \"*/20 2 * * *\" (gap: \"skip\")", berlin, "2026-03-28T12:00Z", &["2026-03-30 02:00+02:00"]);
    gives(
        "cron \"*/20 2 * * *\" (gap: \"next\")",
        berlin,
        "2026-03-28T12:00Z",
        &["2026-03-29 03:00+02:00", "2026-03-30 02:00+02:00"],
    );
    gives(
        "cron \"*/30 2 * * *\" (gap: \"next\")",
        berlin,
        "2026-10-24T12:00Z",
        &["2026-10-25 02:00+02:00", "2026-10-25 02:30+02:00", "2026-10-26 02:00+01:00"],
    );
}

#[test]
fn a_time_says_what_the_clock_does() {
    let clocks = |schedule: &str, after: &str| {
        let clocked = Clocked::new(schedule, "Europe/Berlin");
        clocked.table().after(moment(after)).take(3).map(|due| due.clock).collect::<Vec<_>>()
    };
    let daily = "daily at 02:30 (gap: \"next\")";
    assert_eq!(clocks(daily, "2026-03-28T12:00Z"), [Clock::LeftOut, Clock::Plain, Clock::Plain]);
    assert_eq!(clocks(daily, "2026-10-24T12:00Z"), [Clock::First, Clock::Plain, Clock::Plain]);
    assert_eq!(clocks("every 1h", "2026-10-24T23:30Z"), [Clock::First, Clock::Second, Clock::Plain]);
    let due = Clocked::new(daily, "Europe/Berlin").table().next(moment("2026-03-28T12:00Z")).unwrap();
    assert_eq!(due.wall, Some(date(2026, 3, 29).at(2, 30, 0, 0)));
}

/// A day of jitter on seconds, asked again and again from where the last time was.
#[test]
fn a_wide_jitter_costs_no_walk() {
    let begun = std::time::Instant::now();
    let clocked = Clocked::new("every 1s (jitter: 24h)", "Europe/Berlin");
    let mut at = moment("2026-03-28T12:00Z");
    for _ in 0..2000 {
        at = clocked.table().next(at).unwrap().at;
    }
    assert_eq!(at, moment("2026-03-28T12:33:20Z"));
    assert!(begun.elapsed() < std::time::Duration::from_secs(10), "{:?}", begun.elapsed());
}
