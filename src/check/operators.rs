//! What operators make of the types of their sides.

use super::checker::{Checker, broken};
use super::constants::{constant, negated};
use super::convert::Want;
use super::literals::literal;
use super::program::{BinaryOp, Expr, ExprKind, UnaryOp};
use super::wording::a;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Type, Value};
use crate::units::Counted;

impl<'a> Checker<'a> {
    pub(super) fn unary(&mut self, op: UnaryOp, operand: &'a ast::Expr, span: Span) -> Expr {
        let operand = self.expr(operand);
        match op {
            UnaryOp::Not => {
                let operand = self.coerce(operand, &Want::new(&Type::Bool, "`not`"));
                combined(ExprKind::Unary { op, operand: Box::new(operand.clone()) }, Type::Bool, &[&operand], span)
            }
            UnaryOp::Negate => self.negation(operand, span),
        }
    }

    fn negation(&mut self, operand: Expr, span: Span) -> Expr {
        let operand = self.present(operand);
        if let Some(value) = constant(&operand)
            && let Some(value) = negated(value)
        {
            return literal(value, operand.ty, span);
        }
        let operand = if operand.ty == Type::Data { convert(operand, Type::Float) } else { operand };
        if !operand.ty.is_number() && !operand.ty.is_unknown() {
            let message = format!("`-` is for numbers, {}", self.claim(&operand));
            self.report(Diagnostic::new(Code::TypeMismatch, operand.span, message));
            return broken(span);
        }
        let ty = operand.ty.clone();
        combined(ExprKind::Unary { op: UnaryOp::Negate, operand: Box::new(operand.clone()) }, ty, &[&operand], span)
    }

    pub(super) fn binary(
        &mut self,
        op: BinaryOp,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        people: bool,
        span: Span,
    ) -> Expr {
        let people = people && op == BinaryOp::Coalesce;
        let (left, right) = (self.read_by_people(people, left), self.read_by_people(people, right));
        match op {
            BinaryOp::Or | BinaryOp::And => {
                let what = format!("a side of `{}`", op.symbol());
                let left = self.coerce(left, &Want::new(&Type::Bool, &what));
                let right = self.coerce(right, &Want::new(&Type::Bool, &what));
                operation(op, left, right, Type::Bool, span)
            }
            BinaryOp::Coalesce => self.coalesce(left, right, span),
            BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => {
                self.arithmetic(op, left, right, span)
            }
            _ => self.comparison(op, left, right, span),
        }
    }

    /// `a ?? b`: the type of `a` without its `?`, joined with that of `b`.
    fn coalesce(&mut self, left: Expr, right: Expr, span: Span) -> Expr {
        let wanted = left.ty.present().clone();
        let right = match &left.ty {
            // A number in data that an int stands in for is data still: it need not be whole because 0 is.
            Type::Data if right.ty == Type::Int => convert(right, Type::Data),
            // Data that is missing is missing data.
            Type::Data if right.ty == Type::Null => convert(right, Type::Data),
            // Data may be null: what stands in for it is a value of its own type, and so is the result.
            Type::Data if right.ty != Type::Data && right.ty.is_data_like() => {
                let ty = right.ty.clone();
                let left = convert(left, ty.clone().optional());
                return operation(BinaryOp::Coalesce, left, right, ty, span);
            }
            Type::Null | Type::Unknown => right,
            _ if wanted.join(&right.ty).is_some() => self.literal_of(right, &wanted),
            _ => {
                if wanted.is_number() && right.ty.present().is_number() {
                    self.report_units(&left, &right);
                } else {
                    let message = format!("{} stands in for {}", a(&right.ty), a(&wanted));
                    let diagnostic =
                        Diagnostic::new(Code::TypeMismatch, right.span, message).label(left.span, &left.ty);
                    self.report(diagnostic);
                }
                return broken(span);
            }
        };
        let ty = wanted.join(&right.ty).unwrap_or_else(|| right.ty.clone());
        operation(BinaryOp::Coalesce, left, right, ty, span)
    }

