//! A loop over a list that has no items: where it would have looked at something, nothing is known to be well.

use std::sync::Arc;

use super::context::Context;
use crate::catalog::Effect;
use crate::check::program::walk;
use crate::check::program::{Block, Expr, ExprKind, Statement, StatementKind};
use crate::source::Span;
use crate::store::event::{Event, Outcome, Withheld};
use crate::types::Fault;

/// What the body of a loop is there for.
#[derive(Clone, Copy, Default)]
struct Purpose {
    checks: bool,
    /// It looks before something is changed, or until something is so.
    waits: bool,
    changes: bool,
}

impl Purpose {
    /// Guards of what is itself in the loop have nothing to hold back where that has no items; others are there for what
    /// stands below it.
    const fn looks(self) -> bool {
        self.checks || self.waits && !self.changes
    }
}

/// Tells of a loop over nothing. `head`: where the loop begins, and the word in front of it that is not in its span.
pub(super) fn told(context: &Context<'_>, head: (Span, &str), list: &Expr, body: &Block) {
    let (head, word) = head;
    let (place, items) = (context.place(head), context.written(list.span));
    let mut purpose = Purpose::default();
    gather(context, body, &mut purpose);
    if !purpose.looks() {
        return context.emit(Event::NoItems { place, list: items });
    }
    let what: Arc<str> = format!("{word}{}", context.written(head.to(list.span))).into();
    if purpose.waits && !purpose.changes {
        context.gate.close(Withheld::Guard { title: what.clone(), outcome: Outcome::NotMeasured });
    }
    let fault = Fault::no_value(format!("`for` over nothing: there are no items in `{items}`"))
        .help("where an empty list is an answer, say so: `if items | is_empty { … } else { for item in items { … } }`");
    context.emit(Event::NotMeasured { place, what, fault });
}

/// Commands that are called included: a circle of them is an error of the check.
fn gather(context: &Context<'_>, block: &[Statement], purpose: &mut Purpose) {
    let mut called = Vec::new();
    walk::statements(block, &mut |one| {
        purpose.changes |= one.effect == Effect::Changes;
        match &one.kind {
            StatementKind::Check { .. } | StatementKind::Measure { .. } => purpose.checks = true,
            StatementKind::Require { .. } | StatementKind::Wait { .. } => purpose.waits = true,
            StatementKind::Do { command, .. } => called.push(*command),
            StatementKind::Change(change) => {
                if let ExprKind::Command { command, .. } = &change.call.kind {
                    called.push(*command);
                }
            }
            _ => {}
        }
    });
    for command in called {
        if let Some(command) = context.run.program.commands.get(command.index()) {
            gather(context, &command.body, purpose);
        }
    }
}
