//! The time that a line of a log begins with, in the forms that logs use.
//!
//! RFC 3339 with `T` or a space, with and without a zone, a fraction behind `.` or `,`, the date with `-` or `/`;
//! syslog's `Nov 23 08:00:00`; the access log's `[23/Nov/2026:08:00:00 +0000]`; Tomcat's `23-Nov-2026 08:00:00.123` and Redis'
//! `1234:M 23 Nov 2026 08:00:00.123`; seconds or milliseconds since 1970; klog's `I1123 08:00:00`; any of these behind a level,
//! `ERROR [main] 2026-11-23 08:00:00`; logfmt with `time`, `timestamp`, `ts` or `t`, and JSON lines with `time`, `timestamp`, `ts`,
//! `@timestamp`, `asctime` or the `t` of mongod.

mod cursor;
mod forms;
mod json;
mod times;
mod zones;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{Span, Timestamp};

pub(super) use self::forms::written;
use self::forms::{after_level, after_priority, after_process, bracketed, klog, logfmt};
pub(super) use self::times::{Clock, Lost, Times};
pub(super) use self::zones::Name;

/// What a time without a year or a zone is read by.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// The zone of times that do not say theirs.
    pub(super) zone: TimeZone,
    /// When the log was read: a time without a year is the last such time before it.
    pub(super) read_at: Timestamp,
}

/// A time as it is written at the beginning of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Written {
    when: When,
    /// In bytes.
    pub(super) length: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum When {
    Instant(Timestamp),
    /// Nothing but a number, which may as well be another one.
    Bare(Timestamp),
    Local(DateTime, Option<Name>),
    NoYear {
        month: i8,
        day: i8,
        time: Time,
        name: Option<Name>,
    },
}

/// When a line was written, as far as it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    At(Timestamp),
    /// The hour that clocks show twice in autumn: the first time, and the second.
    Twice(Timestamp, Timestamp),
}

impl Moment {
    /// Of two the earlier.
    pub(super) const fn first(self) -> Timestamp {
        match self {
            Self::At(at) | Self::Twice(at, _) => at,
        }
    }

    /// Whether it is one of the times that are held; `None` where one of two is, and the other is not.
    pub(super) fn is_held(self, holds: impl Fn(Timestamp) -> bool) -> Option<bool> {
        match self {
            Self::At(at) => Some(holds(at)),
            Self::Twice(first, second) => Some(holds(first)).filter(|held| *held == holds(second)),
        }
    }
}

/// How far into a line a time is looked for that it does not begin with: behind an address and a name in an access log.
const WITHIN: usize = 512;

/// The time of a line; of an hour that is there twice the first.
pub(super) fn of_line(line: &[u8], reading: &Reading) -> Option<Timestamp> {
    moment(line, reading, true).map(Moment::first)
}

/// When a line was written. `bare`: a number at its beginning is a time.
pub(super) fn moment(line: &[u8], reading: &Reading, bare: bool) -> Option<Moment> {
    reading.resolve(meant(line, bare)?.when)
}

/// Whether a line begins with a time. `bare`: a number at its beginning is one.
pub(super) fn is_dated(line: &[u8], bare: bool) -> bool {
    meant(line, bare).is_some()
}

/// Whether a line begins with a time, where its log has read this one from it.
pub(super) fn begins_entry(line: &[u8], time: Option<Timestamp>) -> bool {
    written_in(line).is_some_and(|written| match written.when {
        When::Bare(at) => time == Some(at),
        _ => true,
    })
}

/// Whether the time of a line is nothing but a number; nothing where it has none.
pub(super) fn is_bare(line: &[u8]) -> Option<bool> {
    written_in(line).map(|written| matches!(written.when, When::Bare(_)))
}

fn meant(line: &[u8], bare: bool) -> Option<Written> {
    written_in(line).filter(|written| bare || !matches!(written.when, When::Bare(_)))
}

fn written_in(line: &[u8]) -> Option<Written> {
    let head = line.get(..WITHIN).unwrap_or(line);
    let first = *head.first()?;
    match first {
        b'{' => json::time(line),
        b'[' => {
            let marked = written(head.get(1..)?).map(Written::marked);
            marked.or_else(|| after_level(head)).or_else(|| bracketed(head))
        }
        b'<' => written(after_priority(head)?).map(Written::marked),
        // A mark of UTF-8 in front of the first line.
        0xEF => written_in(line.strip_prefix(b"\xEF\xBB\xBF")?),
        b'0'..=b'9' => written(head).or_else(|| after_process(head)).or_else(|| bracketed(head)),
        // Letters, and whatever else.
        _ => written(head)
            .or_else(|| klog(head))
            .or_else(|| after_level(head))
            .or_else(|| logfmt(head))
            .or_else(|| bracketed(head)),
    }
}

