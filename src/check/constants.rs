//! What is known before anything runs: arithmetic on literals.

use jiff::SignedDuration;

use super::checker::Checker;
use super::literals::literal;
use super::program::{BinaryOp, Expr, ExprKind};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::types::{Type, Value};

/// The value of a literal.
pub(super) fn constant(expr: &Expr) -> Option<&Value> {
    match &expr.kind {
        ExprKind::Literal(value) => Some(value),
        _ => None,
    }
}

/// Whether it is made of literals and params alone: nothing from outside is in it.
pub(super) fn is_from_here(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Param(_) | ExprKind::Broken => true,
        ExprKind::List(items) => items.iter().all(is_from_here),
        ExprKind::Record(fields) => fields.iter().all(|(_, value)| is_from_here(value)),
        ExprKind::Convert(inner) => is_from_here(inner),
        _ => false,
    }
}

impl Checker<'_> {
    /// Computes an operation on literals; as it is where it is not one.
    pub(super) fn fold(&mut self, expr: Expr) -> Expr {
        let ExprKind::Binary { op, left, right } = &expr.kind else { return expr };
        if *op == BinaryOp::Divide && constant(right).is_some_and(is_zero) {
            let message = format!("{} divides by zero", self.quoted(expr.span));
            self.report(Diagnostic::new(Code::DivisionByZero, right.span, message));
            return super::checker::broken(expr.span);
        }
        let (Some(a), Some(b)) = (constant(left), constant(right)) else { return expr };
        match arithmetic(*op, a, b) {
            Folded::Value(value) => literal(value, expr.ty.clone(), expr.span),
            Folded::Overflow => self.overflowed(&expr.ty, expr.span),
            Folded::Not => expr,
        }
    }

    fn overflowed(&mut self, ty: &Type, span: Span) -> Expr {
        let message = format!("{} is more than {} can hold", self.quoted(span), super::wording::a(ty));
        self.report(Diagnostic::new(Code::NumberOverflow, span, message));
        super::checker::broken(span)
    }

    /// A duration that must be known before anything runs: of a schedule, a `for`, an escalation.
    pub(super) fn constant_duration(&mut self, expr: &Expr, what: &str) -> Option<SignedDuration> {
        match (&expr.kind, &expr.ty) {
            (ExprKind::Literal(Value::Duration(duration)), _) if duration.is_positive() => Some(*duration),
            (ExprKind::Literal(Value::Duration(_)), _) => {
                let message = format!("{what} is longer than nothing, and not {}", self.quoted(expr.span));
                self.report(Diagnostic::new(Code::InvalidLiteral, expr.span, message));
                None
            }
            (_, Type::Unknown) => None,
            _ => {
                let message =
                    format!("{what} must be known before anything runs, and {} is not", self.quoted(expr.span));
                self.report(
                    Diagnostic::new(Code::NotALiteral, expr.span, message).help("write a duration, e.g. `15m`"),
                );
                None
            }
        }
    }
}

/// The negative of a literal number.
pub(super) fn negated(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Int(value) => Value::Int(value.checked_neg()?),
        Value::Float(value) => Value::Float(-value),
        Value::Percent(value) => Value::Percent(-value),
        Value::Size(value) => Value::Size(value.checked_neg()?),
        Value::Cores(value) => Value::Cores(-value),
        Value::Rate(value, counted) => Value::Rate(-value, *counted),
        Value::Duration(value) => Value::Duration(value.checked_neg()?),
        _ => return None,
    })
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Int(value) | Value::Size(value) => *value == 0,
        Value::Float(value) | Value::Percent(value) | Value::Cores(value) | Value::Rate(value, _) => *value == 0.0,
        Value::Duration(value) => value.is_zero(),
        _ => false,
    }
}

enum Folded {
    Value(Value),
    Overflow,
    Not,
}

/// Integers, sizes and durations: what can overflow. The rest is left to the run, which computes the same.
fn arithmetic(op: BinaryOp, a: &Value, b: &Value) -> Folded {
    let checked = |value: Option<Value>| value.map_or(Folded::Overflow, Folded::Value);
    match (op, a, b) {
        (BinaryOp::Add, Value::Int(a), Value::Int(b)) => checked(a.checked_add(*b).map(Value::Int)),
        (BinaryOp::Subtract, Value::Int(a), Value::Int(b)) => checked(a.checked_sub(*b).map(Value::Int)),
        (BinaryOp::Multiply, Value::Int(a), Value::Int(b)) => checked(a.checked_mul(*b).map(Value::Int)),
        (BinaryOp::Add, Value::Size(a), Value::Size(b)) => checked(a.checked_add(*b).map(Value::Size)),
        (BinaryOp::Subtract, Value::Size(a), Value::Size(b)) => checked(a.checked_sub(*b).map(Value::Size)),
        (BinaryOp::Multiply, Value::Size(a), Value::Int(b)) | (BinaryOp::Multiply, Value::Int(b), Value::Size(a)) => {
            checked(a.checked_mul(*b).map(Value::Size))
        }
        (BinaryOp::Add, Value::Duration(a), Value::Duration(b)) => {
            checked(a.as_nanos().checked_add(b.as_nanos()).and_then(Value::duration))
        }
        (BinaryOp::Subtract, Value::Duration(a), Value::Duration(b)) => {
            checked(a.as_nanos().checked_sub(b.as_nanos()).and_then(Value::duration))
        }
        (BinaryOp::Multiply, Value::Duration(a), Value::Int(b))
        | (BinaryOp::Multiply, Value::Int(b), Value::Duration(a)) => {
            checked(a.as_nanos().checked_mul(i128::from(*b)).and_then(Value::duration))
        }
        _ => Folded::Not,
    }
}
