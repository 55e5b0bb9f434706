//! Which connection a value comes from: a pod that a `let` holds is still a pod of its cluster, and what may be done with
//! it is what that cluster's declaration says.

use super::checker::Checker;
use super::program::{Call, CallArg, ConnectionId, Expr, ExprKind};
use crate::catalog::EffectRule;
use crate::types::Type;

impl Checker<'_> {
    /// The connection that every way in a value leads through. Nothing where there may be several, or nobody knows.
    pub(super) fn origin(&self, expr: &Expr) -> Option<ConnectionId> {
        match &expr.kind {
            ExprKind::Connection(id) => Some(*id),
            ExprKind::Local(local) => self.scope.origin(*local),
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } | ExprKind::Convert(base) => self.origin(base),
            ExprKind::If { then, otherwise, .. } => self.common([&**then, &**otherwise]),
            ExprKind::Try { value, otherwise, .. } => self.common([&**value, &**otherwise]),
            ExprKind::Binary { left, right, .. } => self.common([&**left, &**right]),
            ExprKind::List(items) => self.common(items),
            ExprKind::Record(fields) => self.common(fields.iter().map(|(_, value)| value)),
            ExprKind::Call(call) => self.origin_of_call(call),
            _ => None,
        }
    }

    /// The same of what a call is made on.
    pub(super) fn origin_of_arg(&self, arg: Option<&CallArg>) -> Option<ConnectionId> {
        match arg? {
            CallArg::Value(expr) => self.origin(expr),
            CallArg::PerItem(_) => None,
        }
    }

    /// What is read through a connection comes from it; what only computes gives what it was given.
    fn origin_of_call(&self, call: &Call) -> Option<ConnectionId> {
        let mut given = call.args.iter().flatten().map(|arg| match arg {
            CallArg::Value(expr) => expr,
            CallArg::PerItem(lambda) => &*lambda.body,
        });
        match call.builtin.effect {
            EffectRule::Pure => self.common(given),
            _ => given.next().and_then(|first| self.origin(first)),
        }
    }

    /// The one that all values with a way in them come from.
    fn common<'e>(&self, values: impl IntoIterator<Item = &'e Expr>) -> Option<ConnectionId> {
        let mut origins = values.into_iter().filter(|value| holds_way(&value.ty)).map(|value| self.origin(value));
        let first = origins.next()??;
        origins.all(|other| other == Some(first)).then_some(first)
    }
}

/// Whether a value of a type may hold the way to something.
fn holds_way(ty: &Type) -> bool {
    match ty {
        Type::Connection(_) | Type::Unknown => true,
        Type::List(inner) | Type::Optional(inner) => holds_way(inner),
        Type::Record(record) => record.fields.values().any(|field| holds_way(&field.ty)),
        _ => false,
    }
}
