//! The time that a line of a log begins with, in the forms that logs use.
//!
//! RFC 3339 with `T` or a space, with and without a zone, a fraction behind `.` or `,`, the date with `-` or `/`;
//! syslog's `Nov 23 08:00:00`; the access log's `[23/Nov/2026:08:00:00 +0000]`; seconds or milliseconds since 1970;
//! klog's `I1123 08:00:00`; and JSON lines with `time`, `timestamp`, `ts` or `@timestamp`.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

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
    Local(DateTime),
    NoYear { month: i8, day: i8, time: Time },
}

/// How far into a line a time is looked for: behind an address and a name in an access log, behind other keys in JSON.
const WITHIN: usize = 512;

/// The time of a line.
pub(super) fn of_line(line: &[u8], reading: &Reading) -> Option<Timestamp> {
    reading.resolve(written_in(line)?.when)
}

/// Whether a line begins with a time.
pub(super) fn is_dated(line: &[u8]) -> bool {
    written_in(line).is_some()
}

fn written_in(line: &[u8]) -> Option<Written> {
    let head = line.get(..WITHIN).unwrap_or(line);
    let first = *head.first()?;
    match first {
        b'{' => in_json(head),
        b'[' => written(head.get(1..)?).or_else(|| bracketed(head)),
        b'<' => written(after_priority(head)?),
        _ => written(head).or_else(|| klog(head)).or_else(|| bracketed(head)),
    }
}

/// The time that a text begins with.
pub(super) fn written(text: &[u8]) -> Option<Written> {
    match text.first()? {
        b'0'..=b'9' => dated(text).or_else(|| access_log(text)).or_else(|| epoch(text)),
        b'A'..=b'Z' => syslog(text),
        _ => None,
    }
}

impl Reading {
    fn resolve(&self, when: When) -> Option<Timestamp> {
        match when {
            When::Instant(instant) => Some(instant),
            When::Local(local) => self.instant(local),
            When::NoYear { month, day, time } => {
                // A clock that is a little ahead of ours has not written last year's line.
                let latest = self.read_at.checked_add(Span::new().hours(24)).ok()?;
                let year = self.zone.to_datetime(latest).year();
                let in_year = |year| self.instant(Date::new(year, month, day).ok()?.to_datetime(time));
                // 29 February is only in some years, of which one is among any nine.
                (0..9).find_map(|back| in_year(year - back).filter(|instant| *instant <= latest))
            }
        }
    }

    fn instant(&self, local: DateTime) -> Option<Timestamp> {
        self.zone.to_timestamp(local).ok()
    }
}

/// `2026-11-23T08:00:00.123Z`, `2026-11-23 08:00:00,123`, `2026/11/23 08:00:00 +0100`.
fn dated(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0 };
    let year = scan.digits(4)?;
    let between = scan.one_of(b"-/")?;
    let month = scan.digits(2)?;
    scan.one_of(&[between])?;
    let day = scan.digits(2)?;
    scan.one_of(b"T t")?;
    let time = scan.clock()?;
    let local = DateTime::from_parts(date(year, month, day)?, time);
    scan.zoned(local)
}

/// `23/Nov/2026:08:00:00 +0000`.
fn access_log(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0 };
    let day = scan.digits(2)?;
    scan.one_of(b"/")?;
    let month = scan.month()?;
    scan.one_of(b"/")?;
    let year = scan.digits(4)?;
    scan.one_of(b":")?;
    let time = scan.clock()?;
    let local = DateTime::from_parts(date(year, i32::from(month), day)?, time);
    scan.zoned(local)
}

/// `Nov 23 08:00:00`, `Nov  3 08:00:00`, `Mon Nov 23 08:00:00.123456 2026`.
fn syslog(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0 };
    if scan.month().is_none() {
        scan.at = 0;
        scan.weekday()?;
        scan.one_of(b" ")?;
        scan.month()?;
    }
    let month = month_number(scan.text.get(scan.at.checked_sub(3)?..scan.at)?)?;
    scan.one_of(b" ")?;
    let day = if scan.one_of(b" ").is_some() { scan.digits(1)? } else { scan.digits(2).or_else(|| scan.digits(1))? };
    scan.one_of(b" ")?;
    let time = scan.clock()?;
    let before_year = scan.at;
    let year = scan.one_of(b" ").and_then(|_| scan.digits(4)).filter(|_| !scan.more_digits());
    if let Some(year) = year {
        return Some(Written {
            when: When::Local(DateTime::from_parts(date(year, i32::from(month), day)?, time)),
            length: scan.at,
        });
    }
    // The day is checked against a leap year: which year it is comes later.
    date(2024, i32::from(month), day)?;
    Some(Written { when: When::NoYear { month, day: i8::try_from(day).ok()?, time }, length: before_year })
}

/// `1763884800`, `1763884800.123`, `1763884800123`: between the years 2001 and 2286, and nothing but digits.
fn epoch(text: &[u8]) -> Option<Written> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: i64 = std::str::from_utf8(text.get(..digits)?).ok()?.parse().ok()?;
    let mut scan = Scan { text, at: digits };
    let instant = match digits {
        10 => {
            let nanoseconds = scan.fraction();
            Timestamp::new(number, nanoseconds).ok()?
        }
        13 => Timestamp::from_millisecond(number).ok()?,
        _ => return None,
    };
    if number.to_string().len() != digits || scan.text.get(scan.at).is_some_and(|byte| !b" \t,;|]\"}".contains(byte)) {
        return None;
    }
    Some(Written { when: When::Instant(instant), length: scan.at })
}

