//! When a threshold opens, and whom it tells.

use std::mem;

use jiff::SignedDuration;

use super::bounds::{Said, weighed};
use super::pairs::{Pair, pairs};
use super::schedules::{lacks, titles};
use super::{Chapter, Finding, Kind, Row, Rows, Side, escalation, reached, worst};
use crate::check::program::{Escalate, EscalateWhen, Expr, Program, Threshold, When};
use crate::plan::text;
use crate::types::Value;

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let opens = |program, one: &Threshold| one.when.iter().map(|when| condition(program, when)).collect::<Vec<_>>();
    let alike = |old: &Threshold, new: &Threshold| opens(before.program, old) == opens(after.program, new);
    let mut findings = Vec::new();
    for pair in pairs(&before.program.thresholds, &after.program.thresholds, |one| one.title.clone(), alike) {
        match pair {
            Pair::Both(old, new) => findings.extend(changed(before, after, old, new)),
            Pair::Gone(old) => {
                let finding =
                    Finding::new(Chapter::Told, Kind::Loosened, subject(old), "gone: nobody is told any more");
                let tells = Row::of("tells", told(before.program, old), "nobody");
                let opens = Row::of("opens", opens_at(before.program, old), "never");
                findings.push(finding.rows(opens.into_iter().chain(tells)).at(Some(before.place(old.span)), None));
            }
            Pair::New(new) => {
                let finding = Finding::new(Chapter::Told, Kind::Safer, subject(new), "new");
                let opens = Row::of("opens", "", opens_at(after.program, new));
                let tells = Row::of("tells", "", told(after.program, new));
                findings.push(finding.rows(opens.into_iter().chain(tells)).at(None, Some(after.place(new.span))));
            }
        }
    }
    findings
}

pub(super) fn subject(threshold: &Threshold) -> String {
    format!("threshold \"{}\" ({})", threshold.title, threshold.severity.name())
}

