//! Levels, and how long it takes until somebody is reached.

use jiff::SignedDuration;

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Rows, Side, worst};
use crate::catalog::DriverKind;
use crate::check::program::{ChannelId, Escalate, EscalateWhen, Escalation, Level, Program, Threshold, Unless};
use crate::types::Value;

/// The longest that it takes from when something is so, where nobody answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// Until a channel that reaches a person.
    pub(super) person: Option<SignedDuration>,
    /// Until the last level.
    pub(super) last: Option<SignedDuration>,
}

/// How long it takes until a threshold reaches somebody. What waits for another condition has no time limit.
pub(super) fn reached(program: &Program, threshold: &Threshold) -> Reached {
    let every = threshold.metrics.iter().filter_map(|id| program.metrics.get(id.index())?.every).max();
    let held = threshold.when.iter().map(|when| when.held.unwrap_or_default()).min();
    let opens = every.unwrap_or_default() + held.unwrap_or_default();
    let mut found = Reached::default();
    if reaches_a_person(program, &threshold.notify) {
        found.person = Some(opens);
    }
    let earlier = |a: Option<SignedDuration>, b: SignedDuration| Some(a.map_or(b, |a| a.min(b)));
    for Escalate { level, when } in &threshold.escalate {
        let begins = match when {
            EscalateWhen::AtOnce => opens,
            EscalateWhen::After(after) => opens + *after,
            EscalateWhen::Condition(_) => continue,
        };
        for escalation in &program.escalations {
            let levels = escalation.levels.iter().skip_while(|one| one.number != *level);
            let mut at = begins;
            for one in levels {
                if reaches_a_person(program, &one.notify) {
                    found.person = earlier(found.person, at);
                }
                let Some(next) = one.next else {
                    found.last = earlier(found.last, at);
                    break;
                };
                at += next.after;
            }
        }
    }
    found
}

fn reaches_a_person(program: &Program, channels: &[ChannelId]) -> bool {
    channels
        .iter()
        .filter_map(|id| program.channels.get(id.index()))
        .any(|channel| matches!(channel.made.driver.kind, DriverKind::Channel { person: true, .. }))
}

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (was, is) = (&before.program.escalations, &after.program.escalations);
    for pair in pairs(was, is, |one| one.name.clone(), |_, _| false) {
        match pair {
            Pair::Both(old, new) => findings.extend(changed(before, after, old, new)),
            Pair::Gone(old) => findings.push(
                Finding::new(Chapter::Told, Kind::Loosened, format!("escalation {}", old.name), "gone")
                    .at(Some(before.place(old.span)), None),
            ),
            Pair::New(new) => findings.push(
                Finding::new(Chapter::Told, Kind::Safer, format!("escalation {}", new.name), "new")
                    .at(None, Some(after.place(new.span))),
            ),
        }
    }
    findings
}

/// Where it is said who is on call.
fn source(program: &Program, one: &Escalation) -> String {
    match (&one.roles, &one.rota) {
        (Some((path, _)), _) => format!("`{path}`"),
        (None, Some(call)) => format!("`{}`", crate::plan::text::expr(program, call)),
        (None, None) => "none".to_owned(),
    }
}

fn changed(before: Side<'_>, after: Side<'_>, old: &Escalation, new: &Escalation) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (was, is) = (source(before.program, old), source(after.program, new));
    if was != is {
        let row = Row::of("who is on call", was, is);
        let finding =
            Finding::new(Chapter::Told, Kind::Changed, format!("escalation {}", new.name), "source of roles").rows(row);
        findings.push(finding.at(Some(before.place(old.span)), Some(after.place(new.span))));
    }
    let subject = |level: &Level| format!("escalation {}, level {} ({})", new.name, level.number, level.role);
    for pair in pairs(&old.levels, &new.levels, |level| level.number, |_, _| false) {
        match pair {
            Pair::Both(a, b) => {
                let found = rows(before.program, after.program, a, b);
                if !found.rows.is_empty() {
                    let kind = worst(found.kinds);
                    let headline = if kind == Kind::Loosened { "loosened" } else { "changed" };
                    let finding = Finding::new(Chapter::Told, kind, subject(b), headline).rows(found.rows);
                    findings.push(finding.at(Some(before.place(a.span)), Some(after.place(b.span))));
                }
            }
            Pair::Gone(a) => {
                let finding = Finding::new(Chapter::Told, Kind::Loosened, subject(a), "gone");
                let row = Row::of("tells", told(before.program, a), "nobody");
                findings.push(finding.rows(row).at(Some(before.place(a.span)), None));
            }
            Pair::New(b) => {
                let finding = Finding::new(Chapter::Told, Kind::Safer, subject(b), "new");
                let row = Row::of("tells", "", told(after.program, b));
                findings.push(finding.rows(row).at(None, Some(after.place(b.span))));
            }
        }
    }
    let reasons = |one: &Escalation| {
        one.by_hand
            .iter()
            .map(|(reason, level)| format!("\"{reason}\" to level {level}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let general = [
        Row::of("repeats", old.repeat.to_string(), new.repeat.to_string()),
        Row::of("by hand", reasons(old), reasons(new)),
    ];
    let general: Vec<Row> = general.into_iter().flatten().collect();
    if !general.is_empty() {
        let kind = if new.repeat < old.repeat { Kind::Loosened } else { Kind::Changed };
        let finding = Finding::new(Chapter::Told, kind, format!("escalation {}", new.name), "changed").rows(general);
        findings.push(finding.at(Some(before.place(old.span)), Some(after.place(new.span))));
    }
    findings
}

fn told(program: &Program, level: &Level) -> String {
    let names = level.notify.iter().filter_map(|id| program.channels.get(id.index()));
    let names: Vec<&str> = names.map(|one| &*one.name).collect();
    if names.is_empty() { "nobody".to_owned() } else { names.join(", ") }
}

fn rows(was: &Program, is: &Program, a: &Level, b: &Level) -> Rows {
    let mut found = Rows::default();
    let mut add = |row, kind| found.add(row, kind);
    add(Row::of("role", &*a.role, &*b.role), Kind::Changed);
    let fewer = a.notify.len() > b.notify.len();
    add(Row::of("tells", told(was, a), told(is, b)), if fewer { Kind::Loosened } else { Kind::Changed });
    let time = |time: Option<SignedDuration>| {
        time.map_or_else(|| "any time".to_owned(), |time| Value::Duration(time).to_string())
    };
    let longer = |a: Option<SignedDuration>, b: Option<SignedDuration>| match (a, b) {
        (Some(_), None) => Kind::Loosened,
        (Some(a), Some(b)) if b > a => Kind::Loosened,
        _ => Kind::Safer,
    };
    add(Row::of("to respond within", time(a.respond), time(b.respond)), longer(a.respond, b.respond));
    let next = |level: &Level| level.next.map(|next| next.after);
    add(Row::of("next level after", time(next(a)), time(next(b))), longer(next(a), next(b)));
    let unless = |level: &Level| {
        level.next.map_or("", |next| match next.unless {
            Unless::Resolved => "unless resolved",
            Unless::Acknowledged => "unless acknowledged",
        })
    };
    add(Row::of("and not", unless(a), unless(b)), Kind::Changed);
    found
}
