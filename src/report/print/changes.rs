//! Changes: marked as such, with their bounds, how to see that they worked, and how to undo them.

use super::commands;
use super::fill::{self, Typed};
use super::known::Bound;
use super::page::{Line, Sign, code, joined, prose, strong, text};
use super::sheet::of;
use super::steps::Writer;
use crate::check::program::{CallArg, Change, CommandId, Expr, ExprKind, Statement};
use crate::plan::limit;

/// How often commands are written out.
const MOST_COMMANDS: u32 = 300;

impl<'p> Writer<'p> {
    pub(super) fn change(&mut self, statement: &'p Statement, change: &'p Change) {
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
        line.push(code(change.source.to_string()));
        line.push(text("."));
        if let Some(role) = &change.approve_by {
            line.extend([text(" First get the consent of "), strong(role.to_string()), text(".")]);
        }
        let own = change.within.as_ref().map(|within| self.duration(within));
        if let Some(within) = own.or_else(|| limit::of(self.knowledge.program, &change.call)) {
            line.push(text(format!(
                " Limit: {within}. What takes longer may still be going on: look before you do anything else."
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
    pub(super) fn typed_for(&mut self, call: &'p Expr) -> (Vec<Typed>, Vec<Typed>) {
        let mut before = Vec::new();
        match &call.uncovered().kind {
            ExprKind::Call(inner) => {
                for arg in inner.args.iter().skip(1).flatten() {
                    if let CallArg::Value(value) = arg {
                        before.extend(commands::of(&mut self.knowledge, &mut self.places, value));
                    }
                }
                (fill::call(&mut self.knowledge, &mut self.places, inner).into_iter().collect(), before)
            }
            _ => (commands::of(&mut self.knowledge, &mut self.places, call), before),
        }
    }

    /// A command of the runbook, written out where it is used.
    pub(super) fn run(&mut self, id: CommandId, args: &'p [Expr]) {
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
}