    fn arithmetic(&mut self, op: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
        let (left, right) = (self.present(left), self.present(right));
        let (left, right) = beside_a_time(op, left, right);
        let (left, right) = (plain(left), plain(right));
        if left.ty.is_unknown() || right.ty.is_unknown() {
            return operation(op, left, right, Type::Unknown, span);
        }
        match result(op, &left.ty, &right.ty) {
            Some(Type::Date) => {
                self.check_whole_days(&right);
                operation(op, left, right, Type::Date, span)
            }
            Some(ty) => {
                let expr = operation(op, left, right, ty, span);
                self.fold(expr)
            }
            None => {
                self.report_arithmetic(op, &left, &right);
                broken(span)
            }
        }
    }

    fn check_whole_days(&mut self, moved_by: &Expr) {
        let Some(Value::Duration(duration)) = constant(moved_by) else { return };
        if duration.as_nanos() % 86_400_000_000_000 != 0 {
            let message = format!("a date moves by whole days, and {} is not", self.quoted(moved_by.span));
            let help = "a time moves by anything: `run.scheduled_at - 6h`";
            self.report(Diagnostic::new(Code::UnitMismatch, moved_by.span, message).help(help));
        }
    }

    fn report_arithmetic(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        let additive = matches!(op, BinaryOp::Add | BinaryOp::Subtract);
        if additive && left.ty.is_number() && right.ty.is_number() {
            self.report_units(left, right);
            return;
        }
        let verb = match op {
            BinaryOp::Add => "added to",
            BinaryOp::Subtract => "subtracted from",
            BinaryOp::Multiply => "multiplied by",
            _ => "divided by",
        };
        // `a - b` takes b from a: the sentence turns around.
        let (subject, object) = if additive { (right, left) } else { (left, right) };
        let message = format!("{} cannot be {verb} {}", a(&subject.ty), a(&object.ty));
        let code = if left.ty.is_number() && right.ty.is_number() { Code::UnitMismatch } else { Code::TypeMismatch };
        let mut diagnostic = Diagnostic::new(code, right.span, message).at(&right.ty).label(left.span, &left.ty);
        if op == BinaryOp::Add && (left.ty.is_text() || right.ty.is_text()) {
            diagnostic = diagnostic.help("put values into a text: `\"{a}{b}\"`");
        }
        self.report(diagnostic);
    }

    /// The expression, where it cannot be missing; one that may be missing is reported.
    pub(super) fn present(&mut self, expr: Expr) -> Expr {
        if !expr.ty.is_optional() {
            return expr;
        }
        let span = expr.span;
        self.report_missing(&expr);
        Expr { ty: Type::Unknown, ..broken(span) }
    }

    /// The same of a side of `<` and its like. No value is proposed: with `?? 0s` a limit would hold exactly where nothing
    /// is known.
    pub(super) fn present_in_order(&mut self, expr: Expr) -> Expr {
        if !expr.ty.is_optional() {
            return expr;
        }
        let span = expr.span;
        let help = "what is missing is within no limit: `check … != null` says that it is there, and what stands in behind `??` has to be a value with which the check does not pass: inside of `none`, `not` and `where(…) | is_empty` that is one with which this holds, elsewhere one with which it does not";
        self.report_missing_as(&expr, help);
        Expr { ty: Type::Unknown, ..broken(span) }
    }

    /// Says that a value may be missing where it must be there.
    pub(super) fn report_missing(&mut self, expr: &Expr) {
        let stand_in = expr.ty.stand_in();
        let written = self.text(expr.span);
        let help = if is_field_of_item(written) {
            format!(
                "say what stands in for it: `{written} ?? {stand_in}`; `| where({written} != null)` before it leaves out what has none"
            )
        } else {
            format!("say what stands in for it: `… ?? {stand_in}`")
        };
        self.report_missing_as(expr, &help);
    }

    fn report_missing_as(&mut self, expr: &Expr, help: &str) {
        let message = format!("{} may be missing", self.quoted(expr.span));
        let mut diagnostic = Diagnostic::new(Code::MissingValue, expr.span, message).at(&expr.ty);
        if let Some(declared) = self.declared_at(expr) {
            diagnostic = diagnostic.label(declared, "declared here");
        }
        self.report(diagnostic.help(help));
    }
}

/// `.time`, `it?.time`: what each item of a list has, or has not.
fn is_field_of_item(written: &str) -> bool {
    (written.starts_with('.') || written.starts_with("it.") || written.starts_with("it?"))
        && written.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '?'))
}

