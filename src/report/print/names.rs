//! What the names in an expression stand for that stand under no title of the page: constants, logs, commands.

use std::sync::Arc;

use super::commands::is_log;
use super::known::{Bound, Knowledge, Known};
use crate::check::program::walk;
use crate::check::program::{Command, Expr, ExprKind, LocalId, StatementKind};

/// What is behind them, in the order in which they are met, each once. The expressions that it is made of are added to
/// those that were given.
pub(super) fn behind<'p>(knowledge: &mut Knowledge<'p>, exprs: &mut Vec<&'p Expr>) -> Vec<(Arc<str>, String)> {
    let mut given: Vec<(Arc<str>, String)> = Vec::new();
    // What a command calls its params stands in front of its body.
    let mut own: Vec<LocalId> = Vec::new();
    let mut at = 0;
    while let Some(expr) = exprs.get(at).copied() {
        at += 1;
        let mut met = Vec::new();
        walk::expr(expr, &mut |inner| met.push(inner));
        for inner in met {
            let (name, value) = match &inner.kind {
                ExprKind::Local(local) if !own.contains(local) => {
                    let Some(Bound::Is(value)) = knowledge.bound.get(local) else { continue };
                    let value = *value;
                    let unprinted = is_log(&value.ty) || matches!(knowledge.of(value), Known::Value(_));
                    let Some(local) = knowledge.program.locals.get(local.index()).filter(|_| unprinted) else {
                        continue;
                    };
                    exprs.push(value);
                    (Arc::clone(&local.name), knowledge.source(value))
                }
                ExprKind::Command { command, .. } => {
                    let Some(command) = knowledge.program.commands.get(command.index()) else { continue };
                    own.extend(command.params.iter().map(|param| param.local));
                    let (body, inside) = body(knowledge, command);
                    if given.iter().all(|(name, _)| *name != signature(command)) {
                        exprs.extend(inside);
                    }
                    (signature(command), body)
                }
                _ => continue,
            };
            if given.iter().all(|(other, _)| *other != name) {
                given.push((name, value));
            }
        }
    }
    given
}

/// `full(over)`
fn signature(command: &Command) -> Arc<str> {
    let params: Vec<&str> = command.params.iter().map(|param| &*param.name).collect();
    format!("{}({})", command.name, params.join(", ")).into()
}

/// What a command is, and the expressions in it.
fn body<'p>(knowledge: &Knowledge<'p>, command: &'p Command) -> (String, Vec<&'p Expr>) {
    let mut exprs = Vec::new();
    walk::statements(&command.body, &mut |statement| exprs.extend(walk::own_exprs(statement)));
    let said = match command.body.as_slice() {
        [only] if let StatementKind::Return { value } = &only.kind => knowledge.source(value),
        statements => {
            let said: Vec<String> = statements.iter().map(|one| knowledge.written_at(one.span)).collect();
            format!("{{ {} }}", said.join("; "))
        }
    };
    (said, exprs)
}
