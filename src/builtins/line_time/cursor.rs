//! A place in a text that moves on by what is found there.

use jiff::civil::{DateTime, Time};
use jiff::tz::Offset;

use super::zones::Name;
use super::{When, Written};

pub(super) fn month_number(name: &[u8]) -> Option<i8> {
    let names = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    (1..).zip(names).find(|(_, month)| name == *month).map(|(number, _)| number)
}

/// A place in a text that moves on by what is found there.
pub(super) struct Scan<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

impl Scan<'_> {
    pub(super) fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        bytes.contains(&byte).then(|| {
            self.at += 1;
            byte
        })
    }

    /// Exactly so many digits.
    pub(super) fn digits(&mut self, count: usize) -> Option<i32> {
        let digits = self.text.get(self.at..self.at + count)?;
        let number = digits
            .iter()
            .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i32::from(digit - b'0')))?;
        self.at += count;
        Some(number)
    }

    pub(super) fn more_digits(&self) -> bool {
        self.text.get(self.at).is_some_and(u8::is_ascii_digit)
    }

    pub(super) fn month(&mut self) -> Option<i8> {
        let month = month_number(self.text.get(self.at..self.at + 3)?)?;
        self.at += 3;
        Some(month)
    }

    pub(super) fn weekday(&mut self) -> Option<()> {
        let day = self.text.get(self.at..self.at + 3)?;
        [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"].iter().any(|name| day == *name).then(|| self.at += 3)
    }

    /// `08:00:00`, `08:00:00.123`, `08:00:00,123`.
    pub(super) fn clock(&mut self) -> Option<Time> {
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
    pub(super) fn fraction(&mut self) -> i32 {
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
    pub(super) fn zoned(&mut self, local: DateTime) -> Option<Written> {
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
        let name = self.name();
        Some(Written { when: When::Local(local, name), length: self.at })
    }

    /// The short name of a zone behind a time.
    pub(super) fn name(&mut self) -> Option<Name> {
        let name = Name::at(self.text.get(self.at..)?.strip_prefix(b" ")?)?;
        self.at += 1 + name.length();
        Some(name)
    }

    /// `+01:00`, `+0100`, `+01`, ` +0100`. Not ` -0100200 items`: digits must end there.
    fn offset(&mut self) -> Option<Offset> {
        let _ = self.one_of(b" ");
        let sign = if self.one_of(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2).filter(|hours| *hours <= MOST_HOURS)?;
        let colon = self.one_of(b":");
        let minutes = self.digits(2);
        if minutes.is_none() {
            // `20:00:00 +05: x`
            self.at -= usize::from(colon.is_some());
        }
        let goes_on = |byte: &u8| byte.is_ascii_digit() || (minutes.is_none() && byte.is_ascii_alphabetic());
        let minutes = minutes.unwrap_or(0);
        if minutes > 59 || self.text.get(self.at).is_some_and(goes_on) {
            return None;
        }
        Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
    }
}

/// No zone is further from Greenwich.
const MOST_HOURS: i32 = 14;
