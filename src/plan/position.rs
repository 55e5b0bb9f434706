//! Where a change stands, by its number among the changes of what is run: the same after lines were moved, titles mended
//! and looks put between, as the consent is.
//!
//! `3` is the third change, or `do` of something that changes, of all that was selected; `3.1` is the first one in the
//! command that the third one calls.

use std::collections::HashMap;

use super::Selection;
use crate::catalog::Effect;
use crate::check::program::walk;
use crate::check::program::{Change, Command, ExprKind, Member, Program, Statement, StatementId, StatementKind};

/// The number of each change, and of each `do` that changes, in the block of statements that it belongs to: all that was
/// selected, or one command. From 1.
#[must_use]
pub fn numbers(program: &Program, selection: &Selection) -> HashMap<StatementId, u32> {
    let mut numbers = HashMap::new();
    let commands = program.commands.iter().map(|command| in_command(command));
    for own in std::iter::once(selected(program, selection)).chain(commands) {
        numbers.extend((1..).zip(own).map(|(number, statement)| (statement.id, number)));
    }
    numbers
}

/// The change that stands at a position. `None` where there is none.
#[must_use]
pub fn change<'p>(program: &'p Program, selection: &Selection, position: &str) -> Option<&'p Change> {
    let mut own = selected(program, selection);
    let mut steps = position.split('.').peekable();
    loop {
        let number: usize = steps.next()?.parse().ok()?;
        let statement = own.get(number.checked_sub(1)?)?;
        let called = match (&statement.kind, steps.peek()) {
            (StatementKind::Change(change), None) => return Some(change),
            (StatementKind::Change(change), Some(_)) => match &change.call.kind {
                ExprKind::Command { command, .. } => *command,
                _ => return None,
            },
            (StatementKind::Do { command, .. }, Some(_)) => *command,
            _ => return None,
        };
        own = in_command(program.commands.get(called.index())?);
    }
}

/// Those of all that was selected, in the order in which [`super::changes`] finds them.
fn selected<'p>(program: &'p Program, selection: &Selection) -> Vec<&'p Statement> {
    let mut found = Vec::new();
    for (index, section) in program.sections.iter().enumerate().filter(|(index, _)| selection.section(*index)) {
        for (_, member) in selection.members(index, section) {
            match member {
                Member::Statement(statement) => numbered(std::slice::from_ref(statement), &mut found),
                Member::Step(step) => {
                    for block in step.blocks() {
                        numbered(block, &mut found);
                    }
                }
            }
        }
        if selection.whole(index) {
            for block in section.closing() {
                numbered(block, &mut found);
            }
        }
    }
    found
}

fn in_command(command: &Command) -> Vec<&Statement> {
    let mut found = Vec::new();
    numbered(&command.body, &mut found);
    found
}

fn numbered<'p>(block: &'p [Statement], found: &mut Vec<&'p Statement>) {
    walk::statements(block, &mut |statement| {
        let changes = statement.effect == Effect::Changes;
        if matches!(statement.kind, StatementKind::Change(_))
            || matches!(statement.kind, StatementKind::Do { .. } if changes)
        {
            found.push(statement);
        }
    });
}
