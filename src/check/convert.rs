//! Whether a value fits the place where it is put, and what it takes to make it fit.

use std::sync::Arc;

use super::checker::{Checker, broken};
use super::constants::constant;
use super::literals::literal;
use super::operators::convert;
use super::program::{Expr, ExprKind};
use super::wording::a;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::types::{Field, RecordType, Type, Value};

/// What a place takes.
#[derive(Clone, Copy)]
pub(super) struct Want<'w> {
    pub(super) ty: &'w Type,
    /// The place, in a message: `` `since` ``.
    pub(super) what: &'w str,
    /// Where that is said.
    pub(super) declared: Option<Span>,
}

impl<'w> Want<'w> {
    pub(super) const fn new(ty: &'w Type, what: &'w str) -> Self {
        Self { ty, what, declared: None }
    }

    pub(super) const fn declared(self, span: Span) -> Self {
        Self { declared: Some(span), ..self }
    }
}

impl Checker<'_> {
    /// The expression as the type that its place takes; a report where it cannot be that.
    pub(super) fn coerce(&mut self, expr: Expr, want: &Want<'_>) -> Expr {
        if expr.ty.is_unknown() || want.ty.is_unknown() {
            return expr;
        }
        let expr = self.literal_of(expr, want.ty);
        if expr.ty.fits(want.ty) {
            return if needs_conversion(&expr.ty, want.ty) { convert(expr, want.ty.clone()) } else { expr };
        }
        self.report_misfit(&expr, want);
        broken(expr.span)
    }

    /// A literal, read as the type that is wanted: `"Running"` as a pod's status, `3` as a float.
    pub(super) fn literal_of(&mut self, expr: Expr, wanted: &Type) -> Expr {
        let wanted = wanted.present();
        match (expr.kind, wanted) {
            (ExprKind::Literal(Value::String(text)), Type::Enum(words)) => {
                self.check_word(words, &text, expr.span);
                literal(Value::String(text), wanted.clone(), expr.span)
            }
            (ExprKind::Literal(Value::Int(value)), Type::Float) => {
                #[expect(clippy::cast_precision_loss, reason = "the nearest double is what a float can say")]
                let value = value as f64;
                literal(Value::Float(value), Type::Float, expr.span)
            }
            (ExprKind::Literal(Value::Float(value)), Type::Percent) => {
                literal(Value::Percent(value), Type::Percent, expr.span)
            }
            (ExprKind::Literal(Value::Percent(value)), Type::Float) => {
                literal(Value::Float(value), Type::Float, expr.span)
            }
            (ExprKind::List(items), Type::List(item)) => self.list_of(items, item, expr.ty, expr.effect, expr.span),
            (ExprKind::Record(fields), Type::Record(_)) => self.record_of(
                fields,
                wanted,
                Expr { kind: ExprKind::Broken, ..expr_shell(&expr.ty, expr.effect, expr.span) },
            ),
            (kind, _) => Expr { kind, ty: expr.ty, effect: expr.effect, span: expr.span },
        }
    }

    fn list_of(&mut self, items: Vec<Expr>, item: &Type, ty: Type, effect: crate::catalog::Effect, span: Span) -> Expr {
        let items: Vec<Expr> = items.into_iter().map(|expr| self.literal_of(expr, item)).collect();
        let joined = items.iter().try_fold(Type::Unknown, |joined, item| joined.join(&item.ty));
        let ty = match joined {
            Some(joined) if !items.is_empty() => Type::list(joined),
            _ => ty,
        };
        Expr { kind: ExprKind::List(items), ty, effect, span }
    }

    fn record_of(&mut self, fields: Vec<(Arc<str>, Expr)>, wanted: &Type, shell: Expr) -> Expr {
        let (Type::Record(wanted), Type::Record(own)) = (wanted, &shell.ty) else {
            return Expr { kind: ExprKind::Record(fields), ..shell };
        };
        let mut record = own.as_ref().clone();
        let fields = fields
            .into_iter()
            .map(|(name, value)| {
                let Some(field) = wanted.fields.get(&name) else { return (name, value) };
                let value = self.literal_of(value, &field.ty);
                if let Some(own) = record.fields.get_mut(&name) {
                    own.ty = value.ty.clone();
                }
                (name, value)
            })
            .collect();
        Expr { kind: ExprKind::Record(fields), ty: Type::Record(Arc::new(record)), ..shell }
    }

    fn report_misfit(&mut self, expr: &Expr, want: &Want<'_>) {
        if holds_secret(&expr.ty) && !holds_secret(want.ty) {
            self.report_secret(expr, want.what);
            return;
        }
        let (found, wanted) = (expr.ty.present(), want.ty.present());
        if expr.ty.is_optional() && (found.fits(wanted) || expr.ty == Type::Null) {
            self.report_missing(expr);
            return;
        }
        if found.is_number() && wanted.is_number() {
            let mut diagnostic = self.unit_mismatch(expr, wanted, want.what);
            if let Some(declared) = want.declared {
                diagnostic = diagnostic.label(declared, format!("{wanted}: declared here"));
            }
            self.report(diagnostic);
            return;
        }
        // That it may be left out is not what is wrong with what is there.
        let shown = if expr.ty.is_optional() { want.ty } else { wanted };
        let message = format!("{} is {}, {}", want.what, a(shown), self.claim(expr));
        let mut diagnostic =
            Diagnostic::new(Code::TypeMismatch, expr.span, message).at(super::wording::type_text(&expr.ty));
        if let Some(declared) = want.declared {
            diagnostic = diagnostic.label(declared, format!("{}: declared here", super::wording::type_text(want.ty)));
        }
        if let Some(declared) = self.declared_at(expr) {
            diagnostic = diagnostic.label(declared, "declared here");
        }
        if let Some(help) = self.misfit_help(expr, wanted) {
            diagnostic = diagnostic.help(help);
        }
        self.report(diagnostic);
    }

    fn misfit_help(&self, expr: &Expr, wanted: &Type) -> Option<String> {
        match (&expr.ty, wanted) {
            (Type::List(found), Type::List(wanted)) => match (found.as_ref(), wanted.as_ref()) {
                (Type::Record(found), Type::Record(wanted)) => misfit_of_field(found, wanted),
                _ => None,
            },
            (found, Type::Secret) if found.is_text() => {
                Some("declare `secret name = env(\"NAME\")`, and write its name here".to_owned())
            }
            (Type::Regex, Type::String) => {
                Some("write a text in quotes; a pattern is what `~` and `capture` take".to_owned())
            }
            (Type::List(_), Type::String) => {
                Some("ask each item, `… | any(it == \"…\")`, or whether one is in it: `\"…\" in …`".to_owned())
            }
            (found, Type::String) if !holds_secret(found) => Some("put it into a text: `\"{…}\"`".to_owned()),
            (found, Type::Data) if found.is_number() => {
                let divided = self.divided(expr);
                Some(format!("a quantity has no one meaning as JSON; divide it by its unit: `{divided}`"))
            }
            (Type::Record(_), Type::Data) => match &expr.kind {
                ExprKind::Record(fields) => {
                    let (name, quantity) = fields.iter().find(|(_, value)| value.ty.present().one().is_some())?;
                    let divided = self.divided(quantity);
                    Some(format!("a quantity has no one meaning as JSON; divide it by its unit: `{name}: {divided}`"))
                }
                _ => None,
            },
            (found, Type::List(item)) if found.fits(item) => {
                Some(format!("write a list: `[{}]`", self.text(expr.span)))
            }
            (Type::List(_), Type::Bool) => Some("say which: `… | any(…)`, `… | all(…)` or `… | is_empty`".to_owned()),
            (found, Type::Bool) if found.is_ordered() => Some("compare it, e.g. `… == …`".to_owned()),
            (Type::String, wanted) if unquoted(expr, wanted).is_some() => {
                Some(format!("write `{}`, without quotes", unquoted(expr, wanted).unwrap_or_default()))
            }
            (Type::Record(found), wanted) if !matches!(wanted, Type::Record(_)) => {
                let fields = found.fields.iter().filter(|(_, field)| field.ty == *wanted).take(4);
                let fields: Vec<String> = fields.map(|(name, _)| format!(".{name}")).collect();
                let fields = super::wording::alternatives(fields.iter().map(String::as_str));
                (!fields.is_empty()).then(|| format!("take a field of it: {fields}"))
            }
            (found, Type::Regex) if found.is_text() && constant(expr).is_some() => {
                Some("a pattern is written between slashes: `/error/i`".to_owned())
            }
            (Type::Record(found), Type::Record(wanted)) => misfit_of_field(found, wanted),
            _ => None,
        }
    }

    /// A secret on its way to where it could be seen.
    pub(super) fn report_secret(&mut self, expr: &Expr, what: &str) {
        let message = if matches!(expr.ty.present(), Type::Secret) {
            format!("{} is a secret, and {what} could be seen", self.quoted(expr.span))
        } else {
            format!("a secret is in {}, and {what} could be seen", self.quoted(expr.span))
        };
        let help = "a secret goes only to parameters that take one, such as `bearer:`";
        self.report(Diagnostic::new(Code::SecretExposed, expr.span, message).help(help));
    }
}

