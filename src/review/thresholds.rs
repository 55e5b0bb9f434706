//! When a threshold opens, and whom it tells.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Row, Rows, Side, escalation, worst};
use crate::check::program::{BinaryOp, Escalate, EscalateWhen, Expr, ExprKind, Program, Threshold, When};
use crate::plan::{self, text};
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
    add(Row::of("opens", opened, opens), opening(was, is, old, new));
    add(Row::of("closes", closes_at(was, old), closes_at(is, new)), Kind::Changed);
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
    let names = |program: &Program, one: &Threshold| channels(program, one).collect::<Vec<_>>();
    let fewer = names(was, old).iter().any(|name| !names(is, new).contains(name));
    add(Row::of("tells", told(was, old), told(is, new)), if fewer { Kind::Loosened } else { Kind::Safer });
    let (climbed, climbs) = (escalates(was, old), escalates(is, new));
    add(Row::of("escalates", climbed, climbs), escalating(old, new));
    let quiet = |program: &Program, one: &Threshold| {
        let titles = one.quiet_while.iter().filter_map(|id| program.thresholds.get(id.index()));
        titles.map(|one| format!("\"{}\"", one.title)).collect::<Vec<_>>().join(", ")
    };
    let quieter = new.quiet_while.len() > old.quiet_while.len();
    let kind = if quieter { Kind::Loosened } else { Kind::Changed };
    add(Row::of("is quiet while", quiet(was, old), quiet(is, new)), kind);
    add(Row::of("grouped by", old.group_by.join(", "), new.group_by.join(", ")), Kind::Changed);
    let link = |program: &Program, one: &Threshold| {
        one.link.as_ref().map_or_else(String::new, |link| text::expr(program, link))
    };
    add(Row::of("link", link(was, old), link(is, new)), Kind::Changed);
    // What follows for people, in minutes.
    let (reached, reaches) = (escalation::reached(was, old), escalation::reached(is, new));
    let later = |a: Option<SignedDuration>, b: Option<SignedDuration>| match (a, b) {
        (Some(a), Some(b)) if b > a => Kind::Loosened,
        (Some(_), None) => Kind::Loosened,
        _ => Kind::Safer,
    };
    let within = |at: Option<SignedDuration>| {
        at.map_or_else(|| "by no time limit".to_owned(), |at| format!("within {}", Value::Duration(at)))
    };
    add(
        Row::of("a person is told", within(reached.person), within(reaches.person)),
        later(reached.person, reaches.person),
    );
    add(
        Row::of("the last level is told", within(reached.last), within(reaches.last)),
        later(reached.last, reaches.last),
    );
    if reached.person.is_some() && reaches.person.is_none() {
        notes.push("no person is told by this threshold any more, however long it lasts".to_owned());
    }
    if found.rows.is_empty() {
        return None;
    }
    let kind = worst(found.kinds);
    let headline = match kind {
        Kind::Loosened if fewer => "loosened: tells fewer people",
        Kind::Loosened => "loosened: opens later or weighs less",
        Kind::Blind => "blind: what is unknown is told later or not at all",
        Kind::Safer => "tightened",
        _ => "changed",
    };
    let mut finding = Finding::new(Chapter::Told, kind, subject(new), headline).rows(found.rows);
    finding.notes = notes;
    Some(finding.at(Some(before.place(old.span)), Some(after.place(new.span))))
}

fn condition(program: &Program, when: &When) -> String {
    let held = when.held.map_or_else(String::new, |held| format!(" for {}", Value::Duration(held)));
    format!("{}{held}{}", text::expr(program, &when.condition), params(program, &when.condition))
}

/// The params in an expression with what they are unless they are given: ` (error_limit = 5%)`.
fn params(program: &Program, expr: &Expr) -> String {
    let given = plan::given(program, &[expr], &BTreeMap::new());
    let mut known: Vec<String> = given
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    known.sort();
    if known.is_empty() { String::new() } else { format!(" ({})", known.join(", ")) }
}

/// A constant, or the default of a param.
fn constant<'p>(program: &'p Program, expr: &'p Expr) -> Option<&'p Value> {
    match &expr.uncovered().kind {
        ExprKind::Literal(value) => Some(value),
        ExprKind::Param(id) => constant(program, program.params.get(id.index())?.default.as_ref()?),
        _ => None,
    }
}

fn opens_at(program: &Program, threshold: &Threshold) -> String {
    let when: Vec<String> = threshold.when.iter().map(|when| condition(program, when)).collect();
    if when.is_empty() { "where it is raised".to_owned() } else { when.join(", or ") }
}

