//! Logs as they really are: rotated, cut short, growing, broken, without times.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

mod bad;
mod entries;
#[path = "../../benches/generated/mod.rs"]
mod generated;
mod input;
#[path = "../net/mod.rs"]
mod net;
mod packed;
#[path = "../support/program.rs"]
mod program;
#[path = "../rehearsal/mod.rs"]
mod rehearsal;
mod scans;
mod times;

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use net::{Outside, fault, text};
use runbook::types::{Fault, FaultKind, Line, Log, Value};

async fn opened(folder: &Path, given: &[(&str, Value)]) -> Result<Log, Fault> {
    match Outside::new(&[], folder).call("logs", given).await? {
        Value::Log(log) => Ok(Arc::unwrap_or_clone(log)),
        other => panic!("no log: {other:?}"),
    }
}

async fn log(folder: &Path, file: &str) -> Log {
    opened(folder, &[("file", text(file))]).await.expect("a log")
}

async fn since(folder: &Path, file: &str, hours: i64) -> Result<Log, Fault> {
    let since = Value::Duration(SignedDuration::from_hours(hours));
    opened(folder, &[("file", text(file)), ("since", since), ("timezone", text("UTC"))]).await
}

fn lines(log: &Log) -> Result<Vec<Line>, Fault> {
    Arc::clone(&log.reader).lines().collect()
}

fn shown(log: &Log) -> String {
    lines(log).map_or_else(
        |fault| format!("{}: {fault}", fault.kind.name()),
        |lines| lines.iter().map(|line| &*line.text).collect::<Vec<_>>().join("|"),
    )
}

#[expect(clippy::disallowed_methods, reason = "a log is as old as the real clock says")]
fn ago(minutes: i64) -> Timestamp {
    Timestamp::now() - SignedDuration::from_mins(minutes)
}

fn stamp(minutes: i64) -> String {
    ago(minutes).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[tokio::test]
async fn takes_bytes_as_they_come() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), b"one\r\n\ntwo\0x\n\xff\xfe bad\nlast without end").unwrap();
    let log = log(folder.path(), "a.log").await;
    assert_eq!(shown(&log), "one||two\0x|\u{fffd}\u{fffd} bad|last without end");
    let lines = lines(&log).unwrap();
    assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(lines[0].source.ends_with("a.log"));
    fs::write(folder.path().join("empty.log"), "").unwrap();
    assert_eq!(shown(&self::log(folder.path(), "empty.log").await), "");
}

#[tokio::test]
async fn files_that_say_no_size_are_read_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let memory = log(folder.path(), "/proc/meminfo").await;
    let found = lines(&memory).unwrap();
    assert!(found.iter().any(|line| line.text.starts_with("MemTotal:")), "{}", shown(&memory));
    assert_eq!(&*found[0].source, "/proc/meminfo");
    // One of `/sys` says a page, and has a line.
    assert_eq!(lines(&log(folder.path(), "/sys/class/net/lo/mtu").await).unwrap().len(), 1);
}

#[tokio::test]
async fn a_snapshot_neither_grows_nor_goes_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, "one\ntwo\n").unwrap();
    let log = log(folder.path(), "a.log").await;
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"three\n").unwrap();
    assert_eq!(shown(&log), "one|two");
    fs::rename(&path, folder.path().join("a.log.1")).unwrap();
    fs::write(&path, "four\n").unwrap();
    assert_eq!(shown(&log), "one|two", "rotated away, and still the same log");
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, "line\n".repeat(200_000)).unwrap();
    let log = log(folder.path(), "a.log").await;
    let mut reading = Arc::clone(&log.reader).lines();
    assert!(reading.next().unwrap().is_ok());
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(10).unwrap();
    let last = reading.last().unwrap().expect_err("cut short");
    assert_eq!(last.kind, FaultKind::Partial);
    assert_eq!(lines(&log).expect_err("still cut short").kind, FaultKind::Partial);
}

#[tokio::test]
async fn a_line_that_is_too_long_is_a_fault_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let long = "x".repeat((1 << 20) + 1);
    let longest = "y".repeat(1 << 20);
    fs::write(folder.path().join("a.log"), format!("one\n{long}{long}{long}\ntwo\n{longest}\n{long}\nthree")).unwrap();
    let log = log(folder.path(), "a.log").await;
    let all: Vec<_> = Arc::clone(&log.reader).lines().collect();
    let short = |line: &Result<Line, Fault>| match line {
        Ok(line) => line.text.chars().take(5).collect::<String>(),
        Err(fault) => fault.to_string().split('`').next().unwrap_or_default().to_owned(),
    };
    let all: Vec<String> = all.iter().map(short).collect();
    assert_eq!(all, ["one", "line 2 of ", "two", "yyyyy", "line 5 of ", "three"]);
    fs::write(folder.path().join("end.log"), format!("one\n{long}")).unwrap();
    let end = self::log(folder.path(), "end.log").await;
    assert_eq!(lines(&end).expect_err("too long").kind, FaultKind::TooLarge);
}

