//! Which lines a window holds, where times are written in other ways, in other zones, or not at all.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use runbook::types::FaultKind;

use super::net::text;
use super::scans::assert_same;
use super::{ago, lines, log, opened, shown, since, stamp};

fn write(folder: &Path, name: &str, lines: &[String]) {
    fs::write(folder.join(name), lines.join("\n") + "\n").unwrap();
}

fn rfc(minutes: i64) -> String {
    ago(minutes).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// What is said of a log, by the pass and item by item.
async fn counted(folder: &Path, file: &str, hours: i64) -> String {
    let log = since(folder, file, hours).await.expect("a log");
    assert_same(
        &log,
        &[" | count".to_owned(), " | where(.text ~ /error/) | count".to_owned(), " | patterns".to_owned()],
    );
    lines(&log).map_or_else(|fault| format!("{}: {fault}", fault.kind.name()), |lines| lines.len().to_string())
}

#[tokio::test]
async fn a_file_whose_times_are_not_understood_does_not_take_those_of_the_file_before() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.log", &[format!("{} old", rfc(300)), format!("{} older", rfc(240))]);
    write(
        folder.path(),
        "b.log",
        &[format!("seen={} level=error b", rfc(180)), format!("seen={} level=error b", rfc(30))],
    );
    let said = counted(folder.path(), "*.log", 1).await;
    assert!(said.contains("b.log`: no line begins with a time that is understood"), "{said}");
    // The file before ends within the window, and the lines of this one are old.
    write(folder.path(), "a.log", &[format!("{} new", rfc(5))]);
    let said = counted(folder.path(), "*.log", 1).await;
    assert!(said.contains("b.log`: no line begins with a time"), "{said}");
}

#[tokio::test]
async fn one_line_that_is_understood_does_not_speak_for_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let odd = |minutes| format!("seen={} level=error", rfc(minutes));
    let banner = [format!("{} level=error started", rfc(300))];
    write(folder.path(), "a.log", &banner.into_iter().chain((1..30).rev().map(|n| odd(n * 10))).collect::<Vec<_>>());
    let said = counted(folder.path(), "a.log", 2).await;
    assert!(said.contains("of 30 lines at the margin, only 1 begin with a time that is understood"), "{said}");
    // Traces and what postgres writes below a line belong to it.
    let trace =
        "java.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\nCaused by: java.io.IOException: closed\n\tat d";
    write(
        folder.path(),
        "a.log",
        &(1..5).rev().map(|n| format!("{} ERROR x\n{trace}", rfc(n * 50))).collect::<Vec<_>>(),
    );
    assert_eq!(counted(folder.path(), "a.log", 2).await, "10");
}

#[tokio::test]
async fn a_zone_that_nobody_named_is_a_fault_and_never_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = |minutes: i64, hours: i64, zone: &str| {
        let local = ago(minutes - hours * 60).strftime("%Y-%m-%d %H:%M:%S.123").to_string();
        format!("{local} {zone} [17] LOG:  error {minutes}")
    };
    for (zone, hours) in [("+05", 5), ("-08", -8), ("+00", 0), ("GMT", 0), ("Z", 0), ("UTC", 0), ("+0530", 5)] {
        let half = if zone == "+0530" { 30 } else { 0 };
        write(folder.path(), "a.log", &[90, 30].map(|minutes| at(minutes - half, hours, zone)));
        assert_eq!(counted(folder.path(), "a.log", 1).await, "1", "{zone}");
    }
    write(folder.path(), "a.log", &[format!("{} up", rfc(100)), at(30, -5, "EST")]);
    let said = counted(folder.path(), "a.log", 1).await;
    assert!(said.contains("line 2 has its time in EST") && said.contains("a.log"), "{said}");
    // Its own zone knows it.
    let given = [("file", text("a.log")), ("timezone", text("Etc/GMT+5"))];
    write(folder.path(), "a.log", &["2026-01-15 08:00:00 EST up".to_owned()]);
    let there = [("file", text("a.log")), ("timezone", text("America/New_York"))];
    let time = lines(&opened(folder.path(), &there).await.unwrap()).unwrap()[0].time;
    assert_eq!(time, "2026-01-15T13:00:00Z".parse().ok());
    assert_eq!(lines(&opened(folder.path(), &given).await.unwrap()).unwrap()[0].time, None);
}

#[tokio::test]
async fn a_number_below_a_line_with_a_time_is_no_time() {
    let folder = tempfile::tempdir().unwrap();
    let entry = |minutes| format!("{} ERROR x\n\tat a\n1600000000 rows", rfc(minutes));
    write(folder.path(), "a.log", &[300, 90, 60, 30].map(entry));
    assert_eq!(counted(folder.path(), "a.log", 2).await, "9");
    write(folder.path(), "b.log", &[90, 30].map(|minutes| format!("{} up\n\tand below", ago(minutes).as_second())));
    assert_eq!(counted(folder.path(), "b.log", 1).await, "2");
}

#[tokio::test]
async fn the_time_of_a_json_line_is_its_own_and_wherever_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let nested = |minutes| {
        format!(
            r#"{{"level":"error","order":{{"id":1,"time":"{}"}},"msg":"failed","time":"{}"}}"#,
            rfc(50_000),
            rfc(minutes)
        )
    };
    write(folder.path(), "a.log", &[90, 30, 20].map(nested));
    assert_eq!(counted(folder.path(), "a.log", 1).await, "2");
    let late =
        |minutes| format!(r#"{{"level":"error","stack":"{}","time":"{}"}}"#, "at a.b\\n".repeat(500), rfc(minutes));
    write(folder.path(), "b.log", &[90, 30, 20].map(late));
    assert_eq!(counted(folder.path(), "b.log", 1).await, "2");
}

