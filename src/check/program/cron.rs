//! `cron "0 8 * * 1-5"`: five fields as POSIX has them, with names, ranges and steps as cron has them.

use std::fmt;
use std::sync::Arc;

use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::DateTime;

/// A cron pattern that has been read. Two are the same if they are written the same.
#[derive(Clone)]
pub struct Cron {
    text: Arc<str>,
    pattern: Arc<croner::Cron>,
    /// Whether a day has to be of the month's and of the week's: else either is enough.
    both: bool,
}

/// The fields: what they count, from and to.
const FIELDS: &[(&str, u32, u32)] =
    &[("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// The most days that a month has.
const LONGEST: &[u16] = &[31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Cron {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it, in words for whoever wrote it.
    pub fn read(text: &str) -> Result<Self, String> {
        check(text)?;
        // croner knows more than POSIX does, and its words are for programmers: the check above is narrower.
        let both = stars(text);
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).dom_and_dow(both).build();
        let pattern = parser.parse(text).map_err(|error| format!("this is no cron pattern: {error}"))?;
        let cron = Self { text: text.into(), pattern: Arc::new(pattern), both };
        if cron.comes() { Ok(cron) } else { Err("no month of it has such a day, so it never comes".to_owned()) }
    }

    /// The schedule that is meant by `@daily` and its like.
    #[must_use]
    pub fn nickname(text: &str) -> Option<&'static str> {
        NICKNAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim())).map(|(_, schedule)| *schedule)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether there is a day for it: `0 0 30 2 *` has none.
    fn comes(&self) -> bool {
        let pattern = &self.pattern.pattern;
        let longest = |month: u16| LONGEST.get(usize::from(month).wrapping_sub(1)).copied().unwrap_or(0);
        let days = pattern.days.values();
        !self.both && !pattern.is_dow_wildcard()
            || pattern.months.values().into_iter().any(|month| days.iter().any(|day| *day <= longest(month)))
    }

    /// Whether it means every hour there is: then it counts minutes and no hour of the clock.
    pub(super) fn every_hour(&self) -> bool {
        self.pattern.pattern.hours.values().len() == 24
    }

    /// The first time at or after another, on a clock that is never moved.
    pub(super) fn wall(&self, from: DateTime) -> Option<DateTime> {
        // croner looks at whole seconds, and would take one that has begun for one that is still to come.
        let (from, inclusive) = match from.subsec_nanosecond() {
            0 => (from, true),
            _ => (from.with().subsec_nanosecond(0).build().ok()?, false),
        };
        self.pattern.find_next_occurrence(&from, inclusive).ok()
    }
}

impl fmt::Debug for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cron").field(&self.text).finish()
    }
}

impl PartialEq for Cron {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Cron {}

/// Whether a field of days begins with a star: cron takes `*/2` for a field that leaves days open, as `*` is.
fn stars(pattern: &str) -> bool {
    let mut days = pattern.split_whitespace().enumerate().filter(|(index, _)| matches!(index, 2 | 4));
    days.any(|(_, field)| field.starts_with('*'))
}

/// What the names of whole patterns are called here.
const NICKNAMES: &[(&str, &str)] = &[
    ("@hourly", "every 1h"),
    ("@daily", "daily at 00:00"),
    ("@midnight", "daily at 00:00"),
    ("@weekly", "weekly on sunday at 00:00"),
    ("@monthly", "monthly on day 1 at 00:00"),
    ("@yearly", "cron \"0 0 1 1 *\""),
    ("@annually", "cron \"0 0 1 1 *\""),
];

/// Whether a pattern has its five fields, each within its bounds.
fn check(pattern: &str) -> Result<(), String> {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("a cron pattern has five fields, and this one has {}", fields.len()));
    }
    for (field, (what, from, to)) in fields.iter().zip(FIELDS) {
        let several = field.contains(',');
        for part in field.split(',') {
            check_part(part, what, *from, *to)?;
            if several && part == "*" {
                return Err(format!("`*` is every {what}, and stands alone"));
            }
        }
    }
    Ok(())
}

