//! The levels of an escalation, and whom they tell.

use jiff::{SignedDuration, Timestamp};

use super::pairs::{Pair, pairs};
use super::reached::later;
use super::schedules::lacks;
use super::{Chapter, Finding, Kind, Row, Rows, Side, on_call, worst};
use crate::check::program::{ChannelId, Escalation, Level, Program, Unless};
use crate::types::Value;

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