#[tokio::test]
async fn what_is_no_log_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("d.log")).unwrap();
    fs::write(folder.path().join("a.log.bz2"), b"BZh91AY&SY").unwrap();
    let socket = std::os::unix::net::UnixListener::bind(folder.path().join("socket")).unwrap();
    let cases = [
        ("missing.log", FaultKind::NotFound),
        ("a.log.bz2/x", FaultKind::NotFound),
        ("missing*.log", FaultKind::NotFound),
        ("d.log", FaultKind::Setup),
        ("socket", FaultKind::Setup),
        ("a.log.bz2", FaultKind::Unsupported),
        ("", FaultKind::NotFound),
        ("a[", FaultKind::Conversion),
    ];
    for (file, kind) in cases {
        let fault = opened(folder.path(), &[("file", text(file))]).await.map(drop).expect_err(file);
        assert_eq!(fault.kind, kind, "{file}: {fault}");
    }
    drop(socket);
    let zone = [("file", text("a.log.bz2")), ("timezone", text("Mars/Olympus"))];
    assert_eq!(fault(Outside::new(&[], folder.path()).call("logs", &zone).await).kind, FaultKind::Setup);
}

#[tokio::test]
async fn since_takes_lines_by_their_time_and_what_belongs_to_them() {
    let folder = tempfile::tempdir().unwrap();
    let written = format!(
        "{} old\n  at old.rs\n{} new\n  at new.rs\n{} stray old\n{} newest\n",
        stamp(300),
        stamp(50),
        stamp(200),
        stamp(5)
    );
    fs::write(folder.path().join("a.log"), written).unwrap();
    let log = since(folder.path(), "a.log", 1).await.expect("a log");
    let texts: Vec<String> = lines(&log).unwrap().iter().map(|line| line.text.chars().skip(19).collect()).collect();
    assert_eq!(texts, [" new", "", " newest"]);
    assert!(log.partial.is_none());
    assert!(lines(&log).unwrap()[0].time.is_some());
    assert_eq!(log.name.as_ref(), "a.log since 1h");
}

#[tokio::test]
async fn until_takes_the_time_before() {
    let folder = tempfile::tempdir().unwrap();
    let line = |minutes| format!("{} {minutes}\n  below {minutes}\n", stamp(minutes));
    fs::write(folder.path().join("a.log"), [line(300), line(100), line(50), line(5)].concat()).unwrap();
    let hours = |hours| Value::Duration(SignedDuration::from_hours(hours));
    let given = |since: Option<i64>, until: Option<i64>| {
        let times = [("since", since), ("until", until)].map(|(name, time)| time.map(|time| (name, hours(time))));
        let named = [("file", text("a.log")), ("timezone", text("UTC"))];
        named.into_iter().chain(times.into_iter().flatten()).collect::<Vec<_>>()
    };
    let log = opened(folder.path(), &given(Some(2), Some(1))).await.expect("a log");
    let texts: Vec<String> =
        lines(&log).unwrap().iter().map(|line| line.text.rsplit(' ').next().unwrap().into()).collect();
    assert_eq!(texts, ["100", "100"]);
    assert_eq!(log.name.as_ref(), "a.log since 2h until 1h");
    for (since, until, why) in
        [(Some(1), Some(1), "not after"), (Some(1), Some(2), "not after"), (None, Some(1), "without `since`")]
    {
        let fault = opened(folder.path(), &given(since, until)).await.map(drop).expect_err(why);
        assert!(fault.message.contains(why), "{fault}");
    }
}

#[tokio::test]
async fn since_of_a_log_without_times_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), "one\ntwo\n").unwrap();
    let log = since(folder.path(), "a.log", 1).await.expect("a log");
    assert_eq!(lines(&log).expect_err("no times").kind, FaultKind::Conversion);
    fs::write(folder.path().join("empty.log"), "").unwrap();
    assert_eq!(shown(&since(folder.path(), "empty.log", 1).await.expect("a log")), "");
}

