//! The times of a schedule as a clock on the wall shows them, before it is asked whether the clock of a zone shows them at
//! all, once or twice.

use jiff::civil::{Date, DateTime, Time, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::ScheduleRule;

const DAY: i128 = 86_400_000_000_000;

/// A Monday: `every 7d` is Monday at midnight.
const FIRST_DAY: Date = date(1970, 1, 5);

impl ScheduleRule {
    /// The first time at or after another. `None` where there is none before the calendar ends, and for an interval that
    /// is [`counted`](Self::counted).
    #[must_use]
    pub fn wall(&self, from: DateTime) -> Option<DateTime> {
        match self {
            Self::Every(interval) => every(interval.as_nanos(), from),
            Self::Daily(at) => on_days(from, at, |_| true),
            Self::Weekly(days, at) => on_days(from, at, |date| days.contains(&date.weekday())),
            Self::Monthly(days, at) => on_days(from, at, |date| days.contains(&date.day())),
            Self::Cron(cron) => cron.wall(from),
        }
    }

    /// The interval of an `every` that no clock shows, because it divides no day and no number of days makes it: `7h`. Its
    /// times are counted through, whatever the clock does.
    #[must_use]
    pub fn counted(&self) -> Option<SignedDuration> {
        match self {
            Self::Every(interval) if DAY % interval.as_nanos() != 0 && interval.as_nanos() % DAY != 0 => {
                Some(*interval)
            }
            _ => None,
        }
    }

    /// Whether it goes on in an hour that the clock repeats. What comes at least once an hour does: nobody means by
    /// `every 5m` that for one hour in autumn nothing runs. What names a time of the day comes once.
    #[must_use]
    pub fn goes_through(&self) -> bool {
        match self {
            Self::Every(interval) => *interval <= SignedDuration::from_hours(1),
            Self::Cron(cron) => cron.every_hour(),
            Self::Daily(_) | Self::Weekly(..) | Self::Monthly(..) => false,
        }
    }

    /// Whether a person has to say what happens at a time that the clock leaves out. An interval is made at the next
    /// moment there is, and a pattern for every hour means the hours that there are.
    #[must_use]
    pub fn asks_for_gap(&self) -> bool {
        !matches!(self, Self::Every(_)) && !self.goes_through()
    }

    /// The first of its times between two moments that the clock of a zone leaves out.
    #[must_use]
    pub fn left_out(&self, zone: &TimeZone, from: Timestamp, until: Timestamp) -> Option<LeftOut> {
        let mut before = zone.to_offset(from);
        for change in zone.following(from).take_while(|change| change.timestamp() < until) {
            let (gone, back) =
                (before.to_datetime(change.timestamp()), change.offset().to_datetime(change.timestamp()));
            before = change.offset();
            if gone < back
                && let Some(at) = self.wall(gone).filter(|at| *at < back)
            {
                return Some(LeftOut { at, from: gone, to: back });
            }
        }
        None
    }
}

/// A time that is never shown, because the clock goes on from one time to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub at: DateTime,
    pub from: DateTime,
    pub to: DateTime,
}

fn on_days(from: DateTime, at: &[Time], is_meant: impl Fn(Date) -> bool) -> Option<DateTime> {
    let mut date = from.date();
    loop {
        if is_meant(date) {
            let left = at.iter().filter(|time| date.to_datetime(**time) >= from).min();
            if let Some(time) = left {
                return Some(date.to_datetime(*time));
            }
        }
        date = date.tomorrow().ok()?;
    }
}

