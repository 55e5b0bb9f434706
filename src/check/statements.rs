//! Statements: what each of them holds.

use std::sync::Arc;

use super::calls::Position;
use super::checker::Checker;
use super::constants::is_from_here;
use super::convert::{Want, holds_secret};
use super::names::What;
use super::placement::{BlockOf, Place};
use super::program::{
    Block, Branch, ChannelId, CheckElse, Expr, ExprKind, For, MetricId, Severity, Statement, StatementId,
    StatementKind, ThresholdId,
};
use super::scope::LocalKind;
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Name, Template, Title};
use crate::syntax::one_line;
use crate::types::Type;

impl<'a> Checker<'a> {
    /// The statements of a block; what they declare is visible to its end.
    pub(super) fn block(&mut self, block: &'a ast::Block) -> Block {
        let mark = self.enter();
        let statements = self.statements(&block.statements);
        self.leave(mark);
        statements
    }

    pub(super) fn statements(&mut self, statements: &'a [ast::Statement]) -> Block {
        statements.iter().filter_map(|statement| self.statement(statement)).collect()
    }

    /// A statement; `None` where it cannot stand here, or is not whole.
    pub(super) fn statement(&mut self, statement: &'a ast::Statement) -> Option<Statement> {
        let id = StatementId(self.next_statement);
        self.next_statement += 1;
        if !self.check_placement(&statement.kind, statement.span) {
            self.touch_statement(statement);
            return None;
        }
        let (kind, effect) = self.kind(statement)?;
        let doc = super::declarations::doc(&statement.docs);
        Some(Statement { id, kind, doc, span: statement.span, effect, barrier: false })
    }

    fn kind(&mut self, statement: &'a ast::Statement) -> Option<(StatementKind, Effect)> {
        let span = statement.span;
        Some(match &statement.kind {
            ast::StatementKind::Let { name, ty, value } => {
                self.suggest_change(span, value.span, &format!("change {name} = "));
                self.let_value(name, ty.as_ref(), value)
            }
            ast::StatementKind::Show { value, title } => {
                self.suggest_change(span, value.span, "change ");
                self.show(value, title.as_ref())
            }
            ast::StatementKind::Check(check) => self.check_statement(check),
            ast::StatementKind::Require { condition, title } => {
                let source = self.source_of(condition.span);
                let condition = self.expr_as(condition, &Type::Bool, "what is required");
                let effect = condition.effect;
                (StatementKind::Require { condition, title: self.title(title.as_ref()), source }, effect)
            }
            ast::StatementKind::Measure { metrics } => {
                let metrics = metrics.iter().filter_map(|name| self.metric_named(name)).collect();
                (StatementKind::Measure { metrics }, Effect::Reads)
            }
            ast::StatementKind::Change(change) => {
                self.command_changes.get_or_insert(span);
                (StatementKind::Change(Box::new(self.change(change))), Effect::Changes)
            }
            ast::StatementKind::Manual { text, link, within } => self.manual(text, link.as_ref(), within.as_ref()),
            ast::StatementKind::Wait { condition, every, within } => self.wait(condition, every, within),
            ast::StatementKind::Retry { times, every, body } => self.retry(times, every, body)?,
            ast::StatementKind::For(each) => self.for_each(each),
            ast::StatementKind::If { branches, otherwise } => self.if_statement(branches, otherwise.as_ref()),
            ast::StatementKind::Do { call } => self.do_command(call)?,
            ast::StatementKind::Notify { channels, message } => {
                let channels = self.channels(channels);
                let (message, effect) = self.message(message.as_ref());
                (StatementKind::Notify { channels, message }, effect)
            }
            ast::StatementKind::Raise { threshold, message } => {
                let threshold = self.raised(threshold)?;
                let (message, effect) = self.message(message.as_ref());
                (StatementKind::Raise { threshold, message }, effect)
            }
            ast::StatementKind::Escalate { level, message } => {
                let number = self.count(level, 1, "a level")?;
                self.alerting.escalated.push((number, level.span));
                let (message, effect) = self.message(message.as_ref());
                (StatementKind::Escalate { level: number, message }, effect)
            }
            ast::StatementKind::Return { value } => self.return_value(value),
            ast::StatementKind::Send { channels } => {
                (StatementKind::Send { channels: self.channels(channels) }, Effect::Pure)
            }
        })
    }

    fn suggest_change(&mut self, statement: Span, value: Span, replacement: &str) {
        let heading = Span { end: value.start, ..statement };
        self.place.set_heading(Some((heading, value, replacement.to_owned())));
    }

