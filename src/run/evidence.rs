//! What decided a check that failed: the items, the two sides, the record a field is of.
//!
//! It is made from what has been read for the check; where that is not enough, less is said.

use std::sync::Arc;

use super::context::one_line;
use super::eval::{Evaluation, truth};
use super::items;
use super::scope::Scope;
use super::shown::{cell, rows};
use crate::catalog::Body;
use crate::check::program::{BinaryOp, Call, CallArg, Expr, ExprKind, UnaryOp};
use crate::shown::{Shown, ShownBody};
use crate::source::{Sources, Span};
use crate::types::{Record, Value};

/// How many items are told.
const MOST_ITEMS: usize = 20;
/// How many things are told.
const MOST: usize = 6;

pub(crate) fn evidence(
    evaluation: &Evaluation<'_>,
    sources: &Sources,
    condition: &Expr,
    scope: &Arc<Scope>,
) -> Vec<Shown> {
    let mut search = Search { evaluation, sources, scope, found: Vec::new() };
    search.of(condition, false);
    search.found.truncate(MOST);
    search.found
}

struct Search<'s> {
    evaluation: &'s Evaluation<'s>,
    sources: &'s Sources,
    scope: &'s Arc<Scope>,
    found: Vec<Shown>,
}

impl Search<'_> {
    /// Why an expression is what it is: `value`.
    fn of(&mut self, expr: &Expr, value: bool) {
        match &expr.kind {
            ExprKind::Convert(inner) => self.of(inner, value),
            ExprKind::Unary { op: UnaryOp::Not, operand } => self.of(operand, !value),
            ExprKind::Binary { op: BinaryOp::And | BinaryOp::Or, left, right } => {
                for side in [left, right] {
                    if self.value(side).is_some_and(|side| truth(side).is_ok_and(|side| side == value)) {
                        self.of(side, value);
                    }
                }
            }
            ExprKind::Binary { op, left, right } if *op != BinaryOp::Coalesce => {
                self.side(left);
                self.side(right);
            }
            ExprKind::Call(call) => self.call(call, value),
            ExprKind::Field { base, .. } => {
                let base_value = self.value(base);
                if let Some(fields) = base_value.as_ref().and_then(scalar_fields) {
                    let fields = fields.iter().map(|(name, value)| (name.to_string(), cell(value))).collect();
                    self.tell(base.span, ShownBody::Record { fields });
                }
            }
            _ => {}
        }
    }

    /// One side of a comparison, unless it says itself what it is.
    fn side(&mut self, side: &Expr) {
        let plain = match &side.kind {
            ExprKind::Convert(inner) => inner.as_ref(),
            _ => side,
        };
        if matches!(plain.kind, ExprKind::Literal(_) | ExprKind::List(_)) {
            return;
        }
        if let Some(value) = self.value(side) {
            let body = match &value {
                Value::List(items) => rows(items.iter().map(told).collect(), MOST_ITEMS),
                value => Ok(ShownBody::Value { cell: cell(value) }),
            };
            if let Ok(body) = body {
                self.tell(plain.span, body);
            }
        }
    }

    /// The items that decide a question about all of them, or what was said beside an answer from outside.
    fn call(&mut self, call: &Call, value: bool) {
        if let Body::Outside(_) = call.builtin.body {
            if let Some(remark) = self.evaluation.remark(call, self.scope) {
                let body = ShownBody::Value { cell: cell(&Value::String(remark)) };
                self.found.push(Shown { title: None, body, partial: None });
            }
            return;
        }
        let Some(Some(CallArg::Value(source))) = call.args.first() else { return };
        let question = call.args.iter().flatten().find_map(|arg| match arg {
            CallArg::PerItem(lambda) => Some(lambda),
            CallArg::Value(_) => None,
        });
        // The answer that speaks against the question as a whole; `None` where every item does.
        let guilty = match (call.builtin.name, value) {
            ("all", false) => Some(false),
            ("none", false) | ("any", true) => Some(true),
            ("any" | "is_empty", false) => None,
            _ => return,
        };
        let Some(items) = self.value(source).and_then(|value| items::of(value, self.evaluation.unwanted()).ok()) else {
            return;
        };
        let (mut total, mut deciding, mut kept) = (0u64, 0u64, Vec::new());
        for item in items {
            total += 1;
            let Ok(item) = item else { continue };
            let answer = match question {
                Some(question) => self.evaluation.answer(question, &item, self.scope),
                None => Some(item.clone()),
            };
            let decides = guilty
                .is_none_or(|guilty| answer.is_some_and(|answer| truth(answer).is_ok_and(|answer| answer == guilty)));
            if decides {
                deciding += 1;
                if kept.len() < MOST_ITEMS {
                    kept.push(told(&item));
                }
            }
        }
        if let Ok(mut body) = rows(kept, MOST_ITEMS) {
            if let ShownBody::Table { total, .. } | ShownBody::Lines { total, .. } = &mut body {
                *total = deciding;
            }
            self.found.push(Shown { title: Some(format!("{deciding} of {total}")), body, partial: None });
        }
    }

    fn value(&self, expr: &Expr) -> Option<Value> {
        self.evaluation.tracked(expr, self.scope).ok().map(|tracked| tracked.value)
    }

    fn tell(&mut self, span: Span, body: ShownBody) {
        let title = Some(one_line(self.sources.text(span)));
        self.found.push(Shown { title, body, partial: None });
    }
}

/// An item as it is told: of a record what fits into a row.
fn told(item: &Value) -> Value {
    scalar_fields(item).map_or_else(|| item.clone(), |fields| Value::Record(Arc::new(fields)))
}

fn scalar_fields(value: &Value) -> Option<Record> {
    match value {
        Value::Record(fields) => {
            let scalars = fields.iter().filter(|(_, value)| is_scalar(value));
            Some(scalars.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        _ => None,
    }
}

/// What is told in a few characters. A field that could not be had says nothing of why another one is as it is.
fn is_scalar(value: &Value) -> bool {
    if let Value::Data(data) = value {
        return !data.is_array() && !data.is_object();
    }
    !matches!(
        value,
        Value::Faulted(_)
            | Value::List(_)
            | Value::Record(_)
            | Value::Log(_)
            | Value::Secret(_)
            | Value::Connection(_)
            | Value::Template(_)
    )
}