impl Written {
    /// What stands around it says that it is a time.
    fn marked(self) -> Self {
        match self.when {
            When::Bare(at) => Self { when: When::Instant(at), ..self },
            _ => self,
        }
    }
}

impl Reading {
    fn resolve(&self, when: When) -> Option<Moment> {
        match when {
            When::Instant(instant) | When::Bare(instant) => Some(Moment::At(instant)),
            When::Local(local, name) => self.instant(local, name),
            When::NoYear { month, day, time, name } => {
                // A clock that is a little ahead of ours has not written last year's line.
                let latest = self.read_at.checked_add(Span::new().hours(24)).ok()?;
                let year = self.zone.to_datetime(latest).year();
                let in_year = |year| self.instant(Date::new(year, month, day).ok()?.to_datetime(time), name);
                // 29 February is only in some years, of which one is among any nine.
                (0..9).find_map(|back| in_year(year - back).filter(|moment| moment.first() <= latest))
            }
        }
    }

    fn instant(&self, local: DateTime, name: Option<Name>) -> Option<Moment> {
        if name.is_some_and(Name::is_utc) {
            return Offset::UTC.to_timestamp(local).ok().map(Moment::At);
        }
        let ambiguous = self.zone.to_ambiguous_timestamp(local);
        let at = |offset: Offset| offset.to_timestamp(local).ok();
        let (first, second) = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { offset } => (at(offset)?, None),
            AmbiguousOffset::Gap { .. } => (ambiguous.compatible().ok()?, None),
            AmbiguousOffset::Fold { before, after } => (at(before)?, Some(at(after)?)),
        };
        if let Some(name) = name {
            // A name is good where the zone of the log is called so at that time.
            let is_called = |at: &Timestamp| name.is(self.zone.to_offset_info(*at).abbreviation());
            return [Some(first), second].into_iter().flatten().find(is_called).map(Moment::At);
        }
        Some(second.map_or(Moment::At(first), |second| Moment::Twice(first, second)))
    }
}

#[cfg(test)]
mod tests {

    use super::{Clock, Lost, Reading, Times, begins_entry, is_dated, moment, of_line};

    fn read(line: &str) -> Option<String> {
        let zone = crate::units::zone("Europe/Berlin").unwrap();
        let reading = Reading { zone, read_at: "2026-11-23T12:00:00Z".parse().unwrap() };
        of_line(line.as_bytes(), &reading).map(|time| time.to_string())
    }

