//! Sections, steps and statements, in the order in which a person does them.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;

use super::commands::{self, is_log, is_outside};
use super::fill::plain_items;
use super::known::{Bound, Knowledge, Known, plain};
use super::page::{Line, Sign, code, joined, strong, text};
use super::places::Places;
use super::sheet::{Sheet, of};
use super::words;
use crate::check::program::{
    Block, Expr, ExprKind, LocalId, Member, Section, SectionKind, Statement, StatementKind, Step, ThresholdId,
};
use crate::plan::Selection;
use crate::types::Value;

pub(super) struct Writer<'p> {
    pub(super) knowledge: Knowledge<'p>,
    pub(super) places: Places<'p>,
    pub(super) sheet: Sheet,
    /// What `--set` gave, as it was typed.
    pub(super) typed: &'p BTreeMap<Arc<str>, String>,
    pub(super) changes: u32,
    /// The thresholds that the page speaks of.
    pub(super) thresholds: Vec<ThresholdId>,
    pub(super) commands: u32,
    /// `step` or `section`: what a guard guards.
    part: &'static str,
    /// What is done at the end of it whatever a guard says: `at its end`; nothing where there is none.
    closes: &'static str,
    /// The sections, with when they are due.
    pub(super) contents: Vec<(String, String)>,
    /// Names for what only the records of this tool say.
    pub(super) ours: HashSet<LocalId>,
}

impl<'p> Writer<'p> {
    pub(super) fn new(knowledge: Knowledge<'p>, places: Places<'p>, typed: &'p BTreeMap<Arc<str>, String>) -> Self {
        let sheet = Sheet::default();
        Self {
            knowledge,
            places,
            sheet,
            typed,
            changes: 0,
            thresholds: Vec::new(),
            commands: 0,
            part: "section",
            closes: "",
            contents: Vec::new(),
            ours: HashSet::new(),
        }
    }

    pub(super) fn sections(&mut self, selection: &Selection) {
        let program = self.knowledge.program;
        for (index, section) in program.sections.iter().enumerate().filter(|(index, _)| selection.section(*index)) {
            // What a report is made of is in the records: nobody makes one by hand, unless it is asked for by its title.
            if section.kind == SectionKind::Report && selection.is_all() {
                continue;
            }
            self.section(index, section, selection);
        }
    }

    fn section(&mut self, index: usize, section: &'p Section, selection: &Selection) {
        self.sheet.step();
        self.sheet.heading(2, &section.title);
        let alerts = section.on_alert.iter().filter_map(|id| self.threshold(*id)).map(|title| format!("\"{title}\""));
        let alerts = alerts.collect::<Vec<_>>().join(" or ");
        let mut when = section.schedule.as_ref().map_or_else(
            || match alerts.as_str() {
                "" => "When it is asked for.".to_owned(),
                alerts => format!("When there is an alert {alerts}."),
            },
            |schedule| words::schedule(schedule, &self.knowledge.program.header.timezone_name),
        );
        if let Some(within) = section.within.as_ref().map(|within| self.duration(within)) {
            let _ = write!(when, " Within {within}.");
        }
        self.sheet.say(of([text(when.clone())]));
        self.contents.push((section.title.to_string(), when.trim_end_matches('.').to_owned()));
        if !section.quiet.is_empty() {
            let titles = section.quiet.iter().filter_map(|id| self.threshold(*id)).map(|title| of([strong(title)]));
            let mut line = of([text("While it goes on, these alerts are not sent: ")]);
            line.extend(joined(titles.collect::<Vec<_>>(), ", "));
            self.sheet.say(line);
        }
        self.sheet.doc(&section.doc);
        let closed = |member: &Member| match member {
            Member::Step(step) => step.on_failure.iter().chain(&step.always).flatten().any(Statement::changes),
            Member::Statement(_) => false,
        };
        let in_steps = section.members.iter().any(closed);
        let whole = selection.whole(index);
        let [on_failure, always] = [&section.on_failure, &section.always].map(|block| whole && block.is_some());
        let closes = closes(on_failure, always, in_steps);
        self.closes = closes;
        for (_, part) in selection.members(index, section) {
            match part {
                Member::Step(step) => {
                    self.step(step);
                    self.closes = closes;
                }
                Member::Statement(statement) => self.statement(statement),
            }
        }
        if selection.whole(index) {
            self.closing("section", section.on_failure.as_ref(), section.always.as_ref());
        }
    }

