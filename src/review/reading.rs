//! What a runbook sees: its checks, its metrics, and the failures that it forgives.

use std::collections::BTreeSet;

use super::around::{Around, Placed, holding, knowing, often, passed, path};
use super::bounds::{Moved, Said, moved, weigh, weighed};
use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Place, Row, Rows, Seen, Side, depends, worst};
use crate::check::program::walk;
use crate::check::program::{
    CheckElse, EscalateWhen, Expr, ExprKind, Member, Metric, Program, Severity, Statement, StatementKind,
};
use crate::plan::text;
use crate::source::Span;
use crate::types::{FaultKind, Value};

pub(super) fn compare(before: Side<'_>, after: Side<'_>, was: &Seen<'_>, is: &Seen<'_>) -> Vec<Finding> {
    let mut findings = checks((before, was), (after, is));
    findings.extend(metrics(before, after));
    findings.extend(steps((before, was), (after, is)));
    findings.extend(forgiven(before, after));
    findings.extend(tests(before, after));
    findings
}

/// A check where it stands. A `require` is a check whose failure holds back what is below it.
struct Check<'p> {
    at: &'p Placed<'p>,
    around: Vec<Around<'p>>,
    word: &'static str,
    title: String,
    /// It is called as its condition is written.
    by_condition: bool,
    condition: Said<'p>,
    /// The same with what its names stand for in their stead.
    means: String,
    severity: Severity,
    raises: Option<String>,
    message: String,
}

fn all_checks<'p>(program: &'p Program, seen: &'p Seen<'p>) -> Vec<Check<'p>> {
    seen.placed.iter().filter_map(|at| check(program, seen, at)).collect()
}

fn check<'p>(program: &'p Program, seen: &'p Seen<'p>, at: &'p Placed<'p>) -> Option<Check<'p>> {
    let (word, condition, title, source, otherwise) = match &at.statement.kind {
        StatementKind::Check { condition, title, source, otherwise } => {
            ("check", condition, title, source, Some(otherwise))
        }
        StatementKind::Require { condition, title, source } => ("require", condition, title, source, None),
        _ => return None,
    };
    let (by_condition, title) = (title.is_none(), text::titled(program, title.as_ref(), source));
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
    let means = seen.meaning.expr(condition);
    let condition = Said::new(program, condition).knowing(&seen.names);
    let around = knowing(&at.around, &seen.names);
    Some(Check { at, around, word, title, by_condition, condition, means, severity, raises, message })
}

fn checks((before, was): (Side<'_>, &Seen<'_>), (after, is): (Side<'_>, &Seen<'_>)) -> Vec<Finding> {
    let (old, new) = (all_checks(before.program, was), all_checks(after.program, is));
    let (held, holds) = (holding(&was.placed), holding(&is.placed));
    let (from, to) = (&was.names, &is.names);
    let mut findings = Vec::new();
    let key = |check: &Check<'_>| (check.at.within.clone(), check.word, check.title.clone());
    // Without a title it is the one at that place of which it can be said what another condition means.
    let edited = |a: &Check<'_>, b: &Check<'_>| {
        a.by_condition
            && b.by_condition
            && a.at.within == b.at.within
            && !moved(a.condition, b.condition).contains(&Moved::Otherwise)
    };
    let alike = |a: &Check<'_>, b: &Check<'_>| {
        a.word == b.word
            && (a.condition.text() == b.condition.text()
                || (a.title == b.title && a.at.within != b.at.within)
                || edited(a, b))
    };
    for pair in pairs(&old, &new, key, alike) {
        match pair {
            Pair::Both(a, b) => {
                let (old, new) = (held.get(&*a.at.within), holds.get(&*b.at.within));
                let (old, new) = (old.map_or(&[][..], Vec::as_slice), new.map_or(&[][..], Vec::as_slice));
                let moved = passed((old, a.at.above), (new, b.at.above));
                findings.extend(changed(before, after, a, b, moved));
            }
            Pair::Gone(a) => {
                let (kind, headline) = if a.condition.holds(from) == Some(true) {
                    (Kind::Changed, "gone: it held whatever was found")
                } else {
                    (Kind::Blind, "gone: it is no longer looked at")
                };
                let finding = Finding::new(Chapter::Blindness, kind, subject(a), headline);
                let row = Row::of("passes where", a.condition.text(), "");
                findings.push(finding.rows(row).at(Some(before.place(a.at.statement.span)), None));
            }
            Pair::New(b) => {
                let (kind, headline) = if b.condition.holds(to) == Some(true) {
                    (Kind::Changed, "new, and holds whatever is found")
                } else {
                    (Kind::Safer, "new")
                };
                let finding = Finding::new(Chapter::Blindness, kind, subject(b), headline);
                let row = Row::of("passes where", "", b.condition.text());
                findings.push(finding.rows(row).at(None, Some(after.place(b.at.statement.span))));
            }
        }
    }
    findings
}

fn subject(check: &Check<'_>) -> String {
    format!("{} \"{}\" in {}", check.word, check.title, check.at.within)
}