/// What is taken from a time, or what a time is taken from, is a time: data is never a duration.
fn beside_a_time(op: BinaryOp, left: Expr, right: Expr) -> (Expr, Expr) {
    let point = |expr: &Expr| Some(expr.ty.clone()).filter(|ty| matches!(ty, Type::Time | Type::Date));
    match (op, point(&left), point(&right)) {
        (BinaryOp::Subtract, Some(ty), None) if right.ty == Type::Data => (left, convert(right, ty)),
        (BinaryOp::Subtract, None, Some(ty)) if left.ty == Type::Data => (convert(left, ty), right),
        _ => (left, right),
    }
}

/// A number in data is a float where it is computed with.
fn plain(expr: Expr) -> Expr {
    if expr.ty == Type::Data { convert(expr, Type::Float) } else { expr }
}

/// The expression as another type.
pub(super) fn convert(expr: Expr, ty: Type) -> Expr {
    let (effect, span) = (expr.effect, expr.span);
    Expr { kind: ExprKind::Convert(Box::new(expr)), ty, effect, span }
}

pub(super) fn operation(op: BinaryOp, left: Expr, right: Expr, ty: Type, span: Span) -> Expr {
    let effect = left.effect.max(right.effect);
    Expr { kind: ExprKind::Binary { op, left: Box::new(left), right: Box::new(right) }, ty, effect, span }
}

/// An expression that does what its parts do.
pub(super) fn combined(kind: ExprKind, ty: Type, parts: &[&Expr], span: Span) -> Expr {
    let effect = parts.iter().map(|part| part.effect).max().unwrap_or(crate::catalog::Effect::Pure);
    Expr { kind, ty, effect, span }
}

/// The type that an operation gives; `None` where it has no meaning.
fn result(op: BinaryOp, left: &Type, right: &Type) -> Option<Type> {
    match op {
        BinaryOp::Add => sum(left, right).or_else(|| moved(left, right)).or_else(|| moved(right, left)),
        BinaryOp::Subtract => sum(left, right).or_else(|| moved(left, right)).or_else(|| difference(left, right)),
        BinaryOp::Multiply => product(left, right).or_else(|| product(right, left)),
        _ => quotient(left, right),
    }
}

fn sum(left: &Type, right: &Type) -> Option<Type> {
    match (left, right) {
        (Type::Int, Type::Float) | (Type::Float, Type::Int) => Some(Type::Float),
        (Type::Percent, Type::Float) | (Type::Float, Type::Percent) => Some(Type::Percent),
        (left, right) if left == right && left.is_number() => Some(left.clone()),
        _ => None,
    }
}

/// An instant or a day, moved by a duration.
fn moved(point: &Type, by: &Type) -> Option<Type> {
    (matches!(point, Type::Time | Type::Date) && *by == Type::Duration).then(|| point.clone())
}

fn difference(left: &Type, right: &Type) -> Option<Type> {
    (left == right && matches!(left, Type::Time | Type::Date)).then_some(Type::Duration)
}

fn product(left: &Type, right: &Type) -> Option<Type> {
    Some(match (left, right) {
        (Type::Int, Type::Int) => Type::Int,
        (Type::Percent, Type::Percent) => Type::Percent,
        (left, right) if left.is_plain_number() && right.is_plain_number() => Type::Float,
        (left, right) if left.is_number() && right.is_plain_number() => left.clone(),
        (Type::Rate(Counted::Items), Type::Duration) => Type::Float,
        (Type::Rate(Counted::Bytes), Type::Duration) => Type::Size,
        _ => return None,
    })
}

fn quotient(left: &Type, right: &Type) -> Option<Type> {
    Some(match (left, right) {
        (Type::Percent, Type::Int | Type::Float) => Type::Percent,
        (left, right) if left.is_plain_number() && right.is_plain_number() => Type::Float,
        (left, right) if left == right && left.is_number() => Type::Float,
        (left, right) if left.is_number() && right.is_plain_number() => left.clone(),
        (Type::Size, Type::Duration) => Type::Rate(Counted::Bytes),
        (Type::Int | Type::Float, Type::Duration) => Type::Rate(Counted::Items),
        (Type::Size, Type::Rate(Counted::Bytes)) | (Type::Int | Type::Float, Type::Rate(Counted::Items)) => {
            Type::Duration
        }
        _ => return None,
    })
}
