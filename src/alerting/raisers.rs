//! Who raises an alert: what a check or a statement is called, and which of them may come again.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::state::State;
use crate::check::program::{
    Block, CheckElse, CommandId, Expr, ExprKind, Member, Program, Section, Statement, StatementKind, ThresholdId, walk,
};

/// Between the parts of a name.
const BETWEEN: &str = " › ";

/// How the name of a `raise` statement ends, and that of no check.
const RAISE: &str = "(raise)";

/// Whoever posts alerts from outside.
const POSTED: &str = "alertmanager";

/// A check by its condition: its title may say what was found, and is another one each time.
pub(super) fn of_check(whereabouts: &str, source: &str) -> Arc<str> {
    [whereabouts, BETWEEN, source].concat().into()
}

pub(super) fn of_raise(whereabouts: &str) -> Arc<str> {
    of_check(whereabouts, RAISE)
}

pub(super) fn of_posted(alert: &str) -> Arc<str> {
    of_check(POSTED, alert)
}

/// Whether it is a statement of its own, and no check.
pub(super) fn is_statement(raiser: &str) -> bool {
    raiser.ends_with(RAISE)
}

/// Whether it stands in a section, or in one of its steps.
pub(super) fn is_in(raiser: &str, section: &str) -> bool {
    raiser.strip_prefix(section).is_some_and(|rest| rest.starts_with(BETWEEN))
}

/// What raises open alerts and stands in sections that the runbook does not have any more.
pub(super) fn undeclared(sections: &BTreeSet<Arc<str>>, state: &State) -> Vec<(i64, Arc<str>)> {
    let declared = |raiser: &str| is_in(raiser, POSTED) || sections.iter().any(|section| is_in(raiser, section));
    let raisers = state.alerts.values().flat_map(|alert| alert.raisers.iter().map(|raiser| (alert.number, raiser)));
    let gone = raisers.filter(|(_, raiser)| raiser.contains(BETWEEN) && !declared(raiser));
    gone.map(|(number, raiser)| (number, Arc::clone(raiser))).collect()
}

/// A check that a run of its whole section may leave out: where it is not made, nobody knows what it would have found.
pub(super) struct Conditional<'p> {
    threshold: ThresholdId,
    /// The step that it stands in.
    pub(super) step: Option<&'p str>,
    source: &'p Arc<str>,
}

/// The checks of a section that stand under an `if`, in `on failure`, or where a value is asked for that may be
/// missing.
pub(super) fn conditional<'p>(program: &'p Program, section: &'p Section) -> Vec<Conditional<'p>> {
    let mut looking = Looking { program, step: None, calls: BTreeSet::new(), found: Vec::new() };
    for member in &section.members {
        match member {
            Member::Statement(statement) => looking.statement(statement, false),
            Member::Step(step) => {
                looking.step = Some(&step.title);
                looking.block(&step.body, false);
                looking.closing(step.on_failure.as_ref(), step.always.as_ref());
                looking.step = None;
            }
        }
    }
    looking.closing(section.on_failure.as_ref(), section.always.as_ref());
    looking.found
}

impl Conditional<'_> {
    /// What it is called in a round of its step.
    pub(super) fn of(&self, whereabouts: &str) -> Arc<str> {
        of_check(whereabouts, self.source)
    }

    pub(super) fn raises(&self, program: &Program, threshold: &str) -> bool {
        program.thresholds.get(self.threshold.index()).is_some_and(|own| &*own.title == threshold)
    }
}

struct Looking<'p> {
    program: &'p Program,
    step: Option<&'p str>,
    /// The commands that were looked into already: from this step, and whether under a condition.
    calls: BTreeSet<(Option<&'p str>, CommandId, bool)>,
    found: Vec<Conditional<'p>>,
}

impl<'p> Looking<'p> {
    fn closing(&mut self, on_failure: Option<&'p Block>, always: Option<&'p Block>) {
        if let Some(block) = on_failure {
            self.block(block, true);
        }
        if let Some(block) = always {
            self.block(block, false);
        }
    }

    fn block(&mut self, block: &'p [Statement], may_be_left_out: bool) {
        let mut after_return = false;
        for statement in block {
            self.statement(statement, may_be_left_out || after_return);
            let inside = walk::blocks(statement);
            after_return |= inside.into_iter().any(|block| returns(block));
        }
    }

    fn statement(&mut self, statement: &'p Statement, may_be_left_out: bool) {
        match &statement.kind {
            StatementKind::Check { source, otherwise: CheckElse::Raise { threshold, .. }, .. } if may_be_left_out => {
                self.found.push(Conditional { threshold: *threshold, step: self.step, source });
            }
            StatementKind::Do { command, .. } => self.command(*command, may_be_left_out),
            _ => {}
        }
        for expr in walk::own_exprs(statement) {
            self.expr(expr, may_be_left_out);
        }
        let under = may_be_left_out || matches!(statement.kind, StatementKind::If { .. });
        for block in walk::blocks(statement) {
            self.block(block, under);
        }
    }

    /// A command that stands in something else may not be called at all: in `try`, in `if`, for items of a list.
    fn expr(&mut self, root: &'p Expr, may_be_left_out: bool) {
        if let ExprKind::Command { command, .. } = &root.kind {
            self.command(*command, may_be_left_out);
        }
        for part in walk::parts(root) {
            self.expr(part, true);
        }
    }

    fn command(&mut self, id: CommandId, may_be_left_out: bool) {
        if let Some(command) = self.program.commands.get(id.index())
            && self.calls.insert((self.step, id, may_be_left_out))
        {
            self.block(&command.body, may_be_left_out);
        }
    }
}

/// Whether what is written below a block may be left out, since it gives a command's value already.
fn returns(block: &[Statement]) -> bool {
    let mut found = false;
    walk::statements(block, &mut |statement| found |= matches!(statement.kind, StatementKind::Return { .. }));
    found
}
