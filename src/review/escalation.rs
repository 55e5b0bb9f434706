//! Levels, and how long it takes until somebody is reached.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::pairs::{Pair, pairs};
use super::schedules::lacks;
use super::{Chapter, Finding, Kind, Row, Rows, Side, worst};
use crate::catalog::{DriverKind, Person};
use crate::check::program::{
    ChannelId, Duty, Escalate, EscalateWhen, Escalation, Hours, Level, Program, Roster, Threshold, Unless,
};
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
    if let Some((was, is)) = old.roster.as_deref().zip(new.roster.as_deref()) {
        let found = rosters(was, is);
        if !found.rows.is_empty() {
            let subject = format!("escalation {}", new.name);
            let finding = Finding::new(Chapter::Told, worst(found.kinds), subject, "other people, or other hours");
            let finding = finding.rows(found.rows);
            findings.push(finding.at(Some(before.place(old.span)), Some(after.place(new.span))));
        }
    }
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

/// What rosters say of each role, where it is not the same.
fn rosters(was: &Roster, is: &Roster) -> Rows {
    let mut found = Rows::default();
    let zone = |roster: &Roster| roster.zone.iana_name().unwrap_or("a zone of its own").to_owned();
    found.add(Row::of("time zone of hours", zone(was), zone(is)), Kind::Changed);
    for role in was.roles.keys().chain(is.roles.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (was.roles.get(role), is.roles.get(role));
        let of = |what, says: fn(&Duty) -> String| {
            let text = |duty: Option<&Duty>| duty.map_or_else(String::new, |duty| format!("{role}: {}", says(duty)));
            Row::of(what, text(old), text(new))
        };
        let gone = if new.is_none() { Kind::Loosened } else { Kind::Changed };
        found.add(of("is on call", people), gone);
        found.add(of("hand-over", handover), Kind::Changed);
        let always = |duty: Option<&Duty>| duty.is_some_and(|duty| duty.hours.is_empty());
        // Outside of hours nobody is on call.
        let fewer = if always(old) && !always(new) { Kind::Loosened } else { Kind::Changed };
        found.add(of("hours", hours), fewer);
    }
    found
}

fn people(duty: &Duty) -> String {
    duty.people.iter().map(|one| shown(one)).collect::<Vec<_>>().join("; ")
}

/// A person with all ways to them.
fn shown(person: &Person) -> String {
    let slack = person.slack.as_ref().map_or_else(String::new, |id| format!(", Slack {id}"));
    format!("{person}{slack}")
}

fn handover(duty: &Duty) -> String {
    duty.handover.map_or_else(
        || "none".to_owned(),
        |one| {
            let on = one.on.map_or_else(|| "every day".to_owned(), |day| format!("every {day:?}"));
            format!("{on} at {}, from {}", one.at.strftime("%H:%M"), one.since)
        },
    )
}

fn hours(duty: &Duty) -> String {
    let time = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let one = |hours: &Hours| {
        let days = hours.days.iter().map(|day| format!("{day:?}")).collect::<Vec<_>>().join(", ");
        format!("{days} {}-{}", time(hours.from), time(hours.to))
    };
    let all: Vec<String> = duty.hours.iter().map(one).collect();
    if all.is_empty() { "always".to_owned() } else { all.join("; ") }
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
