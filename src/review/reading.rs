//! What a runbook sees: its checks, its metrics, and the failures that it forgives.

use std::collections::BTreeSet;

use super::pairs::{Pair, pairs};
use super::thresholds::bound;
use super::{Chapter, Finding, Kind, Place, Row, Rows, Side, worst};
use crate::check::program::{CheckElse, Expr, ExprKind, Metric, Program, Severity, Statement, StatementKind};
use crate::plan::{text, walk};
use crate::source::Span;
use crate::types::Value;

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let mut findings = checks(before, after);
    findings.extend(metrics(before, after));
    findings.extend(forgiven(before, after));
    findings.extend(tests(before, after));
    findings
}

/// A check where it stands. A `require` is a check whose failure holds back what is below it.
struct Check<'p> {
    within: String,
    word: &'static str,
    title: String,
    condition: &'p Expr,
    severity: Severity,
    raises: Option<String>,
    message: String,
    span: Span,
}

fn all_checks(program: &Program) -> Vec<Check<'_>> {
    let mut found = Vec::new();
    for (within, block) in walk::blocks_of(program) {
        walk::statements(block, &mut |statement| {
            let (word, condition, title, source, otherwise) = match &statement.kind {
                StatementKind::Check { condition, title, source, otherwise } => {
                    ("check", condition, title, source, Some(otherwise))
                }
                StatementKind::Require { condition, title, source } => ("require", condition, title, source, None),
                _ => return,
            };
            let title = title.as_ref().map_or_else(|| source.to_string(), |title| text::plain(program, title));
            let (severity, message, raises) = match otherwise {
                Some(CheckElse::Severity { severity, message }) => (*severity, message.as_ref(), None),
                Some(CheckElse::Raise { threshold, message }) => {
                    let threshold = program.thresholds.get(threshold.index());
                    let severity = threshold.map_or(Severity::Critical, |one| one.severity);
                    (severity, message.as_ref(), threshold.map(|one| one.title.to_string()))
                }
                None => (Severity::Critical, None, None),
            };
            let message = message.map_or_else(String::new, |message| text::plain(program, message));
            let within = within.clone();
            found.push(Check { within, word, title, condition, severity, raises, message, span: statement.span });
        });
    }
    found
}

fn checks(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (was, is) = (before.program, after.program);
    let (old, new) = (all_checks(was), all_checks(is));
    let mut findings = Vec::new();
    let key = |check: &Check<'_>| (check.within.clone(), check.word, check.title.clone());
    let alike = |a: &Check<'_>, b: &Check<'_>| {
        a.word == b.word
            && (text::expr(was, a.condition) == text::expr(is, b.condition)
                || (a.title == b.title && a.within != b.within))
    };
    for pair in pairs(&old, &new, key, alike) {
        match pair {
            Pair::Both(a, b) => findings.extend(changed(before, after, a, b)),
            Pair::Gone(a) => {
                let finding =
                    Finding::new(Chapter::Blindness, Kind::Blind, subject(a), "gone: it is no longer looked at");
                let row = Row::of("passes where", text::expr(was, a.condition), "");
                findings.push(finding.rows(row).at(Some(before.place(a.span)), None));
            }
            Pair::New(b) => {
                let finding = Finding::new(Chapter::Blindness, Kind::Safer, subject(b), "new");
                let row = Row::of("passes where", "", text::expr(is, b.condition));
                findings.push(finding.rows(row).at(None, Some(after.place(b.span))));
            }
        }
    }
    findings
}

fn subject(check: &Check<'_>) -> String {
    format!("{} \"{}\" in {}", check.word, check.title, check.within)
}

fn changed(before: Side<'_>, after: Side<'_>, a: &Check<'_>, b: &Check<'_>) -> Option<Finding> {
    let (was, is) = (before.program, after.program);
    let mut found = Rows::default();
    let mut add = |row, kind| found.add(row, kind);
    add(Row::of("is called", &*a.title, &*b.title), Kind::Changed);
    // A check says when it is well, and a threshold when it is not: the bound means the opposite.
    let condition = match bound(was, is, a.condition, b.condition) {
        Some(Kind::Loosened) => Kind::Safer,
        Some(Kind::Safer) => Kind::Blind,
        _ => Kind::Changed,
    };
    add(Row::of("passes where", text::expr(was, a.condition), text::expr(is, b.condition)), condition);
    let lower = if b.severity < a.severity { Kind::Blind } else { Kind::Safer };
    add(Row::of("a failure is", a.severity.name(), b.severity.name()), lower);
    let raises = |check: &Check<'_>| check.raises.clone().unwrap_or_else(|| "no threshold".to_owned());
    let kind = if b.raises.is_none() { Kind::Loosened } else { Kind::Changed };
    add(Row::of("raises", raises(a), raises(b)), kind);
    add(Row::of("says", &*a.message, &*b.message), Kind::Changed);
    add(Row::of("in", &*a.within, &*b.within), Kind::Changed);
    if found.rows.is_empty() {
        return None;
    }
    let kind = worst(found.kinds);
    let headline = match kind {
        Kind::Blind | Kind::Loosened => "weaker",
        Kind::Safer => "stricter",
        _ => "changed",
    };
    let finding = Finding::new(Chapter::Blindness, kind, subject(b), headline).rows(found.rows);
    Some(finding.at(Some(before.place(a.span)), Some(after.place(b.span))))
}

