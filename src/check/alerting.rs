//! Thresholds: what they look at, and whom they tell.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::SignedDuration;

use super::checker::Checker;
use super::convert::Want;
use super::declarations::doc;
use super::placement::Place;
use super::program::{
    CallArg, Escalate, EscalateWhen, Expr, ExprKind, MetricId, TextPart, Threshold, ThresholdId, When,
};
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Docs, EscalateTrigger, ItemKind, Template, ThresholdClauseKind};
use crate::types::Type;

/// What the whole program says about alerting, gathered on the way.
#[derive(Default)]
pub(super) struct Facts<'a> {
    /// The metrics that `measure` samples.
    pub(super) measured: HashSet<MetricId>,
    /// The names of alerts that others post, and where first.
    pub(super) posted: HashMap<Arc<str>, Span>,
    /// The thresholds that checks and statements raise, and where first.
    pub(super) raised: HashMap<ThresholdId, Span>,
    /// The levels that something escalates to, and where.
    pub(super) escalated: Vec<(u32, Span)>,
    pub(super) levels: Vec<&'a ast::Level>,
}

/// Who posts alerts.
const ALERTMANAGER: &str = "alertmanager";

/// The word of a clause that a threshold has once.
const fn once(kind: &ThresholdClauseKind) -> Option<&'static str> {
    match kind {
        ThresholdClauseKind::WhenUnknown { .. } => Some("when unknown"),
        ThresholdClauseKind::Until { .. } => Some("until"),
        ThresholdClauseKind::Link { .. } => Some("link"),
        ThresholdClauseKind::When { .. }
        | ThresholdClauseKind::From { .. }
        | ThresholdClauseKind::Notify { .. }
        | ThresholdClauseKind::Escalate { .. }
        | ThresholdClauseKind::QuietWhile { .. }
        | ThresholdClauseKind::GroupBy { .. } => None,
    }
}

impl<'a> Checker<'a> {
    /// Of two clauses that are there once only the last would count, without a word.
    pub(super) fn check_once(&mut self, clauses: impl Iterator<Item = (&'static str, Span)>) {
        let mut seen: Vec<(&str, Span)> = Vec::new();
        for (word, span) in clauses {
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == word) {
                self.report(Diagnostic::twice(word, *first, span));
            }
            seen.push((word, span));
        }
    }

    pub(super) fn threshold(&mut self, written: &'a ast::Threshold, docs: &'a Docs) -> Threshold {
        let outer = std::mem::replace(&mut self.place, Place::Threshold);
        let mut threshold = Threshold {
            title: written.title.text.clone(),
            severity: written.severity.node,
            when: Vec::new(),
            until: None,
            unknown_for: None,
            from: Vec::new(),
            notify: Vec::new(),
            escalate: Vec::new(),
            quiet_while: Vec::new(),
            group_by: Vec::new(),
            link: None,
            metrics: Vec::new(),
            doc: doc(docs),
            span: written.title.span,
        };
        self.check_once(written.clauses.iter().filter_map(|clause| Some((once(&clause.kind)?, clause.span))));
        for clause in &written.clauses {
            self.clause(clause, &mut threshold);
        }
        self.place = outer;
        self.check_until(&threshold);
        for clause in &written.clauses {
            if let ThresholdClauseKind::GroupBy { labels } = &clause.kind {
                self.check_labels(labels, &threshold);
                threshold.group_by.extend(labels.iter().map(|label| label.text.clone()));
            }
        }
        threshold
    }