    fn step(&mut self, step: &'p Step) {
        self.sheet.step();
        self.sheet.heading(3, &step.title);
        self.part = "step";
        self.closes = closes(step.on_failure.is_some(), step.always.is_some(), false);
        self.sheet.doc(&step.doc);
        if let Some(within) = step.within.as_ref().map(|within| self.duration(within)) {
            self.sheet.say(of([text(format!("Within {within}."))]));
        }
        match &step.each {
            Some((local, list)) => self.each(*local, list, None, &step.body),
            None => self.block(&step.body),
        }
        self.closing("step", step.on_failure.as_ref(), step.always.as_ref());
        self.part = "section";
    }

    fn closing(&mut self, what: &str, on_failure: Option<&'p Block>, always: Option<&'p Block>) {
        self.closes = "";
        let named = [
            (on_failure, format!("Only if something in this {what} failed:")),
            (always, format!("At the end of this {what}, also if something failed:")),
        ];
        for (block, lead) in named {
            if let Some(block) = block {
                self.inside(of([text(lead)]), |writer| writer.block(block));
            }
        }
    }

    pub(super) fn inside(&mut self, lead: Line, write: impl FnOnce(&mut Self)) {
        self.sheet.sign(Sign::Begin, lead);
        write(self);
        self.sheet.sign(Sign::End, of([text("up to here")]));
    }

    pub(super) fn block(&mut self, block: &'p [Statement]) {
        for statement in block {
            self.statement(statement);
        }
    }

    /// Once for each item of a list: with a variable of the shell where the items are known.
    fn each(&mut self, local: LocalId, list: &'p Expr, at_most: Option<u32>, body: &'p Block) {
        let name = self.knowledge.program.locals.get(local.index()).map_or("item", |one| &*one.name).to_owned();
        let items = self.items(list);
        let words = items.as_deref().filter(|_| is_one_after_the_other(body)).and_then(each_word);
        let write = |writer: &mut Self| writer.block(body);
        if let Some((bound, words)) = words {
            self.knowledge.bound.insert(local, bound);
            self.sheet.loops.push((local, words));
            write(self);
            self.sheet.loops.pop();
            return;
        }
        if let Some(items) = items.filter(|items| items.len() <= MOST_ROUNDS) {
            for item in items {
                let shown = item.to_string();
                let lead = of([text("With "), code(name.clone()), text(" being "), code(shown), text(":")]);
                self.knowledge.bound.insert(local, Bound::Item(item));
                self.inside(lead, write);
            }
            return;
        }
        self.asked(list, Some(&format!("each {name}")));
        let mut lead = of([text("For each "), code(name), text(" in "), code(self.knowledge.source(list))]);
        lead.extend(self.given(list));
        if let Some(most) = at_most {
            lead.extend([text(", and if there are more than "), strong(most.to_string()), text(", for none")]);
        }
        lead.push(text(":"));
        self.knowledge.bound.insert(local, Bound::Open);
        self.inside(lead, write);
    }

    /// The items of a list that is known.
    pub(super) fn items(&mut self, list: &'p Expr) -> Option<Vec<Value>> {
        match self.knowledge.of(list) {
            Known::Value(Value::List(items)) => Some(items.to_vec()),
            Known::List(items) => {
                items.into_iter().map(|item| if let Known::Value(value) = item { Some(value) } else { None }).collect()
            }
            _ => None,
        }
    }

    /// The lines for an expression. `false` where there is nothing new to type.
    pub(super) fn asked(&mut self, expr: &'p Expr, title: Option<&str>) -> bool {
        let found = commands::of(&mut self.knowledge, &mut self.places, expr);
        self.sheet.commands(&self.knowledge, title, found)
    }

