//! Schedules: whether a time comes, and whether the options say something.

use std::sync::Arc;

use jiff::civil::{Time, Weekday};
use jiff::{SignedDuration, Timestamp};

use super::arguments::{Filled, Given, Slot};
use super::checker::Checker;
use super::constants::constant;
use super::literals::clock;
use super::program::{Cron, Header, LeftOut, Program, Schedule, ScheduleRule, ThresholdId};
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
    Slot { name: "jitter", required: false, doc: "How much later than its time a run is made at most." },
];

/// A time that the clock leaves out between these moments must be spoken for: from 2026 to 2056. They are fixed, so that
/// the same text is valid tomorrow; thirty years have every date on every day of the week.
const LOOKED_AT: (Timestamp, Timestamp) =
    (Timestamp::constant(1_767_225_600, 0), Timestamp::constant(2_713_910_400, 0));

/// A section does not run more often.
const SHORTEST: SignedDuration = SignedDuration::from_secs(1);

/// Runs are spread over a day at most.
const WIDEST: SignedDuration = SignedDuration::from_hours(24);

/// The name of a day of the week.
pub(super) fn day_name(day: Weekday) -> &'static str {
    WEEKDAYS.iter().find(|(_, known)| *known == day).map_or("", |(name, _)| name)
}

/// A day of the week by its name.
pub(super) fn weekday(name: &str) -> Option<Weekday> {
    WEEKDAYS.iter().find(|(known, _)| *known == name).map(|(_, day)| *day)
}

impl<'a> Checker<'a> {
    /// When a section runs by itself: by the clock, or on alerts.
    pub(super) fn runs(&mut self, written: Option<&'a ast::Schedule>) -> (Option<Schedule>, Vec<ThresholdId>) {
        let Some(written) = written else { return (None, Vec::new()) };
        let ast::ScheduleRule::OnAlert { thresholds } = &written.rule else {
            return (self.schedule(written), Vec::new());
        };
        if let Some(options) = &written.options {
            let message = "what runs on an alert has no time of its own, and takes no options";
            self.report(Diagnostic::new(Code::UnknownArgument, options.span, message).help("leave them out"));
        }
        (None, thresholds.iter().filter_map(|title| self.threshold_named(title)).collect())
    }

    fn schedule(&mut self, written: &'a ast::Schedule) -> Option<Schedule> {
        let rule = self.rule(&written.rule);
        let options = self.schedule_options(written.options.as_ref(), written.span);
        let Options { late, overlap, gap, jitter } = options;
        let overlap = overlap.unwrap_or_else(|| "skip".into());
        Some(Schedule { rule: rule?, late, overlap, gap, jitter, span: written.span })
    }

    /// What a schedule says only together with the zone of its runbook.
    pub(super) fn check_schedules(&mut self, program: &Program) {
        for schedule in program.sections.iter().filter_map(|section| section.schedule.as_ref()) {
            if schedule.gap.is_none() && schedule.rule.asks_for_gap() {
                let (from, until) = LOOKED_AT;
                if let Some(out) = schedule.rule.left_out(&program.header.timezone, from, until) {
                    self.report_left_out(&program.header, schedule.span, out);
                }
            }
        }
    }

    fn report_left_out(&mut self, header: &Header, span: Span, out: LeftOut) {
        let clock = "%H:%M";
        let message = format!(
            "the clock in {} leaves out {} on {}: it goes from {} to {}",
            header.timezone_name,
            out.at.strftime(clock),
            out.at.date(),
            out.from.strftime(clock),
            out.to.strftime(clock),
        );
        let help = format!(
            "say what happens on such a day: `(gap: \"next\")` runs at {} instead, `(gap: \"skip\")` not at all",
            out.to.strftime(clock)
        );
        self.report(Diagnostic::new(Code::TimeLeftOut, span, message).help(help));
    }

