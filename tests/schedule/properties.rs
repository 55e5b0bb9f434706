//! What holds for every schedule in every zone.

use std::collections::{BTreeSet, HashSet};

use jiff::civil::{DateTime, Time, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::{Clocked, moment};

fn schedules() -> impl Strategy<Value = String> {
    let clock = (0..24, 0..60).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"));
    let clocks = prop::collection::btree_set(clock, 1..4).prop_map(|all| Vec::from_iter(all).join(", "));
    let rule = prop_oneof![
        prop::sample::select(&["30s", "7s", "5m", "45m", "90m", "1h", "2h", "7h", "12h", "24h", "36h", "2d", "7d"][..])
            .prop_map(|interval| format!("every {interval}")),
        clocks.clone().prop_map(|at| format!("daily at {at}")),
        clocks.clone().prop_map(|at| format!("weekly on sunday, wednesday at {at}")),
        (1..=31, clocks).prop_map(|(day, at)| format!("monthly on day {day} at {at}")),
        (0..60, 0..24).prop_map(|(minute, hour)| format!("cron \"{minute} {hour} * * *\"")),
        (1..60).prop_map(|step| format!("cron \"*/{step} * * * *\"")),
        (1..60).prop_map(|step| format!("cron \"*/{step} 1-3 * 3,4,10,11 0\"")),
    ];
    let gap = prop::sample::select(&["next", "skip"][..]);
    let jitter = prop::sample::select(&["", ", jitter: 10m", ", jitter: 3h"][..]);
    (rule, gap, jitter).prop_map(|(rule, gap, jitter)| format!("{rule} (gap: \"{gap}\"{jitter})"))
}

fn zones() -> impl Strategy<Value = &'static str> {
    prop::sample::select(
        &[
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kolkata",
            "Asia/Beirut",
            "America/Havana",
            "Africa/Casablanca",
            "Pacific/Apia",
            "America/St_Johns",
            "Antarctica/Troll",
        ][..],
    )
}

