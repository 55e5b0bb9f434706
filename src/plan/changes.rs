//! Finding the changes of a program, in the order of the source, with all that stands around them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::mem::take;
use std::sync::Arc;

use super::given::{Arguments, Given};
use super::{Around, At, Guard, Part, PlannedChange, Selection, Told, Wait, limit, position, text};
use crate::catalog::Effect;
use crate::check::program::walk;
use crate::check::program::{
    Block, Change, ChannelId, CheckElse, CommandId, ConnectionId, Expr, ExprKind, Member, Program, Section, Statement,
    StatementId, StatementKind, Step, ThresholdId,
};
use crate::source::Span;

/// How many `do`s one run may come to: commands that run two others, which run two more each, are soon more than
/// anybody can agree to.
pub(super) const MOST_COMMANDS: u32 = 10_000;

/// Said of a guard that stands in another block.
pub(super) const MAYBE: &str = " (where its block is reached)";

/// What is in the selected part of a program.
pub(super) struct Found<'p> {
    pub(super) changes: Vec<(PlannedChange, Depends<'p>)>,
    /// How often a command is run by a `do`; what is behind the first [`MOST_COMMANDS`] is not among the changes.
    pub(super) commands: u32,
    pub(super) reads: u32,
    pub(super) steps: u32,
    pub(super) manual: Vec<String>,
    pub(super) waits: Vec<Wait>,
    pub(super) connections: BTreeSet<ConnectionId>,
    pub(super) tells: BTreeSet<Told>,
    pub(super) needs: BTreeMap<String, BTreeSet<String>>,
}

/// What the consent to a change depends on.
pub(super) struct Depends<'p> {
    /// The change itself, and what stands around it and holds it back.
    pub(super) exprs: Vec<&'p Expr>,
    /// What the commands around it are given.
    pub(super) arguments: Arguments<'p>,
}

pub(super) fn find<'p>(program: &'p Program, selection: &Selection, set: &'p BTreeMap<Arc<str>, String>) -> Found<'p> {
    let mut finder = Finder {
        program,
        section: Arc::from(""),
        step: None,
        around: Vec::new(),
        guards: Vec::new(),
        manual: Vec::new(),
        waits: Vec::new(),
        given: Given::new(program, set),
        blocks: Vec::new(),
        commands: Vec::new(),
        numbers: position::numbers(program, selection),
        inside: String::new(),
        reads: HashMap::new(),
        found: Found {
            commands: 0,
            changes: Vec::new(),
            reads: 0,
            steps: 0,
            manual: Vec::new(),
            waits: Vec::new(),
            connections: BTreeSet::new(),
            tells: BTreeSet::new(),
            needs: BTreeMap::new(),
        },
    };
    for (index, section) in program.sections.iter().enumerate().filter(|(index, _)| selection.section(*index)) {
        finder.section(index, section, selection);
    }
    finder.found
}

