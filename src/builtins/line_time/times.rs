//! What the lines of a file say of their times, all together: whether its window can be told.

use jiff::{SignedDuration, Timestamp};

use super::zones::Name;
use super::{Moment, When, written_in};

/// How many lines of a file had a time, and what those were that had none.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::builtins) struct Times {
    read: u64,
    /// Lines that say something.
    unread: u64,
    /// Those of them that begin at the margin.
    at_margin: u64,
    /// Those of them that have a clock near their beginning.
    with_clock: u64,
    /// Lines in a zone that the log's own has no such name for.
    in_other_zone: u64,
}

/// Why a file cannot say which of its lines were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::builtins) enum Lost {
    /// No line has a time that is understood.
    All,
    /// So few of those at the margin have one.
    Most { read: u64, of: u64 },
    /// Some have a time in a zone that nobody named.
    Zone,
}

/// How far into a line a clock is looked for.
const BEGINNING: usize = 64;

/// What belongs to a line with a time, such as a trace, may stand at the margin as well: so many lines for each of those.
const BELOW: u64 = 10;

impl Times {
    /// One more line that has a time.
    pub(in crate::builtins) const fn read(&mut self) {
        self.read += 1;
    }

    /// One more line that has none. Gives the short name of another zone where its time stands in one.
    pub(in crate::builtins) fn unread(&mut self, line: &[u8]) -> Option<Name> {
        let first = line.first()?;
        if first.is_ascii_whitespace() {
            self.unread += u64::from(!line.trim_ascii().is_empty());
            return None;
        }
        self.unread += 1;
        self.at_margin += 1;
        self.with_clock += u64::from(has_clock(line.get(..BEGINNING).unwrap_or(line)));
        let zone = zone(line);
        self.in_other_zone += u64::from(zone.is_some());
        zone
    }

    pub(in crate::builtins) const fn add(&mut self, other: Self) {
        self.read += other.read;
        self.unread += other.unread;
        self.at_margin += other.at_margin;
        self.with_clock += other.with_clock;
        self.in_other_zone += other.in_other_zone;
    }

    /// Lines without a time belong to the one above them that has one. Where most are no such lines, the times of the log
    /// are not understood.
    pub(in crate::builtins) const fn lost(&self) -> Option<Lost> {
        if self.in_other_zone > 0 {
            return Some(Lost::Zone);
        }
        if self.read == 0 {
            return if self.unread > 0 { Some(Lost::All) } else { None };
        }
        let lost = self.with_clock > self.read || self.at_margin > self.read.saturating_mul(BELOW);
        if lost { Some(Lost::Most { read: self.read, of: self.read + self.at_margin }) } else { None }
    }
}

/// The short name of the zone in which the time of a line stands.
fn zone(line: &[u8]) -> Option<Name> {
    match written_in(line)?.when {
        When::Local(_, name) | When::NoYear { name, .. } => name,
        When::Instant(_) | When::Bare(_) => None,
    }
}

/// Whether there is `08:00:00` in it.
fn has_clock(beginning: &[u8]) -> bool {
    beginning.windows(8).any(|window| {
        window.iter().zip(b"00:00:00").all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            _ => byte == wanted,
        })
    })
}

/// Lines are not written in quite the order of their times: a clock that was set back is further back than this.
const DISORDER: SignedDuration = SignedDuration::from_mins(1);

/// Which of two times is meant, from line to line of a file: where the time goes back within the hour that is there twice,
/// it is there for the second time.
#[derive(Debug, Default)]
pub(in crate::builtins) struct Clock {
    before: Option<Timestamp>,
    second: bool,
}

impl Clock {
    pub(in crate::builtins) fn settled(&mut self, moment: Moment) -> Timestamp {
        match moment {
            Moment::At(at) => {
                *self = Self::default();
                at
            }
            Moment::Twice(first, second) => {
                self.second |= self.before.is_some_and(|before| before.duration_since(first) > DISORDER);
                self.before = Some(first);
                if self.second { second } else { first }
            }
        }
    }
}
