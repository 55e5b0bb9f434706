//! Sections, steps and statements, in the order in which a person does them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::commands::{self, is_log, is_outside};
use super::fill::{self, Typed, plain_items};
use super::known::{Bound, Knowledge, Known, plain};
use super::page::{Line, Sign, code, joined, prose, strong, text};
use super::places::Places;
use super::sheet::{Sheet, of};
use super::words;
use crate::check::program::{
    Block, Call, Change, CheckElse, CommandId, Expr, ExprKind, LocalId, Member, MetricId, Section, Statement,
    StatementKind, Step, ThresholdId,
};
use crate::plan::{self, Selection};
use crate::types::{Severity, Value};

pub(super) struct Writer<'p> {
    pub(super) knowledge: Knowledge<'p>,
    pub(super) places: Places<'p>,
    pub(super) sheet: Sheet,
    /// What `--set` gave, as it was typed.
    pub(super) typed: &'p BTreeMap<Arc<str>, String>,
    pub(super) changes: u32,
    /// The thresholds that the page speaks of.
    pub(super) thresholds: Vec<ThresholdId>,
    commands: u32,
}

/// How often commands are written out.
const MOST_COMMANDS: u32 = 300;

impl<'p> Writer<'p> {
    pub(super) fn new(knowledge: Knowledge<'p>, places: Places<'p>, typed: &'p BTreeMap<Arc<str>, String>) -> Self {
        let sheet = Sheet::default();
        Self { knowledge, places, sheet, typed, changes: 0, thresholds: Vec::new(), commands: 0 }
    }

    pub(super) fn sections(&mut self, selection: &Selection) {
        let program = self.knowledge.program;
        for (index, section) in program.sections.iter().enumerate().filter(|(index, _)| selection.section(*index)) {
            self.section(index, section, selection);
        }
    }

    fn section(&mut self, index: usize, section: &'p Section, selection: &Selection) {
        self.sheet.step();
        self.sheet.heading(2, &section.title);
        let mut when = section.schedule.as_ref().map_or_else(
            || "When somebody asks for it.".to_owned(),
            |schedule| words::schedule(schedule, &self.knowledge.program.header.timezone_name),
        );
        if let Some(within) = section.within.as_ref().and_then(|within| self.duration(within)) {
            when.push_str(&format!(" Within {within}."));
        }
        self.sheet.say(of([text(when)]));
        if !section.quiet.is_empty() {
            let titles = section.quiet.iter().filter_map(|id| self.threshold(*id)).map(|title| of([strong(title)]));
            let mut line = of([text("While it goes on, these alerts are not sent: ")]);
            line.extend(joined(titles.collect::<Vec<_>>(), ", "));
            self.sheet.say(line);
        }
        self.sheet.doc(&section.doc);
        for (member, part) in section.members.iter().enumerate() {
            match part {
                Member::Step(step) if selection.step(index, member) => self.step(step),
                Member::Step(_) => {}
                Member::Statement(statement) if selection.whole(index) => self.statement(statement),
                Member::Statement(statement) => {
                    if matches!(statement.kind, StatementKind::Require { .. } | StatementKind::Let { .. }) {
                        self.statement(statement);
                    }
                }
            }
        }
        if selection.whole(index) {
            self.closing("section", section.on_failure.as_ref(), section.always.as_ref());
        }
    }

    fn step(&mut self, step: &'p Step) {
        self.sheet.step();
        self.sheet.heading(3, &step.title);
        self.sheet.doc(&step.doc);
        if let Some(within) = step.within.as_ref().and_then(|within| self.duration(within)) {
            self.sheet.say(of([text(format!("Within {within}."))]));
        }
        match &step.each {
            Some((local, list)) => self.each(*local, list, None, |writer| writer.block(&step.body)),
            None => self.block(&step.body),
        }
        self.closing("step", step.on_failure.as_ref(), step.always.as_ref());
    }