fn changed(before: Side<'_>, after: Side<'_>, old: &Threshold, new: &Threshold) -> Option<Finding> {
    let (was, is) = (before.program, after.program);
    let mut notes = Vec::new();
    let mut found = Rows::default();
    let mut add = |row, kind| found.add(row, kind);
    add(Row::of("is called", &*old.title, &*new.title), Kind::Changed);
    let by_severity = if new.severity < old.severity { Kind::Loosened } else { Kind::Safer };
    add(Row::of("severity", old.severity.name(), new.severity.name()), by_severity);
    let (opened, opens) = (opens_at(was, old), opens_at(is, new));
    if let Some(kind) = opening(was, is, old, new) {
        add(Row::of("opens", opened, opens), kind);
    }
    if let Some(kind) = closing(was, is, old, new) {
        add(Row::of("closes", closes_at(was, old), closes_at(is, new)), kind);
    }
    let unknown = match (old.unknown_for, new.unknown_for) {
        (Some(_), None) => Kind::Blind,
        (Some(a), Some(b)) if b > a => Kind::Blind,
        _ => Kind::Safer,
    };
    let when_unknown = |for_: Option<SignedDuration>| {
        for_.map_or_else(|| "stays as it is".to_owned(), |for_| format!("opens after {}", Value::Duration(for_)))
    };
    add(Row::of("when unknown", when_unknown(old.unknown_for), when_unknown(new.unknown_for)), unknown);
    let fewer_from = old.from.iter().any(|name| !new.from.contains(name));
    let from = if fewer_from { Kind::Blind } else { Kind::Changed };
    add(Row::of("is raised from outside by", old.from.join(", "), new.from.join(", ")), from);
    let (tells, telling) = escalation::telling(before, after, &old.notify, &new.notify);
    add(tells, telling);
    let (climbed, climbs) = (escalates(was, old), escalates(is, new));
    add(Row::of("escalates", climbed, climbs), escalating(was, is, old, new));
    let (quiet, quieter) = (titles(before, &old.quiet_while), titles(after, &new.quiet_while));
    let kind = if lacks(&quiet, &quieter) { Kind::Loosened } else { Kind::Safer };
    add(Row::of("is quiet while", quiet.join(", "), quieter.join(", ")), kind);
    add(Row::of("grouped by", old.group_by.join(", "), new.group_by.join(", ")), Kind::Changed);
    let link = |program: &Program, one: &Threshold| {
        one.link.as_ref().map_or_else(String::new, |link| text::expr(program, link))
    };
    // Its doc is part of each message.
    add(Row::of("says", &*old.doc, &*new.doc), Kind::Changed);
    add(Row::of("link", link(was, old), link(is, new)), Kind::Changed);
    // What follows for people, in minutes.
    let (calls, called) = (reached::reached(was, old), reached::reached(is, new));
    // Who escalates says itself what is called.
    if old.severity != new.severity {
        let kind = if called.lacks(&calls) { Kind::Loosened } else { Kind::Safer };
        add(Row::of("calls", calls.calls(), called.calls()), kind);
    }
    let times =
        [("a person is told", calls.person, called.person), ("the last level is told", calls.last, called.last)];
    for (what, old, new) in times {
        let (before, after, kind) = reached::compared((&calls, old), (&called, new));
        add(Row::of(what, before, after), kind);
    }
    if reached::tells_a_person(was, old) && !reached::tells_a_person(is, new) {
        notes.push("no person is told by this threshold any more, however long it lasts".to_owned());
    }
    if found.rows.is_empty() {
        return None;
    }
    let kind = worst(found.kinds.iter().copied());
    let headline = match kind {
        Kind::Loosened => format!("loosened: {}", because(&found, kind)),
        Kind::Blind => format!("blind: {}", because(&found, kind)),
        Kind::Safer => "tightened".to_owned(),
        _ => "changed".to_owned(),
    };
    let mut finding = Finding::new(Chapter::Told, kind, subject(new), headline).rows(found.rows);
    finding.notes = notes;
    Some(finding.at(Some(before.place(old.span)), Some(after.place(new.span))))
}

/// What of it is less, in the words of a headline, what weighs most first. What follows for people is said only where
/// nothing else says why.
const LESS: &[(&str, &str)] = &[
    ("tells", "tells fewer people"),
    ("severity", "weighs less"),
    ("opens", "opens later or more rarely"),
    ("closes", "closes sooner"),
    ("calls", "fewer levels are called"),
    ("escalates", "goes to a level later or not at all"),
    ("is quiet while", "is quiet more often"),
    ("is raised from outside by", "what others post is no longer taken"),
    ("when unknown", "what is unknown is told later or not at all"),
];

fn because(found: &Rows, kind: Kind) -> String {
    let less = |what: &str| found.rows.iter().zip(&found.kinds).any(|(row, own)| row.what == what && *own == kind);
    let why: Vec<&str> = LESS.iter().filter(|(what, _)| less(what)).map(|(_, says)| *says).collect();
    if why.is_empty() { "people are told later".to_owned() } else { why.join(", ") }
}

fn condition(program: &Program, when: &When) -> String {
    let held = when.held.map_or_else(String::new, |held| format!(" for {}", Value::Duration(held)));
    format!("{}{held}", Said::new(program, &when.condition).text())
}

fn opens_at(program: &Program, threshold: &Threshold) -> String {
    let when: Vec<String> = threshold.when.iter().map(|when| condition(program, when)).collect();
    if when.is_empty() { "where it is raised".to_owned() } else { when.join(", or ") }
}

fn closes_at(program: &Program, threshold: &Threshold) -> String {
    let until = |until| Said::new(program, until).text();
    threshold.until.as_ref().map_or_else(|| "when it no longer holds".to_owned(), until)
}

fn told(program: &Program, threshold: &Threshold) -> String {
    escalation::told(program, &threshold.notify)
}

