//! Levels, and how long it takes until somebody is reached.

use jiff::{SignedDuration, Timestamp};

use super::pairs::{Pair, pairs};
use super::schedules::lacks;
use super::{Chapter, Finding, Kind, Row, Rows, Side, on_call, worst};
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
    let metrics = threshold.metrics.iter().filter_map(|id| program.metrics.get(id.index()));
    let Some(every) = metrics.map(|metric| metric.every).collect::<Option<Vec<_>>>() else {
        // A sample that a section takes comes when that runs.
        return Reached::default();
    };
    let every = every.into_iter().max();
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

/// Whether a threshold tells a person by itself, at whatever time.
pub(super) fn tells_a_person(program: &Program, threshold: &Threshold) -> bool {
    let climbs = |level: &Level| threshold.escalate.iter().any(|one| one.level <= level.number);
    let levels = program.escalations.iter().flat_map(|one| &one.levels).filter(|level| climbs(level));
    reaches_a_person(program, &threshold.notify) || levels.into_iter().any(|one| reaches_a_person(program, &one.notify))
}

/// What it means that something comes at another time; `None` is never.
pub(super) fn later(old: Option<SignedDuration>, new: Option<SignedDuration>) -> Kind {
    match (old, new) {
        (Some(_), None) => Kind::Loosened,
        (Some(a), Some(b)) if b > a => Kind::Loosened,
        _ => Kind::Safer,
    }
}

fn reaches_a_person(program: &Program, channels: &[ChannelId]) -> bool {
    channels
        .iter()
        .filter_map(|id| program.channels.get(id.index()))
        .any(|channel| matches!(channel.made.driver.kind, DriverKind::Channel { person: true, .. }))
}

pub(super) fn compare(before: Side<'_>, after: Side<'_>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (was, is) = (&before.program.escalations, &after.program.escalations);
    for pair in pairs(was, is, |one| one.name.clone(), |_, _| false) {
        match pair {
            Pair::Both(old, new) => findings.extend(changed((before, old), (after, new), now)),
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

fn changed(
    (before, old): (Side<'_>, &Escalation),
    (after, new): (Side<'_>, &Escalation),
    now: Timestamp,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let people = on_call::compare((before.program, old), (after.program, new), now);
    findings.extend(people.map(|one| one.at(Some(before.place(old.span)), Some(after.place(new.span)))));
    let subject = |level: &Level| format!("escalation {}, level {} ({})", new.name, level.number, level.role);
    for pair in pairs(&old.levels, &new.levels, |level| level.number, |_, _| false) {
        match pair {
            Pair::Both(a, b) => {
                let found = rows(before, after, a, b);
                if !found.rows.is_empty() {
                    let kind = worst(found.kinds);
                    let headline = match kind {
                        Kind::Loosened => "loosened",
                        Kind::Safer => "tightened",
                        _ => "changed",
                    };
                    let finding = Finding::new(Chapter::Told, kind, subject(b), headline).rows(found.rows);
                    findings.push(finding.at(Some(before.place(a.span)), Some(after.place(b.span))));
                }
            }
            Pair::Gone(a) => {
                let finding = Finding::new(Chapter::Told, Kind::Loosened, subject(a), "gone");
                let row = Row::of("tells", told(before.program, &a.notify), "nobody");
                findings.push(finding.rows(row).at(Some(before.place(a.span)), None));
            }
            Pair::New(b) => {
                let finding = Finding::new(Chapter::Told, Kind::Safer, subject(b), "new");
                let row = Row::of("tells", "", told(after.program, &b.notify));
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

fn names(program: &Program, channels: &[ChannelId]) -> Vec<String> {
    channels.iter().filter_map(|id| program.channels.get(id.index())).map(|one| one.name.to_string()).collect()
}

pub(super) fn told(program: &Program, channels: &[ChannelId]) -> String {
    let names = names(program, channels);
    if names.is_empty() { "nobody by itself".to_owned() } else { names.join(", ") }
}

/// Whom something tells, where that is not the same, and what it means: who is left out is told nothing.
pub(super) fn telling(before: Side<'_>, after: Side<'_>, old: &[ChannelId], new: &[ChannelId]) -> (Option<Row>, Kind) {
    let (was, is) = (names(before.program, old), names(after.program, new));
    let (fewer, more) = (lacks(&is, &was), lacks(&was, &is));
    let row = (fewer || more).then(|| Row::of("tells", told(before.program, old), told(after.program, new)));
    (row.flatten(), if fewer { Kind::Loosened } else { Kind::Safer })
}

fn rows(before: Side<'_>, after: Side<'_>, a: &Level, b: &Level) -> Rows {
    let mut found = Rows::default();
    let mut add = |row, kind| found.add(row, kind);
    add(Row::of("role", &*a.role, &*b.role), Kind::Changed);
    let (tells, telling) = telling(before, after, &a.notify, &b.notify);
    add(tells, telling);
    let time = |time: Option<SignedDuration>| {
        time.map_or_else(|| "any time".to_owned(), |time| Value::Duration(time).to_string())
    };
    add(Row::of("to respond within", time(a.respond), time(b.respond)), later(a.respond, b.respond));
    let next = |level: &Level| level.next.map(|next| next.after);
    add(Row::of("next level after", time(next(a)), time(next(b))), later(next(a), next(b)));
    let unless = |level: &Level| {
        level.next.map_or("", |next| match next.unless {
            Unless::Resolved => "unless resolved",
            Unless::Acknowledged => "unless acknowledged",
        })
    };
    let sooner_quiet = match (a.next.map(|next| next.unless), b.next.map(|next| next.unless)) {
        // Somebody who has seen it keeps the next level from being told.
        (Some(Unless::Resolved), Some(Unless::Acknowledged)) => Kind::Loosened,
        (Some(Unless::Acknowledged), Some(Unless::Resolved)) => Kind::Safer,
        _ => Kind::Changed,
    };
    add(Row::of("and not", unless(a), unless(b)), sooner_quiet);
    found
}