/// `above` and `below`: what it no longer stands below, and what it does now.
fn changed(
    before: Side<'_>,
    after: Side<'_>,
    a: &Check<'_>,
    b: &Check<'_>,
    [above, below]: [Vec<&str>; 2],
) -> Option<Finding> {
    let mut found = Rows::default();
    let mut add = |row, kind| found.add(row, kind);
    if !(a.by_condition && b.by_condition) {
        add(Row::of("is called", &*a.title, &*b.title), Kind::Changed);
    }
    // A check says when it is well: the more it holds, the less it sees.
    if let Some(kind) = weighed(a.condition, b.condition, Kind::Blind, Kind::Safer) {
        add(Row::of("passes where", a.condition.text(), b.condition.text()), kind);
    }
    let lower = if b.severity < a.severity { Kind::Blind } else { Kind::Safer };
    add(Row::of("a failure is", a.severity.name(), b.severity.name()), lower);
    let raises = |check: &Check<'_>| check.raises.clone().unwrap_or_else(|| "no threshold".to_owned());
    let kind = if b.raises.is_none() { Kind::Loosened } else { Kind::Changed };
    add(Row::of("raises", raises(a), raises(b)), kind);
    add(Row::of("says", &*a.message, &*b.message), Kind::Changed);
    let left = a.at.by_itself && !b.at.by_itself && a.at.within != b.at.within;
    let rarer = weigh(&often(&a.around, &b.around, Moved::Less), Kind::Safer, Kind::Blind);
    let place = if left { Kind::Blind } else { rarer.unwrap_or(Kind::Changed) };
    add(Row::of("in", path(&a.at.within, &a.around), path(&b.at.within, &b.around)), place);
    add(Row::of("stands below", above.join(", "), below.join(", ")), Kind::Changed);
    let is_other = a.means != b.means && a.condition.plain() == b.condition.plain();
    if found.rows.is_empty() && !is_other {
        return None;
    }
    let kind = worst(found.kinds);
    let headline = match kind {
        Kind::Blind | Kind::Loosened => "weaker",
        Kind::Safer => "stricter",
        _ => "changed",
    };
    let mut finding = Finding::new(Chapter::Blindness, kind, subject(b), headline).rows(found.rows);
    if is_other && a.condition.text() == b.condition.text() {
        finding = finding.note("a name in it stands for something else than before");
    }
    Some(finding.at(Some(before.place(a.at.statement.span)), Some(after.place(b.at.statement.span))))
}

fn metrics(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (was, is): (&Program, &Program) = (before.program, after.program);
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
                format!("{} in {}", label.name, Said::new(program, &label.list).text())
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
        found.add(Row::of("for each", labels(was, a), labels(is, b)), fewer(was, is, a, b));
        let value = |program, one| Said::new(program, one).text();
        found.add(Row::of("is", value(was, &a.value), value(is, &b.value)), Kind::Changed);
        if found.rows.is_empty() {
            continue;
        }
        let kind = worst(found.kinds);
        let headline = match kind {
            Kind::Blind if rarer == Kind::Blind => "sampled more rarely",
            Kind::Blind => "sampled of fewer",
            _ => "changed",
        };
        let mut finding =
            Finding::new(Chapter::Blindness, kind, format!("metric {}", b.name), headline).rows(found.rows);
        finding.notes = depends::on_metric(is, &b.name).notes();
        findings.push(finding.at(Some(before.place(a.span)), Some(after.place(b.span))));
    }
    findings
}

/// A step that is made for each item of a list.
struct Each<'p> {
    within: String,
    list: Said<'p>,
    span: Span,
}

fn all_each<'p>(program: &'p Program, seen: &'p Seen<'p>) -> Vec<Each<'p>> {
    let mut found = Vec::new();
    for section in &program.sections {
        for member in &section.members {
            if let Member::Step(step) = member
                && let Some((_, list)) = &step.each
            {
                let within = format!("{} / \"{}\"", section.name(), step.title);
                found.push(Each { within, list: Said::new(program, list).knowing(&seen.names), span: step.span });
            }
        }
    }
    found
}

/// Steps that are made for fewer items.
fn steps((before, was): (Side<'_>, &Seen<'_>), (after, is): (Side<'_>, &Seen<'_>)) -> Vec<Finding> {
    let (old, new) = (all_each(before.program, was), all_each(after.program, is));
    let found = pairs(&old, &new, |one| one.within.clone(), |_, _| false).into_iter().filter_map(|pair| {
        let Pair::Both(a, b) = pair else { return None };
        if weighed(a.list, b.list, Kind::Safer, Kind::Blind) != Some(Kind::Blind) {
            return None;
        }
        let finding = Finding::new(Chapter::Blindness, Kind::Blind, b.within.clone(), "made for fewer");
        let finding = finding.rows(Row::of("for each", a.list.text(), b.list.text()));
        Some(finding.at(Some(before.place(a.span)), Some(after.place(b.span))))
    });
    found.collect()
}