#[tokio::test]
async fn the_second_of_an_hour_that_is_there_twice_is_the_second() {
    let folder = tempfile::tempdir().unwrap();
    let at = |time: &str| format!("2026-10-25 {time} x");
    write(folder.path(), "a.log", &["01:30:00", "02:10:00", "02:50:00", "02:10:00", "02:50:00", "03:10:00"].map(at));
    let log = opened(folder.path(), &[("file", text("a.log")), ("timezone", text("Europe/Berlin"))]).await.unwrap();
    let times: Vec<Option<Timestamp>> = lines(&log).unwrap().iter().map(|line| line.time).collect();
    let wanted = ["24T23:30", "25T00:10", "25T00:50", "25T01:10", "25T01:50", "25T02:10"];
    assert_eq!(times, wanted.map(|time| format!("2026-10-{time}:00Z").parse().ok()));
    assert_same(
        &log,
        &[" | each(.time ?? run.started_at) | max", "", " | last", " | patterns", " | take(5)"].map(str::to_owned),
    );
}

#[tokio::test]
async fn a_log_that_was_just_rotated_is_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "app.log.1", &[format!("{} ERROR before", stamp(180))]);
    fs::write(folder.path().join("app.log"), "").unwrap();
    let log = since(folder.path(), "app.log", 5).await.expect("a log");
    let reason = &log.partial.as_ref().expect("partial").reason;
    assert!(reason.contains("app.log` is empty, and `app.log.1` is not read"), "{reason}");
    // Also where each has its day in its name.
    for (before, now) in [("day.2026-11-27.log", "day.2026-11-28.log"), ("day-Fri.log", "day-Sat.log")] {
        write(folder.path(), before, &[format!("{} ERROR before", stamp(180))]);
        write(folder.path(), now, &[format!("{} ERROR now", stamp(10))]);
        let log = since(folder.path(), now, 5).await.expect("a log");
        let reason = &log.partial.as_ref().expect("partial").reason;
        assert!(reason.contains(&format!("`{before}` is not read")), "{reason}");
    }
    assert!(since(folder.path(), "app.log*", 5).await.expect("a log").partial.is_none(), "all of it is read");
    // What was written last before has nothing of it.
    fs::OpenOptions::new()
        .write(true)
        .open(folder.path().join("app.log.1"))
        .unwrap()
        .set_modified(ago(400).into())
        .unwrap();
    assert!(since(folder.path(), "app.log", 5).await.expect("a log").partial.is_none());
}

#[tokio::test]
async fn text_of_16_bits_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let wide: Vec<u8> = [0xff, 0xfe].into_iter().chain("ERROR\n".bytes().flat_map(|byte| [byte, 0])).collect();
    fs::write(folder.path().join("a.log"), &wide).unwrap();
    let fault = opened(folder.path(), &[("file", text("a.log"))]).await.map(drop).expect_err("UTF-16");
    assert!(fault.kind == FaultKind::Unsupported && fault.message.contains("UTF-16"), "{fault}");
    fs::write(folder.path().join("b.log.gz"), super::packed::gzip(&wide)).unwrap();
    let said = shown(&log(folder.path(), "b.log.gz").await);
    assert!(said.contains("UTF-16"), "{said}");
}

#[tokio::test]
async fn a_copied_set_is_in_the_order_of_its_times() {
    let folder = tempfile::tempdir().unwrap();
    for (name, minutes, copied) in [("app.log", 5, 30), ("app.log.1", 90, 20), ("app.log.2", 300, 10)] {
        write(folder.path(), name, &[format!("{} {name}", stamp(minutes))]);
        let file = fs::OpenOptions::new().write(true).open(folder.path().join(name)).unwrap();
        file.set_modified(ago(copied).into()).unwrap();
    }
    let names = |log: &super::Log| {
        let lines = lines(log).unwrap();
        lines.iter().map(|line| line.text.rsplit(' ').next().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(&log(folder.path(), "app.log*").await), "app.log.2 app.log.1 app.log");
    let recent = since(folder.path(), "app.log*", 2).await.expect("a log");
    assert_eq!(names(&recent), "app.log.1 app.log");
    assert!(recent.partial.is_none(), "all of it is read: {:?}", recent.partial);
}

#[tokio::test]
async fn a_file_is_as_new_as_its_last_line() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.log", &[300, 90, 20].map(|minutes| format!("{} error", stamp(minutes))));
    let file = fs::OpenOptions::new().write(true).open(folder.path().join("a.log")).unwrap();
    file.set_modified(ago(3000).into()).unwrap();
    assert_eq!(counted(folder.path(), "a.log", 2).await, "2");
}

#[tokio::test]
async fn a_name_that_is_no_text_is_a_fault_and_not_left_out() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), "one\n").unwrap();
    fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"b\xff.log")), "two\n").unwrap();
    let fault = opened(folder.path(), &[("file", text("*.log"))]).await.map(drop).expect_err("a name");
    assert!(fault.message.contains("no UTF-8 text"), "{fault}");
    assert_eq!(shown(&log(folder.path(), "a*.log").await), "one");
}

#[test]
fn lines_of_a_tool_have_their_times() {
    let folder = super::program::Folder::new();
    folder.write("lines", format!("{} old\n{} new\n\tand below\n", rfc(90), rfc(20)));
    folder.write(
        "a.runbook",
        "tool l() -> list<line> = argv(\"cat\", \"lines\", output: \"lines\")\nsection \"S\" {\n  \
         check l() | where((.time ?? 1970-01-01T00:00:00Z) > run.started_at - 1h) | count == 1 as \"new\"\n}\n",
    );
    folder.run(&["run", "a.runbook"]).code(0);
}
