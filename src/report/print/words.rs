//! Schedules, lengths of time and answers in words.

use std::fmt::Write as _;

use jiff::SignedDuration;
use jiff::civil::{Time, Weekday};

use super::known::{Knowledge, Known};
use crate::check::program::{Call, CallArg, Expr, ExprKind, Schedule, ScheduleRule, UnaryOp};
use crate::types::Value;

/// `Every day at 08:00 (UTC).`
pub(super) fn schedule(schedule: &Schedule, zone: &str) -> String {
    let at = |times: &[Time]| listed(&times.iter().map(|time| time.strftime("%H:%M").to_string()).collect::<Vec<_>>());
    let mut said = match &schedule.rule {
        ScheduleRule::Every(every) => format!("Every {}", duration(*every)),
        ScheduleRule::Daily(times) => format!("Every day at {}", at(times)),
        ScheduleRule::Weekly(days, times) => {
            let days: Vec<String> = days.iter().map(|day| weekday(*day).to_owned()).collect();
            format!("Every {} at {}", listed(&days), at(times))
        }
        ScheduleRule::Monthly(days, times) => {
            let days: Vec<String> = days.iter().map(ToString::to_string).collect();
            format!("Every month on day {} at {}", listed(&days), at(times))
        }
        ScheduleRule::Cron(cron) => format!("By the cron pattern {}", cron.text()),
    };
    if !matches!(schedule.rule, ScheduleRule::Every(_)) {
        let _ = write!(said, " ({zone})");
    }
    if let Some(late) = schedule.late {
        let _ = write!(said, ", not later than {} after that", duration(late));
    }
    said.push('.');
    said
}

fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

const fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

/// `2 hours`, `1 minute 30 seconds`
pub(super) fn duration(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (scale, name) in units {
        let count = left / scale;
        left %= scale;
        if count != 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    if parts.is_empty() { format!("{} milliseconds", duration.as_millis()) } else { parts.join(" ") }
}

/// What to see where a condition is nothing but a question whether something answers.
pub(super) fn answer<'p>(knowledge: &mut Knowledge<'p>, condition: &'p Expr) -> Option<String> {
    if let ExprKind::Unary { op: UnaryOp::Not, operand } = &condition.uncovered().kind {
        return denied(operand).map(str::to_owned);
    }
    let ExprKind::Call(call) = &condition.uncovered().kind else { return None };
    Some(match call.builtin.name {
        "http.answers" => {
            let index = call.builtin.params.iter().position(|param| param.name == "status")?;
            let listed = match call.args.get(index)? {
                Some(CallArg::Value(expr)) => match knowledge.of(expr) {
                    Known::Value(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
                    Known::List(items) => items
                        .iter()
                        .filter_map(|item| if let Known::Value(value) = item { Some(value.to_string()) } else { None })
                        .collect(),
                    _ => return None,
                },
                _ => Vec::new(),
            };
            match listed.split_last() {
                None => "it prints 200, or another number from 200 to 299".to_owned(),
                Some((last, [])) => format!("it prints {last}"),
                Some((last, others)) => format!("it prints {} or {last}", others.join(", ")),
            }
        }
        "postgres.answers" => "it prints 1".to_owned(),
        "redis.answers" => "it prints PONG".to_owned(),
        name if name.ends_with(".answers") => "it ends without an error".to_owned(),
        "is_empty" if lists(call) => "it lists nothing".to_owned(),
        "s3.exists" => "it lists the key itself, not only longer ones".to_owned(),
        "dns.resolves" => "it prints something, and no error".to_owned(),
        _ => return None,
    })
}

/// What to see where it is the other way.
fn denied(condition: &Expr) -> Option<&'static str> {
    let ExprKind::Call(call) = &condition.uncovered().kind else { return None };
    match call.builtin.name {
        "is_empty" if lists(call) => Some("it lists something"),
        // Nothing found is no error of the client's: where it prints one, nobody has looked.
        "s3.exists" => Some("it does not list the key itself, and prints no error"),
        _ => None,
    }
}

/// Whether what is asked about is what a line lists.
fn lists(call: &Call) -> bool {
    let Some(Some(CallArg::Value(items))) = call.args.first() else { return false };
    matches!(&items.uncovered().kind, ExprKind::Call(asked) if super::commands::is_outside(asked))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::duration;

    #[test]
    fn lengths_of_time() {
        assert_eq!(duration(SignedDuration::from_secs(90)), "1 minute 30 seconds");
        assert_eq!(duration(SignedDuration::from_hours(26)), "1 day 2 hours");
        assert_eq!(duration(SignedDuration::from_millis(500)), "500 milliseconds");
    }
}