/// From days before a change of the clock to days after, where there is most to go wrong.
fn moments() -> impl Strategy<Value = Timestamp> {
    let near = prop::sample::select(
        &["2026-03-08T07:00Z", "2026-03-29T01:00Z", "2026-04-04T15:00Z", "2026-10-25T01:00Z", "2011-12-30T10:00Z"][..],
    );
    (near, -200_000_i64..200_000, 0..2_i64).prop_map(|(near, seconds, nanosecond)| {
        let by = SignedDuration::from_secs(seconds) + SignedDuration::from_nanos(nanosecond);
        moment(near).checked_add(by).unwrap()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn later_rising_and_the_same_from_any_point(
        schedule in schedules(), zone in zones(), after in moments(), part in 0.0_f64..1.0,
    ) {
        let clocked = Clocked::new(&schedule, zone);
        let table = clocked.table();
        let list: Vec<_> = table.after(after).take(60).collect();
        prop_assert_eq!(list.len(), 60);
        prop_assert!(list[0].at > after);
        prop_assert!(list.windows(2).all(|two| two[0].at < two[1].at && two[0].scheduled < two[1].scheduled));
        // A run is made before the next one is scheduled.
        prop_assert!(list.windows(2).all(|two| two[0].scheduled <= two[0].at && two[0].at < two[1].scheduled));
        // Asked from anywhere between, from a time itself, or just before it.
        let between = list[59].at.duration_since(after).mul_f64(part);
        let points = [after.checked_add(between).unwrap(), list[30].at, list[30].at.checked_sub(SignedDuration::from_nanos(1)).unwrap()];
        for point in points {
let wanted = list.iter().find(|due| due.at > point);
            let found = table.next(point);
            prop_assert!(wanted.is_none_or(|due| found.as_ref() == Some(due)), "{:?} {:?}", found, wanted);
        }
    }

    /// A jitter moves runs and makes no others.
    #[test]
    fn jitter_changes_no_time_that_is_named(schedule in schedules(), zone in zones(), after in moments()) {
        let (plain, _) = schedule.split_once(", jitter").unwrap_or((schedule.trim_end_matches(')'), ""));
        let still = Clocked::new(&format!("{plain})"), zone);
        let moved = Clocked::new(&format!("{plain}, jitter: 20m)"), zone);
        let from = still.table().next(after).unwrap();
        let wanted: Vec<_> = still.table().after(from.scheduled).take(20).map(|due| due.scheduled).collect();
        let found: Vec<_> = moved.table().after(from.scheduled).map(|due| due.scheduled)
            .filter(|scheduled| *scheduled > from.scheduled).take(20).collect();
        prop_assert_eq!(found, wanted);
    }
}

/// The zones whose clocks are moved between two moments, each kind once.
fn moved(from: Timestamp, until: Timestamp) -> Vec<(String, TimeZone)> {
    let mut seen = HashSet::new();
    let named = runbook::units::zones().into_iter();
    named
        .filter_map(|name| Some((runbook::units::zone(&name)?, name)))
        .filter(|(zone, _)| {
            let changes: Vec<_> = zone
                .following(from)
                .take_while(|change| change.timestamp() < until)
                .map(|change| (change.timestamp(), change.offset()))
                .collect();
            !changes.is_empty() && seen.insert((zone.to_offset(from), changes))
        })
        .map(|(zone, name)| (name, zone))
        .collect()
}

/// Around each change of a clock in ten years, in every zone there is: a time of the day comes when the clock shows it or a
/// later one for the first time.
#[test]
fn no_time_of_a_day_is_left_out_or_doubled_in_any_zone() {
    let (begin, end) = (moment("2026-01-01T00:00Z"), moment("2036-01-01T00:00Z"));
    let clocks =
        ["00:00", "00:15", "00:45", "01:00", "01:30", "01:45", "02:00", "02:15", "02:30", "02:45", "03:00", "23:30"];
    let times: Vec<Time> = clocks.iter().map(|text| text.parse().unwrap()).collect();
    let zones = moved(begin, end);
    assert!(zones.len() >= 20, "{} kinds of zones", zones.len());
    let (step, around) = (SignedDuration::from_mins(15), SignedDuration::from_hours(36));
    let mut changes = 0;
    for (name, zone) in zones {
        let clocked = Clocked::new(&format!("daily at {} (gap: \"next\")", clocks.join(", ")), &name);
        for change in zone.following(begin).take_while(|change| change.timestamp() < end) {
            changes += 1;
            let from = change.timestamp().checked_sub(around).unwrap();
            let until = change.timestamp().checked_add(around).unwrap();
            let mut wanted = BTreeSet::new();
            let mut latest: DateTime = zone.to_datetime(from);
            let mut at = from;
            while at < until {
                at = at.checked_add(step).unwrap();
                let shown = zone.to_datetime(at);
                let mut day = latest.date();
                while day <= shown.date() {
                    let due = |time: &Time| (latest < day.to_datetime(*time)) && day.to_datetime(*time) <= shown;
                    if times.iter().any(due) {
                        wanted.insert(at);
                    }
                    day = day.tomorrow().unwrap();
                }
                latest = latest.max(shown);
            }
            let found: Vec<_> = clocked.table().after(from).map(|due| due.at).take_while(|at| *at <= until).collect();
            assert_eq!(found, Vec::from_iter(wanted), "{name} around {}", change.timestamp());
        }
    }
    assert!(changes > 400, "{changes} changes");
}

/// Ten whole years, day by day.
#[test]
fn ten_years_have_each_day_once() {
    for zone in ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca"] {
        let clocked = Clocked::new("daily at 00:15, 02:15 (gap: \"next\")", zone);
        let begin = date(2026, 1, 1).at(0, 0, 0, 0).to_zoned(runbook::units::zone(zone).unwrap()).unwrap().timestamp();
        let walls: Vec<_> = clocked.table().after(begin).take(2 * 3652).map(|due| due.wall.unwrap()).collect();
        let mut day = date(2026, 1, 1);
        for two in walls.chunks(2) {
            assert_eq!(two, [day.at(0, 15, 0, 0), day.at(2, 15, 0, 0)], "{zone}");
            day = day.tomorrow().unwrap();
        }
        assert_eq!(day, date(2036, 1, 1));
    }
}
