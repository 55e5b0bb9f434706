//! Schedules in the zone of their runbook.

use crate::checked::{checked, lines};
use crate::expect;

/// A section with a schedule in a zone; it begins at column 13 of line 2.
fn found(schedule: &str, zone: &str) -> Vec<String> {
    let text = format!("runbook \"R\" {{ edition 1 timezone \"{zone}\" }}\nsection \"S\" {schedule} {{ show 1 }}");
    let (sources, _, diagnostics) = checked(&text);
    lines(&sources, &diagnostics)
}

#[test]
fn a_time_that_the_clock_leaves_out_must_be_spoken_for() {
    let berlin = "Europe/Berlin";
    assert_eq!(
        found("daily at 02:30, 12:00", berlin),
        ["time-left-out@2:13 the clock in Europe/Berlin leaves out 02:30 on 2026-03-29: it goes from 02:00 to 03:00"]
    );
    for (schedule, zone) in [
        ("daily at 02:00", berlin),
        ("daily at 02:15", "Australia/Lord_Howe"),
        ("weekly on sunday at 02:30", berlin),
        ("monthly on day 28 at 02:30", berlin),
        ("cron \"*/10 2 * * *\"", berlin),
        ("cron \"0 */2 * * *\"", berlin),
        ("daily at 00:00", "Asia/Beirut"),
    ] {
        let found = found(schedule, zone);
        assert!(found.len() == 1 && found[0].starts_with("time-left-out@2:13"), "{schedule} in {zone}: {found:?}");
    }
    for (schedule, zone) in [
        ("daily at 02:30 (gap: \"next\")", berlin),
        ("daily at 02:30 (gap: \"skip\", jitter: 10m)", berlin),
        ("daily at 02:30", "UTC"),
        ("daily at 02:30", "Asia/Kolkata"),
        ("daily at 01:59, 03:00", berlin),
        ("daily at 02:30", "Australia/Lord_Howe"),
        ("weekly on monday at 02:30", berlin),
        ("monthly on day 1 at 02:30", berlin),
        ("every 30m", berlin),
        ("every 2h", berlin),
        ("every 7h", berlin),
        // Every hour there is, whichever it is.
        ("cron \"*/15 * * * *\"", berlin),
        ("cron \"30 0-23 * * *\"", berlin),
        ("cron \"30 2 * 7 *\"", berlin),
    ] {
        assert_eq!(found(schedule, zone), Vec::<String>::new(), "{schedule} in {zone}");
    }
}

#[test]
fn reports_are_held_to_it_too() {
    let text = "runbook \"R\" { edition 1 timezone \"Europe/Berlin\" }\nreport \"W\" daily at 02:30 { show 1 }";
    let (sources, _, diagnostics) = checked(text);
    assert!(lines(&sources, &diagnostics)[0].starts_with("time-left-out@2:12"));
}

#[test]
fn days_intervals_and_options() {
    let section = |schedule: &str| format!("section \"S\" {schedule} {{ show 1 }}");
    let cases: Vec<(String, &[&str])> = vec![
        (section("monthly on day 1, 28 at 09:00"), &[]),
        (section("monthly on day 1, 29, 31 at 09:00"), &["missing-day@1:31", "missing-day@1:35"]),
        (section("every 500ms"), &["invalid-schedule@1:19"]),
        (section("every 1s"), &[]),
        (section("cron \"0 0 30 2 *\""), &["invalid-schedule@1:18"]),
        (section("cron \"5/15 * * * *\""), &["invalid-schedule@1:18"]),
        (section("daily at 02:00 (jitter: 10m)"), &[]),
        (section("daily at 02:00 (jitter: 10)"), &["unit-missing@1:37"]),
        (section("daily at 02:00 (jitter: -10m)"), &["invalid-literal@1:37"]),
        (section("daily at 02:00 (jitter: 25h)"), &["invalid-schedule@1:37"]),
    ];
    let cases: Vec<(&str, &[&str])> = cases.iter().map(|(text, wanted)| (text.as_str(), *wanted)).collect();
    expect(&cases);
}