/// The field of a record that is not as it is wanted.
fn misfit_of_field(found: &RecordType, wanted: &RecordType) -> Option<String> {
    let misfit = |name: &Arc<str>, field: &Field| found.fields.get(name).is_none_or(|own| !own.ty.fits(&field.ty));
    let (name, field) = wanted.fields.iter().find(|(name, field)| misfit(name, field))?;
    Some(match found.fields.get(name) {
        Some(own) => format!("its field `{name}` is {}, {} is wanted", a(&own.ty), a(&field.ty)),
        None => format!("it has no field `{name}`"),
    })
}

/// The text of a literal that would be what is wanted if it stood there without its quotes.
pub(super) fn unquoted(expr: &Expr, wanted: &Type) -> Option<String> {
    let Some(Value::String(text)) = constant(expr) else { return None };
    let is_wanted = wanted.is_number() || matches!(wanted, Type::Bool | Type::Date | Type::Time | Type::Clock);
    let value = super::setting(wanted, text).ok().filter(|_| is_wanted)?;
    match value {
        // A time is written in UTC, to the second.
        Value::Time(time) => (time.subsec_nanosecond() == 0).then(|| time.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Float(_) if text.contains(['e', 'E']) => None,
        _ => Some(text.to_string()),
    }
}

fn expr_shell(ty: &Type, effect: crate::catalog::Effect, span: Span) -> Expr {
    Expr { kind: ExprKind::Broken, ty: ty.clone(), effect, span }
}

/// Whether a secret is somewhere in values of a type.
pub(super) fn holds_secret(ty: &Type) -> bool {
    match ty {
        Type::Secret => true,
        Type::List(inner) | Type::Optional(inner) => holds_secret(inner),
        Type::Record(record) => record.fields.values().any(|field| holds_secret(&field.ty)),
        _ => false,
    }
}

/// Whether a value that fits has another form where it is wanted.
fn needs_conversion(found: &Type, wanted: &Type) -> bool {
    match (found, wanted) {
        (Type::Unknown | Type::Null, _) | (_, Type::Unknown) | (Type::Data, Type::Data) => false,
        (Type::Data, _) | (_, Type::Data) | (Type::Int | Type::Percent, Type::Float) | (Type::Float, Type::Percent) => {
            true
        }
        (found, Type::Optional(wanted)) => needs_conversion(found.present(), wanted),
        (Type::List(found), Type::List(wanted)) => needs_conversion(found, wanted),
        (Type::Record(found), Type::Record(wanted)) => {
            found != wanted
                && wanted
                    .fields
                    .iter()
                    .any(|(name, field)| found.fields.get(name).is_some_and(|own| needs_conversion(&own.ty, &field.ty)))
        }
        _ => false,
    }
}
