//! Which changes a program makes, as far as that is written: for tests that speak of one.

use super::program::{Block, CallArg, Expr, ExprKind, Member, Program, Statement, StatementKind, TextPart};

/// What stands behind `change`, in sections, reports and commands.
pub(super) fn changes(program: &Program) -> Vec<&Expr> {
    let mut found = Vec::new();
    for section in &program.sections {
        for member in &section.members {
            match member {
                Member::Statement(one) => gather(std::slice::from_ref(one), &mut found),
                Member::Step(step) => {
                    let closing = step.on_failure.iter().chain(&step.always);
                    std::iter::once(&step.body).chain(closing).for_each(|block: &Block| gather(block, &mut found));
                }
            }
        }
        section.on_failure.iter().chain(&section.always).for_each(|block| gather(block, &mut found));
    }
    program.commands.iter().for_each(|command| gather(&command.body, &mut found));
    found
}

fn gather<'p>(block: &'p [Statement], found: &mut Vec<&'p Expr>) {
    for one in block {
        match &one.kind {
            StatementKind::Change(change) => found.push(&change.call),
            StatementKind::Retry { body, .. } => gather(body, found),
            StatementKind::For(each) => gather(&each.body, found),
            StatementKind::If { branches, otherwise } => {
                for block in branches.iter().map(|branch| &branch.body).chain(otherwise) {
                    gather(block, found);
                }
            }
            _ => {}
        }
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
