//! Expressions: what each kind of them is and gives.

use std::sync::Arc;

use indexmap::IndexMap;

use super::calls::Position;
use super::checker::{Checker, broken};
use super::convert::Want;
use super::cycles::Node;
use super::names::{PREDECLARED, What};
use super::operators::combined;
use super::program::{Expr, ExprKind};
use super::wording::a;
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Name};
use crate::types::{FaultKind, Field, RecordType, Type};

impl<'a> Checker<'a> {
    /// Checks an expression.
    pub(super) fn expr(&mut self, expr: &'a ast::Expr) -> Expr {
        let span = expr.span;
        let people = self.take_for_people();
        if let Some(literal) = self.literal_expr(expr) {
            return literal;
        }
        match &expr.kind {
            ast::ExprKind::Template(template) => self.text_expr(template, people),
            ast::ExprKind::Name(name) => self.name(name),
            ast::ExprKind::It => self.it(span),
            ast::ExprKind::OwnField { name } => self.own_field(name, span),
            ast::ExprKind::Field { base, optional, name } => self.field(base, *optional, name, span),
            ast::ExprKind::Index { base, index } => self.index(base, index, span),
            ast::ExprKind::Unary { op, operand } => self.unary(op.node, operand, span),
            ast::ExprKind::Binary { left, op, right } => self.binary(op.node, left, right, people, span),
            ast::ExprKind::If { condition, then, otherwise } => self.if_else(condition, then, otherwise, people, span),
            ast::ExprKind::Try { value, on, otherwise } => self.try_otherwise(value, on, otherwise, people, span),
            ast::ExprKind::List(items) => self.list(items, people, span),
            ast::ExprKind::Record(entries) => self.record(entries, people, span),
            ast::ExprKind::Paren(inner) => Expr { span, ..self.read_by_people(people, inner) },
            ast::ExprKind::Lambda { .. } => {
                let help = "only an argument that is asked for each item is written so: `where(p => p.ready)`";
                self.report(Diagnostic::new(Code::TypeMismatch, span, "a value is wanted here, not `=>`").help(help));
                self.touch(expr);
                broken(span)
            }
            _ => self.called(expr, Position::Value, people),
        }
    }

    /// An expression for a place of a known type.
    pub(super) fn expr_as(&mut self, expr: &'a ast::Expr, ty: &Type, what: &str) -> Expr {
        let expr = self.expr(expr);
        self.coerce(expr, &Want::new(ty, what))
    }

    /// Takes note of the names in an expression that is not checked, so that nobody calls them unused.
    pub(super) fn touch(&mut self, expr: &'a ast::Expr) {
        if let ast::ExprKind::Name(name) = &expr.kind {
            self.touch_name(&name.text);
        }
        if let Some(call) = expr.as_call()
            && let [name, ..] = call.path
        {
            self.touch_name(&name.text);
        }
        expr.each_child(&mut |child| self.touch(child));
    }

    fn touch_name(&mut self, name: &str) {
        if let Some(local) = self.scope.find(name) {
            self.scope.mark_used(local);
        } else if let Some(declaration) = self.names.find(self.module, name) {
            declaration.used.set(true);
        }
    }

    fn name(&mut self, name: &'a Name) -> Expr {
        if let Some(local) = self.scope.find(&name.text) {
            self.scope.mark_used(local);
            return pure(ExprKind::Local(local), self.local_type(local), name.span);
        }
        let Some(declaration) = self.names.find(self.module, &name.text) else {
            if *name.text == *PREDECLARED {
                let help = "write `run.date`, `run.scheduled_at`, `run.started_at` or `run.id`";
                self.report(Diagnostic::new(Code::TypeMismatch, name.span, "`run` is not a value").help(help));
            } else {
                self.report_unknown_name(&name.text, name.span);
            }
            return broken(name.span);
        };
        declaration.used.set(true);
        self.declared(declaration.what, name)
    }

