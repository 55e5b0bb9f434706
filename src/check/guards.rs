//! Guards that guard nothing: a `require` holds back the changes below it in its step or section, and nothing else.

use super::checker::Checker;
use super::program::foregone::Foregone;
use super::program::{Block, Member, Program, Statement, StatementKind, walk};
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;

impl Checker<'_> {
    /// Says of every `require` of a section whether there is a change that it could hold back. One in a command may hold back
    /// what is below the call.
    pub(super) fn check_guards(&mut self, program: &Program) {
        if self.was_cut_short() {
            return;
        }
        let mut idle = Vec::new();
        for section in &program.sections {
            let mut changes_below = false;
            for member in section.members.iter().rev() {
                match member {
                    Member::Statement(one) => changes_below = backwards(one, changes_below, &mut idle),
                    Member::Step(step) => {
                        // What does not pass in a step holds for that step.
                        let changes = block(&step.body, false, &mut idle);
                        closing(step.on_failure.as_ref(), step.always.as_ref(), &mut idle);
                        changes_below |= changes;
                    }
                }
            }
            closing(section.on_failure.as_ref(), section.always.as_ref(), &mut idle);
        }
        self.module = 0;
        self.check_foregone(program);
        for span in idle {
            let message = "this `require` guards nothing: no change stands below it in its step, or in its section where it is in no step";
            let help = "a `require` holds back changes only, those of its own step: put it above the change that it is for, or write `check`";
            self.report(Diagnostic::new(Code::GuardOfNothing, span, message).help(help));
        }
    }

    /// Says of each guard and each `verify` whether it holds whatever is found.
    fn check_foregone(&mut self, program: &Program) {
        let names = Foregone::of(program);
        let mut found = Vec::new();
        walk::all(program, &mut |statement| match &statement.kind {
            StatementKind::Require { condition, .. } => found.push((condition, GUARD)),
            StatementKind::Change(change) => found.extend(change.verify.iter().map(|verify| (verify, VERIFY))),
            _ => {}
        });
        for (condition, (what, help)) in found {
            if names.holds(condition) == Some(true) {
                let message = format!("{} holds whatever is found: {what}", self.quoted(condition.span));
                self.report(Diagnostic::new(Code::AlwaysHolds, condition.span, message).help(help));
            }
        }
    }
}

const GUARD: (&str, &str) = (
    "this `require` holds nothing back",
    "say what has to be so before anything is changed: `require site.answers(\"/health\")`; or leave it out",
);

const VERIFY: (&str, &str) = (
    "this `verify` says nothing of the change",
    "say what is so once the change has worked: `verify site.answers(\"/health\")`; or leave it out",
);

/// The blocks that close a part have a gate of their own.
fn closing(on_failure: Option<&Block>, always: Option<&Block>, idle: &mut Vec<Span>) {
    let below = always.is_some_and(|body| block(body, false, idle));
    if let Some(body) = on_failure {
        block(body, below, idle);
    }
}

/// Whether a change stands in a block or below it. Gathers the guards that have none below them.
fn block(body: &[Statement], below: bool, idle: &mut Vec<Span>) -> bool {
    body.iter().rev().fold(below, |below, one| backwards(one, below, idle))
}

fn backwards(one: &Statement, below: bool, idle: &mut Vec<Span>) -> bool {
    let changes = one.effect == Effect::Changes;
    match &one.kind {
        StatementKind::Require { .. } if !below => idle.push(one.span),
        // The next round comes after this one.
        StatementKind::For(each) => _ = block(&each.body, below || changes, idle),
        StatementKind::Retry { body, .. } => _ = block(body, below || changes, idle),
        StatementKind::If { branches, otherwise } => {
            for body in branches.iter().map(|branch| &branch.body).chain(otherwise) {
                block(body, below, idle);
            }
        }
        _ => {}
    }
    below || changes
}