fn closes_at(program: &Program, threshold: &Threshold) -> String {
    threshold.until.as_ref().map_or_else(|| "when it no longer holds".to_owned(), |until| text::expr(program, until))
}

fn channels<'p>(program: &'p Program, threshold: &'p Threshold) -> impl Iterator<Item = String> + 'p {
    threshold.notify.iter().filter_map(|id| program.channels.get(id.index())).map(|one| one.name.to_string())
}

fn told(program: &Program, threshold: &Threshold) -> String {
    let names: Vec<String> = channels(program, threshold).collect();
    if names.is_empty() { "nobody by itself".to_owned() } else { names.join(", ") }
}

fn escalates(program: &Program, threshold: &Threshold) -> String {
    let one = |escalate: &Escalate| match &escalate.when {
        EscalateWhen::AtOnce => format!("to level {} at once", escalate.level),
        EscalateWhen::After(after) => format!("to level {} after {}", escalate.level, Value::Duration(*after)),
        EscalateWhen::Condition(condition) => {
            format!("to level {} when {}", escalate.level, text::expr(program, condition))
        }
    };
    let all: Vec<String> = threshold.escalate.iter().map(one).collect();
    if all.is_empty() { "not by itself".to_owned() } else { all.join(", ") }
}

fn escalating(old: &Threshold, new: &Threshold) -> Kind {
    match (old.escalate.len(), new.escalate.len()) {
        (a, b) if b < a => Kind::Loosened,
        (a, b) if b > a => Kind::Safer,
        _ => Kind::Changed,
    }
}

/// Whether it opens sooner or later than before. Where that cannot be said, it is only different.
fn opening(was: &Program, is: &Program, old: &Threshold, new: &Threshold) -> Kind {
    if old.when.len() != new.when.len() {
        return if new.when.len() < old.when.len() { Kind::Loosened } else { Kind::Safer };
    }
    worst(old.when.iter().zip(&new.when).flat_map(|(a, b)| {
        let held = match (a.held.unwrap_or_default(), b.held.unwrap_or_default()) {
            (a, b) if b > a => Some(Kind::Loosened),
            (a, b) if b < a => Some(Kind::Safer),
            _ => None,
        };
        [held, bound(was, is, &a.condition, &b.condition)].into_iter().flatten()
    }))
}

/// What another bound of the same comparison means: `> 5%` became `> 8%`.
pub(super) fn bound(was: &Program, is: &Program, old: &Expr, new: &Expr) -> Option<Kind> {
    let shown = |program, expr| format!("{}{}", text::expr(program, expr), params(program, expr));
    if shown(was, old) == shown(is, new) {
        return None;
    }
    let (Some((old_op, old_left, old_right)), Some((new_op, new_left, new_right))) = (sides(old), sides(new)) else {
        return Some(Kind::Changed);
    };
    if old_op != new_op {
        return Some(Kind::Changed);
    }
    if matches!(old_op, BinaryOp::And | BinaryOp::Or) {
        let sides = [bound(was, is, old_left, new_left), bound(was, is, old_right, new_right)];
        return Some(worst(sides.into_iter().flatten()));
    }
    let (Some(a), Some(b)) = (constant(was, old_right), constant(is, new_right)) else {
        return Some(Kind::Changed);
    };
    if text::expr(was, old_left) != text::expr(is, new_left) {
        return Some(Kind::Changed);
    }
    let larger = match number(b)?.partial_cmp(&number(a)?)? {
        // The same bound, by another name.
        Ordering::Equal => return None,
        ordering => ordering.is_gt(),
    };
    Some(match old_op {
        BinaryOp::Greater | BinaryOp::GreaterOrEqual if larger => Kind::Loosened,
        BinaryOp::Less | BinaryOp::LessOrEqual if !larger => Kind::Loosened,
        BinaryOp::Greater | BinaryOp::GreaterOrEqual | BinaryOp::Less | BinaryOp::LessOrEqual => Kind::Safer,
        _ => Kind::Changed,
    })
}

/// The parts of a comparison, or of what joins some.
fn sides(expr: &Expr) -> Option<(BinaryOp, &Expr, &Expr)> {
    match &expr.uncovered().kind {
        ExprKind::Binary { op, left, right } => Some((*op, left, right.uncovered())),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "it is compared with another one that was rounded in the same way")]
fn number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Int(n) | Value::Size(n) => *n as f64,
        Value::Float(n) | Value::Percent(n) | Value::Cores(n) | Value::Rate(n, _) => *n,
        Value::Duration(duration) => duration.as_secs_f64(),
        _ => return None,
    })
}