fn every(interval: i128, from: DateTime) -> Option<DateTime> {
    let since_midnight = from.time().duration_since(Time::midnight()).as_nanos();
    if DAY % interval == 0 {
        let next = (since_midnight + interval - 1) / interval * interval;
        if next >= DAY {
            return Some(from.date().tomorrow().ok()?.to_datetime(Time::midnight()));
        }
        let next = SignedDuration::from_nanos(i64::try_from(next).ok()?);
        return Some(from.date().to_datetime(Time::midnight().checked_add(next).ok()?));
    }
    if interval % DAY != 0 {
        return None;
    }
    let days = i64::try_from(interval / DAY).ok()?;
    let date = if since_midnight == 0 { from.date() } else { from.date().tomorrow().ok()? };
    let past = date.duration_since(FIRST_DAY).as_hours() / 24;
    let wait = (days - past.rem_euclid(days)) % days;
    Some(date.checked_add(Span::new().try_days(wait).ok()?).ok()?.to_datetime(Time::midnight()))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::civil::{DateTime, Time, Weekday, date};

    use super::super::{Cron, ScheduleRule};

    const NOON: Time = Time::constant(12, 0, 0, 0);
    const NIGHT: Time = Time::constant(2, 30, 0, 0);

    fn from(rule: &ScheduleRule, mut at: DateTime, most: usize) -> Vec<String> {
        let mut found = Vec::new();
        while found.len() < most
            && let Some(time) = rule.wall(at)
        {
            found.push(time.strftime("%F %H:%M:%S").to_string());
            at = time.checked_add(SignedDuration::from_nanos(1)).unwrap();
        }
        found
    }

    #[test]
    fn an_interval_that_divides_a_day_begins_at_midnight() {
        let rule = |interval| ScheduleRule::Every(interval);
        let at = date(2026, 12, 31).at(21, 40, 31, 5);
        let (hours, minutes, seconds) =
            (SignedDuration::from_hours, SignedDuration::from_mins, SignedDuration::from_secs);
        assert_eq!(from(&rule(hours(2)), at, 2), ["2026-12-31 22:00:00", "2027-01-01 00:00:00"]);
        assert_eq!(from(&rule(minutes(90)), at, 2), ["2026-12-31 22:30:00", "2027-01-01 00:00:00"]);
        assert_eq!(from(&rule(seconds(30)), at, 2), ["2026-12-31 21:41:00", "2026-12-31 21:41:30"]);
        assert_eq!(from(&rule(hours(24)), at, 2), ["2027-01-01 00:00:00", "2027-01-02 00:00:00"]);
        assert_eq!(from(&rule(hours(7 * 24)), at, 2), ["2027-01-04 00:00:00", "2027-01-11 00:00:00"]);
        assert_eq!(from(&rule(hours(7)), at, 2), Vec::<String>::new());
        assert_eq!(rule(hours(7)).counted(), Some(hours(7)));
        // An interval that is longer than the calendar never comes, and is no endless search.
        assert_eq!(from(&rule(hours(24 * 4_000_000)), at, 1), Vec::<String>::new());
    }

    #[test]
    fn days_that_a_month_lacks_are_passed_over() {
        let at = date(2027, 1, 31).at(12, 0, 0, 1);
        let monthly = |days: &[i8]| ScheduleRule::Monthly(days.to_vec(), vec![NOON]);
        assert_eq!(from(&monthly(&[31]), at, 2), ["2027-03-31 12:00:00", "2027-05-31 12:00:00"]);
        assert_eq!(from(&monthly(&[29]), at, 2), ["2027-03-29 12:00:00", "2027-04-29 12:00:00"]);
        let leap = date(2028, 1, 31).at(0, 0, 0, 0);
        assert_eq!(from(&monthly(&[29]), leap, 1), ["2028-02-29 12:00:00"]);
        let weekly = ScheduleRule::Weekly(vec![Weekday::Friday, Weekday::Monday], vec![NOON, NIGHT]);
        assert_eq!(from(&weekly, at, 3), ["2027-02-01 02:30:00", "2027-02-01 12:00:00", "2027-02-05 02:30:00"]);
    }

    #[test]
    fn times_that_a_zone_leaves_out_are_found() {
        let berlin = crate::units::zone("Europe/Berlin").unwrap();
        let moment = |text: &str| text.parse().unwrap();
        let out = |rule: &ScheduleRule| {
            let found = rule.left_out(&berlin, moment("2026-01-01T00Z"), moment("2056-01-01T00Z"));
            found.map(|found| found.at.to_string())
        };
        assert_eq!(out(&ScheduleRule::Daily(vec![NOON, NIGHT])).as_deref(), Some("2026-03-29T02:30:00"));
        assert_eq!(out(&ScheduleRule::Daily(vec![NOON])), None);
        assert_eq!(out(&ScheduleRule::Weekly(vec![Weekday::Monday], vec![NIGHT])), None);
        assert_eq!(out(&ScheduleRule::Monthly(vec![31], vec![NIGHT])).as_deref(), Some("2030-03-31T02:30:00"));
        assert_eq!(out(&ScheduleRule::Monthly(vec![1], vec![NIGHT])), None);
        let cron = |text| ScheduleRule::Cron(Cron::read(text).unwrap());
        assert_eq!(out(&cron("*/20 1-4 * 3 *")).as_deref(), Some("2026-03-29T02:00:00"));
        assert_eq!(out(&cron("0 3 * * *")), None);
        assert!(!cron("0 * * * *").asks_for_gap());
    }
}