    fn let_value(
        &mut self,
        name: &'a Name,
        ty: Option<&'a ast::Type>,
        value: &'a ast::Expr,
    ) -> (StatementKind, Effect) {
        let value = self.expr(value);
        self.place.set_heading(None);
        let value = match ty {
            Some(written) => {
                let ty = self.resolve_type(written);
                let what = format!("`{name}`");
                let value = self.coerce(value, &Want::new(&ty, &what).declared(written.span));
                Expr { ty, ..value }
            }
            None => value,
        };
        let local = self.declare_local(name, value.ty.clone(), LocalKind::Let);
        self.scope.comes_from(local, self.origin(&value));
        self.note_number(local, &value);
        let effect = value.effect;
        (StatementKind::Let { local, value }, effect)
    }

    fn show(&mut self, value: &'a ast::Expr, title: Option<&'a Template>) -> (StatementKind, Effect) {
        let source = self.source_of(value.span);
        let value = self.read_by_people(true, value);
        self.place.set_heading(None);
        if holds_secret(&value.ty) {
            self.report_secret(&value, "what is shown");
        } else if matches!(value.ty.present(), Type::Connection(_)) {
            let message = format!("{}, which is nothing to show", self.claim(&value));
            self.report(Diagnostic::new(Code::TypeMismatch, value.span, message).help("show what it answers"));
        }
        let effect = value.effect;
        (StatementKind::Show { value, title: self.title(title), source }, effect)
    }

    fn check_statement(&mut self, check: &'a ast::Check) -> (StatementKind, Effect) {
        let source = self.source_of(check.condition.span);
        let condition = self.expr_as(&check.condition, &Type::Bool, "what is checked");
        let title = self.title(check.title.as_ref());
        let otherwise = match &check.otherwise {
            None => CheckElse::Severity { severity: Severity::Critical, message: None },
            Some(ast::CheckElse::Severity { severity, message }) => {
                CheckElse::Severity { severity: severity.node, message: self.message(message.as_ref()).0 }
            }
            Some(ast::CheckElse::Raise { threshold, message }) => {
                let message = self.message(message.as_ref()).0;
                match self.raised(threshold) {
                    Some(threshold) => CheckElse::Raise { threshold, message },
                    None => CheckElse::Severity { severity: Severity::Critical, message },
                }
            }
        };
        let effect = condition.effect;
        (StatementKind::Check { condition, title, source, otherwise }, effect)
    }

    fn manual(
        &mut self,
        text: &'a Template,
        link: Option<&'a Template>,
        within: Option<&'a ast::Expr>,
    ) -> (StatementKind, Effect) {
        let text = self.text_expr(text, true);
        let link = link.map(|link| self.text_expr(link, false));
        let within = within.and_then(|within| {
            let within = self.expr_as(within, &Type::Duration, "a time limit");
            self.constant_duration(&within, "the time limit of a person")
        });
        let effect = text.effect.max(link.as_ref().map_or(Effect::Pure, |link| link.effect));
        (StatementKind::Manual { text, link, within }, effect)
    }

    fn wait(
        &mut self,
        condition: &'a ast::Expr,
        every: &'a ast::Expr,
        within: &'a ast::Expr,
    ) -> (StatementKind, Effect) {
        let source = self.source_of(condition.span);
        let condition = self.expr_as(condition, &Type::Bool, "what is waited for");
        let every = self.limit(every, "the time between two looks");
        let within = self.limit(within, "a time limit");
        let effect = condition.effect.max(every.effect).max(within.effect);
        (StatementKind::Wait { condition, every, within, source }, effect)
    }

    /// A duration that may be computed; a literal one is longer than nothing.
    pub(super) fn limit(&mut self, written: &'a ast::Expr, what: &str) -> Expr {
        let limit = self.expr_as(written, &Type::Duration, what);
        if matches!(limit.kind, ExprKind::Literal(_)) {
            self.constant_duration(&limit, what);
        }
        limit
    }

    fn retry(
        &mut self,
        times: &'a ast::Written,
        every: &'a ast::Expr,
        body: &'a ast::Block,
    ) -> Option<(StatementKind, Effect)> {
        let times = self.count(times, 1, "the number of tries");
        let every = self.limit(every, "the time between two tries");
        let outer = self.place.clone();
        if let Place::Block(block) = &mut self.place {
            block.repeated = true;
        }
        let body = self.block(body);
        self.place = outer;
        let effect = every.effect;
        Some((StatementKind::Retry { times: times?, every, body }, effect))
    }