fn check_part(part: &str, what: &str, from: u32, to: u32) -> Result<(), String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if let Some(step) = step
        && number(step).is_none_or(|step| step == 0 || step > to)
    {
        return Err(format!("`/{step}` is no step of a {what}"));
    }
    if range == "*" {
        return Ok(());
    }
    let bound = |text: &str| {
        let names = match what {
            "month" => MONTHS,
            "day of the week" => DAYS,
            _ => &[],
        };
        let named = names.iter().zip(from..).find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, nth)| nth);
        named
            .or_else(|| number(text))
            .filter(|number| (from..=to).contains(number))
            .ok_or_else(|| format!("`{text}` is no {what}: it goes from {from} to {to}"))
    };
    match range.split_once('-') {
        Some((first, last)) => {
            // A week may end with its Sunday.
            let end = if last.eq_ignore_ascii_case("sun") { 7 } else { bound(last)? };
            if bound(first)? > end { Err(format!("`{range}` goes backwards")) } else { Ok(()) }
        }
        None => match (bound(range)?, step) {
            (_, Some(step)) => {
                Err(format!("`{range}/{step}` begins and does not end: write `{range}-{to}/{step}` or `*/{step}`"))
            }
            _ => Ok(()),
        },
    }
}

/// Digits and nothing else: `+5` is a number elsewhere.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use jiff::civil::{DateTime, date};
    use proptest::prelude::*;

    use super::{Cron, check};

    #[test]
    fn patterns() {
        for good in [
            "0 8 * * 1-5",
            "*/15 * * * *",
            "0 0 1,15 jan-mar *",
            "5 4 * * sun",
            "0 0 * * FRI-SUN",
            "0 0 29 2 *",
            "0 0 30 2 mon",
            "  0\t08 01 * *  ",
            "0-30/10 0 * * 0,7",
        ] {
            assert!(Cron::read(good).is_ok(), "{good}: {:?}", Cron::read(good));
        }
        for (bad, why) in [
            ("0 8 * *", "this one has 4"),
            ("0 0 8 * * *", "this one has 6"),
            ("@daily", "this one has 1"),
            ("60 8 * * *", "`60` is no minute: it goes from 0 to 59"),
            ("0 24 * * *", "`24` is no hour"),
            ("0 0 0 * *", "`0` is no day of the month"),
            ("*/0 * * * *", "`/0` is no step"),
            ("0 0 5-1 * *", "`5-1` goes backwards"),
            ("0 0 L * *", "`L` is no day of the month"),
            ("0 0 15W * *", "is no day of the month"),
            ("0 0 * * fri#1", "is no day of the week"),
            ("0 0 * * +1", "`+1` is no day of the week"),
            ("a * * * *", "`a` is no minute"),
            ("mon * * * *", "`mon` is no minute"),
            ("0 8 * * 1-", "`` is no day of the week"),
            ("0 8 * * 1-2-3", "`2-3` is no day of the week"),
            ("1,,2 * * * *", "`` is no minute"),
            ("*,5 * * * *", "stands alone"),
            ("5/15 * * * *", "write `5-59/15` or `*/15`"),
            ("0 0 30 2 *", "never comes"),
            ("0 0 31 2,4,6,9,11 *", "never comes"),
        ] {
            let said = Cron::read(bad).expect_err(bad);
            assert!(said.contains(why), "{bad}: {said}");
        }
    }

    fn times(pattern: &str, from: DateTime, most: usize) -> Vec<String> {
        let cron = Cron::read(pattern).unwrap();
        let mut at = from;
        let mut found = Vec::new();
        while found.len() < most
            && let Some(time) = cron.wall(at)
        {
            found.push(time.strftime("%a %F %H:%M").to_string());
            at = time.checked_add(jiff::SignedDuration::from_nanos(1)).unwrap();
        }
        found
    }

    /// Day of the month and day of the week: either, where both are said.
    #[test]
    fn days_are_those_of_posix() {
        let from = date(2026, 1, 1).at(0, 0, 0, 0);
        assert_eq!(
            times("0 9 13 * 5", from, 4),
            ["Fri 2026-01-02 09:00", "Fri 2026-01-09 09:00", "Tue 2026-01-13 09:00", "Fri 2026-01-16 09:00"]
        );
        // A field that begins with a star restricts nothing for cron: both have to hold.
        assert_eq!(
            times("0 0 */2 * 1", from, 3),
            ["Mon 2026-01-05 00:00", "Mon 2026-01-19 00:00", "Mon 2026-02-09 00:00"]
        );
        assert_eq!(times("0 0 1-7 * */6", from, 2), ["Sat 2026-01-03 00:00", "Sun 2026-01-04 00:00"]);
        assert_eq!(times("0 9 13 * *", from, 2), ["Tue 2026-01-13 09:00", "Fri 2026-02-13 09:00"]);
        for sunday in ["0", "7", "sun", "SUN"] {
            let pattern = format!("0 0 * * {sunday}");
            assert_eq!(times(&pattern, from, 2), ["Sun 2026-01-04 00:00", "Sun 2026-01-11 00:00"], "{sunday}");
        }
        assert_eq!(
            times("0 0 * * 6-7", from, 3),
            ["Sat 2026-01-03 00:00", "Sun 2026-01-04 00:00", "Sat 2026-01-10 00:00"]
        );
        assert_eq!(times("0 0 29 2 *", from, 2), ["Tue 2028-02-29 00:00", "Sun 2032-02-29 00:00"]);
        assert_eq!(times("59 23 31 12 *", from, 2), ["Thu 2026-12-31 23:59", "Fri 2027-12-31 23:59"]);
        assert_eq!(
            times("50-59/5 23 * * *", from, 3),
            ["Thu 2026-01-01 23:50", "Thu 2026-01-01 23:55", "Fri 2026-01-02 23:50"]
        );
    }

    #[test]
    fn a_second_that_has_begun_is_over() {
        let cron = Cron::read("* * * * *").unwrap();
        let minute = date(2026, 1, 1).at(8, 0, 0, 0);
        assert_eq!(cron.wall(minute), Some(minute));
        assert_eq!(cron.wall(date(2026, 1, 1).at(8, 0, 0, 1)), Some(date(2026, 1, 1).at(8, 1, 0, 0)));
        assert_eq!(cron.wall(date(2026, 1, 1).at(7, 59, 59, 999_999_999)), Some(minute));
    }

    fn field(from: u32, to: u32, names: &'static [&'static str]) -> impl Strategy<Value = String> {
        let one = prop_oneof![
            4 => (from..=to).prop_map(|number| number.to_string()),
            1 => Just("*".to_owned()),
            1 => prop::sample::select(if names.is_empty() { &["x"] } else { names }).prop_map(str::to_owned),
            1 => "[-+0-9*/,LW#?a-z]{0,4}",
        ];
        let part = (one.clone(), prop::option::weighted(0.4, one), prop::option::weighted(0.3, 0_u32..70)).prop_map(
            |(first, last, step)| {
                let range = last.map_or(first.clone(), |last| format!("{first}-{last}"));
                step.map_or(range.clone(), |step| format!("{range}/{step}"))
            },
        );
        prop::collection::vec(part, 1..3).prop_map(|parts| parts.join(","))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        /// Whatever is let through is understood, and has a next time unless it never comes.
        #[test]
        fn what_passes_is_understood(
            minute in field(0, 59, &[]),
            hour in field(0, 23, &[]),
            day in field(1, 31, &[]),
            month in field(1, 12, super::MONTHS),
            weekday in field(0, 7, super::DAYS),
        ) {
            let pattern = format!("{minute} {hour} {day} {month} {weekday}");
            if check(&pattern).is_ok() {
                match Cron::read(&pattern) {
                    Ok(cron) => prop_assert!(cron.wall(date(2026, 1, 1).at(0, 0, 0, 0)).is_some(), "{}", pattern),
                    Err(why) => prop_assert!(why.contains("never comes"), "{}: {}", pattern, why),
                }
            }
        }
    }
}
