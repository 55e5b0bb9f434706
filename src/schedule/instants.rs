//! From the times that a clock on the wall should show to the moments at which it does.

use jiff::civil::DateTime;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::Clock;
use crate::check::program::ScheduleRule;

/// Monday, 5 January 1970, 00:00 UTC: intervals that no clock shows are counted from here.
const FIRST: i128 = 4 * 86_400 * 1_000_000_000;

/// A moment that a schedule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instant {
    pub(super) at: Timestamp,
    pub(super) wall: Option<DateTime>,
    pub(super) clock: Clock,
}

/// The first moment after another.
pub(super) fn next(rule: &ScheduleRule, gap: Option<&str>, zone: &TimeZone, after: Timestamp) -> Option<Instant> {
    if let Some(interval) = rule.counted() {
        return counted(interval.as_nanos(), after);
    }
    if rule.goes_through() {
        // A pattern for every hour means the hours there are. An interval is owed at the first moment there is.
        let skip = gap.map_or(matches!(rule, ScheduleRule::Cron(_)), |gap| gap == "skip");
        through(rule, skip, zone, after)
    } else {
        once(rule, gap == Some("skip"), zone, after)
    }
}

fn counted(interval: i128, after: Timestamp) -> Option<Instant> {
    let past = (after.as_nanosecond() - FIRST).div_euclid(interval) + 1;
    let at = Timestamp::from_nanosecond(past.checked_mul(interval)?.checked_add(FIRST)?).ok()?;
    Some(Instant { at, wall: None, clock: Clock::Plain })
}

/// Each time once: the first of two, and one that is left out at the first moment after.
fn once(rule: &ScheduleRule, skip: bool, zone: &TimeZone, after: Timestamp) -> Option<Instant> {
    // The moments rise with the times of the wall, so none up to what the clock shows now is still to come.
    let mut from = step(zone.to_datetime(after))?;
    loop {
        let wall = rule.wall(from)?;
        let (at, clock) = match zone.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => (offset.to_timestamp(wall).ok()?, Clock::Plain),
            AmbiguousOffset::Fold { before, .. } => (before.to_timestamp(wall).ok()?, Clock::First),
            AmbiguousOffset::Gap { after: offset, .. } => {
                // Read with the later offset, a time that is left out lies before the change.
                let early = offset.to_timestamp(wall).ok()?;
                (zone.following(early).next()?.timestamp(), Clock::LeftOut)
            }
        };
        if at > after && !(skip && clock == Clock::LeftOut) {
            return Some(Instant { at, wall: Some(wall), clock });
        }
        from = step(wall)?;
    }
}

/// Each time as often as the clock shows it, from one change of the zone to the next.
fn through(rule: &ScheduleRule, skip: bool, zone: &TimeZone, after: Timestamp) -> Option<Instant> {
    let mut since = after;
    let mut offset = zone.to_offset(after);
    let mut from = step(offset.to_datetime(after))?;
    loop {
        let wall = rule.wall(from)?;
        let at = offset.to_timestamp(wall).ok();
        let change = zone.following(since).next();
        let Some(change) = change.filter(|change| at.is_none_or(|at| change.timestamp() <= at)) else {
            return Some(Instant { at: at?, wall: Some(wall), clock: shown(zone, wall, offset) });
        };
        let back = change.offset().to_datetime(change.timestamp());
        if wall < back && offset < change.offset() && !skip {
            return Some(Instant { at: change.timestamp(), wall: Some(wall), clock: Clock::LeftOut });
        }
        since = change.timestamp();
        offset = change.offset();
        from = back;
    }
}

/// Whether a time is shown once, or which of two it is.
fn shown(zone: &TimeZone, wall: DateTime, offset: Offset) -> Clock {
    match zone.to_ambiguous_timestamp(wall).offset() {
        AmbiguousOffset::Fold { before, .. } if before == offset => Clock::First,
        AmbiguousOffset::Fold { .. } => Clock::Second,
        _ => Clock::Plain,
    }
}

/// The first time after another.
fn step(wall: DateTime) -> Option<DateTime> {
    wall.checked_add(SignedDuration::from_nanos(1)).ok()
}