fn escalates(program: &Program, threshold: &Threshold) -> String {
    let one = |escalate: &Escalate| match &escalate.when {
        EscalateWhen::AtOnce => format!("to level {} at once", escalate.level),
        EscalateWhen::After(after) => format!("to level {} after {}", escalate.level, Value::Duration(*after)),
        EscalateWhen::Condition(condition) => {
            format!("to level {} when {}", escalate.level, Said::new(program, condition).text())
        }
    };
    let all: Vec<String> = threshold.escalate.iter().map(one).collect();
    if all.is_empty() { "not by itself".to_owned() } else { all.join(", ") }
}

/// Whether it goes to a level sooner or later than before.
fn escalating(was: &Program, is: &Program, old: &Threshold, new: &Threshold) -> Kind {
    let key = |one: &Escalate| (one.level, mem::discriminant(&one.when));
    worst(pairs(&old.escalate, &new.escalate, key, |_, _| true).into_iter().filter_map(|pair| match pair {
        Pair::Gone(_) => Some(Kind::Loosened),
        Pair::New(_) => Some(Kind::Safer),
        Pair::Both(a, b) if a.level != b.level => Some(Kind::Changed),
        Pair::Both(a, b) => match (&a.when, &b.when) {
            (EscalateWhen::AtOnce, EscalateWhen::AtOnce) => None,
            (EscalateWhen::AtOnce, _) => Some(Kind::Loosened),
            (_, EscalateWhen::AtOnce) => Some(Kind::Safer),
            (EscalateWhen::After(a), EscalateWhen::After(b)) => (a != b).then(|| reached::later(Some(*a), Some(*b))),
            (EscalateWhen::Condition(a), EscalateWhen::Condition(b)) => sooner(was, is, a, b),
            _ => Some(Kind::Changed),
        },
    }))
}

/// What it means that something is told where this holds.
fn sooner(was: &Program, is: &Program, old: &Expr, new: &Expr) -> Option<Kind> {
    weighed(Said::new(was, old), Said::new(is, new), Kind::Safer, Kind::Loosened)
}

/// Whether it opens sooner or later than before. Where that cannot be said, it is only different; `None` where it does not.
fn opening(was: &Program, is: &Program, old: &Threshold, new: &Threshold) -> Option<Kind> {
    let texts = |program, one: &'_ Threshold| -> Vec<_> {
        one.when.iter().enumerate().map(|(at, when)| (at, Said::new(program, &when.condition).text())).collect()
    };
    let (olds, news) = (texts(was, old), texts(is, new));
    let whens = |(a, b): (usize, usize)| old.when.get(a).zip(new.when.get(b));
    let kinds = pairs(&olds, &news, |one| one.1.clone(), |_, _| true).into_iter().flat_map(|pair| match pair {
        Pair::Gone(_) => vec![Kind::Loosened],
        Pair::New(_) => vec![Kind::Safer],
        Pair::Both(a, b) => whens((a.0, b.0)).map_or_else(Vec::new, |(a, b)| {
            let (held, holds) = (a.held.unwrap_or_default(), b.held.unwrap_or_default());
            let held = (held != holds).then(|| reached::later(Some(held), Some(holds)));
            held.into_iter().chain(sooner(was, is, &a.condition, &b.condition)).collect()
        }),
    });
    kinds.min()
}

/// Whether it closes sooner: what is closed is told to nobody.
fn closing(was: &Program, is: &Program, old: &Threshold, new: &Threshold) -> Option<Kind> {
    match (&old.until, &new.until) {
        (Some(a), Some(b)) => weighed(Said::new(was, a), Said::new(is, b), Kind::Loosened, Kind::Safer),
        // Without one it closes as soon as its condition no longer holds.
        (Some(_), None) => Some(Kind::Loosened),
        (None, Some(_)) => Some(Kind::Safer),
        (None, None) => None,
    }
}
