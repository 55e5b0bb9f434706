//! The statements of a program as lines of text, with what is in a block indented.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::Selection;
use super::text::{self, Named, Names};
use crate::check::program::walk;
use crate::check::program::{
    Block, Change, ChannelId, CheckElse, Expr, ExprKind, LocalId, Member, MetricId, Program, Section, Statement,
    StatementKind, Step, ThresholdId,
};
use crate::types::Value;

/// What the lines are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Of {
    /// To be read: in the order of the source.
    Reading,
    /// To be compared: what may stand anywhere between two statements that hold others back has a place of its own. Of
    /// checks, and of changes outside of commands, which are compared by themselves, only that there is one is said.
    Behaviour,
    /// What a consent covers: without titles, and without what changes nothing and holds nothing back.
    Consent,
}

pub(crate) struct Outline<'n> {
    program: &'n Program,
    of: Of,
    names: &'n dyn Names,
    /// Nobody compares the changes of a command by themselves.
    in_command: bool,
    /// What the program asks of before, once somebody has to know.
    asked: OnceCell<Asked>,
}

/// What may hold a change back by a sample that was taken: what metrics were, and which alerts are open.
#[derive(Default)]
struct Asked {
    metrics: HashSet<MetricId>,
    alerts: bool,
}

impl Asked {
    fn of(program: &Program) -> Self {
        let mut roots: Vec<&Expr> = program.metrics.iter().map(|one| &one.value).collect();
        let members = program.sections.iter().flat_map(|section| &section.members);
        roots.extend(members.filter_map(|member| match member {
            Member::Step(step) => step.each.as_ref().map(|(_, list)| list),
            Member::Statement(_) => None,
        }));
        walk::all(program, &mut |statement| roots.extend(walk::own_exprs(statement)));
        let mut asked = Self::default();
        for root in roots {
            walk::expr(root, &mut |expr| match &expr.kind {
                ExprKind::Metric(id) => _ = asked.metrics.insert(*id),
                ExprKind::Call(call) => asked.alerts |= call.builtin.name == "alerts",
                _ => {}
            });
        }
        asked
    }
}

impl<'n> Outline<'n> {
    pub(super) fn new(program: &'n Program, of: Of, names: &'n dyn Names) -> Self {
        Self { program, of, names, in_command: false, asked: OnceCell::new() }
    }

    /// What a consent covers of the selected part of a section, with what decides when it runs and for how long.
    pub(super) fn agreed(&self, index: usize, section: &Section, selection: &Selection) -> Vec<String> {
        let members = selection.members(index, section);
        let mut lines = self.in_order(members.map(|(_, member)| match member {
            Member::Statement(statement) => (is_bound(statement), self.statement(statement)),
            Member::Step(step) => (step.body.iter().any(is_bound), self.step(step)),
        }));
        if selection.whole(index) {
            lines.extend(self.closing(section.on_failure.as_ref(), section.always.as_ref()));
        }
        let mut head = vec!["section".to_owned()];
        head.extend(
            section
                .schedule
                .as_ref()
                .map(|one| format!("{:?} {:?} {:?} {:?} {:?}", one.rule, one.late, one.overlap, one.gap, one.jitter)),
        );
        head.extend(section.schedule.as_ref().map(|_| format!("in {}", self.program.header.timezone_name)));
        let mut alerts: Vec<String> = section
            .on_alert
            .iter()
            .map(|id| format!("on alert {} {:?}", self.threshold(*id), self.names.opens(*id)))
            .collect();
        alerts.sort();
        head.extend(alerts);
        head.extend(section.within.as_ref().map(|within| format!("within {}", self.expr(within))));
        head.extend(lines);
        head
    }

    /// The members of a section by themselves, without what is in its steps.
    pub(crate) fn members(&self, section: &Section) -> Vec<String> {
        let mut lines = self.in_order(section.members.iter().map(|member| match member {
            Member::Statement(statement) => (is_bound(statement), self.statement(statement)),
            Member::Step(step) => (step.body.iter().any(is_bound), vec![self.step_head(step)]),
        }));
        lines.extend(self.closing(section.on_failure.as_ref(), section.always.as_ref()));
        lines
    }

    pub(crate) fn in_step(&self, step: &Step) -> Vec<String> {
        let mut lines = self.block(&step.body);
        lines.extend(self.closing(step.on_failure.as_ref(), step.always.as_ref()));
        lines
    }

    pub(crate) fn of_command(&self, body: &Block) -> Vec<String> {
        Self { in_command: true, asked: OnceCell::new(), ..*self }.block(body)
    }

    fn block(&self, block: &Block) -> Vec<String> {
        self.in_order(block.iter().map(|statement| (is_bound(statement), self.statement(statement))))
    }