#[tokio::test]
async fn a_log_that_does_not_reach_back_is_partial_where_an_older_file_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let now = folder.path().join("app.log");
    fs::write(&now, format!("  at tail.rs\n{} began\n", stamp(20))).unwrap();
    let alone = since(folder.path(), "app.log", 2).await.expect("a log");
    assert!(alone.partial.is_none(), "nothing says that there was more");
    assert_eq!(lines(&alone).unwrap().len(), 2, "what comes before the first time is not dropped");
    let old = folder.path().join("app.log.1");
    fs::write(&old, format!("{} before\n", stamp(90))).unwrap();
    let cut = since(folder.path(), "app.log", 2).await.expect("a log");
    let reason = cut.partial.expect("partial").reason.clone();
    assert!(reason.contains("1h40m later than asked for") && reason.contains("app.log.1"), "{reason}");
    let within = since(folder.path(), "app.log", 0).await.expect("a log");
    assert!(within.partial.is_none());
}

#[tokio::test]
async fn a_rotated_set_is_read_from_the_oldest_on() {
    let folder = tempfile::tempdir().unwrap();
    for (name, minutes, word) in [("app.log", 5, "c"), ("app.log.1", 90, "b"), ("app.log.2", 300, "a")] {
        let path = folder.path().join(name);
        fs::write(&path, format!("{} {word}\n", stamp(minutes))).unwrap();
        let written = fs::OpenOptions::new().write(true).open(&path).unwrap();
        written.set_modified(ago(minutes).into()).unwrap();
    }
    let texts =
        |log: &Log| lines(log).unwrap().iter().map(|line| line.text.chars().last().unwrap()).collect::<String>();
    assert_eq!(texts(&log(folder.path(), "app.log*").await), "abc");
    let recent = since(folder.path(), "app.log*", 2).await.expect("a log");
    assert_eq!(texts(&recent), "bc");
    assert!(recent.partial.is_none(), "the oldest file was last written before: the set reaches back");
    fs::create_dir(folder.path().join("app.log.d")).unwrap();
    let fault =
        opened(folder.path(), &[("file", text("app.log*"))]).await.map(drop).expect_err("a directory among them");
    assert_eq!(fault.kind, FaultKind::Setup);
}

/// A file is one file, by however many names of the set it is met.
#[tokio::test]
async fn a_file_with_two_names_is_read_once() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str| folder.path().join(name);
    fs::write(named("app.log"), "one\n").unwrap();
    std::os::unix::fs::symlink(named("app.log"), named("app.log.current")).unwrap();
    fs::hard_link(named("app.log"), named("app.log.kept")).unwrap();
    assert_eq!(shown(&log(folder.path(), "app.log*").await), "one");
}

/// A set that is rotated while it is opened is taken as it was at one time: no file twice, and none left out.
#[tokio::test]
async fn a_set_is_opened_as_it_was_at_one_time() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str| folder.path().join(name);
    let names = ["app.log.3", "app.log.2", "app.log.1", "app.log"];
    for (number, name) in names.iter().enumerate() {
        fs::write(named(name), format!("{number}\n")).unwrap();
    }
    let paths = names.map(named);
    let done = Arc::new(AtomicBool::new(false));
    let rotates = {
        let done = Arc::clone(&done);
        std::thread::spawn(move || {
            for number in names.len().. {
                for pair in paths.windows(2) {
                    fs::rename(&pair[1], &pair[0]).unwrap();
                }
                let new = paths[3].with_file_name("new");
                fs::write(&new, format!("{number}\n")).unwrap();
                fs::rename(new, &paths[3]).unwrap();
                if done.load(Ordering::Relaxed) {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_micros(500));
            }
        })
    };
    let mut whole = 0;
    for _ in 0..500 {
        let Ok(log) = opened(folder.path(), &[("file", text("app.log*"))]).await else { continue };
        let numbers: Vec<usize> = lines(&log).unwrap().iter().map(|line| line.text.parse().unwrap()).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]), "{numbers:?}");
        whole += 1;
    }
    done.store(true, Ordering::Relaxed);
    rotates.join().unwrap();
    assert!(whole > 0, "some are opened between two rotations");
}

#[tokio::test]
async fn at_most_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), "12345678\n").unwrap();
    let given = |size| [("file", text("a.log")), ("at_most", Value::Size(size))];
    assert!(opened(folder.path(), &given(9)).await.is_ok());
    let fault = opened(folder.path(), &given(8)).await.map(drop).expect_err("too large");
    assert_eq!(fault.kind, FaultKind::TooLarge);
}
