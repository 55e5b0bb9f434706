//! Statements.

use pest::iterators::Pair;

use super::{Builder, Built, Children, Lost};
use crate::source::Span;
use crate::syntax::ast::{
    Block, Body, Change, Check, CheckElse, Expr, For, IfBranch, Label, Name, Statement, StatementKind, Template,
    Written,
};
use crate::syntax::grammar::Rule;

impl Builder<'_> {
    pub(in crate::syntax) fn statement(&mut self, pair: Pair<'_, Rule>) -> Built<Statement> {
        let span = self.span(&pair);
        let kind = self.statement_kind(pair)?;
        Ok(Statement { docs: self.docs(span.start), kind, span })
    }

    fn statement_kind(&mut self, pair: Pair<'_, Rule>) -> Built<StatementKind> {
        let rule = pair.as_rule();
        let mut children = Children::new(pair);
        let children = &mut children;
        Ok(match rule {
            Rule::let_s => StatementKind::Let {
                name: self.next_name(children)?,
                ty: self.maybe_type(children)?,
                value: self.next_expr(children)?,
            },
            Rule::show_s => {
                StatementKind::Show { value: self.next_expr(children)?, title: self.maybe_title(children)? }
            }
            Rule::check_s => StatementKind::Check(self.check(children)?),
            Rule::require_s => {
                StatementKind::Require { condition: self.next_expr(children)?, title: self.maybe_title(children)? }
            }
            Rule::change_s => StatementKind::Change(Box::new(self.change(children)?)),
            Rule::measure_s => StatementKind::Measure { metrics: self.name_list(children) },
            Rule::manual_s => StatementKind::Manual {
                text: self.next_template(children)?,
                link: self.maybe_link(children)?,
                within: self.maybe_limit(children)?,
            },
            Rule::wait_s => StatementKind::Wait {
                condition: self.next_expr(children)?,
                every: self.next_interval(children)?,
                within: self.maybe_limit(children)?.ok_or(Lost)?,
            },
            Rule::retry_s => StatementKind::Retry {
                times: self.next_number(children)?,
                every: self.next_interval(children)?,
                body: self.next_block(children)?,
            },
            Rule::for_s => StatementKind::For(self.for_loop(children)?),
            Rule::if_s => self.if_statement(children)?,
            Rule::do_s => StatementKind::Do { call: self.next_operand(children)? },
            Rule::notify_s => {
                let channels = children.need(Rule::notify)?;
                StatementKind::Notify { channels: self.names(channels), message: self.maybe_template(children)? }
            }
            Rule::raise_s => StatementKind::Raise {
                threshold: self.title(children.need(Rule::name)?),
                message: self.maybe_template(children)?,
            },
            Rule::escalate_s => {
                StatementKind::Escalate { level: self.next_number(children)?, message: self.maybe_template(children)? }
            }
            Rule::return_s => StatementKind::Return { value: self.next_expr(children)? },
            Rule::send_s => StatementKind::Send { channels: self.name_list(children) },
            _ => return Err(Lost),
        })
    }

    pub(super) fn next_name(&mut self, children: &mut Children<'_>) -> Built<Name> {
        Ok(self.name(&children.need(Rule::ident)?))
    }

    pub(super) fn next_number(&mut self, children: &mut Children<'_>) -> Built<Written> {
        Ok(self.written(&children.need(Rule::number)?))
    }

    pub(super) fn name_list(&self, children: &mut Children<'_>) -> Vec<Name> {
        children.all(Rule::ident).iter().map(|name| self.name(name)).collect()
    }

    fn next_block(&mut self, children: &mut Children<'_>) -> Built<Block> {
        let pair = children.need(Rule::block)?;
        Ok(self.block(pair))
    }

    fn maybe_title(&mut self, children: &mut Children<'_>) -> Built<Option<Template>> {
        let Some(title) = children.take(Rule::title) else { return Ok(None) };
        self.next_template(&mut Children::new(title)).map(Some)
    }

    pub(super) fn maybe_link(&mut self, children: &mut Children<'_>) -> Built<Option<Template>> {
        let Some(link) = children.take(Rule::link) else { return Ok(None) };
        self.next_template(&mut Children::new(link)).map(Some)
    }

    /// `within D`
    pub(super) fn maybe_limit(&mut self, children: &mut Children<'_>) -> Built<Option<Expr>> {
        let Some(limit) = children.take(Rule::limit) else { return Ok(None) };
        self.next_pipeline(&mut Children::new(limit)).map(Some)
    }

    /// `every D`
    pub(super) fn next_interval(&mut self, children: &mut Children<'_>) -> Built<Expr> {
        let interval = children.need(Rule::interval)?;
        self.next_pipeline(&mut Children::new(interval))
    }

    fn check(&mut self, children: &mut Children<'_>) -> Built<Check> {
        let condition = self.next_expr(children)?;
        let title = self.maybe_title(children)?;
        let otherwise = if let Some(raise) = children.take(Rule::or_raise) {
            let mut parts = Children::new(raise);
            let threshold = self.title(parts.need(Rule::name)?);
            Some(CheckElse::Raise { threshold, message: self.maybe_template(&mut parts)? })
        } else if let Some(severity) = children.take(Rule::or_severity) {
            let mut parts = Children::new(severity);
            let severity = self.severity(&parts.need(Rule::severity)?)?;
            Some(CheckElse::Severity { severity, message: self.maybe_template(&mut parts)? })
        } else {
            None
        };
        Ok(Check { condition, title, otherwise })
    }

    fn change(&mut self, children: &mut Children<'_>) -> Built<Change> {
        let binding = match children.take(Rule::binding) {
            Some(binding) => Some(self.next_name(&mut Children::new(binding))?),
            None => None,
        };
        let call = self.next_operand(children)?;
        let mut change =
            Change { binding, call, title: None, within: None, approve_by: None, verify: None, undo: None };
        let mut seen: Vec<(Rule, Span)> = Vec::new();
        while let Ok(clause) = children.any() {
            let span = self.span(&clause);
            let rule = clause.as_rule();
            if let Some((_, first)) = seen.iter().find(|(known, _)| *known == rule) {
                return Err(self.twice(clause_word(rule), *first, span));
            }
            seen.push((rule, span));
            self.change_clause(&mut change, clause)?;
        }
        Ok(change)
    }

    fn change_clause(&mut self, change: &mut Change, clause: Pair<'_, Rule>) -> Built<()> {
        let rule = clause.as_rule();
        let mut parts = Children::new(clause);
        match rule {
            Rule::title => change.title = Some(self.next_template(&mut parts)?),
            Rule::limit => change.within = Some(self.next_pipeline(&mut parts)?),
            Rule::approve => change.approve_by = Some(self.title(parts.need(Rule::name)?)),
            Rule::verify => change.verify = Some(self.next_expr(&mut parts)?),
            Rule::undo => change.undo = Some(self.next_operand(&mut parts)?),
            _ => return Err(Lost),
        }
        Ok(())
    }

    /// `for x in xs at most 3`
    pub(in crate::syntax) fn loop_head(&mut self, pair: Pair<'_, Rule>) -> Built<(Label, Option<Written>)> {
        let mut children = Children::new(pair);
        let label = self.maybe_label(&mut children)?.ok_or(Lost)?;
        Ok((label, self.maybe_at_most(&mut children)?))
    }

    /// `retry 3 every 5s`
    pub(in crate::syntax) fn retry_head(&mut self, pair: Pair<'_, Rule>) -> Built<(Written, Expr)> {
        let mut children = Children::new(pair);
        Ok((self.next_number(&mut children)?, self.next_interval(&mut children)?))
    }

    /// The condition of `if a` and `else if a`; none for `else`.
    pub(in crate::syntax) fn if_head(&mut self, pair: Pair<'_, Rule>) -> Built<Option<Expr>> {
        let mut children = Children::new(pair);
        if children.peek().is_none() { Ok(None) } else { self.next_expr(&mut children).map(Some) }
    }

    fn maybe_at_most(&mut self, children: &mut Children<'_>) -> Built<Option<Written>> {
        let Some(at_most) = children.take(Rule::at_most) else { return Ok(None) };
        self.next_number(&mut Children::new(at_most)).map(Some)
    }

    fn for_loop(&mut self, children: &mut Children<'_>) -> Built<For> {
        let label = self.maybe_label(children)?.ok_or(Lost)?;
        let at_most = self.maybe_at_most(children)?;
        Ok(For { variable: label.name, list: label.list, at_most, body: self.next_block(children)? })
    }

    /// `for x in xs`
    pub(super) fn maybe_label(&mut self, children: &mut Children<'_>) -> Built<Option<Label>> {
        let Some(label) = children.take(Rule::label) else { return Ok(None) };
        let span = self.span(&label);
        let mut parts = Children::new(label);
        let name = self.next_name(&mut parts)?;
        Ok(Some(Label { name, list: self.next_expr(&mut parts)?, span }))
    }

    fn if_statement(&mut self, children: &mut Children<'_>) -> Built<StatementKind> {
        let mut branches = Vec::new();
        while let Some(branch) = children.take(Rule::branch) {
            let mut parts = Children::new(branch);
            let condition = self.next_expr(&mut parts)?;
            branches.push(IfBranch { condition, body: self.next_block(&mut parts)? });
        }
        let otherwise = children.take(Rule::block).map(|block| self.block(block));
        Ok(StatementKind::If { branches, otherwise })
    }

    /// The block of a step.
    pub(super) fn body(&mut self, pair: Pair<'_, Rule>) -> Body {
        let span = self.span(&pair);
        let (on_failure, always) = self.closings(pair.clone());
        Body { statements: self.statements(pair), on_failure, always, span }
    }

    /// `on failure { … }` and `always { … }` among the children of a pair.
    pub(super) fn closings(&mut self, pair: Pair<'_, Rule>) -> (Option<Block>, Option<Block>) {
        let mut on_failure = None;
        let mut always = None;
        for inner in pair.into_inner() {
            let place = match inner.as_rule() {
                Rule::on_failure => &mut on_failure,
                Rule::always => &mut always,
                _ => continue,
            };
            *place = inner.into_inner().find(|part| part.as_rule() == Rule::block).map(|block| self.block(block));
        }
        (on_failure, always)
    }
}

const fn clause_word(rule: Rule) -> &'static str {
    match rule {
        Rule::title => "as",
        Rule::limit => "within",
        Rule::approve => "approve by",
        Rule::verify => "verify",
        _ => "undo",
    }
}
