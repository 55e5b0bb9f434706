//! When something runs: from a schedule, a zone and a moment to the times that follow, and to what is to be done now.
//!
//! Everything here is computed from its arguments. The times are the same for whoever asks, on every machine and after
//! every restart:
//!
//! - `every` an interval that divides a day (`2h`, `90m`, `30s`) is counted from midnight on the clock of the runbook's
//!   zone: `every 2h` runs at even hours, because that is what people look for in the list of runs. Whole days are counted
//!   from Monday, 5 January 1970, so `every 7d` is Monday at midnight. Any other interval (`7h`) has no place on a clock and
//!   is counted through from that Monday in UTC.
//! - A time that the clock repeats in autumn comes once, the first time; what comes at least once an hour goes on through
//!   the repeated hour.
//! - A time that the clock leaves out in spring comes at the first moment after, or not (`gap`).
//! - `jitter` moves a run by a part of the time to the next one, which a hash of the runbook, the title and the time decides.

mod decide;
mod instants;
mod spread;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use self::decide::{Decision, Missed, OwnRun, Past, Why};
use self::instants::Instant;
use self::spread::Spread;
use crate::check::program::Schedule;

/// One time that something runs at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The time that the schedule names: what the run is known by, and its `run.scheduled_at`.
    pub scheduled: Timestamp,
    /// When it is made: later than `scheduled` by its jitter, and before the next time that the schedule names.
    pub at: Timestamp,
    /// What the clock on the wall should show; `None` for an interval that is counted through.
    pub wall: Option<DateTime>,
    pub clock: Clock,
}

/// Whether the clock shows a time as on other days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Clock {
    Plain,
    /// The clock leaves the time out: this is the first moment after.
    LeftOut,
    /// The clock shows the time twice: this is the first.
    First,
    /// The clock shows the time twice: this is the second, of what comes at least once an hour.
    Second,
}

/// A schedule in a zone, for one section or report.
#[derive(Clone, Debug)]
pub struct Timetable<'a> {
    schedule: &'a Schedule,
    zone: &'a TimeZone,
    spread: Spread,
}

impl<'a> Timetable<'a> {
    /// The runbook's and the section's titles decide the jitter.
    #[must_use]
    pub fn new(schedule: &'a Schedule, zone: &'a TimeZone, runbook: &str, title: &str) -> Self {
        Self { schedule, zone, spread: Spread::new(schedule.jitter, runbook, title) }
    }

    /// The first time that it is made at after a moment. `None` where there is none before the calendar ends.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Due> {
        self.after(after).next()
    }

    /// All times after a moment, as [`next`](Self::next) gives them one by one.
    #[must_use]
    pub fn after(&self, after: Timestamp) -> Times<'a> {
        let mut coming = self.instant_before(after).or_else(|| self.instant_after(after));
        // What was scheduled before the moment may have been made before it, too.
        if let Some(instant) = coming.take_if(|instant| instant.at <= after) {
            let following = self.instant_after(instant.at);
            let made = self.due(&instant, following.as_ref()).at;
            coming = if made > after { Some(instant) } else { following };
        }
        Times { table: self.clone(), coming }
    }

    fn due(&self, instant: &Instant, following: Option<&Instant>) -> Due {
        let at = self.spread.at(instant.at, following.map(|next| next.at));
        Due { scheduled: instant.at, at, wall: instant.wall, clock: instant.clock }
    }

    /// The last moment that is named up to another, if its jitter could lead beyond that. The steps back double, so that a
    /// day of jitter on an interval of seconds costs no walk through a day.
    fn instant_before(&self, at: Timestamp) -> Option<Instant> {
        let widest = self.spread.widest();
        let mut back = SignedDuration::from_secs(1);
        while widest.is_positive() {
            let from = at.checked_sub(back.min(widest)).unwrap_or(Timestamp::MIN);
            let mut found = None;
            let mut next = self.instant_after(from)?;
            while next.at <= at {
                let following = self.instant_after(next.at);
                found = Some(next);
                let Some(following) = following else { break };
                next = following;
            }
            if found.is_some() || back >= widest {
                return found;
            }
            back = back.saturating_mul(2);
        }
        None
    }

    fn instant_after(&self, after: Timestamp) -> Option<Instant> {
        instants::next(&self.schedule.rule, self.schedule.gap.as_deref(), self.zone, after)
    }
}

/// The times of a [`Timetable`], one by one.
#[derive(Clone, Debug)]
pub struct Times<'a> {
    table: Timetable<'a>,
    coming: Option<Instant>,
}

impl Iterator for Times<'_> {
    type Item = Due;

    fn next(&mut self) -> Option<Due> {
        let instant = self.coming.take()?;
        self.coming = self.table.instant_after(instant.at);
        Some(self.table.due(&instant, self.coming.as_ref()))
    }
}
