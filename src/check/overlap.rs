//! Whether the `until` of a threshold can hold while its `when` does. It is tried at the limits that are written, between them
//! and beyond them: a condition on one metric changes nowhere else.

use super::alerting::metrics_in;
use super::checker::Checker;
use super::program::{BinaryOp, Expr, ExprKind, MetricId, Threshold, UnaryOp};
use crate::diagnostics::{Code, Diagnostic};
use crate::types::{Measure, Value};

impl Checker<'_> {
    pub(super) fn check_overlap(&mut self, threshold: &Threshold) {
        let Some(until) = &threshold.until else { return };
        for when in &threshold.when {
            let Some(value) = both(&when.condition, until) else { continue };
            let (when, over) = (self.quoted(when.condition.span), self.quoted(until.span));
            let message = format!("{over} says that it is over, and {when} that it is not, where it is {value}");
            let diagnostic = Diagnostic::new(Code::LimitsOverlap, until.span, message);
            let help =
                "what is over lies on the other side of the limit: `when disk_used > 85%`, `until disk_used < 80%`";
            self.report(diagnostic.help(help));
            return;
        }
    }
}

/// A value for which both hold, where both look at the same metric alone.
fn both(when: &Expr, until: &Expr) -> Option<Value> {
    let mut metrics = Vec::new();
    metrics_in(when, &mut metrics);
    metrics_in(until, &mut metrics);
    let only = *metrics.first()?;
    if metrics.iter().any(|metric| *metric != only) {
        return None;
    }
    let mut limits = Limits { of: only, measure: None, numbers: Vec::new() };
    limits.of(when)?;
    limits.of(until)?;
    let measure = limits.measure?;
    let value = limits.tried(measure).into_iter().find(|value| {
        let holds = |condition| holds(condition, only, *value) == Some(true);
        holds(when) && holds(until)
    })?;
    Some(measure.value(value))
}

/// The numbers that a metric is compared with.
struct Limits {
    of: MetricId,
    measure: Option<Measure>,
    numbers: Vec<f64>,
}

impl Limits {
    /// `None` where there is something in it that is not known before a run.
    fn of(&mut self, expr: &Expr) -> Option<()> {
        match &expr.kind {
            ExprKind::Convert(inner) | ExprKind::Unary { operand: inner, .. } => self.of(inner),
            ExprKind::Binary { left, right, .. } => self.of(left).and_then(|()| self.of(right)),
            ExprKind::Metric(id) if *id == self.of => {
                self.measure = Measure::of(&expr.ty);
                self.measure.map(|_| ())
            }
            _ => {
                self.numbers.push(number(expr)?);
                Some(())
            }
        }
    }

    fn tried(&self, measure: Measure) -> Vec<f64> {
        if measure == Measure::Bool {
            return vec![0.0, 1.0];
        }
        let mut numbers = self.numbers.clone();
        numbers.sort_by(f64::total_cmp);
        if measure == Measure::Int {
            return numbers.iter().flat_map(|limit| [limit.ceil() - 1.0, limit.floor(), limit.floor() + 1.0]).collect();
        }
        let between = numbers.iter().zip(numbers.iter().skip(1)).map(|(a, b)| f64::midpoint(*a, *b));
        let ends = numbers.first().map(|first| first - first.abs() / 2.0 - 1.0).into_iter();
        let ends = ends.chain(numbers.last().map(|last| last + last.abs() / 2.0 + 1.0));
        let mut tried: Vec<f64> = between.chain(ends).collect();
        // What lies between two limits is easier to understand than a limit itself.
        tried.extend(&numbers);
        tried
    }
}

fn number(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        ExprKind::Literal(value) => Measure::of_value(value)?.number(value),
        ExprKind::Convert(inner) => number(inner),
        _ => None,
    }
}

/// Whether a condition holds where the metric is `value`; `None` where it asks something else.
fn holds(expr: &Expr, metric: MetricId, value: f64) -> Option<bool> {
    let side = |expr: &Expr| match &expr.uncovered().kind {
        ExprKind::Metric(id) if *id == metric => Some(value),
        _ => number(expr),
    };
    match &expr.kind {
        ExprKind::Convert(inner) => holds(inner, metric, value),
        ExprKind::Unary { op: UnaryOp::Not, operand } => holds(operand, metric, value).map(|holds| !holds),
        ExprKind::Binary { op: BinaryOp::And, left, right } => {
            Some(holds(left, metric, value)? && holds(right, metric, value)?)
        }
        ExprKind::Binary { op: BinaryOp::Or, left, right } => {
            Some(holds(left, metric, value)? || holds(right, metric, value)?)
        }
        ExprKind::Binary { op, left, right } => {
            let order = side(left)?.total_cmp(&side(right)?);
            Some(match op {
                BinaryOp::Equal => order.is_eq(),
                BinaryOp::NotEqual => order.is_ne(),
                BinaryOp::Less => order.is_lt(),
                BinaryOp::LessOrEqual => order.is_le(),
                BinaryOp::Greater => order.is_gt(),
                BinaryOp::GreaterOrEqual => order.is_ge(),
                _ => return None,
            })
        }
        _ => side(expr).map(|value| value != 0.0),
    }
}