    fn clause(&mut self, clause: &'a ast::ThresholdClause, threshold: &mut Threshold) {
        match &clause.kind {
            ThresholdClauseKind::When { condition, held } => {
                let condition = self.condition(condition, threshold);
                let held = held.as_ref().and_then(|held| {
                    let span = held.span;
                    let held = self.expr_as(held, &Type::Duration, "`for`");
                    let held = self.constant_duration(&held, "`for`")?;
                    self.check_held(held, span, &condition);
                    Some(held)
                });
                threshold.when.push(When { condition, held });
            }
            ThresholdClauseKind::WhenUnknown { held } => {
                let held = match held {
                    Some(held) => {
                        let held = self.expr_as(held, &Type::Duration, "`for`");
                        self.constant_duration(&held, "`for`")
                    }
                    None => Some(SignedDuration::ZERO),
                };
                threshold.unknown_for = held;
            }
            ThresholdClauseKind::Until { condition } => {
                threshold.until = Some(self.condition(condition, threshold));
            }
            ThresholdClauseKind::From { source, names } => self.from(source, names, threshold),
            ThresholdClauseKind::Notify { channels } => threshold.notify.extend(self.channels(channels)),
            ThresholdClauseKind::Escalate { level, trigger } => {
                let number = self.count(level, 1, "a level");
                let when = self.trigger(trigger.as_ref(), threshold);
                if let (Some(number), Some(when)) = (number, when) {
                    self.alerting.escalated.push((number, level.span));
                    threshold.escalate.push(Escalate { level: number, when });
                }
            }
            ThresholdClauseKind::QuietWhile { threshold: title } => {
                threshold.quiet_while.extend(self.threshold_named(title));
            }
            ThresholdClauseKind::GroupBy { .. } => {}
            ThresholdClauseKind::Link { target } => threshold.link = Some(self.link(target)),
        }
    }

    /// Who posts alerts of it. What stands behind one name is told by one threshold, so that it is one alert.
    fn from(&mut self, source: &'a ast::Name, names: &'a [ast::Title], threshold: &mut Threshold) {
        if source.as_str() != ALERTMANAGER {
            let message = format!("nobody takes alerts from `{source}`");
            let diagnostic = Diagnostic::new(Code::UnknownValue, source.span, message);
            let help = format!("write `from {ALERTMANAGER}`: it takes what Alertmanager and Prometheus post");
            self.report(diagnostic.help(help).fix(source.span, ALERTMANAGER.to_owned()));
        }
        if names.is_empty() {
            self.claim_posted(&threshold.title, threshold.span);
            threshold.from.push(threshold.title.clone());
        }
        for name in names {
            self.claim_posted(&name.text, name.span);
            threshold.from.push(name.text.clone());
        }
    }

    fn claim_posted(&mut self, name: &Arc<str>, span: Span) {
        if let Some(first) = self.alerting.posted.insert(Arc::clone(name), span) {
            self.report(super::names::duplicate(name, span, first));
        }
    }

    /// Where to read on. It is in every message, also when nothing can be looked at.
    fn link(&mut self, target: &'a Template) -> Expr {
        let link = self.text_expr(target, false);
        let mut metrics = Vec::new();
        metrics_in(&link, &mut metrics);
        if link.effect != Effect::Pure || !metrics.is_empty() {
            let message = "a link is told when nothing can be looked at, so nothing that is looked up is part of it";
            let help = "put params into it, e.g. `link \"https://wiki.example.com/{page}\"`, or nothing";
            self.report(Diagnostic::new(Code::NotALiteral, link.span, message).help(help));
        }
        link
    }

    fn trigger(&mut self, trigger: Option<&'a EscalateTrigger>, threshold: &mut Threshold) -> Option<EscalateWhen> {
        Some(match trigger {
            None => EscalateWhen::AtOnce,
            Some(EscalateTrigger::After(delay)) => {
                let delay = self.expr_as(delay, &Type::Duration, "`after`");
                EscalateWhen::After(self.constant_duration(&delay, "`after`")?)
            }
            Some(EscalateTrigger::When(condition)) => EscalateWhen::Condition(self.condition(condition, threshold)),
        })
    }

    /// A condition over metrics. It looks at samples that are there: it reads nothing itself.
    fn condition(&mut self, written: &'a ast::Expr, threshold: &mut Threshold) -> Expr {
        let condition = self.expr(written);
        let condition = self.coerce(condition, &Want::new(&Type::Bool, "`when`"));
        let mut metrics = Vec::new();
        metrics_in(&condition, &mut metrics);
        if condition.effect != Effect::Pure {
            let message = format!("a threshold looks at samples, and {} is read", self.quoted(condition.span));
            let help = "measure it: `metric name: bool every 1m = …`, and write `when name`";
            self.report(Diagnostic::new(Code::ThresholdUnmeasured, condition.span, message).help(help));
        } else if metrics.is_empty() && !is_broken(&condition) {
            let message = format!("{} looks at no metric, so no sample decides it", self.quoted(condition.span));
            self.report(Diagnostic::new(Code::ThresholdUnmeasured, condition.span, message));
        }
        for metric in metrics {
            if !threshold.metrics.contains(&metric) {
                threshold.metrics.push(metric);
            }
        }
        condition
    }