    fn statement(&mut self, statement: &'p Statement) {
        if self.left_out(statement) {
            return;
        }
        let is_worded = matches!(statement.kind, StatementKind::Change(_) | StatementKind::Manual { .. });
        if !is_worded {
            self.sheet.doc(&statement.doc);
        }
        match &statement.kind {
            StatementKind::Let { local, value } => self.named(*local, value),
            StatementKind::Show { value, title, .. } => self.show(value, title.as_ref()),
            StatementKind::Check { condition, title, otherwise, source } => {
                self.asked(condition, None);
                let mut line = self.condition(condition, title.as_ref(), source);
                line.push(text(". If not: "));
                line.extend(self.otherwise(otherwise));
                line.push(text("."));
                self.sheet.tick(line);
            }
            StatementKind::Require { condition, title, source } => {
                self.asked(condition, None);
                let mut line = of([text("here unless ")]);
                line.extend(self.condition(condition, title.as_ref(), source));
                let but = match self.closes {
                    "" => String::new(),
                    closes => format!(" but what is done {closes}"),
                };
                line.push(text(format!(". Otherwise change nothing below in this {}{but}.", self.part)));
                self.sheet.sign(Sign::Stop, line);
            }
            StatementKind::Measure { metrics } => metrics.iter().for_each(|metric| self.measure(*metric)),
            StatementKind::Change(change) => self.change(statement, change),
            StatementKind::Manual { text: what, link, within } => {
                self.sheet.doc(&statement.doc);
                let mut line = of([text(self.title(what))]);
                if let Some(link) = link.as_ref().and_then(|link| self.knowledge.text(link)) {
                    line.push(text(": "));
                    line.push(super::page::Inline::Link { text: link.clone(), url: link });
                }
                line.push(text("."));
                if let Some(within) = within {
                    line.push(text(format!(" Within {}.", words::duration(*within))));
                }
                self.sheet.sign(Sign::Person, line);
                self.sheet.barrier();
            }
            StatementKind::Wait { condition, every, within, source } => {
                self.sheet.barrier();
                self.asked(condition, None);
                let every = self.duration(every);
                let within = self.duration(within);
                let mut line = of([text(format!("Type it again every {every} until "))]);
                line.extend(self.condition(condition, None, source));
                line.push(text(format!(", for {within} at most. After that, stop: it has failed.")));
                self.sheet.tick(line);
                self.sheet.barrier();
            }
            StatementKind::Retry { times, every, body } => {
                let every = self.duration(every);
                let lead = of([text(format!("Until it succeeds, {times} times at most, {every} apart:"))]);
                self.inside(lead, |writer| writer.block(body));
            }
            StatementKind::For(each) => {
                self.each(each.local, &each.list, each.at_most, &each.body);
            }
            StatementKind::If { branches, otherwise } => {
                for (index, branch) in branches.iter().enumerate() {
                    self.asked(&branch.condition, None);
                    let word = if index == 0 { "If " } else { "Otherwise, if " };
                    let source = self.knowledge.source(&branch.condition);
                    let mut lead = of([text(word)]);
                    lead.extend(self.condition(&branch.condition, None, &source));
                    lead.push(text(":"));
                    self.inside(lead, |writer| writer.block(&branch.body));
                }
                if let Some(block) = otherwise {
                    self.inside(of([text("Otherwise:")]), |writer| writer.block(block));
                }
            }
            StatementKind::Do { command, args } => self.run(*command, args),
            StatementKind::Notify { channels, message } => {
                let names = channels.iter().filter_map(|id| self.knowledge.program.channels.get(id.index()));
                let names: Vec<Line> = names.map(|channel| of([code(channel.name.to_string())])).collect();
                let mut line = of([text("Tell ")]);
                line.extend(joined(names, ", "));
                line.extend(self.message(message.as_ref()));
                self.sheet.sign(Sign::Person, line);
            }
            StatementKind::Raise { threshold, message } => {
                let mut line = self.raised(*threshold);
                line.extend(self.message(message.as_ref()));
                self.sheet.sign(Sign::Person, line);
            }
            StatementKind::Escalate { level, message } => {
                let mut line = of([text(format!("Call level {level} of the escalation below"))]);
                line.extend(self.message(message.as_ref()));
                self.sheet.sign(Sign::Person, line);
            }
            StatementKind::Return { value } => {
                self.asked(value, None);
            }
            StatementKind::Send { .. } => {}
        }
    }