struct Finder<'p> {
    program: &'p Program,
    section: Arc<str>,
    step: Option<Arc<str>>,
    /// What the statement stands in, with the expressions of it.
    around: Vec<(Around, Vec<&'p Expr>)>,
    guards: Vec<(Guard, &'p Expr)>,
    /// What a person does above.
    manual: Vec<String>,
    /// What is waited for above.
    waits: Vec<Wait>,
    given: Given<'p>,
    /// The loops and conditions that the statement stands in.
    blocks: Vec<At>,
    /// The commands that are being looked into: none calls itself, the checker saw to it, and neither do we.
    commands: Vec<CommandId>,
    /// See [`position`].
    numbers: HashMap<StatementId, u32>,
    /// The position of the `do` that is being looked into, with a dot behind it.
    inside: String,
    /// How many reads a command makes that was looked into: one that calls two others, which call two more each, is
    /// looked into once.
    reads: HashMap<CommandId, u32>,
    found: Found<'p>,
}

impl<'p> Finder<'p> {
    fn section(&mut self, index: usize, section: &'p Section, selection: &Selection) {
        self.section = section.title.clone();
        self.step = None;
        self.guards.clear();
        self.manual.clear();
        self.waits.clear();
        for (_, part) in selection.members(index, section) {
            match part {
                Member::Step(step) => self.step(step),
                Member::Statement(statement) => self.statement(statement),
            }
        }
        if selection.whole(index) {
            self.closing(section.on_failure.as_ref(), section.always.as_ref());
        }
    }

    fn step(&mut self, step: &'p Step) {
        self.found.steps += 1;
        self.step = Some(step.title.clone());
        let above = self.above();
        if let Some((local, list)) = &step.each {
            self.look(list);
            let name = self.program.locals.get(local.index()).map_or_else(|| Arc::from("?"), |one| one.name.clone());
            let text = text::expr(self.program, list);
            let around = Around::Each { name, list: text, items: self.given.items(list), at_most: None };
            self.blocks.push(self.at(step.span));
            self.inside(around, vec![list], |finder| finder.block(&step.body));
            self.blocks.pop();
        } else {
            self.block(&step.body);
        }
        // A guard of a step is over with it.
        self.below(above);
        self.closing(step.on_failure.as_ref(), step.always.as_ref());
        self.step = None;
    }

    /// What sets things right is held back by nothing above it, nor by what stands above its step: it is there for when that
    /// did not hold.
    fn closing(&mut self, on_failure: Option<&'p Block>, always: Option<&'p Block>) {
        let (guards, manual, waits) = (take(&mut self.guards), take(&mut self.manual), take(&mut self.waits));
        for (around, block) in [(Around::OnFailure, on_failure), (Around::Always, always)] {
            if let Some(block) = block {
                self.inside(around, Vec::new(), |finder| finder.block(block));
                self.below((0, 0, 0));
            }
        }
        (self.guards, self.manual, self.waits) = (guards, manual, waits);
    }

    fn inside(&mut self, around: Around, exprs: Vec<&'p Expr>, look: impl FnOnce(&mut Self)) {
        self.around.push((around, exprs));
        look(self);
        self.around.pop();
    }

    /// A block that may be left out: what it requires holds back what follows it only where it was not.
    fn maybe(&mut self, around: Around, exprs: Vec<&'p Expr>, block: &'p Block) {
        let (guards, manual, waits) = self.above();
        self.inside(around, exprs, |finder| finder.block(block));
        let titles = self.guards.iter_mut().skip(guards).map(|(guard, _)| &mut guard.title);
        for title in titles.chain(self.manual.iter_mut().skip(manual)) {
            if !title.ends_with(MAYBE) {
                title.push_str(MAYBE);
            }
        }
        self.waits.iter_mut().skip(waits).for_each(|wait| wait.in_block = true);
    }

    /// How many guards, how much that a person does, and how many waits stand above.
    fn above(&self) -> (usize, usize, usize) {
        (self.guards.len(), self.manual.len(), self.waits.len())
    }

    /// Forgets what was over with a block.
    fn below(&mut self, (guards, manual, waits): (usize, usize, usize)) {
        self.guards.truncate(guards);
        self.manual.truncate(manual);
        self.waits.truncate(waits);
    }

    fn at(&self, span: Span) -> At {
        At { span, called: self.inside.trim_end_matches('.').to_owned() }
    }

    fn block(&mut self, block: &'p Block) {
        let above = self.above();
        for statement in block {
            self.statement(statement);
        }
        // A `require` in a block holds back what is below it in the step; that is known only when it runs.
        // It stays a guard of the step for what follows, unless the block was a command of its own.
        if matches!(self.around.last(), Some((Around::Command { .. }, _))) {
            self.below(above);
        }
    }

    fn statement(&mut self, statement: &'p Statement) {
        for expr in walk::own_exprs(statement) {
            self.look(expr);
        }
        self.blocks.push(self.at(statement.span));
        self.own(statement);
        self.blocks.pop();
    }

    fn own(&mut self, statement: &'p Statement) {
        match &statement.kind {
            StatementKind::Require { condition, title, source } => {
                let title = text::titled(self.program, title.as_ref(), source);
                let condition_text = text::expr(self.program, condition);
                let (after_manual, after_wait) = (!self.manual.is_empty(), !self.waits.is_empty());
                let at = self.at(statement.span);
                self.guards.push((Guard { title, condition: condition_text, after_manual, after_wait, at }, condition));
            }
            StatementKind::Change(change) => self.change(statement, change),
            StatementKind::Manual { text, .. } => {
                let text = text::plain(self.program, text);
                self.manual.push(text.clone());
                self.found.manual.push(text);
            }
            StatementKind::Wait { condition, within, .. } => {
                let (condition, within) = (text::expr(self.program, condition), text::expr(self.program, within));
                let wait = Wait { condition, within, in_block: false, at: self.at(statement.span) };
                self.waits.push(wait.clone());
                self.found.waits.push(wait);
            }
            StatementKind::Retry { times, body, .. } => {
                self.inside(Around::Retry { times: *times }, Vec::new(), |finder| finder.block(body));
            }
            StatementKind::For(each) => {
                let name =
                    self.program.locals.get(each.local.index()).map_or_else(|| Arc::from("?"), |one| one.name.clone());
                let list = text::expr(self.program, &each.list);
                let around = Around::Each { name, list, items: self.given.items(&each.list), at_most: each.at_most };
                self.maybe(around, vec![&each.list], &each.body);
            }
            StatementKind::If { branches, otherwise } => {
                let mut before: Vec<&'p Expr> = Vec::new();
                for branch in branches {
                    before.push(&branch.condition);
                    let condition = text::expr(self.program, &branch.condition);
                    self.maybe(Around::If { condition }, before.clone(), &branch.body);
                }
                if let Some(block) = otherwise {
                    let conditions = before.iter().map(|condition| text::expr(self.program, condition)).collect();
                    self.maybe(Around::Else { conditions }, before, block);
                }
            }
            StatementKind::Do { command, args } => self.command(statement.id, *command, args),
            StatementKind::Check { otherwise: CheckElse::Raise { threshold, .. }, .. }
            | StatementKind::Raise { threshold, .. } => self.raises(*threshold),
            StatementKind::Notify { channels, .. } | StatementKind::Send { channels } => self.tells(channels),
            StatementKind::Measure { metrics } => {
                for (index, threshold) in self.program.thresholds.iter().enumerate() {
                    if threshold.metrics.iter().any(|metric| metrics.contains(metric)) {
                        self.raises(ThresholdId(u32::try_from(index).unwrap_or(u32::MAX)));
                    }
                }
            }
            _ => {}
        }
    }

    fn change(&mut self, statement: &'p Statement, change: &'p Change) {
        // Its title may be mended without asking anybody again.
        let clauses = [&change.within, &change.verify, &change.undo];
        let mut depends: Vec<&'p Expr> = vec![&change.call];
        depends.extend(clauses.iter().filter_map(|clause| clause.as_ref()));
        let around = self.around.iter().filter(|(around, _)| !matches!(around, Around::Command { .. }));
        depends.extend(around.flat_map(|(_, exprs)| exprs.iter().copied()));
        depends.extend(self.guards.iter().map(|(_, condition)| *condition));
        let mut on = BTreeSet::new();
        walk::expr(&change.call, &mut |inner| {
            if let ExprKind::Connection(id) = inner.kind
                && let Some(connection) = self.program.connections.get(id.index())
            {
                on.insert(connection.name.clone());
            }
        });
        let clause = |clause: &Option<Expr>| clause.as_ref().map(|expr| text::expr(self.program, expr));
        let planned = PlannedChange {
            number: u32::try_from(self.found.changes.len()).unwrap_or(u32::MAX).saturating_add(1),
            section: self.section.clone(),
            step: self.step.clone(),
            span: statement.span,
            text: change.source.clone(),
            called: called(self.program, change),
            given: Vec::new(),
            on: on.into_iter().collect(),
            around: self.around.iter().map(|(around, _)| around.clone()).collect(),
            guards: self.guards.iter().map(|(guard, _)| guard.clone()).collect(),
            manual: self.manual.clone(),
            waits: self.waits.clone(),
            blocks: self.blocks.clone(),
            within: clause(&change.within),
            limit: limit::of(self.program, &change.call),
            approve_by: change.approve_by.clone(),
            verify: clause(&change.verify),
            undo: clause(&change.undo),
            position: self.position(statement.id),
            covers: Vec::new(),
        };
        let covers = self.parts(&planned, &change.call);
        let depends = Depends { exprs: depends, arguments: self.given.arguments.clone() };
        self.found.changes.push((PlannedChange { covers, ..planned }, depends));
    }

    /// What a consent covers of a change: itself, its guards, its loops and its conditions.
    fn parts(&self, planned: &PlannedChange, call: &Expr) -> Vec<Part> {
        let mut says = vec![format!("change {}", text::expr(self.program, call))];
        for (word, clause) in [("within", &planned.within), ("verify", &planned.verify), ("undo", &planned.undo)] {
            says.extend(clause.as_ref().map(|clause| format!("{word} {clause}")));
        }
        says.extend(planned.approve_by.as_ref().map(|role| format!("approve by {role:?}")));
        let mut parts = Vec::new();
        for (around, exprs) in &self.around {
            let part = match around {
                Around::Each { name, list, at_most, .. } => {
                    let most = at_most.map_or_else(String::new, |most| format!(" at most {most}"));
                    Some(("loop", format!("for {name} in {list}{most}")))
                }
                Around::If { condition } => Some(("condition", format!("if {condition}"))),
                Around::Else { conditions } => Some(("condition", format!("else of {}", conditions.join(" | ")))),
                Around::Retry { times } => {
                    says.push(format!("in retry {times}"));
                    None
                }
                Around::OnFailure => {
                    says.push("in on failure".to_owned());
                    None
                }
                Around::Always => {
                    says.push("in always".to_owned());
                    None
                }
                Around::Command { name, .. } => {
                    says.push(format!("in {name}"));
                    None
                }
            };
            if let (Some((what, says)), Some(last)) = (part, exprs.last()) {
                parts.push(Part { what: what.to_owned(), says, is_read: false, span: last.span });
            }
        }
        parts.push(Part { what: "change".to_owned(), says: says.join(" "), is_read: false, span: planned.span });
        for (guard, condition) in &self.guards {
            let says = format!("require {}", guard.condition);
            parts.push(Part { what: "guard".to_owned(), says, is_read: false, span: condition.span });
        }
        parts
    }

    fn position(&self, id: StatementId) -> String {
        format!("{}{}", self.inside, self.numbers.get(&id).copied().unwrap_or(0))
    }

    /// A command that changes, called by `do`: its changes are listed one by one.
    fn command(&mut self, by: StatementId, id: CommandId, args: &'p [Expr]) {
        self.found.commands += 1;
        if self.found.commands > MOST_COMMANDS {
            return;
        }
        let Some(command) = self.program.commands.get(id.index()) else { return };
        if self.commands.contains(&id) {
            return;
        }
        self.commands.push(id);
        let around = Around::Command { name: command.name.clone(), call: self.given.call(id, args) };
        let inside = format!("{}.", self.position(by));
        let outside = std::mem::replace(&mut self.inside, inside);
        let known = self.given.arguments.len();
        self.given.arguments.extend(command.params.iter().map(|param| param.local).zip(args));
        self.inside(around, args.iter().collect(), |finder| finder.block(&command.body));
        self.given.arguments.truncate(known);
        self.inside = outside;
        self.commands.pop();
    }

    /// What an expression reads, needs and connects to; commands that it calls are looked into.
    fn look(&mut self, root: &'p Expr) {
        let mut commands = Vec::new();
        let mut calls = Vec::new();
        walk::expr(root, &mut |expr| match &expr.kind {
            ExprKind::Connection(id) => {
                self.found.connections.insert(*id);
            }
            ExprKind::Call(call) => calls.push(call),
            ExprKind::Tool { tool, .. } => {
                let changes = self.program.tools.get(tool.index()).is_some_and(|tool| tool.effect == Effect::Changes);
                self.found.reads = self.found.reads.saturating_add(u32::from(!changes));
            }
            ExprKind::Command { command, .. } => commands.push(*command),
            _ => {}
        });
        for call in calls {
            self.found.reads = self.found.reads.saturating_add(u32::from(call.effect == Effect::Reads));
            if !call.builtin.needs.is_empty() {
                let family = call.builtin.name.split('.').next().unwrap_or(call.builtin.name);
                let needs = self.found.needs.entry(family.to_owned()).or_default();
                needs.extend(call.builtin.needs.iter().map(ToString::to_string));
            }
        }
        for id in commands {
            let Some(command) = self.program.commands.get(id.index()) else { continue };
            if let Some(reads) = self.reads.get(&id) {
                self.found.reads = self.found.reads.saturating_add(*reads);
            } else if !self.commands.contains(&id) {
                let before = self.found.reads;
                self.commands.push(id);
                // What a change calls is one change: the statements inside are looked at, not listed.
                let mut inner = Vec::new();
                walk::statements(&command.body, &mut |statement| inner.extend(walk::own_exprs(statement)));
                for expr in inner {
                    self.look(expr);
                }
                self.commands.pop();
                self.reads.insert(id, self.found.reads.saturating_sub(before));
            }
        }
    }

    fn raises(&mut self, id: ThresholdId) {
        if let Some(threshold) = self.program.thresholds.get(id.index()) {
            self.tells(&threshold.notify);
        }
    }

    fn tells(&mut self, channels: &[ChannelId]) {
        for id in channels {
            if let Some(channel) = self.program.channels.get(id.index()) {
                let told = Told { channel: channel.name.clone(), driver: channel.made.driver.name };
                self.found.tells.insert(told);
            }
        }
    }
}

/// What stands for the tools of the house, whichever they are.
pub(crate) const TOOL: &str = "tool";

/// What a policy may call a change by: its built-in, and `tool` where it is one of the house. A command's changes are looked at
/// one by one, where they stand.
#[must_use]
pub fn called(program: &Program, change: &Change) -> Vec<&'static str> {
    match &change.call.uncovered().kind {
        ExprKind::Call(call) => vec![call.builtin.name],
        ExprKind::Tool { tool, .. } => {
            program.tools.get(tool.index()).map(|tool| vec![tool.builtin.name, TOOL]).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// The params among some expressions, each once, with what they are set to or what they are by themselves.
pub(crate) fn given(program: &Program, exprs: &[&Expr], set: &BTreeMap<Arc<str>, String>) -> Vec<(Arc<str>, String)> {
    let mut given: Vec<(Arc<str>, String)> = Vec::new();
    for expr in exprs {
        walk::expr(expr, &mut |inner| {
            let ExprKind::Param(id) = &inner.kind else { return };
            let Some(param) = program.params.get(id.index()) else { return };
            if given.iter().all(|(name, _)| *name != param.name) {
                let default = || param.default.as_ref().map(|default| text::expr(program, default));
                let value = set.get(&param.name).cloned().or_else(default).unwrap_or_default();
                given.push((param.name.clone(), value));
            }
        });
    }
    given
}