/// What other lists mean of whose items samples are taken.
fn fewer(was: &Program, is: &Program, a: &Metric, b: &Metric) -> Kind {
    if a.labels.len() != b.labels.len() {
        return Kind::Changed;
    }
    let lists = a.labels.iter().zip(&b.labels);
    let moved = lists.flat_map(|(a, b)| moved(Said::new(was, &a.list), Said::new(is, &b.list))).collect::<Vec<_>>();
    weigh(&moved, Kind::Safer, Kind::Blind).unwrap_or(Kind::Changed)
}

/// A `try … otherwise`.
struct Forgiven<'p> {
    within: String,
    on: &'p [FaultKind],
    says: String,
    tried: String,
    instead: String,
    span: Span,
}

impl Forgiven<'_> {
    /// What is tried, without its arguments.
    fn head(&self) -> &str {
        self.tried.split_once('(').map_or(&*self.tried, |(head, _)| head)
    }

    /// Whether it is the same place, edited: another value in its stead, or another argument.
    fn alike(&self, other: &Self) -> bool {
        self.within == other.within
            && (self.tried == other.tried || self.instead == other.instead && self.head() == other.head())
    }

    /// Whether each fault that is forgiven here is forgiven by the other one. An empty list is all of them.
    fn covered_by(&self, other: &Self) -> bool {
        other.on.is_empty() || !self.on.is_empty() && self.on.iter().all(|kind| other.on.contains(kind))
    }
}

fn all_forgiven(program: &Program) -> Vec<Forgiven<'_>> {
    let mut found = Vec::new();
    let mut look = |within: &str, root| {
        walk::expr(root, &mut |expr: &Expr| {
            if let ExprKind::Try { value, on, otherwise } = &expr.kind {
                let (says, tried) = (text::expr(program, expr), text::expr(program, value));
                let instead = text::expr(program, otherwise);
                found.push(Forgiven { within: within.to_owned(), on, says, tried, instead, span: expr.span });
            }
        });
    };
    for part in walk::blocks_of(program) {
        let title = part.title();
        walk::statements(part.block, &mut |statement: &Statement| {
            for expr in walk::own_exprs(statement) {
                look(&title, expr);
            }
        });
    }
    for section in &program.sections {
        section.within.iter().for_each(|limit| look(&section.name(), limit));
        for member in &section.members {
            let Member::Step(step) = member else { continue };
            let within = format!("{} / \"{}\"", section.name(), step.title);
            step.each.iter().map(|(_, list)| list).chain(&step.within).for_each(|expr| look(&within, expr));
        }
    }
    for metric in &program.metrics {
        let within = format!("metric {}", metric.name);
        metric.labels.iter().for_each(|label| look(&within, &label.list));
        look(&within, &metric.value);
    }
    for threshold in &program.thresholds {
        let within = format!("threshold \"{}\"", threshold.title);
        let climbs = threshold.escalate.iter().filter_map(|one| match &one.when {
            EscalateWhen::Condition(condition) => Some(condition),
            EscalateWhen::AtOnce | EscalateWhen::After(_) => None,
        });
        let when = threshold.when.iter().map(|when| &when.condition);
        when.chain(&threshold.until).chain(climbs).for_each(|expr| look(&within, expr));
    }
    for escalation in &program.escalations {
        escalation.rota.iter().for_each(|call| look(&format!("escalation {}", escalation.name), call));
    }
    found
}

fn forgiven(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (old, new) = (all_forgiven(before.program), all_forgiven(after.program));
    let mut findings = Vec::new();
    let row = |old: &str, new: &str| Row::of("a failure counts as", old, new);
    for pair in pairs(&old, &new, |one| (one.within.clone(), one.says.clone()), |a, b| a.alike(b) || a.says == b.says) {
        match pair {
            Pair::Both(a, b) if a.says == b.says => {}
            Pair::Both(a, b) => {
                let (kind, headline) = match (a.covered_by(b), b.covered_by(a)) {
                    (true, false) => (Kind::Blind, "hides more failures"),
                    (false, true) => (Kind::Safer, "forgives less"),
                    _ => (Kind::Changed, "forgives differently"),
                };
                let finding = Finding::new(Chapter::Blindness, kind, b.within.clone(), headline);
                let places = (Some(before.place(a.span)), Some(after.place(b.span)));
                findings.push(finding.rows(row(&a.says, &b.says)).at(places.0, places.1));
            }
            Pair::Gone(a) => {
                let finding = Finding::new(Chapter::Blindness, Kind::Safer, a.within.clone(), "forgives less");
                findings.push(finding.rows(row(&a.says, "a failure")).at(Some(before.place(a.span)), None));
            }
            Pair::New(b) => {
                let finding = Finding::new(Chapter::Blindness, Kind::Blind, b.within.clone(), "hides failures");
                let note = "what could not be looked at has a value from now on, and opens nothing";
                let finding = finding.rows(row("a failure", &b.says)).note(note);
                findings.push(finding.at(None, Some(after.place(b.span))));
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
