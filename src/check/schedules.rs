//! Schedules: whether a time comes, and whether the options say something.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::civil::{Time, Weekday};

use super::arguments::{Filled, Given, Slot};
use super::checker::Checker;
use super::constants::constant;
use super::literals::clock;
use super::program::{Schedule, ScheduleRule};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::ast::{self, Name, Written};
use crate::types::{Type, Value};

const WEEKDAYS: &[(&str, Weekday)] = &[
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

/// The options, with what they say.
const OPTIONS: &[Slot<'static>] = &[
    Slot { name: "late", required: false, doc: "How late a missed run is still made." },
    Slot { name: "overlap", required: false, doc: "What happens to a run that would overlap itself." },
    Slot { name: "gap", required: false, doc: "What happens at a time that the clock leaves out." },
];

/// The fields of a cron pattern: what they count, from and to.
const CRON: &[(&str, u32, u32)] =
    &[("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7)];

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl<'a> Checker<'a> {
    pub(super) fn schedule(&mut self, written: &'a ast::Schedule) -> Option<Schedule> {
        let rule = self.rule(&written.rule);
        let (late, overlap, gap) = self.schedule_options(written.options.as_ref(), written.span);
        let overlap = overlap.unwrap_or_else(|| "skip".into());
        Some(Schedule { rule: rule?, late, overlap, gap, span: written.span })
    }

    fn rule(&mut self, written: &'a ast::ScheduleRule) -> Option<ScheduleRule> {
        match written {
            ast::ScheduleRule::Every { interval } => {
                let every = self.expr_as(interval, &Type::Duration, "the time between two runs");
                self.constant_duration(&every, "the time between two runs").map(ScheduleRule::Every)
            }
            ast::ScheduleRule::Daily { at } => Some(ScheduleRule::Daily(self.clocks(at)?)),
            ast::ScheduleRule::Weekly { on, at } => {
                let days = on.iter().map(|day| self.weekday(day)).collect::<Option<Vec<_>>>();
                Some(ScheduleRule::Weekly(days?, self.clocks(at)?))
            }
            ast::ScheduleRule::Monthly { days, at } => {
                let days = days.iter().map(|day| self.day_of_month(day)).collect::<Option<Vec<_>>>();
                Some(ScheduleRule::Monthly(days?, self.clocks(at)?))
            }
            ast::ScheduleRule::Cron { pattern } => match check_cron(pattern.as_str()) {
                Ok(()) => Some(ScheduleRule::Cron(pattern.text.clone())),
                Err(why) => {
                    let help =
                        "five fields: minute, hour, day of the month, month, day of the week: `cron \"0 8 * * 1-5\"`";
                    self.report(Diagnostic::new(Code::InvalidSchedule, pattern.span, why).help(help));
                    None
                }
            },
        }
    }

    fn clocks(&mut self, written: &[Written]) -> Option<Vec<Time>> {
        let mut times: Vec<Time> = Vec::new();
        for at in written {
            let Some(time) = clock(&at.node) else {
                let message = format!("`{}` is no time of day", at.node);
                self.report(Diagnostic::new(Code::InvalidSchedule, at.span, message).help("from `00:00` to `23:59`"));
                return None;
            };
            if times.contains(&time) {
                let message = format!("`{}` is there twice", at.node);
                self.report(Diagnostic::new(Code::InvalidSchedule, at.span, message));
            }
            times.push(time);
        }
        Some(times)
    }

    fn weekday(&mut self, name: &Name) -> Option<Weekday> {
        let found = WEEKDAYS.iter().find(|(known, _)| *known == &*name.text).map(|(_, day)| *day);
        if found.is_none() {
            let meant = nearest(&name.text, WEEKDAYS.iter().map(|(known, _)| *known)).map(str::to_owned);
            self.report_unknown(Code::InvalidSchedule, name.span, &format!("`{name}` is no day of the week"), meant);
        }
        found
    }

    fn day_of_month(&mut self, written: &Written) -> Option<i8> {
        let day = written.node.parse::<i8>().ok().filter(|day| (1..=31).contains(day));
        if day.is_none() {
            let message = format!("a month has no day {}", written.node);
            self.report(Diagnostic::new(Code::InvalidSchedule, written.span, message).help("from 1 to 31"));
        }
        day
    }

    fn schedule_options(
        &mut self,
        options: Option<&'a ast::Args>,
        span: Span,
    ) -> (Option<SignedDuration>, Option<Arc<str>>, Option<Arc<str>>) {
        let Some(options) = options else { return (None, None, None) };
        let Filled { given, .. } = self.fill("the schedule", OPTIONS, None, &options.items, span);
        let mut given = given.into_iter().map(|given| match given {
            Some(Given::Written(arg)) => Some(&arg.value),
            _ => None,
        });
        let late = given.next().flatten().and_then(|late| {
            let late = self.expr_as(late, &Type::Duration, "`late`");
            self.constant_duration(&late, "`late`")
        });
        let overlap = given.next().flatten().and_then(|word| self.option_word(word, "`overlap`", &["skip", "queue"]));
        let gap = given.next().flatten().and_then(|word| self.option_word(word, "`gap`", &["next", "skip"]));
        (late, overlap, gap)
    }

    fn option_word(&mut self, written: &'a ast::Expr, what: &str, words: &[&str]) -> Option<Arc<str>> {
        let word = self.expr_as(written, &Type::String, what);
        let Some(Value::String(text)) = constant(&word) else {
            if !word.ty.is_unknown() {
                let message = format!("{what} must be known before anything runs");
                self.report(Diagnostic::new(Code::NotALiteral, word.span, message));
            }
            return None;
        };
        let text = text.clone();
        self.check_choice(words, &text, word.span, what);
        words.contains(&&*text).then_some(text)
    }
}

/// Whether a cron pattern has its five fields, each within its bounds.
fn check_cron(pattern: &str) -> Result<(), String> {
    let fields: Vec<&str> = pattern.split_whitespace().collect();
    if fields.len() != CRON.len() {
        return Err(format!("a cron pattern has five fields, and this one has {}", fields.len()));
    }
    for (field, (what, from, to)) in fields.iter().zip(CRON) {
        for part in field.split(',') {
            check_cron_part(part, what, *from, *to)?;
        }
    }
    Ok(())
}

fn check_cron_part(part: &str, what: &str, from: u32, to: u32) -> Result<(), String> {
    let (range, step) = match part.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (part, None),
    };
    if let Some(step) = step
        && step.parse::<u32>().ok().is_none_or(|step| step == 0 || step > to)
    {
        return Err(format!("`/{step}` is no step of a {what}"));
    }
    if range == "*" {
        return Ok(());
    }
    let bound = |text: &str| {
        let names = if what == "month" {
            MONTHS
        } else if what == "day of the week" {
            DAYS
        } else {
            &[]
        };
        let named =
            names.iter().zip(from..).find(|(name, _)| text.eq_ignore_ascii_case(name)).map(|(_, number)| number);
        named
            .or_else(|| text.parse::<u32>().ok())
            .filter(|number| (from..=to).contains(number))
            .ok_or_else(|| format!("`{text}` is no {what}: it goes from {from} to {to}"))
    };
    match range.split_once('-') {
        Some((first, last)) if bound(first)? > bound(last)? => Err(format!("`{range}` goes backwards")),
        Some(_) => Ok(()),
        None => bound(range).map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::check_cron;

    #[test]
    fn cron_patterns() {
        for good in ["0 8 * * 1-5", "*/15 * * * *", "0 0 1,15 jan-mar *", "5 4 * * sun"] {
            assert_eq!(check_cron(good), Ok(()), "{good}");
        }
        for bad in [
            "0 8 * *",
            "60 8 * * *",
            "0 24 * * *",
            "0 0 0 * *",
            "*/0 * * * *",
            "0 0 5-1 * *",
            "a * * * *",
            "0 8 * * 1-",
        ] {
            assert!(check_cron(bad).is_err(), "{bad}");
        }
    }
}
