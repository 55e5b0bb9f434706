//! What nobody can look up by hand: the records of this tool itself.

use super::commands::is_outside;
use super::known::Bound;
use super::page::{Block, code, strong, text};
use super::sheet::of;
use super::steps::Writer;
use crate::check::program::walk;
use crate::check::program::{Expr, ExprKind, Statement, StatementKind};

impl<'p> Writer<'p> {
    /// Whether an expression needs what only the records of this tool say.
    pub(super) fn is_ours(&self, expr: &'p Expr) -> bool {
        let mut found = false;
        walk::expr(expr, &mut |inner| {
            found |= match &inner.kind {
                ExprKind::Call(call) => is_outside(call) && call.builtin.by_hand.is_empty(),
                ExprKind::Local(local) => self.ours.contains(local),
                _ => false,
            };
        });
        found
    }

    /// What nobody can look up by hand is said to be left out, once where it is asked.
    pub(super) fn left_out(&mut self, statement: &'p Statement) -> bool {
        let title = match &statement.kind {
            StatementKind::Let { value, .. } if self.is_ours(value) => None,
            StatementKind::Show { value, title, .. } if self.is_ours(value) => title.as_ref(),
            StatementKind::Check { condition, title, .. } if self.is_ours(condition) => title.as_ref(),
            StatementKind::If { branches, .. } => {
                return branches.first().is_some_and(|branch| self.is_ours(&branch.condition))
                    && walk::blocks(statement).into_iter().flatten().all(|inner| self.would_leave_out(inner));
            }
            _ => return false,
        };
        match &statement.kind {
            StatementKind::Let { local, value } => {
                self.ours.insert(*local);
                self.knowledge.bound.insert(*local, Bound::Is(value));
            }
            _ => {
                if let Some(title) = title {
                    let title = self.title(title);
                    self.sheet.block(Block::Points(vec![of([
                        strong(title),
                        text(": only the records of "),
                        code("runbook"),
                        text(" say it. By hand, leave it out."),
                    ])]));
                }
            }
        }
        true
    }

    /// The same, of a statement inside, and says nothing.
    pub(super) fn would_leave_out(&mut self, statement: &'p Statement) -> bool {
        match &statement.kind {
            StatementKind::Let { local, value } => {
                let ours = self.is_ours(value);
                if ours {
                    self.ours.insert(*local);
                }
                ours
            }
            StatementKind::Show { value, .. } => self.is_ours(value),
            StatementKind::Check { condition, .. } => self.is_ours(condition),
            _ => false,
        }
    }
}
