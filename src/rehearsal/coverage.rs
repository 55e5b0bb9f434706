//! What no test reaches.

use std::sync::Arc;

use super::Reached;
use crate::catalog::Effect;
use crate::check::program::{Block, Member, Program, Statement, StatementKind};
use crate::source::{Sources, Span};

/// Something that no test reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// `threshold "Service Down" never opens`
    pub what: String,
    pub span: Span,
}

/// What of a program no test has reached, in the order of the text.
#[must_use]
pub fn gaps(program: &Program, sources: &Sources, reached: &Reached) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for threshold in &program.thresholds {
        if !reached.thresholds.contains(&threshold.title) {
            gaps.push(Gap { what: format!("threshold \"{}\" never opens", threshold.title), span: threshold.span });
        }
    }
    let judged = program.thresholds.iter().flat_map(|threshold| &threshold.metrics);
    for metric in judged.filter_map(|id| program.metrics.get(id.index())) {
        if !reached.measured.contains(&metric.name) {
            let what = format!("metric `{}` is never measured: what it asks is given no answer", metric.name);
            gaps.push(Gap { what, span: metric.span });
        }
    }
    for level in program.escalations.iter().flat_map(|escalation| &escalation.levels) {
        if !reached.levels.contains(&level.number) {
            let what = format!("level {} \"{}\" is never told", level.number, level.role);
            gaps.push(Gap { what, span: level.span });
        }
    }
    let mut found = Statements { sources, reached, gaps };
    for section in &program.sections {
        for member in &section.members {
            match member {
                Member::Statement(one) => found.statement(one),
                Member::Step(step) => {
                    found.block(&step.body);
                    step.on_failure.iter().chain(&step.always).for_each(|block| found.block(block));
                }
            }
        }
        section.on_failure.iter().chain(&section.always).for_each(|block| found.block(block));
    }
    program.commands.iter().for_each(|command| found.block(&command.body));
    let mut gaps = found.gaps;
    gaps.sort_by_key(|gap| gap.span);
    gaps.dedup();
    gaps
}

struct Statements<'a> {
    sources: &'a Sources,
    reached: &'a Reached,
    gaps: Vec<Gap>,
}

impl Statements<'_> {
    fn block(&mut self, block: &Block) {
        for one in block {
            self.statement(one);
        }
    }

    fn statement(&mut self, one: &Statement) {
        match &one.kind {
            StatementKind::Check { source, .. } | StatementKind::Require { source, .. }
                if !self.reached.failed.contains(&self.place(one.span)) =>
            {
                self.gap(format!("`{source}` never fails"), one.span);
            }
            StatementKind::Change(change)
                if change.call.effect == Effect::Changes && !self.reached.changes.contains(&self.place(one.span)) =>
            {
                self.gap(format!("change `{}` is never made", change.source), one.span);
            }
            StatementKind::Retry { body, .. } => self.block(body),
            StatementKind::For(each) => self.block(&each.body),
            StatementKind::If { branches, otherwise } => {
                branches.iter().map(|branch| &branch.body).chain(otherwise).for_each(|block| self.block(block));
            }
            _ => {}
        }
    }

    fn place(&self, span: Span) -> (Arc<str>, u32) {
        let file = self.sources.file(span.file);
        (file.name.as_str().into(), file.position(span.start).line)
    }

    fn gap(&mut self, what: String, span: Span) {
        self.gaps.push(Gap { what, span });
    }
}