    fn closing(&mut self, what: &str, on_failure: Option<&'p Block>, always: Option<&'p Block>) {
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

    fn inside(&mut self, lead: Line, write: impl FnOnce(&mut Self)) {
        self.sheet.sign(Sign::Begin, lead);
        write(self);
        self.sheet.sign(Sign::End, of([text("so far")]));
    }

    pub(super) fn block(&mut self, block: &'p [Statement]) {
        for statement in block {
            self.statement(statement);
        }
    }

    /// Once for each item of a list: with a variable of the shell where the items are known.
    fn each(&mut self, local: LocalId, list: &'p Expr, at_most: Option<u32>, write: impl Fn(&mut Self)) {
        let name = self.knowledge.program.locals.get(local.index()).map_or("item", |one| &*one.name).to_owned();
        let items = self.items(list);
        match items {
            Some(items) if plain_items(&items.iter().filter_map(plain).collect::<Vec<_>>()) => {
                self.knowledge.bound.insert(local, Bound::Each);
                self.sheet.loops.push((local, items.iter().filter_map(plain).collect()));
                write(self);
                self.sheet.loops.pop();
            }
            Some(items) => {
                for item in items {
                    let shown = plain(&item).unwrap_or_else(|| item.to_string());
                    let lead = of([text("With "), code(name.clone()), text(" being "), code(shown), text(":")]);
                    self.knowledge.bound.insert(local, Bound::Item(item));
                    self.inside(lead, &write);
                }
            }
            None => {
                self.asked(list, Some(&format!("each {name}")));
                let mut lead = of([text("For each "), code(name), text(" in "), code(self.knowledge.source(list))]);
                if let Some(most) = at_most {
                    lead.extend([text(", and if there are more than "), strong(most.to_string()), text(", for none")]);
                }
                lead.push(text(":"));
                self.knowledge.bound.insert(local, Bound::Open);
                self.inside(lead, write);
            }
        }
    }

    /// The items of a list that is known.
    fn items(&mut self, list: &'p Expr) -> Option<Vec<Value>> {
        match self.knowledge.of(list) {
            Known::Value(Value::List(items)) => Some(items.to_vec()),
            Known::List(items) => {
                items.into_iter().map(|item| if let Known::Value(value) = item { Some(value) } else { None }).collect()
            }
            _ => None,
        }
    }

    /// The lines for an expression. `false` where there is nothing new to type.
    fn asked(&mut self, expr: &'p Expr, title: Option<&str>) -> bool {
        let found = commands::of(&mut self.knowledge, &mut self.places, expr);
        if found.own_records && found.typed.is_empty() {
            let title = title.map_or_else(|| self.knowledge.source(expr), str::to_owned);
            self.sheet.tick(of([strong(title), text(": only this tool's own records say it. By hand, leave it out.")]));
            return true;
        }
        self.sheet.commands(&self.knowledge, title, found.typed)
    }

    fn statement(&mut self, statement: &'p Statement) {
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
                self.sheet.tick(line);
            }
            StatementKind::Require { condition, title, source } => {
                self.asked(condition, None);
                let mut line = of([text("here unless ")]);
                line.extend(self.condition(condition, title.as_ref(), source));
                line.push(text(". Otherwise change nothing below in this step."));
                self.sheet.sign(Sign::Stop, line);
            }
            StatementKind::Measure { metrics } => metrics.iter().for_each(|metric| self.measure(*metric)),
            StatementKind::Change(change) => self.change(statement, change),
            StatementKind::Manual { text: what, link, within } => {
                self.sheet.doc(&statement.doc);
                let mut line = of([text(self.title(what))]);
                if let Some(link) = link.as_ref().and_then(|link| self.knowledge.text(link)) {
                    line.push(text(" "));
                    line.push(super::page::Inline::Link { text: link.clone(), url: link });
                }
                if let Some(within) = within {
                    line.push(text(format!(" Within {}.", words::duration(*within))));
                }
                self.sheet.sign(Sign::Person, line);
                self.sheet.barrier();
            }
            StatementKind::Wait { condition, every, within, source } => {
                self.sheet.barrier();
                self.asked(condition, None);
                let every = self.duration(every).unwrap_or_default();
                let within = self.duration(within).unwrap_or_default();
                let mut line = of([text(format!("Type it again every {every} until "))]);
                line.extend(self.condition(condition, None, source));
                line.push(text(format!(", for {within} at most. After that, stop: it has failed.")));
                self.sheet.tick(line);
                self.sheet.barrier();
            }
            StatementKind::Retry { times, every, body } => {
                let every = self.duration(every).unwrap_or_default();
                let lead = of([text(format!("Until it succeeds, {times} times at most, {every} apart:"))]);
                self.inside(lead, |writer| writer.block(body));
            }
            StatementKind::For(each) => {
                self.each(each.local, &each.list, each.at_most, |writer| writer.block(&each.body));
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

    fn message(&mut self, message: Option<&'p Expr>) -> Line {
        message.map_or_else(Line::new, |message| of([text(": "), text(self.title(message))]))
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
            self.sheet.tick(of([code(name), text(" is "), code(self.knowledge.source(value))]));
        }
    }

    fn show(&mut self, value: &'p Expr, title: Option<&'p Expr>) {
        let titled = title.map(|title| self.title(title));
        let is_new = self.asked(value, titled.as_deref());
        let whole = matches!(&value.uncovered().kind, ExprKind::Call(call) if is_outside(call));
        let piped = matches!(&value.uncovered().kind, ExprKind::Call(call) if self.is_of_a_log(call));
        if (whole || piped) && is_new {
            return;
        }
        match (titled, &value.uncovered().kind) {
            // It is there already, under its own name.
            (None, ExprKind::Local(_)) => {}
            (Some(title), _) if piped || whole => {
                self.sheet.tick(of([text("Note "), strong(title), text(", printed above already")]));
            }
            (Some(title), ExprKind::Command { .. }) if is_new => drop(title),
            (Some(title), _) => {
                self.sheet.tick(of([text("Note "), strong(title), text(": "), code(self.knowledge.source(value))]));
            }
            (None, _) => self.sheet.tick(of([text("Note "), code(self.knowledge.source(value))])),
        }
    }

    fn is_of_a_log(&self, call: &'p Call) -> bool {
        let Some(Some(crate::check::program::CallArg::Value(items))) = call.args.first() else { return false };
        is_log(&items.ty)
    }

    /// A title as it was written, without its quotes.
    fn title(&mut self, title: &'p Expr) -> String {
        match self.knowledge.text(title) {
            Some(text) => text,
            None => {
                let source = self.knowledge.source(title);
                source.trim_matches('"').to_owned()
            }
        }
    }

    /// `**title**: `condition` (with its params)`
    fn condition(&mut self, condition: &'p Expr, title: Option<&'p Expr>, source: &str) -> Line {
        let mut line = Line::new();
        if let Some(title) = title {
            line.push(strong(self.title(title)));
            line.push(text(": "));
        }
        match words::answer(&mut self.knowledge, condition) {
            Some(said) => line.push(text(said)),
            None => line.push(code(source.split_whitespace().collect::<Vec<_>>().join(" "))),
        }
        line.extend(self.given(condition));
        line
    }

    /// The params in an expression, with their values.
    pub(super) fn given(&self, expr: &Expr) -> Line {
        let given = plan::given(self.knowledge.program, &[expr], self.typed);
        if given.is_empty() {
            return Line::new();
        }
        let parts = given.into_iter().map(|(name, value)| of([code(format!("{name} = {value}"))]));
        let mut line = of([text(" (")]);
        line.extend(joined(parts, ", "));
        line.push(text(")"));
        line
    }

    fn otherwise(&mut self, otherwise: &'p CheckElse) -> Line {
        match otherwise {
            CheckElse::Severity { severity, message } => {
                let word = match severity {
                    Severity::Critical => strong("critical"),
                    other => text(other.name()),
                };
                let mut line = of([word]);
                line.extend(self.message(message.as_ref()));
                line
            }
            CheckElse::Raise { threshold, message } => {
                let mut line = self.raised(*threshold);
                line.extend(self.message(message.as_ref()));
                line
            }
        }
    }

    fn threshold(&mut self, id: ThresholdId) -> Option<String> {
        if !self.thresholds.contains(&id) {
            self.thresholds.push(id);
        }
        self.knowledge.program.thresholds.get(id.index()).map(|threshold| threshold.title.to_string())
    }

    /// What is opened by a person, and who hears of it.
    fn raised(&mut self, id: ThresholdId) -> Line {
        let Some(title) = self.threshold(id) else { return Line::new() };
        let program = self.knowledge.program;
        let Some(threshold) = program.thresholds.get(id.index()) else { return Line::new() };
        let mut line = of([text("alert "), strong(title), text(format!(" ({})", threshold.severity.name()))]);
        let names = threshold.notify.iter().filter_map(|id| program.channels.get(id.index()));
        let names: Vec<Line> = names.map(|channel| of([code(channel.name.to_string())])).collect();
        if !names.is_empty() {
            line.push(text(", tell "));
            line.extend(joined(names, ", "));
        }
        line
    }

    fn measure(&mut self, id: MetricId) {
        let program = self.knowledge.program;
        let Some(metric) = program.metrics.get(id.index()) else { return };
        let mut known = 0;
        let mut names = Vec::new();
        for label in &metric.labels {
            names.push(of([code(label.name.to_string())]));
            let items = self.items(&label.list).map(|items| items.iter().filter_map(plain).collect::<Vec<_>>());
            match items {
                Some(items) if plain_items(&items) => {
                    self.knowledge.bound.insert(label.local, Bound::Each);
                    self.sheet.loops.push((label.local, items));
                    known += 1;
                }
                _ => {
                    self.knowledge.bound.insert(label.local, Bound::Open);
                    self.asked(&label.list, None);
                }
            }
        }
        self.asked(&metric.value, None);
        let mut line = of([strong(metric.name.to_string()), text(" is "), code(self.knowledge.source(&metric.value))]);
        if !names.is_empty() {
            line.push(text(", for each "));
            line.extend(joined(names, ", "));
        }
        line.extend(self.given(&metric.value));
        for (index, threshold) in program.thresholds.iter().enumerate() {
            if !threshold.metrics.contains(&id) || threshold.when.is_empty() {
                continue;
            }
            let id = ThresholdId(u32::try_from(index).unwrap_or(u32::MAX));
            line.push(text(". If "));
            let conditions: Vec<Line> = threshold
                .when
                .iter()
                .map(|when| {
                    let mut line = of([code(self.knowledge.source(&when.condition))]);
                    line.extend(self.given(&when.condition));
                    if let Some(held) = when.held {
                        line.push(text(format!(" for {}", words::duration(held))));
                    }
                    line
                })
                .collect();
            line.extend(joined(conditions, " or "));
            line.push(text(": "));
            line.extend(self.raised(id));
        }
        self.sheet.tick(line);
        for _ in 0..known {
            self.sheet.loops.pop();
        }
    }

    fn change(&mut self, statement: &'p Statement, change: &'p Change) {
        self.changes += 1;
        if let Some(local) = change.binding {
            self.knowledge.bound.insert(local, Bound::Is(&change.call));
        }
        // What its arguments ask comes before it.
        let (typed, before) = self.typed_for(&change.call);
        self.sheet.commands(&self.knowledge, None, before);
        let title = change.title.as_ref().map(|title| self.title(title));
        let mut line = of([text(format!("{}: ", self.changes))]);
        if let Some(title) = title {
            line.extend([strong(title), text(": ")]);
        }
        line.push(code(change.source.split_whitespace().collect::<Vec<_>>().join(" ")));
        line.push(text("."));
        if let Some(role) = &change.approve_by {
            line.extend([text(" First get the consent of "), strong(role.to_string()), text(".")]);
        }
        if let Some(within) = change.within.as_ref().and_then(|within| self.duration(within)) {
            line.push(text(format!(
                " It may take {within}, and not longer: after that nobody knows what it did, so look before you go on."
            )));
        }
        self.sheet.sign(Sign::Change, line);
        self.sheet.doc(&statement.doc);
        match &change.call.uncovered().kind {
            ExprKind::Command { command, args } => self.run(*command, args),
            _ if typed.is_empty() => {
                self.sheet.tick(of([text("There is no command for it: do what it says, or leave it.")]));
                self.sheet.barrier();
            }
            _ => self.sheet.change(&self.knowledge, typed),
        }
        self.sheet.end();
        if let Some(verify) = &change.verify {
            self.asked(verify, Some("verify"));
            let mut line = of([text("It has worked if ")]);
            let source = self.knowledge.source(verify);
            line.extend(self.condition(verify, None, &source));
            self.sheet.tick(line);
        }
        if let Some(undo) = &change.undo {
            let (typed, before) = self.typed_for(undo);
            let lead = of([text("Only to undo it: "), code(self.knowledge.source(undo))]);
            self.inside(lead, |writer| {
                writer.sheet.commands(&writer.knowledge, None, before);
                writer.sheet.change(&writer.knowledge, typed);
            });
        }
    }

    /// The line for a call itself, and those for what it is given.
    fn typed_for(&mut self, call: &'p Expr) -> (Vec<Typed>, Vec<Typed>) {
        let mut before = Vec::new();
        match &call.uncovered().kind {
            ExprKind::Call(inner) => {
                for arg in inner.args.iter().skip(1).flatten() {
                    if let crate::check::program::CallArg::Value(value) = arg {
                        before.extend(commands::of(&mut self.knowledge, &mut self.places, value).typed);
                    }
                }
                (fill::call(&mut self.knowledge, &mut self.places, inner).into_iter().collect(), before)
            }
            _ => (commands::of(&mut self.knowledge, &mut self.places, call).typed, before),
        }
    }

    /// A command of the runbook, written out where it is used.
    fn run(&mut self, id: CommandId, args: &'p [Expr]) {
        let Some(command) = self.knowledge.program.commands.get(id.index()) else { return };
        self.commands += 1;
        if self.commands > MOST_COMMANDS {
            let line = of([text("Do once more what "), code(command.name.to_string()), text(" is above.")]);
            self.sheet.say(line);
            return;
        }
        for (param, arg) in command.params.iter().zip(args) {
            self.knowledge.bound.insert(param.local, Bound::Is(arg));
        }
        let given: Vec<Line> = command
            .params
            .iter()
            .zip(args)
            .map(|(param, arg)| of([code(format!("{} = {}", param.name, self.knowledge.source(arg)))]))
            .collect();
        let mut lead = of([code(command.name.to_string())]);
        if !given.is_empty() {
            lead.push(text(" with "));
            lead.extend(joined(given, ", "));
        }
        let doc = command.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        if !doc.is_empty() {
            lead.push(text(": "));
            lead.extend(prose(&doc));
        }
        self.inside(lead, |writer| writer.block(&command.body));
    }

    fn duration(&mut self, expr: &'p Expr) -> Option<String> {
        match self.knowledge.of(expr) {
            Known::Value(Value::Duration(duration)) => Some(words::duration(duration)),
            _ => Some(self.knowledge.source(expr)),
        }
    }
}