    /// The value that a declared name stands for.
    pub(super) fn declared(&mut self, what: What, name: &Name) -> Expr {
        self.needs.add(Node::Declared(what));
        let signatures = Arc::clone(&self.signatures);
        let (kind, ty) = match what {
            What::Param(id) => (ExprKind::Param(id), signatures.param(id)),
            What::Secret(id) => (ExprKind::Secret(id), Type::Secret),
            What::Connection(id) => (ExprKind::Connection(id), signatures.connection(id)),
            What::Metric(id) if self.place.knows_metrics() => (ExprKind::Metric(id), signatures.metric(id)),
            What::Module(None) => return broken(name.span),
            other => {
                self.report_no_value(other, name);
                return broken(name.span);
            }
        };
        pure(kind, ty, name.span)
    }

    fn report_no_value(&mut self, what: What, name: &Name) {
        let (message, help) = match what {
            What::Metric(_) => (
                format!("`{name}` is a metric, which has a value only in a threshold"),
                format!("take a sample with `measure {name}`, or look back with `history({name}, over: 1d)`"),
            ),
            What::Tool(_) | What::Command(_) => {
                (format!("`{name}` is a {}, which is called", what.noun()), format!("write `{name}(…)`"))
            }
            What::Channel(_) => (
                format!("`{name}` is a channel, which has no value"),
                format!("tell people with `notify {name} \"…\"`"),
            ),
            _ => (format!("`{name}` is a file"), format!("name what you want of it: `{name}.…`")),
        };
        self.report(Diagnostic::new(Code::TypeMismatch, name.span, message).help(help));
    }

    fn if_else(
        &mut self,
        condition: &'a ast::Expr,
        then: &'a ast::Expr,
        otherwise: &'a ast::Expr,
        people: bool,
        span: Span,
    ) -> Expr {
        let condition = self.expr_as(condition, &Type::Bool, "a condition");
        let (then, otherwise) = (self.read_by_people(people, then), self.read_by_people(people, otherwise));
        let (then, otherwise, ty) = self.joined(then, otherwise, "the two results");
        let parts = [&condition, &then, &otherwise];
        let effect = parts.iter().map(|part| part.effect).max().unwrap_or(Effect::Pure);
        let kind =
            ExprKind::If { condition: Box::new(condition), then: Box::new(then), otherwise: Box::new(otherwise) };
        Expr { kind, ty, effect, span }
    }

    fn try_otherwise(
        &mut self,
        value: &'a ast::Expr,
        on: &'a [Name],
        otherwise: &'a ast::Expr,
        people: bool,
        span: Span,
    ) -> Expr {
        let kinds = on.iter().filter_map(|name| self.fault_kind(name)).collect();
        let (value, otherwise) = (self.read_by_people(people, value), self.read_by_people(people, otherwise));
        let (value, otherwise, ty) = self.joined(value, otherwise, "the value and what stands in for it");
        let effect = value.effect.max(otherwise.effect);
        let kind = ExprKind::Try { value: Box::new(value), on: kinds, otherwise: Box::new(otherwise) };
        Expr { kind, ty, effect, span }
    }

    fn fault_kind(&mut self, name: &Name) -> Option<FaultKind> {
        let kind = FaultKind::from_name(&name.text);
        if kind.is_none() {
            let known = FaultKind::ALL.iter().map(|kind| kind.name());
            let meant = self.meant(&name.text, known.clone());
            let nothing_near = meant.is_none();
            self.report_unknown(Code::UnknownValue, name.span, &format!("there is no error `{name}`"), meant);
            if nothing_near && let Some(last) = self.diagnostics.last_mut() {
                last.help = Some(format!("write {}", super::wording::alternatives(known)));
            }
        }
        kind
    }

    /// Two expressions as one type, or a report.
    fn joined(&mut self, one: Expr, other: Expr, what: &str) -> (Expr, Expr, Type) {
        let other = self.literal_of(other, &one.ty.clone());
        let one = self.literal_of(one, &other.ty.clone());
        if let Some(ty) = one.ty.join(&other.ty) {
            (one, other, ty)
        } else {
            if one.ty.present().is_number() && other.ty.present().is_number() {
                self.report_units(&one, &other);
            } else {
                let message = format!("{what} have no type in common: {} and {}", a(&one.ty), a(&other.ty));
                let diagnostic = Diagnostic::new(Code::TypeMismatch, other.span, message).at(&other.ty);
                self.report(diagnostic.label(one.span, &one.ty));
            }
            (one, other, Type::Unknown)
        }
    }