    fn for_each(&mut self, each: &'a ast::For) -> (StatementKind, Effect) {
        let list = self.expr(&each.list);
        let (list, item) = self.loop_list(list);
        let at_most = each.at_most.as_ref().and_then(|at_most| self.count(at_most, 1, "the number of rounds"));
        let mark = self.enter();
        let local = self.declare_local(&each.variable, item, LocalKind::Loop);
        self.scope.comes_from(local, self.origin(&list));
        self.scope.mark_used(local);
        let before = self.changes_seen;
        let body = self.statements(&each.body.statements);
        self.leave(mark);
        if self.changes_seen > before && each.at_most.is_none() && !is_from_here(&list) && !list.ty.is_unknown() {
            let message =
                format!("{} comes from outside, and every item of it leads to a change", self.quoted(list.span));
            let help = "say how many there may be: `for … in … at most 3 { … }`; with more, nothing is changed";
            let diagnostic = Diagnostic::new(Code::UnboundedChange, list.span, message).help(help);
            self.report(diagnostic.fix(list.span.after(), " at most 3"));
        }
        let effect = list.effect;
        (StatementKind::For(For { local, list, at_most, body }), effect)
    }

    /// What a loop goes over, and the type of its items.
    pub(super) fn loop_list(&mut self, list: Expr) -> (Expr, Type) {
        let list = self.present(list);
        match &list.ty {
            Type::List(item) => {
                let item = item.as_ref().clone();
                (list, item)
            }
            Type::Data => (super::operators::convert(list, Type::list(Type::Data)), Type::Data),
            Type::Unknown => (list, Type::Unknown),
            _ => {
                let message = format!("`for` goes over a list, {}", self.claim(&list));
                self.report(
                    Diagnostic::new(Code::TypeMismatch, list.span, message).at(super::wording::type_text(&list.ty)),
                );
                (list, Type::Unknown)
            }
        }
    }

    fn if_statement(
        &mut self,
        branches: &'a [ast::IfBranch],
        otherwise: Option<&'a ast::Block>,
    ) -> (StatementKind, Effect) {
        let branches: Vec<Branch> = branches
            .iter()
            .map(|branch| {
                let condition = self.expr_as(&branch.condition, &Type::Bool, "a condition");
                Branch { condition, body: self.block(&branch.body) }
            })
            .collect();
        let otherwise = otherwise.map(|block| self.block(block));
        let effect = branches.iter().map(|branch| branch.condition.effect).max().unwrap_or(Effect::Pure);
        (StatementKind::If { branches, otherwise }, effect)
    }

    fn do_command(&mut self, call: &'a ast::Expr) -> Option<(StatementKind, Effect)> {
        let written = call.bare();
        if written.as_call().is_none() {
            self.touch(written);
            let message = format!("`do` runs a command, and {} is no call", self.quoted(call.span));
            self.report(Diagnostic::new(Code::TypeMismatch, call.span, message).help("write `do name(…)`"));
            return None;
        }
        let called = self.call(written, Position::Do);
        let ExprKind::Command { command, args } = called.kind else { return None };
        if self.signatures.command(command).is_some_and(|signature| signature.effect == Effect::Changes) {
            self.changes_seen += 1;
            self.command_changes.get_or_insert(call.span);
        }
        let effect = args.iter().map(|arg| arg.effect).max().unwrap_or(Effect::Pure);
        Some((StatementKind::Do { command, args }, effect))
    }

    fn return_value(&mut self, value: &'a ast::Expr) -> (StatementKind, Effect) {
        let span = value.span;
        let value = self.expr(value);
        let value = if let Some(ty) = self.returns.clone() {
            self.coerce(value, &Want::new(&ty, "what the command gives"))
        } else {
            let message = "the command does not say that it gives a value";
            let help = format!("declare it: `command name(…) -> {}`", super::wording::type_text(&value.ty));
            if !value.ty.is_unknown() {
                self.report(Diagnostic::new(Code::TypeMismatch, span, message).help(help));
            }
            value
        };
        let effect = value.effect;
        (StatementKind::Return { value }, effect)
    }

    fn metric_named(&mut self, name: &Name) -> Option<MetricId> {
        let what = self.declared_of(name, "a metric", |what| matches!(what, What::Metric(_)))?;
        let What::Metric(id) = what else { return None };
        self.alerting.measured.insert(id);
        Some(id)
    }

    /// The channels of `notify` and `send to`.
    pub(super) fn channels(&mut self, names: &[Name]) -> Vec<ChannelId> {
        names
            .iter()
            .filter_map(|name| match self.declared_of(name, "a channel", |what| matches!(what, What::Channel(_)))? {
                What::Channel(id) => Some(id),
                _ => None,
            })
            .collect()
    }