    fn step(&self, step: &Step) -> Vec<String> {
        let lines = self.in_step(step);
        if lines.is_empty() { lines } else { under(self.step_head(step), lines) }
    }

    fn step_head(&self, step: &Step) -> String {
        let title = if self.of == Of::Consent { String::new() } else { format!(" \"{}\"", step.title) };
        let each = step.each.as_ref().map_or_else(String::new, |(local, list)| self.each(*local, list));
        let within = step.within.as_ref().map_or_else(String::new, |within| format!(" within {}", self.expr(within)));
        format!("step{title}{each}{within}")
    }

    fn each(&self, local: LocalId, list: &Expr) -> String {
        match self.of {
            Of::Reading => format!(" for {} in {}", self.names.name(Named::Local(local)), self.expr(list)),
            Of::Behaviour | Of::Consent => format!(" for {}", self.expr(list)),
        }
    }

    fn closing(&self, on_failure: Option<&Block>, always: Option<&Block>) -> Vec<String> {
        let mut lines = Vec::new();
        for (what, block) in [("on failure", on_failure), ("always", always)] {
            let inner = block.map_or_else(Vec::new, |block| self.block(block));
            if !inner.is_empty() {
                lines.extend(under(what.to_owned(), inner));
            }
        }
        lines
    }

    fn expr(&self, expr: &Expr) -> String {
        text::expr(self.names, expr)
    }

    /// A statement with what is in it; nothing for one that is left out.
    pub(crate) fn statement(&self, statement: &Statement) -> Vec<String> {
        let some = |lines: Vec<String>, head: String| if lines.is_empty() { lines } else { under(head, lines) };
        match &statement.kind {
            StatementKind::Retry { times, every, body } => {
                some(self.block(body), format!("retry {times} every {}", self.expr(every)))
            }
            StatementKind::For(each) => {
                let most = each.at_most.map_or_else(String::new, |most| format!(" at most {most}"));
                some(self.block(&each.body), format!("{}{most}", self.each(each.local, &each.list).trim_start()))
            }
            StatementKind::If { branches, otherwise } => {
                let inner: Vec<Vec<String>> = branches.iter().map(|branch| self.block(&branch.body)).collect();
                let last = otherwise.as_ref().map(|block| self.block(block));
                if inner.iter().chain(&last).all(Vec::is_empty) {
                    return Vec::new();
                }
                let mut lines = Vec::new();
                for (index, (branch, block)) in branches.iter().zip(inner).enumerate() {
                    let word = if index == 0 { "if" } else { "else if" };
                    lines.extend(under(format!("{word} {}", self.expr(&branch.condition)), block));
                }
                lines.extend(last.into_iter().flat_map(|block| under("else".to_owned(), block)));
                lines
            }
            kind if self.of != Of::Consent => vec![self.one(kind)],
            // They are in the names that stand for them.
            StatementKind::Let { .. } => Vec::new(),
            StatementKind::Measure { metrics } if !self.is_asked_for(metrics) => Vec::new(),
            kind if is_bound(statement) || statement.changes() => vec![self.one(kind)],
            _ => Vec::new(),
        }
    }

    /// Whether anything asks what one of some metrics was, or which alerts are open.
    fn is_asked_for(&self, metrics: &[MetricId]) -> bool {
        let asked = self.asked.get_or_init(|| Asked::of(self.program));
        metrics.iter().any(|id| asked.alerts || asked.metrics.contains(id))
    }