    fn check_held(&mut self, held: SignedDuration, span: Span, condition: &Expr) {
        let mut metrics = Vec::new();
        metrics_in(condition, &mut metrics);
        for metric in metrics {
            let Some(every) = self.interval(metric) else { continue };
            if held >= every.1 {
                continue;
            }
            let message =
                format!("{} is shorter than the time between two samples, so `for` never sees two", self.quoted(span));
            let diagnostic = Diagnostic::new(Code::HeldTooBriefly, span, message).label(every.0, "sampled so often");
            self.report(diagnostic.help("write a longer `for`, or sample more often, or leave `for` out"));
            return;
        }
    }

    /// The interval of a metric's samples, as it is written.
    fn interval(&self, metric: MetricId) -> Option<(Span, SignedDuration)> {
        let declaration = self.names.declaration(super::names::What::Metric(metric))?;
        let ItemKind::Metric(metric) = &declaration.item.kind else { return None };
        let every = metric.every.as_ref()?;
        let ast::ExprKind::Quantity(text) = &every.bare().kind else { return None };
        match crate::units::parse_quantity(text) {
            Ok(crate::units::Quantity::Duration(nanoseconds)) => {
                Some((every.span, SignedDuration::from_nanos(nanoseconds)))
            }
            _ => None,
        }
    }

    fn check_labels(&mut self, labels: &[ast::Name], threshold: &Threshold) {
        let names = self.names;
        let known: Vec<&str> = threshold
            .metrics
            .iter()
            .filter_map(|metric| names.declaration(super::names::What::Metric(*metric)))
            .filter_map(|declaration| match &declaration.item.kind {
                ItemKind::Metric(metric) => Some(metric.labels.iter().map(|label| label.name.as_str())),
                _ => None,
            })
            .flatten()
            .collect();
        for label in labels {
            if known.contains(&label.as_str()) || threshold.metrics.is_empty() {
                continue;
            }
            let meant = self.meant(&label.text, known.iter().copied());
            let message = format!("no metric of `{}` has the label `{label}`", threshold.title);
            self.report_unknown(Code::UnknownName, label.span, &message, meant);
        }
    }
}

fn is_broken(expr: &Expr) -> bool {
    let mut broken = matches!(expr.kind, ExprKind::Broken);
    each_part(expr, &mut |part| broken |= is_broken(part));
    broken
}

/// The metrics whose values an expression looks at.
pub(super) fn metrics_in(expr: &Expr, found: &mut Vec<MetricId>) {
    if let ExprKind::Metric(id) = &expr.kind {
        found.push(*id);
    }
    each_part(expr, &mut |part| metrics_in(part, found));
}

/// Calls `visit` with each expression right inside this one.
fn each_part(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    match &expr.kind {
        ExprKind::Field { base, .. } | ExprKind::Convert(base) | ExprKind::Unary { operand: base, .. } => visit(base),
        ExprKind::Index { base, index } => {
            visit(base);
            visit(index);
        }
        ExprKind::Binary { left, right, .. } => {
            visit(left);
            visit(right);
        }
        ExprKind::If { condition, then, otherwise } => {
            visit(condition);
            visit(then);
            visit(otherwise);
        }
        ExprKind::Try { value, otherwise, .. } => {
            visit(value);
            visit(otherwise);
        }
        ExprKind::List(items) | ExprKind::Command { args: items, .. } | ExprKind::Tool { args: items, .. } => {
            items.iter().for_each(visit);
        }
        ExprKind::Record(fields) => fields.iter().for_each(|(_, value)| visit(value)),
        ExprKind::Text(parts) | ExprKind::Template(parts) => parts.iter().for_each(|part| {
            if let TextPart::Value { value, .. } = part {
                visit(value);
            }
        }),
        ExprKind::Call(call) => call.args.iter().flatten().for_each(|arg| match arg {
            CallArg::Value(value) => visit(value),
            CallArg::PerItem(lambda) => visit(&lambda.body),
        }),
        ExprKind::Literal(_)
        | ExprKind::Local(_)
        | ExprKind::Param(_)
        | ExprKind::Secret(_)
        | ExprKind::Connection(_)
        | ExprKind::Metric(_)
        | ExprKind::Run(_)
        | ExprKind::Broken => {}
    }
}