    /// What a name in a clause was declared as; reported where it is not of the kind that the clause takes.
    fn declared_of(&mut self, name: &Name, wanted: &str, is: fn(What) -> bool) -> Option<What> {
        let names = self.names;
        if let Some(declaration) = names.find(self.module, &name.text) {
            declaration.used.set(true);
            if is(declaration.what) {
                return Some(declaration.what);
            }
            let message = format!("`{name}` is a {}, and {wanted} is wanted", declaration.what.noun());
            let diagnostic = Diagnostic::new(Code::TypeMismatch, name.span, message);
            self.report(diagnostic.label(declaration.name.span, "declared here"));
            return None;
        }
        if names.is_in_junk(self.module, &name.text) {
            return None;
        }
        let module = self.module;
        let known = names
            .declarations
            .iter()
            .filter(move |declaration| declaration.module == module && is(declaration.what))
            .map(|declaration| declaration.name.as_str());
        let meant = self.meant(&name.text, known);
        self.report_unknown(Code::UnknownName, name.span, &format!("`{name}` is not declared"), meant);
        None
    }

    /// A threshold that a check or a statement raises.
    fn raised(&mut self, title: &Title) -> Option<ThresholdId> {
        let id = self.threshold_named(title)?;
        self.alerting.raised.entry(id).or_insert(title.span);
        Some(id)
    }

    /// A threshold by its title.
    pub(super) fn threshold_named(&mut self, title: &Title) -> Option<ThresholdId> {
        let names = self.names;
        let found = names.threshold(title.as_str());
        if found.is_none() && !names.is_in_junk(self.module, title.as_str()) {
            let meant = self.meant(title.as_str(), names.threshold_titles());
            let message = format!("there is no threshold `{}`", title.as_str());
            let diagnostic = match meant {
                Some(meant) => {
                    Diagnostic::new(Code::UnknownName, title.span, format!("{message}; did you mean `{meant}`?"))
                        .help(format!("write `\"{meant}\"`"))
                        .fix(title.span, format!("\"{meant}\""))
                }
                None => Diagnostic::new(Code::UnknownName, title.span, message),
            };
            self.report(diagnostic);
        }
        found
    }

    pub(super) fn title(&mut self, title: Option<&'a Template>) -> Option<Expr> {
        title.map(|title| self.text_expr(title, true))
    }

    fn message(&mut self, message: Option<&'a Template>) -> (Option<Expr>, Effect) {
        let message = message.map(|message| self.text_expr(message, true));
        let effect = message.as_ref().map_or(Effect::Pure, |message| message.effect);
        (message, effect)
    }

    /// What was written, in one line.
    pub(super) fn source_of(&self, span: Span) -> Arc<str> {
        one_line(self.text(span)).into()
    }

    /// Notes the names in a statement that is not checked.
    fn touch_statement(&mut self, statement: &'a ast::Statement) {
        match &statement.kind {
            ast::StatementKind::Let { name, value, .. } => {
                self.touch(value);
                let local = self.declare_local(name, Type::Unknown, LocalKind::Let);
                self.scope.mark_used(local);
            }
            ast::StatementKind::Show { value, .. } | ast::StatementKind::Return { value } => self.touch(value),
            ast::StatementKind::Check(check) => self.touch(&check.condition),
            ast::StatementKind::Require { condition, .. } | ast::StatementKind::Wait { condition, .. } => {
                self.touch(condition);
            }
            ast::StatementKind::Change(change) => {
                self.touch(&change.call);
                self.command_changes.get_or_insert(statement.span);
            }
            ast::StatementKind::Do { call } => self.touch(call),
            ast::StatementKind::Measure { metrics: names }
            | ast::StatementKind::Notify { channels: names, .. }
            | ast::StatementKind::Send { channels: names } => {
                for name in names {
                    if let Some(declaration) = self.names.find(self.module, &name.text) {
                        declaration.used.set(true);
                    }
                }
            }
            ast::StatementKind::Raise { threshold, .. } => {
                if let Some(id) = self.names.threshold(threshold.as_str()) {
                    self.alerting.raised.entry(id).or_insert(threshold.span);
                }
            }
            ast::StatementKind::For(each) => {
                self.touch(&each.list);
                for inner in &each.body.statements {
                    self.touch_statement(inner);
                }
            }
            ast::StatementKind::Retry { body, .. } => {
                for inner in &body.statements {
                    self.touch_statement(inner);
                }
            }
            ast::StatementKind::If { .. } | ast::StatementKind::Manual { .. } | ast::StatementKind::Escalate { .. } => {
            }
        }
    }

    /// Where blocks of a section stand, for those that close it.
    pub(super) fn closing(&mut self, block: Option<&'a ast::Block>, of: BlockOf) -> Option<Block> {
        let outer = std::mem::replace(&mut self.place, Place::block(of));
        let block = block.map(|block| self.block(block));
        self.place = outer;
        block
    }
}