fn metrics(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (was, is) = (before.program, after.program);
    let mut findings = Vec::new();
    let alike = |a: &Metric, b: &Metric| text::expr(was, &a.value) == text::expr(is, &b.value);
    for pair in pairs(&was.metrics, &is.metrics, |one| one.name.clone(), alike) {
        let (a, b) = match pair {
            Pair::Both(a, b) => (a, b),
            Pair::Gone(a) => {
                let subject = format!("metric {}", a.name);
                let finding = Finding::new(Chapter::Blindness, Kind::Blind, subject, "gone: it is no longer measured");
                findings.push(finding.at(Some(before.place(a.span)), None));
                continue;
            }
            Pair::New(b) => {
                let finding = Finding::new(Chapter::Blindness, Kind::Safer, format!("metric {}", b.name), "new");
                findings.push(finding.at(None, Some(after.place(b.span))));
                continue;
            }
        };
        let every = |one: &Metric| {
            one.every
                .map_or_else(|| "only by `measure`".to_owned(), |every| format!("every {}", Value::Duration(every)))
        };
        let labels = |program: &Program, one: &Metric| {
            let of = |label: &crate::check::program::Label| {
                format!("{} in {}", label.name, text::expr(program, &label.list))
            };
            one.labels.iter().map(of).collect::<Vec<_>>().join(", ")
        };
        let rarer = match (a.every, b.every) {
            (Some(_), None) => Kind::Blind,
            (Some(old), Some(new)) if new > old => Kind::Blind,
            _ => Kind::Safer,
        };
        let mut found = Rows::default();
        found.add(Row::of("is called", &*a.name, &*b.name), Kind::Changed);
        found.add(Row::of("sampled", every(a), every(b)), rarer);
        found.add(Row::of("type", a.ty.to_string(), b.ty.to_string()), Kind::Changed);
        found.add(Row::of("for each", labels(was, a), labels(is, b)), Kind::Changed);
        found.add(Row::of("is", text::expr(was, &a.value), text::expr(is, &b.value)), Kind::Changed);
        if found.rows.is_empty() {
            continue;
        }
        let kind = worst(found.kinds);
        let headline = if kind == Kind::Blind { "sampled more rarely" } else { "changed" };
        let finding = Finding::new(Chapter::Blindness, kind, format!("metric {}", b.name), headline).rows(found.rows);
        findings.push(finding.at(Some(before.place(a.span)), Some(after.place(b.span))));
    }
    findings
}

/// A `try … otherwise`: where it stands, and what it makes of a failure.
type Forgiven = (String, String, Span);

fn all_forgiven(program: &Program) -> Vec<Forgiven> {
    let mut found = Vec::new();
    let mut look = |within: &str, root: &Expr| {
        walk::expr(root, &mut |expr| {
            if let ExprKind::Try { .. } = expr.kind {
                found.push((within.to_owned(), text::expr(program, expr), expr.span));
            }
        });
    };
    for (within, block) in walk::blocks_of(program) {
        walk::statements(block, &mut |statement: &Statement| {
            for expr in walk::own_exprs(statement) {
                look(&within, expr);
            }
        });
    }
    for metric in &program.metrics {
        let within = format!("metric {}", metric.name);
        metric.labels.iter().for_each(|label| look(&within, &label.list));
        look(&within, &metric.value);
    }
    for threshold in &program.thresholds {
        let within = format!("threshold \"{}\"", threshold.title);
        threshold.when.iter().for_each(|when| look(&within, &when.condition));
    }
    found
}

fn forgiven(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (old, new) = (all_forgiven(before.program), all_forgiven(after.program));
    let mut findings = Vec::new();
    for pair in pairs(&old, &new, |one| (one.0.clone(), one.1.clone()), |a, b| a.1 == b.1) {
        match pair {
            Pair::Both(..) => {}
            Pair::Gone((within, what, span)) => {
                let finding = Finding::new(Chapter::Blindness, Kind::Safer, within.clone(), "forgives less");
                let row = Row::of("a failure counts as", what.clone(), "a failure");
                findings.push(finding.rows(row).at(Some(before.place(*span)), None));
            }
            Pair::New((within, what, span)) => {
                let finding = Finding::new(Chapter::Blindness, Kind::Blind, within.clone(), "hides failures");
                let row = Row::of("a failure counts as", "a failure", what.clone());
                let note = "what could not be looked at has a value from now on, and opens nothing";
                findings.push(finding.rows(row).note(note).at(None, Some(after.place(*span))));
            }
        }
    }
    findings
}

/// Rehearsals that are gone: what they held is held by nobody.
fn tests(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let titles = |side: Side<'_>| side.program.tests.iter().map(|test| test.title.to_string()).collect::<BTreeSet<_>>();
    let (old, new) = (titles(before), titles(after));
    let place = |side: Side<'_>, title: &str| -> Option<Place> {
        side.program.tests.iter().find(|test| *test.title == *title).map(|test| side.place(test.span))
    };
    let mut findings = Vec::new();
    for gone in old.difference(&new) {
        let finding = Finding::new(Chapter::Blindness, Kind::Blind, format!("test \"{gone}\""), "gone");
        findings.push(finding.at(place(before, gone), None));
    }
    for added in new.difference(&old) {
        let finding = Finding::new(Chapter::Blindness, Kind::Safer, format!("test \"{added}\""), "new");
        findings.push(finding.at(None, place(after, added)));
    }
    findings
}
