//! What a program asks and changes, as far as that is written: for tests that speak of it.

use crate::catalog::EffectRule;

use super::program::{CallArg, Expr, ExprKind, Program, StatementKind, TextPart, walk};

/// The calls of a program.
pub(super) struct Made<'p> {
    /// What stands behind `change`, in sections and commands.
    pub(super) changes: Vec<&'p Expr>,
    /// What is asked or changed by a call: what only computes is not.
    pub(super) asked: Vec<&'p Expr>,
}

impl<'p> Made<'p> {
    pub(super) fn of(program: &'p Program) -> Self {
        let (mut changes, mut asked) = (Vec::new(), Vec::new());
        walk::all(program, &mut |statement| {
            if let StatementKind::Change(change) = &statement.kind {
                changes.push(&change.call);
            }
        });
        walk::exprs(program, &mut |expr| match &expr.kind {
            ExprKind::Call(call) if !matches!(call.builtin.effect, EffectRule::Pure) => asked.push(expr),
            ExprKind::Tool { .. } => asked.push(expr),
            _ => {}
        });
        Self { changes, asked }
    }
}

/// Whether two calls are of one built-in, tool or command.
pub(super) fn is_same_call(one: &Expr, other: &Expr) -> bool {
    match (&one.uncovered().kind, &other.uncovered().kind) {
        (ExprKind::Call(one), ExprKind::Call(other)) => one.builtin.name == other.builtin.name,
        (ExprKind::Tool { tool: one, .. }, ExprKind::Tool { tool: other, .. }) => one == other,
        (ExprKind::Command { command: one, .. }, ExprKind::Command { command: other, .. }) => one == other,
        _ => false,
    }
}

/// Whether what a run makes of one call may be the other: what is written in both is not different.
pub(super) fn may_be(wanted: &Expr, made: &Expr) -> bool {
    if !is_same_call(wanted, made) {
        return false;
    }
    match (&wanted.uncovered().kind, &made.uncovered().kind) {
        (ExprKind::Call(wanted), ExprKind::Call(made)) => {
            wanted.args.iter().zip(&made.args).all(|(wanted, made)| match (wanted, made) {
                (Some(CallArg::Value(wanted)), Some(CallArg::Value(made))) => value_may_be(wanted, made),
                _ => true,
            })
        }
        (ExprKind::Tool { args: wanted, .. }, ExprKind::Tool { args: made, .. })
        | (ExprKind::Command { args: wanted, .. }, ExprKind::Command { args: made, .. }) => {
            wanted.iter().zip(made).all(|(wanted, made)| value_may_be(wanted, made))
        }
        _ => true,
    }
}

fn value_may_be(wanted: &Expr, made: &Expr) -> bool {
    match (&wanted.uncovered().kind, &made.uncovered().kind) {
        (ExprKind::Literal(wanted), ExprKind::Literal(made)) => wanted.equals(made),
        (ExprKind::Connection(wanted), ExprKind::Connection(made)) => wanted == made,
        (ExprKind::Template(wanted), ExprKind::Template(made)) => match (constant(wanted), constant(made)) {
            (Some(wanted), Some(made)) => wanted == made,
            _ => true,
        },
        _ => true,
    }
}

/// The text of a template without values.
fn constant(parts: &[TextPart]) -> Option<String> {
    let text = |part: &TextPart| match part {
        TextPart::Text(text) => Some(text.to_string()),
        TextPart::Value { .. } => None,
    };
    parts.iter().map(text).collect()
}
