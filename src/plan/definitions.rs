//! What the names inside blocks stand for: a change may go where a `let` above it says.

use std::collections::HashMap;

use crate::check::program::walk;
use crate::check::program::{Block, Expr, LocalId, Member, Program, StatementKind};

/// The expression behind each name that has one. A per-item name and a command's parameter have none of their own.
pub(super) struct Definitions<'p>(HashMap<LocalId, Definition<'p>>);

/// What a name stands for.
#[derive(Clone, Copy)]
pub(super) enum Definition<'p> {
    /// This value.
    Is(&'p Expr),
    /// One item of this list after the other.
    OneOf(&'p Expr),
}

impl<'p> Definitions<'p> {
    pub(super) fn in_program(program: &'p Program) -> Self {
        let mut found = HashMap::new();
        for section in &program.sections {
            for member in &section.members {
                match member {
                    Member::Statement(statement) => note_statement(statement, &mut found),
                    Member::Step(step) => {
                        if let Some((local, list)) = &step.each {
                            found.insert(*local, Definition::OneOf(list));
                        }
                        for block in step.blocks() {
                            note(Some(block), &mut found);
                        }
                    }
                }
            }
            note(section.on_failure.as_ref(), &mut found);
            note(section.always.as_ref(), &mut found);
        }
        for command in &program.commands {
            note(Some(&command.body), &mut found);
        }
        for metric in &program.metrics {
            found.extend(metric.labels.iter().map(|label| (label.local, Definition::OneOf(&label.list))));
        }
        Self(found)
    }

    pub(super) fn of(&self, local: LocalId) -> Option<Definition<'p>> {
        self.0.get(&local).copied()
    }

    /// The expression itself: the value, or the list that it is an item of.
    pub(super) fn of_local(&self, local: LocalId) -> Option<&'p Expr> {
        self.of(local).map(|(Definition::Is(expr) | Definition::OneOf(expr))| expr)
    }
}

fn note<'p>(block: Option<&'p Block>, found: &mut HashMap<LocalId, Definition<'p>>) {
    for statement in block.into_iter().flatten() {
        note_statement(statement, found);
    }
}

fn note_statement<'p>(statement: &'p crate::check::program::Statement, found: &mut HashMap<LocalId, Definition<'p>>) {
    match &statement.kind {
        StatementKind::Let { local, value } => {
            found.insert(*local, Definition::Is(value));
        }
        StatementKind::For(each) => {
            found.insert(each.local, Definition::OneOf(&each.list));
        }
        StatementKind::Change(change) => {
            if let Some(local) = change.binding {
                found.insert(local, Definition::Is(&change.call));
            }
        }
        _ => {}
    }
    for block in walk::blocks(statement) {
        note(Some(block), found);
    }
}
