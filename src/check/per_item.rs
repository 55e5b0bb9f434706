//! Expressions that are asked for each item: `where(.ready)`, `where(p => p.ready)`.

use super::checker::Checker;
use super::convert::Want;
use super::program::{ConnectionId, Lambda};
use super::scope::{Item, LocalKind};
use crate::catalog::{Inputs, Yields};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::Type;

impl<'a> Checker<'a> {
    pub(super) fn per_item(
        &mut self,
        callee: &str,
        (param, yields): (&str, Yields),
        value: &'a ast::Expr,
        before: &[(&'static str, Option<Type>)],
        origin: Option<ConnectionId>,
        people: bool,
    ) -> Lambda {
        let ty = Inputs { types: before }.item();
        let mark = self.enter();
        let (local, body, name) = match &value.bare().kind {
            ast::ExprKind::Lambda { param, body } => {
                (self.declare_local(param, ty.clone(), LocalKind::Item), body.as_ref(), Some(param.text.clone()))
            }
            _ => (self.new_local("it".into(), value.span, ty.clone(), LocalKind::Item), value, None),
        };
        self.scope.comes_from(local, origin);
        self.scope.push_item(Item { local, ty, name });
        let body = self.read_by_people(people, body);
        self.scope.pop_item();
        self.leave(mark);
        let body = match yields {
            Yields::Bool if !matches!(body.ty, Type::List(_)) => {
                self.coerce(body, &Want::new(&Type::Bool, &format!("`{param}` of `{callee}`")))
            }
            Yields::Bool => {
                let message = format!("`{callee}` asks for true or false, {}", self.claim(&body));
                let help = "ask something of the list: `… | any(…)`, `… | is_empty`";
                self.report(Diagnostic::new(Code::TypeMismatch, body.span, message).help(help));
                super::checker::broken(body.span)
            }
            // What these make of a value that is no number or has no order is the built-in's own question.
            Yields::Ordered | Yields::Number | Yields::Anything => body,
        };
        Lambda { param: local, body: Box::new(body) }
    }
}
