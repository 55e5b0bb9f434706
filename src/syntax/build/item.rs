//! Declarations.

use pest::iterators::Pair;

use super::expr::is_expr;
use super::{Builder, Built, Children, Lost, is_statement};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{
    ChangesEffect, Channel, Command, Connect, Driver, Expr, ExprKind, Header, HeaderField, HeaderKind, Item, ItemKind,
    Metric, Param, Parameter, Part, Quoting, Report, Secret, Section, SectionMember, Step, Template, Title, Tool,
    TypeAlias, Use,
};
use crate::syntax::grammar::Rule;

/// What stands before a section's block.
pub(in crate::syntax) struct SectionHead {
    pub(in crate::syntax) title: Title,
    pub(in crate::syntax) schedule: Option<crate::syntax::ast::Schedule>,
    pub(in crate::syntax) within: Option<Expr>,
    pub(in crate::syntax) quiet: Vec<Title>,
}

impl Builder<'_> {
    pub(in crate::syntax) fn item(&mut self, pair: Pair<'_, Rule>) -> Built<Item> {
        let span = self.span(&pair);
        let kind = self.item_kind(pair)?;
        Ok(Item { docs: self.docs(span.start), kind, span })
    }

    fn item_kind(&mut self, pair: Pair<'_, Rule>) -> Built<ItemKind> {
        let rule = pair.as_rule();
        let mut children = Children::new(pair.clone());
        let children = &mut children;
        Ok(match rule {
            Rule::use_item => ItemKind::Use(Use {
                path: self.title(children.need(Rule::name)?),
                alias: children.take(Rule::ident).map(|alias| self.name(&alias)),
            }),
            Rule::type_item => {
                ItemKind::Type(TypeAlias { name: self.next_name(children)?, definition: self.next_type(children)? })
            }
            Rule::param_item => ItemKind::Param(Param {
                name: self.next_name(children)?,
                ty: self.next_type(children)?,
                default: self.maybe_expr(children)?,
            }),
            Rule::secret_item => {
                ItemKind::Secret(Secret { name: self.next_name(children)?, source: self.driver(children)? })
            }
            Rule::connect_item => {
                ItemKind::Connect(Connect { name: self.next_name(children)?, driver: self.driver(children)? })
            }
            Rule::channel_item => {
                ItemKind::Channel(Channel { name: self.next_name(children)?, driver: self.driver(children)? })
            }
            Rule::tool_item => ItemKind::Tool(Tool {
                name: self.next_name(children)?,
                params: self.params(children)?,
                result: self.result(children)?,
                changes: self.effect(children),
                program: self.driver(children)?,
            }),
            Rule::metric_item => ItemKind::Metric(self.metric(children)?),
            Rule::command_item => {
                let mut command = self.command_head(children.need(Rule::command_head)?)?;
                command.body = children.take(Rule::block).map(|block| self.block(block));
                ItemKind::Command(command)
            }
            Rule::threshold_item => ItemKind::Threshold(self.threshold(children)?),
            Rule::section_item => ItemKind::Section(self.section(pair)?),
            Rule::escalation_item => ItemKind::Escalation(self.escalation(children)?),
            Rule::report_item => {
                let mut report = self.report_head(children.need(Rule::report_head)?)?;
                report.body = self.block(children.need(Rule::block)?);
                ItemKind::Report(report)
            }
            Rule::test_item => ItemKind::Test(self.test(children)?),
            _ => return Err(Lost),
        })
    }

    pub(in crate::syntax) fn header(&mut self, pair: Pair<'_, Rule>) -> Built<Header> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let mut header = self.header_head(children.need(Rule::header_head)?)?;
        header.fields = self.each(children.all(Rule::header_field).into_iter(), Self::header_field);
        header.span = span;
        Ok(header)
    }

    /// A header without its fields.
    pub(in crate::syntax) fn header_head(&mut self, pair: Pair<'_, Rule>) -> Built<Header> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let kind = children.need(Rule::header_kind)?;
        let found = if kind.as_str() == "runbook" { HeaderKind::Runbook } else { HeaderKind::Library };
        Ok(Header {
            docs: self.docs(span.start),
            kind: Spanned::new(found, self.span(&kind)),
            title: self.title(children.need(Rule::name)?),
            fields: Vec::new(),
            span,
        })
    }

    pub(in crate::syntax) fn header_field(&mut self, pair: Pair<'_, Rule>) -> Built<HeaderField> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let name = self.name(&children.need(Rule::word)?);
        let value = children.any()?;
        let value = self.constant_expr(value)?;
        Ok(HeaderField { docs: self.docs(span.start), name, value, span })
    }

    /// A constant: a literal, or a text without interpolations.
    fn constant_expr(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        let span = self.span(&pair);
        let quoting = match pair.as_rule() {
            Rule::name => Quoting::Text,
            Rule::raw => Quoting::Raw,
            _ => return Ok(Expr { kind: Self::literal(&pair)?, span }),
        };
        let text = Self::constant(pair);
        let parts = if text.is_empty() { Vec::new() } else { vec![Part::Text(Spanned::new(text, span))] };
        Ok(Expr { kind: ExprKind::Template(Template { parts, quoting, span }), span })
    }

    fn maybe_expr(&mut self, children: &mut Children<'_>) -> Built<Option<Expr>> {
        let Some(pair) = children.take_if(is_expr) else { return Ok(None) };
        Ok(Some(self.expr(pair)?.expr))
    }

    fn driver(&mut self, children: &mut Children<'_>) -> Built<Driver> {
        let pair = children.need(Rule::driver)?;
        let span = self.span(&pair);
        let mut parts = Children::new(pair);
        let path = self.path(parts.need(Rule::path)?);
        let args = self.args_node(parts.need(Rule::args)?)?.0;
        Ok(Driver { path, args, span })
    }

    fn metric(&mut self, children: &mut Children<'_>) -> Built<Metric> {
        let name = self.next_name(children)?;
        let ty = self.next_type(children)?;
        let mut labels = Vec::new();
        while let Some(label) = self.maybe_label(children)? {
            labels.push(label);
        }
        let every = if children.peek() == Some(Rule::interval) { Some(self.next_interval(children)?) } else { None };
        Ok(Metric { name, ty, labels, every, value: self.next_expr(children)? })
    }

    /// A command without its body.
    pub(in crate::syntax) fn command_head(&mut self, pair: Pair<'_, Rule>) -> Built<Command> {
        let mut children = Children::new(pair);
        let children = &mut children;
        let name = self.next_name(children)?;
        let params = self.params(children)?;
        let result = self.result(children)?;
        let changes = self.effect(children);
        let deprecated = match children.take(Rule::deprecated) {
            Some(deprecated) => Some(self.title(Children::new(deprecated).need(Rule::name)?)),
            None => None,
        };
        Ok(Command { name, params, result, changes, deprecated, body: None })
    }

    fn params(&mut self, children: &mut Children<'_>) -> Built<Vec<Parameter>> {
        let mut params = Vec::new();
        for pair in Children::new(children.need(Rule::params)?).all(Rule::parameter) {
            let span = self.span(&pair);
            let mut parts = Children::new(pair);
            params.push(Parameter {
                docs: self.docs(span.start),
                name: self.next_name(&mut parts)?,
                ty: self.next_type(&mut parts)?,
                default: self.maybe_expr(&mut parts)?,
                span,
            });
        }
        Ok(params)
    }

    fn result(&mut self, children: &mut Children<'_>) -> Built<Option<crate::syntax::ast::Type>> {
        let Some(result) = children.take(Rule::result) else { return Ok(None) };
        self.maybe_type(&mut Children::new(result))
    }

    fn effect(&mut self, children: &mut Children<'_>) -> Option<ChangesEffect> {
        let pair = children.take(Rule::effect)?;
        let span = self.span(&pair);
        let idempotent = pair.into_inner().any(|inner| inner.as_rule() == Rule::kw_idempotent);
        Some(ChangesEffect { idempotent, span })
    }

    fn section(&mut self, pair: Pair<'_, Rule>) -> Built<Section> {
        let head = Children::new(pair.clone()).need(Rule::section_head)?;
        let head = self.section_head(head)?;
        let (on_failure, always) = self.closings(pair.clone());
        let pairs = pair.into_inner().filter(|inner| inner.as_rule() == Rule::step || is_statement(inner.as_rule()));
        let members = self.each(pairs, Self::member);
        Ok(head.with(members, on_failure, always))
    }

    pub(in crate::syntax) fn section_head(&mut self, pair: Pair<'_, Rule>) -> Built<SectionHead> {
        let mut children = Children::new(pair);
        let title = self.title(children.need(Rule::name)?);
        let schedule = self.maybe_schedule(&mut children)?;
        let mut head = SectionHead { title, schedule, within: None, quiet: Vec::new() };
        let mut first: Option<Span> = None;
        while let Some(rule) = children.peek() {
            if rule == Rule::quiet {
                let quiet = children.any()?;
                head.quiet.extend(Children::new(quiet).all(Rule::name).into_iter().map(|title| self.title(title)));
                continue;
            }
            let limit = self.maybe_limit(&mut children)?.ok_or(Lost)?;
            if let Some(first) = first {
                return Err(self.twice("within", first, limit.span));
            }
            first = Some(limit.span);
            head.within = Some(limit);
        }
        Ok(head)
    }

    pub(in crate::syntax) fn member(&mut self, pair: Pair<'_, Rule>) -> Built<SectionMember> {
        if pair.as_rule() != Rule::step {
            return self.statement(pair).map(SectionMember::Statement);
        }
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let mut step = self.step_head(children.need(Rule::step_head)?)?;
        step.body = self.body(children.need(Rule::step_body)?);
        step.span = span;
        Ok(SectionMember::Step(step))
    }

    /// A step without its body.
    pub(in crate::syntax) fn step_head(&mut self, pair: Pair<'_, Rule>) -> Built<Step> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        Ok(Step {
            docs: self.docs(span.start),
            title: self.title(children.need(Rule::name)?),
            label: self.maybe_label(&mut children)?,
            within: self.maybe_limit(&mut children)?,
            body: crate::syntax::ast::Body { statements: Vec::new(), on_failure: None, always: None, span },
            span,
        })
    }

    /// A report without its body.
    pub(in crate::syntax) fn report_head(&mut self, pair: Pair<'_, Rule>) -> Built<Report> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        Ok(Report {
            title: self.title(children.need(Rule::name)?),
            schedule: self.maybe_schedule(&mut children)?,
            body: crate::syntax::ast::Block { statements: Vec::new(), span },
        })
    }
}

impl SectionHead {
    pub(in crate::syntax) fn with(
        self,
        members: Vec<SectionMember>,
        on_failure: Option<crate::syntax::ast::Block>,
        always: Option<crate::syntax::ast::Block>,
    ) -> Section {
        Section {
            title: self.title,
            schedule: self.schedule,
            within: self.within,
            quiet: self.quiet,
            members,
            on_failure,
            always,
        }
    }
}