    /// One that has no blocks.
    fn one(&self, kind: &StatementKind) -> String {
        let expr = |expr: &Expr| self.expr(expr);
        let named = |named| self.names.name(named);
        match kind {
            StatementKind::Let { local, value } if self.of == Of::Reading => {
                let ty = match &value.kind {
                    ExprKind::Convert(_) => format!(": {}", value.ty),
                    _ => String::new(),
                };
                format!("let {}{ty} = {}", named(Named::Local(*local)), expr(value))
            }
            StatementKind::Let { value, .. } => format!("let {}", expr(value)),
            StatementKind::Show { value, title, .. } => self.titled(format!("show {}", expr(value)), title.as_ref()),
            StatementKind::Check { .. } if self.of == Of::Behaviour => "check".to_owned(),
            StatementKind::Require { .. } if self.of == Of::Behaviour => "require".to_owned(),
            StatementKind::Check { condition, title, otherwise, .. } => {
                let (weighs, message) = match otherwise {
                    CheckElse::Severity { severity, message } => (severity.name().to_owned(), message),
                    CheckElse::Raise { threshold, message } => {
                        (format!("raise {}", self.threshold(*threshold)), message)
                    }
                };
                let titled = self.titled(format!("check {}", expr(condition)), title.as_ref());
                self.said(format!("{titled} else {weighs}"), message.as_ref())
            }
            StatementKind::Require { condition, title, .. } => {
                self.titled(format!("require {}", expr(condition)), title.as_ref())
            }
            StatementKind::Measure { metrics } => {
                format!("measure {}", joined(metrics.iter().map(|id| named(Named::Metric(*id)))))
            }
            StatementKind::Change(_) if self.of == Of::Behaviour && !self.in_command => "change".to_owned(),
            StatementKind::Change(change) => self.titled(self.change(change), change.title.as_ref()),
            StatementKind::Manual { text, link, within } => {
                let link = link.as_ref().map_or_else(String::new, |link| format!(" link {}", expr(link)));
                let within = within.map_or_else(String::new, |within| format!(" within {}", Value::Duration(within)));
                format!("manual {}{link}{within}", expr(text))
            }
            StatementKind::Wait { condition, every, within, .. } => {
                format!("wait until {} every {} within {}", expr(condition), expr(every), expr(within))
            }
            StatementKind::Do { command, args } => {
                format!("do {}({})", named(Named::Command(*command)), joined(args.iter().map(expr)))
            }
            StatementKind::Notify { channels, message } => {
                self.said(format!("notify {}", self.channels(channels)), message.as_ref())
            }
            StatementKind::Raise { threshold, message } => {
                self.said(format!("raise {}", self.threshold(*threshold)), message.as_ref())
            }
            StatementKind::Escalate { level, message } => {
                self.said(format!("escalate to level {level}"), message.as_ref())
            }
            StatementKind::Return { value } => format!("return {}", expr(value)),
            StatementKind::Send { channels } => format!("send to {}", self.channels(channels)),
            StatementKind::Retry { .. } | StatementKind::For(_) | StatementKind::If { .. } => String::new(),
        }
    }

    fn change(&self, change: &Change) -> String {
        let clause = |word, clause: &Option<Expr>| Some(format!(" {word} {}", self.expr(clause.as_ref()?)));
        let clauses = [
            clause("within", &change.within),
            clause("verify", &change.verify),
            clause("undo", &change.undo),
            change.approve_by.as_ref().map(|role| format!(" approve by {role:?}")),
        ];
        format!("change {}{}", self.expr(&change.call), clauses.into_iter().flatten().collect::<String>())
    }

    /// A title may be mended without asking anybody again.
    fn titled(&self, what: String, title: Option<&Expr>) -> String {
        match title {
            Some(title) if self.of != Of::Consent => format!("{what} as {}", self.expr(title)),
            _ => what,
        }
    }

    fn said(&self, what: String, message: Option<&Expr>) -> String {
        match message {
            Some(message) => what + " " + &self.expr(message),
            None => what,
        }
    }

    fn threshold(&self, id: ThresholdId) -> String {
        self.program.thresholds.get(id.index()).map_or_else(String::new, |one| format!("\"{}\"", one.title))
    }

    fn channels(&self, ids: &[ChannelId]) -> String {
        let mut names: Vec<&str> =
            ids.iter().filter_map(|id| self.program.channels.get(id.index())).map(|one| &*one.name).collect();
        names.sort_unstable();
        names.join(", ")
    }

    /// Groups of lines in the order that matters. What holds nothing back may stand anywhere between two that do.
    fn in_order(&self, groups: impl IntoIterator<Item = (bool, Vec<String>)>) -> Vec<String> {
        let (mut lines, mut free) = (Vec::new(), Vec::new());
        for (is_bound, group) in groups {
            if is_bound || self.of == Of::Reading {
                settle(&mut free, &mut lines);
                lines.extend(group);
            } else {
                free.push(group);
            }
        }
        settle(&mut free, &mut lines);
        lines
    }
}

fn settle(free: &mut Vec<Vec<String>>, lines: &mut Vec<String>) {
    free.sort();
    lines.extend(free.drain(..).flatten());
}

/// Whether it matters what stands above a statement and what below: it holds others back, or ends, sends or measures what
/// is there by then.
fn is_bound(statement: &Statement) -> bool {
    statement.barrier
        || matches!(
            statement.kind,
            StatementKind::Return { .. } | StatementKind::Send { .. } | StatementKind::Measure { .. }
        )
        || walk::blocks(statement).into_iter().flatten().any(is_bound)
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}

fn under(head: String, lines: Vec<String>) -> Vec<String> {
    std::iter::once(head).chain(lines.into_iter().map(|line| format!("  {line}"))).collect()
}

/// The lines that people read.
pub(crate) fn shown(program: &Program) -> Outline<'_> {
    Outline::new(program, Of::Reading, program)
}