    fn rule(&mut self, written: &'a ast::ScheduleRule) -> Option<ScheduleRule> {
        match written {
            ast::ScheduleRule::Every { interval } => {
                let every = self.expr_as(interval, &Type::Duration, "the time between two runs");
                let interval = self.constant_duration(&every, "the time between two runs")?;
                if interval < SHORTEST {
                    let message = "nothing runs more often than once a second";
                    self.report(Diagnostic::new(Code::InvalidSchedule, every.span, message).help("write `every 1s`"));
                    return None;
                }
                Some(ScheduleRule::Every(interval))
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
            // Looked at before.
            ast::ScheduleRule::OnAlert { .. } => None,
            ast::ScheduleRule::Cron { pattern } => match Cron::read(pattern.as_str()) {
                Ok(cron) => Some(ScheduleRule::Cron(cron)),
                Err(why) => {
                    let help = match Cron::nickname(pattern.as_str()) {
                        Some(schedule) => format!("write `{schedule}`"),
                        None => "five fields: minute, hour, day of the month, month, day of the week: `cron \"0 8 * * 1-5\"`"
                            .to_owned(),
                    };
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
        let found = weekday(&name.text);
        if found.is_none() {
            let meant = WEEKDAYS
                .iter()
                .map(|(known, _)| *known)
                .find(|known| name.text.len() > 1 && known.starts_with(&*name.text.to_lowercase()))
                .or_else(|| nearest(&name.text, WEEKDAYS.iter().map(|(known, _)| *known)))
                .map(str::to_owned);
            self.report_unknown(Code::InvalidSchedule, name.span, &format!("`{name}` is no day of the week"), meant);
        }
        found
    }

    fn day_of_month(&mut self, written: &Written) -> Option<i8> {
        let day = written.node.parse::<i8>().ok().filter(|day| (1..=31).contains(day));
        match day {
            None => {
                let message = format!("a month has no day {}", written.node);
                self.report(Diagnostic::new(Code::InvalidSchedule, written.span, message).help("from 1 to 31"));
            }
            Some(day @ 29..) => {
                let without = match day {
                    29 => "February has 29 days in a leap year only",
                    30 => "February has no day 30",
                    _ => "five months have no day 31",
                };
                let message = format!("{without}: nothing runs then");
                let help = "every month has the days from 1 to 28";
                self.report(Diagnostic::new(Code::MissingDay, written.span, message).help(help));
            }
            Some(_) => {}
        }
        day
    }

    fn schedule_options(&mut self, options: Option<&'a ast::Args>, span: Span) -> Options {
        let Some(options) = options else { return Options::default() };
        let Filled { given, .. } = self.fill("the schedule", OPTIONS, None, &options.items, span);
        let mut given = given.into_iter().map(|given| match given {
            Some(Given::Written(arg)) => Some(&arg.value),
            _ => None,
        });
        let late = given.next().flatten().and_then(|late| self.option_duration(late, "`late`"));
        let overlap = given.next().flatten().and_then(|word| self.option_word(word, "`overlap`", &["skip", "queue"]));
        let gap = given.next().flatten().and_then(|word| self.option_word(word, "`gap`", &["next", "skip"]));
        let jitter = given.next().flatten().and_then(|jitter| {
            let duration = self.option_duration(jitter, "`jitter`")?;
            if duration > WIDEST {
                let message = "`jitter` is a day at most";
                self.report(Diagnostic::new(Code::InvalidSchedule, jitter.span, message).help("write `jitter: 10m`"));
                return None;
            }
            Some(duration)
        });
        Options { late, overlap, gap, jitter }
    }

    fn option_duration(&mut self, written: &'a ast::Expr, what: &str) -> Option<SignedDuration> {
        let duration = self.expr_as(written, &Type::Duration, what);
        self.constant_duration(&duration, what)
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
        let text = Arc::clone(text);
        self.check_choice(words, &text, word.span, what);
        words.contains(&&*text).then_some(text)
    }
}

/// What stands in the brackets behind a schedule.
#[derive(Default)]
struct Options {
    late: Option<SignedDuration>,
    overlap: Option<Arc<str>>,
    gap: Option<Arc<str>>,
    jitter: Option<SignedDuration>,
}