    #[test]
    fn reads_the_times_that_logs_begin_with() {
        let cases = [
            ("2026-11-23T08:00:00Z started", "2026-11-23T08:00:00Z"),
            ("2026-11-23T08:00:00.123456789+01:00 started", "2026-11-23T07:00:00.123456789Z"),
            ("2026-11-23 08:00:00 started", "2026-11-23T07:00:00Z"),
            ("2026-11-23 08:00:00,250 INFO started", "2026-11-23T07:00:00.25Z"),
            ("2026-11-23 08:00:00.250 UTC [17] LOG:  ready", "2026-11-23T08:00:00.25Z"),
            ("2026-07-23 08:00:00 in summer", "2026-07-23T06:00:00Z"),
            ("2026/11/23 08:00:00 [error] 7#7: *1 open() failed", "2026-11-23T07:00:00Z"),
            ("[2026-11-23 08:00:00] started", "2026-11-23T07:00:00Z"),
            ("Nov 23 08:00:00 web sshd[71]: failed", "2026-11-23T07:00:00Z"),
            ("Nov  3 08:00:00 web sshd[71]: failed", "2026-11-03T07:00:00Z"),
            ("Dec 31 23:59:59 web sshd[71]: failed", "2025-12-31T22:59:59Z"),
            ("Feb 29 08:00:00 web", "2024-02-29T07:00:00Z"),
            ("<34>Nov 23 08:00:00 web su: failed", "2026-11-23T07:00:00Z"),
            ("<165>1 2026-11-23T08:00:00Z web app - - - x", "2026-11-23T08:00:00Z"),
            (r#"10.0.0.1 - - [23/Nov/2026:08:00:00 +0000] "GET / HTTP/1.1" 200"#, "2026-11-23T08:00:00Z"),
            ("[Mon Nov 23 08:00:00.123456 2026] [core:error] x", "2026-11-23T07:00:00.123456Z"),
            ("2026-11-23 08:00:00.250 +05 [17] LOG:  ready", "2026-11-23T03:00:00.25Z"),
            ("2026-11-23 08:00:00-08 [17] LOG:  ready", "2026-11-23T16:00:00Z"),
            ("2026-11-23 08:00:00 Z ready", "2026-11-23T08:00:00Z"),
            ("2026-11-23 08:00:00 GMT [17] LOG:  ready", "2026-11-23T08:00:00Z"),
            ("2026-11-23 08:00:00 CET [17] LOG:  ready", "2026-11-23T07:00:00Z"),
            ("2026-07-23 08:00:00 CEST: ready", "2026-07-23T06:00:00Z"),
            ("2026-10-25 02:30:00 CET the second", "2026-10-25T01:30:00Z"),
            ("2026-10-25 02:30:00 the first", "2026-10-25T00:30:00Z"),
            ("2026-11-23 08:00:00 ERROR x", "2026-11-23T07:00:00Z"),
            ("2026-11-23 08:00:00 GET /x", "2026-11-23T07:00:00Z"),
            ("Mon Nov 23 08:00:00 UTC 2026 x", "2026-11-23T08:00:00Z"),
            ("Mon Nov 23 08:00:00 CET 2026 x", "2026-11-23T07:00:00Z"),
            ("Nov 23 08:00:00 UTC: %SYS-5-CONFIG", "2026-11-23T08:00:00Z"),
            ("\u{feff}2026-11-23T08:00:00Z first", "2026-11-23T08:00:00Z"),
            (
                "23-Nov-2026 08:00:00.123 INFO [main] org.apache.catalina.startup.Catalina.start up",
                "2026-11-23T07:00:00.123Z",
            ),
            ("1234:M 23 Nov 2026 08:00:00.123 * Ready to accept connections", "2026-11-23T07:00:00.123Z"),
            ("Mon, 23 Nov 2026 08:00:00 +0000 up", "2026-11-23T08:00:00Z"),
            ("INFO 2026-11-23 08:00:00,123 basehttp 7 up", "2026-11-23T07:00:00.123Z"),
            ("[WARN] 2026-11-23 08:00:00 up", "2026-11-23T07:00:00Z"),
            ("ERROR: 2026-11-23T08:00:00Z up", "2026-11-23T08:00:00Z"),
            ("INFO  [main] 2026-11-23 08:00:00,123 Server.java:1 - up", "2026-11-23T07:00:00.123Z"),
            (r#"time="2026-11-23T08:00:00Z" level=info msg=up"#, "2026-11-23T08:00:00Z"),
            (r#"level=info msg="a \" ts=1 b" ts=2026-11-23T08:00:00.5Z caller=main.go:1"#, "2026-11-23T08:00:00.5Z"),
            ("ts=1763884800.5 level=info", "2025-11-23T08:00:00.5Z"),
            (r#"{"t":{"$date":"2026-11-23T08:00:00.250+00:00"},"s":"I","msg":"x"}"#, "2026-11-23T08:00:00.25Z"),
            (r#"{"level":"info","asctime":"2026-11-23 08:00:00,123"}"#, "2026-11-23T07:00:00.123Z"),
            ("1763884800 started", "2025-11-23T08:00:00Z"),
            ("1763884800.5 started", "2025-11-23T08:00:00.5Z"),
            ("1763884800123 started", "2025-11-23T08:00:00.123Z"),
            ("I1123 08:00:00.123456    7 main.go:1] up", "2026-11-23T07:00:00.123456Z"),
            (r#"{"level":"info","ts":1763884800.5,"msg":"x"}"#, "2025-11-23T08:00:00.5Z"),
            (r#"{"time":"2026-11-23T08:00:00Z","msg":"x"}"#, "2026-11-23T08:00:00Z"),
            (
                r#"{"a":{"time":"2020-01-01T00:00:00Z","b":["}"]},"c":"\"time\":1","time":"2026-11-23T08:00:00Z"}"#,
                "2026-11-23T08:00:00Z",
            ),
            (r#"{ "time": 0.25, "ts": "2026-11-23T08:00:00Z" }"#, "2026-11-23T08:00:00Z"),
        ];
        for (line, time) in cases {
            assert_eq!(read(line).as_deref(), Some(time), "{line}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        let lines = [
            "",
            "    at main.rs:17",
            "Traceback (most recent call last):",
            "2026-13-23 08:00:00 x",
            "2026-11-31 08:00:00 x",
            "2026-11-23 25:00:00 x",
            "Nov 31 08:00:00 x",
            "12345 items",
            "INFO up since 2026-11-23 08:00:00",
            "INFO 1763884800 rows",
            "information 2026-11-23 08:00:00",
            "msg=\"time=2026-11-23T08:00:00Z\" level=info",
            "up time=2026-11-23T08:00:00Z",
            "{\"t\":1763884800,\"msg\":\"x\"}",
            "31-Feb-2026 08:00:00 x",
            "1234:M up",
            "17638848001 items",
            "1763884800x",
            "2026-11-23",
            "{\"msg\":\"x\"}",
            "{\"order\":{\"time\":\"2026-11-23T08:00:00Z\"},\"msg\":\"x\"}",
            "{\"time\"",
            "{\"time\":\"2026-11-23T08:00:00 EST\"}",
            "2026-11-23 08:00:00 EST [17] LOG:  ready",
            "2026-11-23 08:00:00 CEST in winter",
            "\u{fffd}\u{fffd}",
        ];
        for line in lines {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn a_time_far_behind_in_a_json_line_is_found() {
        let line =
            format!(r#"{{"level":"error","stack":"{}","time":"2026-11-23T08:00:00Z"}}"#, "at \\n".repeat(20_000));
        assert_eq!(read(&line).as_deref(), Some("2026-11-23T08:00:00Z"));
    }

    #[test]
    fn a_number_is_a_time_where_the_log_has_such_times() {
        let number = b"1763884800 rows";
        assert!(is_dated(number, true) && !is_dated(number, false));
        assert!(is_dated(b"[1763884800] up", false));
        assert!(begins_entry(number, "2025-11-23T08:00:00Z".parse().ok()) && !begins_entry(number, None));
    }

    #[test]
    fn the_hour_that_is_there_twice_goes_back_once() {
        let reading = Reading {
            zone: crate::units::zone("Europe/Berlin").unwrap(),
            read_at: "2026-11-23T12:00:00Z".parse().unwrap(),
        };
        let mut clock = Clock::default();
        let mut at = |time: &str| {
            let line = format!("2026-10-25 {time} x");
            clock.settled(moment(line.as_bytes(), &reading, false).unwrap()).strftime("%H:%M:%S").to_string()
        };
        let times = ["01:30:00", "02:10:00", "02:50:00", "02:49:30", "02:10:00", "02:50:00", "03:10:00"].map(&mut at);
        assert_eq!(times, ["23:30:00", "00:10:00", "00:50:00", "00:49:30", "01:10:00", "01:50:00", "02:10:00"]);
    }

    #[test]
    fn a_log_is_lost_where_most_of_its_times_are_not_understood() {
        let lost = |read: u64, others: &[&str]| {
            let mut times = Times::default();
            (0..read).for_each(|_| times.read());
            for line in others {
                times.unread(line.as_bytes());
            }
            times.lost()
        };
        let trace = ["java.lang.IllegalStateException: no", "\tat a.B.c", "Caused by: d", "\t... 3 more", ""];
        assert_eq!(lost(1, &trace), None);
        assert_eq!(lost(1, &["DETAIL:  a", "STATEMENT:  b", "\tc"]), None);
        assert_eq!(lost(0, &["", "  "]), None);
        assert_eq!(lost(0, &["one"]), Some(Lost::All));
        assert_eq!(lost(1, &["seen=2026-11-23T08:00:00Z level=error"; 2]), Some(Lost::Most { read: 1, of: 3 }));
        assert_eq!(lost(1, &["no time at all"; 11]), Some(Lost::Most { read: 1, of: 12 }));
        assert_eq!(lost(9, &["2026-11-23 08:00:00 EST x"]), Some(Lost::Zone));
    }
}
