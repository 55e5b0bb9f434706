//! `runbook next`

use std::time::{Duration, Instant};

use crate::program::Folder;

const TEXT: &str = "runbook \"Care\" { edition 1 timezone \"Europe/Berlin\" }\n\
    channel mail = email(to: [\"ops@example.com\"])\n\
    metric error_rate: percent every 5m = 1%\n\
    section \"Look\" every 12h {\n  show 1\n}\n\
    section \"Backup\" daily at 02:30 (gap: \"next\") {\n  show 1\n}\n\
    section \"Spread\" weekly on monday at 09:00 (jitter: 10m) {\n  show 1\n}\n\
    section \"By hand\" {\n  show 1\n}\n\
    report \"Review\" monthly on day 1 at 09:00 {\n  show 1\n  send to mail\n}\n\
    report \"Asked for\" {\n  show 1\n  send to mail\n}\n";

#[test]
fn the_next_times_of_everything_in_order() {
    let folder = Folder::with(TEXT);
    let output = folder.run(&["next", "4", "a.runbook", "--from", "2026-03-28T22:00:00+01:00"]);
    let rows: Vec<&str> = output.code(0).stdout.lines().collect();
    assert_eq!(rows[0], "times in Europe/Berlin", "{}", output.stdout);
    assert_eq!(rows[1], "Sun 2026-03-29 00:00:00 +01:00  in 2h     Look             a.runbook:4");
    assert_eq!(
        rows[2],
        "Sun 2026-03-29 03:00:00 +02:00  in 4h     Backup           a.runbook:7   the clock leaves out 02:30; \
         the clock has gone from +01:00 to +02:00"
    );
    assert!(rows[3].starts_with("Sun 2026-03-29 12:00:00 +02:00  in 13h    Look"), "{}", rows[3]);
    assert!(rows[4].starts_with("Mon 2026-03-30 00:00:00 +02:00"), "{}", rows[4]);
    assert_eq!(rows[5], "later");
    assert!(rows[6].starts_with("Mon 2026-03-30 09:0"), "{}", rows[6]);
    assert!(rows[6].ends_with("Spread           a.runbook:10  09:00 and up to 10m of jitter"), "{}", rows[6]);
    assert!(rows[7].contains("Wed 2026-04-01 09:00:00 +02:00") && rows[7].contains("Review (report)  a.runbook:16"));
    assert_eq!(rows[8], "not scheduled: By hand, Asked for (report)");
    assert_eq!(rows[9], "sampled: error_rate every 5m");
    assert_eq!(rows.len(), 10, "{}", output.stdout);
    // The same whenever it is asked.
    assert_eq!(folder.run(&["next", "4", "a.runbook", "--from", "2026-03-28T21:00:00Z"]).stdout, output.stdout);
}

#[test]
fn from_a_day_is_from_its_midnight_in_the_zone_of_the_runbook() {
    let folder = Folder::with(TEXT);
    let output = folder.run(&["next", "3", "a.runbook", "--from", "2026-10-25", "--only", "look"]);
    output
        .code(0)
        .out("Sun 2026-10-25 00:00 +02:00  now")
        .out("Sun 2026-10-25 12:00 +01:00  in 13h   Look  a.runbook:4  the clock has gone from +02:00 to +01:00")
        .lacks("Backup")
        .lacks("scheduled")
        .lacks("sampled");
    folder.run(&["next", "1", "a.runbook", "--from", "2026-10-25", "--only", "Backup"]).code(0).out("twice: the first");
}

#[test]
fn for_machines() {
    let folder = Folder::with(TEXT);
    let output = folder.run(&["next", "2", "a.runbook", "--from", "2026-03-29", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&output.code(0).stdout).unwrap();
    assert_eq!(answer["times"].as_array().unwrap().len(), 2);
    assert_eq!(answer["times"][0]["at"], "2026-03-29T00:00:00+01:00");
    let backup = &answer["times"][1];
    assert_eq!(
        (&backup["title"], &backup["kind"], &backup["clock"]),
        (&"Backup".into(), &"section".into(), &"left_out".into())
    );
    assert_eq!((&backup["at"], &backup["in_seconds"]), (&"2026-03-29T03:00:00+02:00".into(), &7200.0.into()));
    assert_eq!(
        (&backup["file"], &backup["line"], &backup["zone"]),
        (&"a.runbook".into(), &7.into(), &"Europe/Berlin".into())
    );
    assert_eq!(answer["later"][0]["title"], "Spread");
    assert_eq!(answer["later"][0]["scheduled"], "2026-03-30T09:00:00+02:00");
    assert_eq!(answer["later"][0]["jitter_seconds"], 600.0);
    assert_eq!(answer["unscheduled"][0]["title"], "By hand");
    assert_eq!(answer["sampled"][0]["every_seconds"], 300.0);
}

#[test]
fn several_files_and_zones() {
    let folder = Folder::with(TEXT);
    folder.write("b.runbook", "section \"Utc\" every 6h {\n  show 1\n}\n");
    folder
        .run(&["next", "3", "a.runbook", "b.runbook", "--from", "2026-07-01T00:00:00Z"])
        .code(0)
        .out("Wed 2026-07-01 00:00:00 +00:00 UTC            now")
        .out("Wed 2026-07-01 02:30:00 +02:00 Europe/Berlin  in 30m")
        .lacks("the clock has gone");
}

#[test]
fn bad_input() {
    let folder = Folder::with(TEXT);
    folder.run(&["next", "0", "a.runbook"]).code(1).err("0 times are nothing to show").no_out();
    let begun = Instant::now();
    for many in ["1000000", "99999999999999999999999"] {
        folder.run(&["next", many, "a.runbook"]).code(1).err("10000 are shown at most").no_out();
    }
    assert_eq!(folder.run(&["next", "10000", "a.runbook"]).code(0).stdout.lines().count(), 10_003);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    folder.run(&["next", "5"]).code(1).err("no file is named");
    folder.run(&["next"]).code(1);
    folder
        .run(&["next", "a.runbook", "--from", "tomorrow"])
        .code(1)
        .err("`--from tomorrow` is no time")
        .err("2026-03-29");
    folder.run(&["next", "a.runbook", "--from", "2026-02-30"]).code(1).err("is no time");
    folder.run(&["next", "a.runbook", "--only", "Bakup"]).code(1).err("did you mean `--only \"Backup\"`?");
    folder.run(&["next", "b.runbook"]).code(2).err("file-unreadable").no_out();
    folder.write("b.runbook", "section \"S\" daily at 25:00 {}\n");
    folder.run(&["next", "a.runbook", "b.runbook"]).code(2).err("invalid-schedule").no_out();
    folder.write("b.runbook", "section \"S\" {\n  show 1\n}\n");
    folder.run(&["next", "b.runbook"]).code(0).out("not scheduled: S").err("nothing is scheduled here");
    folder.run_with_input(&["next", "-"], "section \"S\" every 1h {\n  show 1\n}\n").code(0).out("S  -:1");
    folder.run(&["next", "a.runbook", "--from", "9999-12-30"]).code(0).out("never again: Spread, Review (report)");
}