    fn list(&mut self, items: &'a [ast::Expr], people: bool, span: Span) -> Expr {
        let items: Vec<Expr> = items.iter().map(|item| self.read_by_people(people, item)).collect();
        let mut ty = Type::Unknown;
        let mut failed = false;
        for item in &items {
            match ty.join(&item.ty) {
                Some(joined) => ty = joined,
                None if !failed => {
                    failed = true;
                    self.report_odd_item(&items, item, &ty);
                }
                None => {}
            }
        }
        let effect = items.iter().map(|item| item.effect).max().unwrap_or(Effect::Pure);
        let ty = if failed { Type::list(Type::Unknown) } else { self.bounded(Type::list(ty), span) };
        Expr { kind: ExprKind::List(items), ty, effect, span }
    }

    fn report_odd_item(&mut self, items: &[Expr], odd: &Expr, ty: &Type) {
        let Some(first) = items.first() else { return };
        if ty.present().is_number() && odd.ty.present().is_number() {
            self.report_units(first, odd);
            return;
        }
        let message = format!("the items of a list are of one type, and this is {} among {}", a(&odd.ty), a(ty));
        let diagnostic =
            Diagnostic::new(Code::TypeMismatch, odd.span, message).at(&odd.ty).label(first.span, &first.ty);
        self.report(diagnostic);
    }

    fn record(&mut self, entries: &'a [ast::Entry], people: bool, span: Span) -> Expr {
        let mut fields: IndexMap<Arc<str>, Field> = IndexMap::new();
        let mut values = Vec::new();
        let mut spans: std::collections::HashMap<&str, Span> = std::collections::HashMap::new();
        for entry in entries {
            let value = self.read_by_people(people, &entry.value);
            if entry.shorthand {
                self.report_field_for_name(&entry.key);
            }
            if let Some(first) = spans.insert(&entry.key.text, entry.key.span) {
                self.report(super::names::duplicate(&entry.key.text, entry.key.span, first));
                continue;
            }
            fields.insert(entry.key.text.clone(), Field { ty: value.ty.clone(), doc: "".into() });
            values.push((entry.key.text.clone(), value));
        }
        let effect = values.iter().map(|(_, value)| value.effect).max().unwrap_or(Effect::Pure);
        let ty = self.bounded(Type::Record(Arc::new(RecordType { name: None, fields })), span);
        Expr { kind: ExprKind::Record(values), ty, effect, span }
    }

    fn index(&mut self, base: &'a ast::Expr, index: &'a ast::Expr, span: Span) -> Expr {
        let base = self.expr(base);
        let base = self.present(base);
        let index = self.expr(index);
        let constant_key = match super::constants::constant(&index) {
            Some(crate::types::Value::String(text)) => Some(std::sync::Arc::clone(text)),
            _ => None,
        };
        let (index, ty) = match (&base.ty, constant_key) {
            (Type::Record(_), Some(key)) => {
                let name = Name { text: key, span: index.span };
                return self.field_of(base, false, &name, span);
            }
            (Type::List(item), _) => {
                let ty = item.as_ref().clone();
                (self.coerce(index, &Want::new(&Type::Int, "an index of a list")), ty)
            }
            (Type::Data, _) if index.ty.is_text() => (index, Type::Data),
            (Type::Data, _) => (self.coerce(index, &Want::new(&Type::Int, "an index of data")), Type::Data),
            (Type::Unknown, _) => (index, Type::Unknown),
            _ => {
                let message = format!("a list or data has an index, {}", self.claim(&base));
                self.report(Diagnostic::new(Code::TypeMismatch, base.span, message).at(&base.ty));
                return broken(span);
            }
        };
        let kind = ExprKind::Index { base: Box::new(base.clone()), index: Box::new(index.clone()) };
        combined(kind, ty, &[&base, &index], span)
    }
}

/// An expression that does nothing to the world.
pub(super) fn pure(kind: ExprKind, ty: Type, span: Span) -> Expr {
    Expr { kind, ty, effect: Effect::Pure, span }
}