    /// `let`: what it asks is typed under its name, and a log where it is used.
    fn named(&mut self, local: LocalId, value: &'p Expr) {
        self.knowledge.bound.insert(local, Bound::Is(value));
        if is_log(&value.ty) {
            return;
        }
        let name = self.knowledge.program.locals.get(local.index()).map_or("", |local| &*local.name).to_owned();
        let is_a_call = matches!(&value.uncovered().kind, ExprKind::Call(call) if is_outside(call));
        self.asked(value, Some(&name));
        if !is_a_call && !matches!(self.knowledge.of(value), Known::Value(_)) {
            let mut line = of([code(name), text(" is "), code(self.knowledge.source(value))]);
            line.extend(self.given(value));
            self.sheet.tick(line);
        }
    }

    fn show(&mut self, value: &'p Expr, title: Option<&'p Expr>) {
        let titled = title.map(|title| self.title(title));
        let is_new = self.asked(value, titled.as_deref());
        let is_said = commands::say(&mut self.knowledge, &mut self.places, value);
        if is_said && is_new {
            return;
        }
        match (titled, &value.uncovered().kind) {
            // It is there already, under its own name.
            (None, ExprKind::Local(_)) => {}
            (title, kind) if is_said => {
                if let Some(title) = title.filter(|_| !matches!(kind, ExprKind::Local(_))) {
                    self.sheet.tick(of([text("Note "), strong(title), text(", printed above already")]));
                }
            }
            (title, _) => {
                let mut line = of([text("Note ")]);
                if let Some(title) = title {
                    line.extend([strong(title), text(": ")]);
                }
                line.push(code(self.knowledge.source(value)));
                line.extend(self.given(value));
                self.sheet.tick(line);
            }
        }
    }

    pub(super) fn duration(&mut self, expr: &'p Expr) -> String {
        match self.knowledge.of(expr) {
            Known::Value(Value::Duration(duration)) => words::duration(duration),
            _ => self.knowledge.source(expr),
        }
    }
}

/// Where what is done at the end of a step or a section stands.
const fn closes(on_failure: bool, always: bool, in_steps: bool) -> &'static str {
    match (on_failure, always, in_steps) {
        (false, false, false) => "",
        (false, false, true) => "at the end of its steps",
        (true, false, false) => "where something failed",
        (true, false, true) => "at the end of its steps, and where something failed",
        (false, true, false) => "at its end in any case",
        (false, true, true) => "at the end of its steps, and at its own end in any case",
        (true, true, false) => "where something failed, and at its end in any case",
        (true, true, true) => "at the end of its steps, where something failed, and at its own end in any case",
    }
}

/// The most items of a loop that are written out.
const MOST_ROUNDS: usize = 20;

/// Whether a line of a loop may be typed for all items before the next line is: where several things are changed, or something
/// is looked at in between, the first item is done with before the second one begins.
fn is_one_after_the_other(body: &Block) -> bool {
    match body.as_slice() {
        [] => true,
        [one] => match &one.kind {
            StatementKind::Change(_) => true,
            _ => !one.changes(),
        },
        several => !several.iter().any(|one| one.changes() || one.barrier),
    }
}

/// The items of a list as words of a shell's loop, where each is written the same wherever it stands: in a text, a word,
/// SQL, JSON or a URL. `12.5%` is not.
pub(super) fn each_word<'p>(items: &[Value]) -> Option<(Bound<'p>, Vec<String>)> {
    let words: Vec<String> =
        items.iter().map(|item| plain(item).filter(|text| *text == item.to_string())).collect::<Option<_>>()?;
    let numbers = items.iter().filter(|item| matches!(item, Value::Int(_))).count();
    let alike = numbers == 0 || numbers == items.len();
    (alike && plain_items(&words)).then_some((Bound::Each { numbers: numbers > 0 }, words))
}
