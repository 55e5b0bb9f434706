//! Whether an `until` holds where the `when` of its threshold does, as far as that is written.

use super::checker::Checker;
use super::constants::constant;
use super::program::{BinaryOp, Expr, ExprKind, MetricId, Threshold};
use crate::diagnostics::{Code, Diagnostic};
use crate::types::{Measure, Value};

/// The values of a metric for which a condition holds.
struct Range {
    metric: MetricId,
    low: End,
    high: End,
}

/// Where they end.
#[derive(Clone, Copy)]
struct End {
    at: f64,
    included: bool,
}

impl Checker<'_> {
    pub(super) fn check_until(&mut self, threshold: &Threshold) {
        let Some((until, closes)) = threshold.until.as_ref().and_then(|until| Some((until, Range::of(until)?))) else {
            return;
        };
        for when in &threshold.when {
            let Some(opens) = Range::of(&when.condition).filter(|opens| opens.meets(&closes)) else { continue };
            let message = format!(
                "{} holds where {} does, and would close what is still so",
                self.quoted(until.span),
                self.quoted(when.condition.span)
            );
            let side = if opens.high.at.is_infinite() { "below" } else { "above" };
            let diagnostic = Diagnostic::new(Code::UntilWhileWhen, until.span, message);
            let help = format!("write an `until` that holds only {side} the limit of the `when`, or leave it out");
            self.report(diagnostic.label(when.condition.span, "what opens it").help(help));
            return;
        }
    }
}

impl Range {
    /// Of a metric beside a value that is written.
    fn of(condition: &Expr) -> Option<Self> {
        let ExprKind::Binary { op, left, right } = &condition.uncovered().kind else { return None };
        let metric = |side: &Expr| match side.uncovered().kind {
            ExprKind::Metric(metric) => Some(metric),
            _ => None,
        };
        match (metric(left), metric(right)) {
            (Some(metric), None) => Self::beside(metric, *op, right),
            (None, Some(metric)) => Self::beside(metric, op.turned()?, left),
            _ => None,
        }
    }

    fn beside(metric: MetricId, op: BinaryOp, value: &Expr) -> Option<Self> {
        let value = constant(value.uncovered())?;
        let at = Measure::of_value(value)?.number(value)?;
        // Between two whole numbers that follow each other is nothing.
        let step = if matches!(value, Value::Int(_)) { 1.0 } else { 0.0 };
        let end = |at: f64, included: bool| End { at, included };
        let (low, high) = (end(f64::NEG_INFINITY, false), end(f64::INFINITY, false));
        Some(match op {
            BinaryOp::Greater => Self { metric, low: end(at + step, step > 0.0), high },
            BinaryOp::GreaterOrEqual => Self { metric, low: end(at, true), high },
            BinaryOp::Less => Self { metric, low, high: end(at - step, step > 0.0) },
            BinaryOp::LessOrEqual => Self { metric, low, high: end(at, true) },
            BinaryOp::Equal => Self { metric, low: end(at, true), high: end(at, true) },
            _ => return None,
        })
    }

    /// Whether there is a value for which both hold.
    fn meets(&self, other: &Self) -> bool {
        let reaches = |low: End, high: End| low.at < high.at || (low.included && high.included && low.at <= high.at);
        self.metric == other.metric && reaches(self.low, other.high) && reaches(other.low, self.high)
    }
}
