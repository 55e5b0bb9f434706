//! The forms in which times are written.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};

use super::cursor::{Scan, month_number};
use super::json::after_text;
use super::{When, Written};

/// The time that a text begins with.
pub(in crate::builtins) fn written(text: &[u8]) -> Option<Written> {
    match text.first()? {
        b'0'..=b'9' => dated(text).or_else(|| day_first(text)).or_else(|| epoch(text)),
        b'A'..=b'Z' => syslog(text).or_else(|| mail(text)),
        _ => None,
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

/// `23/Nov/2026:08:00:00 +0000`, `23-Nov-2026 08:00:00.123`, `23 Nov 2026 08:00:00.123`.
fn day_first(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0 };
    let day = scan.digits(2).or_else(|| scan.digits(1))?;
    let between = scan.one_of(b"/- ")?;
    let month = scan.month()?;
    scan.one_of(&[between])?;
    let year = scan.digits(4)?;
    scan.one_of(b": ")?;
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
    let name = scan.name();
    let before_year = scan.at;
    let year = scan.one_of(b" ").and_then(|_| scan.digits(4)).filter(|_| !scan.more_digits());
    if let Some(year) = year {
        let local = DateTime::from_parts(date(year, i32::from(month), day)?, time);
        return Some(Written { when: When::Local(local, name), length: scan.at });
    }
    // The day is checked against a leap year: which year it is comes later.
    date(2024, i32::from(month), day)?;
    Some(Written { when: When::NoYear { month, day: i8::try_from(day).ok()?, time, name }, length: before_year })
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
    Some(Written { when: When::Bare(instant), length: scan.at })
}

/// `Mon, 23 Nov 2026 08:00:00 +0000`.
fn mail(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0 };
    scan.weekday()?;
    scan.one_of(b",")?;
    scan.one_of(b" ")?;
    let found = day_first(text.get(scan.at..)?)?;
    Some(Written { length: found.length + scan.at, ..found })
}

/// Redis: the process and its role in front, `1234:M 23 Nov 2026 08:00:00.123 * ready`.
pub(super) fn after_process(text: &[u8]) -> Option<Written> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let [b':', b'A'..=b'Z', b' ', rest @ ..] = text.get(digits..).filter(|_| digits > 0)? else { return None };
    day_first(rest)
}

/// How bad it is stands in front, and perhaps a thread: `INFO 2026-11-23 08:00:00,123`, `[WARN] 2026-…`,
/// `ERROR [main] 2026-…`.
pub(super) fn after_level(text: &[u8]) -> Option<Written> {
    let marked = text.strip_prefix(b"[");
    let inside = marked.unwrap_or(text);
    let letters = inside.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = inside.get(..letters)?;
    if !LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level)) {
        return None;
    }
    let rest = inside.get(letters..)?;
    let rest = if marked.is_some() { rest.strip_prefix(b"]")? } else { rest.strip_prefix(b":").unwrap_or(rest) };
    let rest = rest.trim_ascii_start();
    let dated = |text: &[u8]| written(text).filter(|written| !matches!(written.when, When::Bare(_)));
    dated(rest).or_else(|| {
        let behind = rest.strip_prefix(b"[")?;
        dated(behind.get(memchr::memchr(b']', behind)? + 1..)?.trim_ascii_start())
    })
}

const LEVELS: [&[u8]; 12] = [
    b"trace",
    b"debug",
    b"info",
    b"notice",
    b"warn",
    b"warning",
    b"error",
    b"err",
    b"critical",
    b"crit",
    b"fatal",
    b"severe",
];

/// `level=info time="2026-11-23T08:00:00Z" msg="up"`: the first of the names of times that is one.
pub(super) fn logfmt(text: &[u8]) -> Option<Written> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.@-".contains(byte)).count();
        // What begins otherwise is none.
        let value = rest.get(name..)?.strip_prefix(b"=").filter(|_| name > 0)?;
        let quoted = value.strip_prefix(b"\"");
        if matches!(rest.get(..name)?, b"time" | b"ts" | b"timestamp" | b"t")
            && let Some(found) = written(quoted.unwrap_or(value))
        {
            return Some(found.marked());
        }
        let length = match quoted {
            Some(_) => after_text(value, 0)?,
            None => memchr::memchr(b' ', value)?,
        };
        at += name + 1 + length;
        at += text.get(at..)?.iter().take_while(|byte| **byte == b' ').count();
    }
}

/// `I1123 08:00:00.123456`.
pub(super) fn klog(text: &[u8]) -> Option<Written> {
    let mut scan = Scan { text, at: 0 };
    scan.one_of(b"IWEF")?;
    let (month, day) = (scan.digits(2)?, scan.digits(2)?);
    scan.one_of(b" ")?;
    let time = scan.clock()?;
    date(2024, month, day)?;
    let when = When::NoYear { month: i8::try_from(month).ok()?, day: i8::try_from(day).ok()?, time, name: None };
    Some(Written { when, length: scan.at })
}

/// The first time behind a `[`: access and error logs of web servers.
pub(super) fn bracketed(head: &[u8]) -> Option<Written> {
    memchr::memchr_iter(b'[', head).find_map(|at| {
        let inside = head.get(at + 1..)?;
        day_first(inside).or_else(|| syslog(inside)).or_else(|| dated(inside))
    })
}

/// `<34>` and `<34>1 ` of the syslog protocol.
pub(super) fn after_priority(head: &[u8]) -> Option<&[u8]> {
    let end = memchr::memchr(b'>', head.get(..6).unwrap_or(head))?;
    let rest = head.get(end + 1..)?;
    Some(rest.strip_prefix(b"1 ").unwrap_or(rest))
}

fn date(year: i32, month: i32, day: i32) -> Option<Date> {
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}