/// `I1123 08:00:00.123456`.
fn klog(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0 };
    scan.one_of(b"IWEF")?;
    let (month, day) = (scan.digits(2)?, scan.digits(2)?);
    scan.one_of(b" ")?;
    let time = scan.clock()?;
    date(2024, month, day)?;
    let when = When::NoYear { month: i8::try_from(month).ok()?, day: i8::try_from(day).ok()?, time };
    Some(Written { when, length: scan.at })
}

/// The first time behind a `[`: access and error logs of web servers.
fn bracketed(head: &[u8]) -> Option<Written> {
    memchr::memchr_iter(b'[', head).find_map(|at| {
        let inside = head.get(at + 1..)?;
        access_log(inside).or_else(|| syslog(inside)).or_else(|| dated(inside))
    })
}

/// The time of a JSON line, by the names that loggers give it.
fn in_json(head: &[u8]) -> Option<Written> {
    let key = [&b"\"time\":"[..], b"\"timestamp\":", b"\"@timestamp\":", b"\"ts\":"];
    key.iter().find_map(|key| {
        let at = memchr::memmem::find(head, key)? + key.len();
        let value = head.get(at..)?;
        written(value.trim_ascii_start().strip_prefix(b"\"").unwrap_or(value.trim_ascii_start()))
    })
}

/// `<34>` and `<34>1 ` of the syslog protocol.
fn after_priority(head: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'>', head.get(..6).unwrap_or(head))?;
    let rest = head.get(end + 1..)?;
    Some(rest.strip_prefix(b"1 ").unwrap_or(rest))
}

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

fn month_number(name: &[u8]) -> Option<i8> {
    let names = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    (1..).zip(names).find(|(_, month)| name == *month).map(|(number, _)| number)
}

/// A place in a text that moves on by what is found there.
struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        bytes.contains(&byte).then(|| {
            self.at += 1;
            byte
        })
    }

    /// Exactly so many digits.
    fn digits(&mut self, count: usize) -> Option<i32> {
        let digits = self.text.get(self.at..self.at + count)?;
        let number = digits
            .iter()
            .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0')))?;
        self.at += count;
        Some(number)
    }

    fn more_digits(&self) -> bool {
        self.text.get(self.at).is_some_and(u8::is_ascii_digit)
    }

    fn month(&mut self) -> Option<i8> {
        let month = month_number(self.text.get(self.at..self.at + 3)?)?;
        self.at += 3;
        Some(month)
    }

    fn weekday(&mut self) -> Option<()> {
        let day = self.text.get(self.at..self.at + 3)?;
        [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].iter().any(|name| day == *name).then(|| self.at += 3)
    }

    /// `08:00:00`, `08:00:00.123`, `08:00:00,123`.
    fn clock(&mut self) -> Option<Time> {
        let hour = self.digits(2)?;
        self.one_of(b":")?;
        let minute = self.digits(2)?;
        self.one_of(b":")?;
        // A leap second is the last one before it.
        let second = self.digits(2)?.min(59);
        let nanoseconds = self.fraction();
        let small = |number: i32| i8::try_from(number).ok();
        Time::new(small(hour)?, small(minute)?, small(second)?, nanoseconds).ok()
    }

    /// Digits behind a point or a comma, as nanoseconds.
    fn fraction(&mut self) -> i32 {
        let start = self.at;
        if self.one_of(b".,").is_none() || !self.more_digits() {
            self.at = start;
            return 0;
        }
        let mut nanoseconds = 0;
        let mut scale = 100_000_000;
        while let Some(digit) = self.digits(1) {
            nanoseconds += digit * scale;
            scale /= 10;
        }
        nanoseconds
    }

    /// A zone behind a local time, where there is one.
    fn zoned(&mut self, local: DateTime) -> Option<Written> {
        let start = self.at;
        if self.one_of(b"Zz").is_some() {
            let when = When::Instant(Offset::UTC.to_timestamp(local).ok()?);
            return Some(Written { when, length: self.at });
        }
        if let Some(offset) = self.offset() {
            let when = When::Instant(offset.to_timestamp(local).ok()?);
            return Some(Written { when, length: self.at });
        }
        self.at = start;
        if self.text.get(start..).is_some_and(|rest| rest.starts_with(b" UTC")) {
            let when = When::Instant(Offset::UTC.to_timestamp(local).ok()?);
            return Some(Written { when, length: start + 4 });
        }
        Some(Written { when: When::Local(local), length: start })
    }

    /// `+01:00`, `+0100`, ` +0100`. Not ` -0100 items`: digits must end there.
    fn offset(&mut self) -> Option<Offset> {
        let _ = self.one_of(b" ");
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2)?;
        let _ = self.one_of(b":");
        let minutes = self.digits(2)?;
        if self.more_digits() || minutes > 59 {
            return None;
        }
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{Reading, of_line};

    fn read(line: &str) -> Option<String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
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
            ("1763884800 started", "2025-11-23T08:00:00Z"),
            ("1763884800.5 started", "2025-11-23T08:00:00.5Z"),
            ("1763884800123 started", "2025-11-23T08:00:00.123Z"),
            ("I1123 08:00:00.123456    7 main.go:1] up", "2026-11-23T07:00:00.123456Z"),
            (r#"{"level":"info","ts":1763884800.5,"msg":"x"}"#, "2025-11-23T08:00:00.5Z"),
            (r#"{"time":"2026-11-23T08:00:00Z","msg":"x"}"#, "2026-11-23T08:00:00Z"),
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
            "17638848001 items",
            "1763884800x",
            "2026-11-23",
            "{\"msg\":\"x\"}",
            "\u{fffd}\u{fffd}",
        ];
        for line in lines {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
