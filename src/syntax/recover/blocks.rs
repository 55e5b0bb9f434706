//! Pieces that have a block: the head and what stands in the block, each read by itself.

use std::ops::Range;

use super::part::{Part, Parts};
use super::{Place, Recovery};
use crate::source::Span;
use crate::syntax::ast::{
    Block, EscalationClause, EscalationClauseKind, Expr, For, IfBranch, Item, ItemKind, Label, SectionMember,
    Statement, StatementKind, Written,
};
use crate::syntax::build::{Builder, Built};
use crate::syntax::grammar::Rule;
use crate::syntax::junk;
use crate::syntax::scan::TokenKind;

/// A head and the block behind it.
struct Blocked {
    head: Range<usize>,
    /// With its braces.
    block: Range<usize>,
}

/// A head that was read.
enum Head {
    Header(Box<crate::syntax::ast::Header>),
    Item(ItemHead),
    Member(Box<crate::syntax::ast::Step>),
    Level(crate::syntax::ast::Level),
    Loop(Label, Option<Written>),
    Retry(Written, Expr),
    /// `if a`, `else if a`; no condition for `else`.
    If(Option<Expr>),
    OnFailure,
    Always,
}

enum ItemHead {
    Command(Box<crate::syntax::ast::Command>),
    Threshold(crate::syntax::ast::Threshold),
    Section(Box<crate::syntax::build::SectionHead>),
    Escalation(crate::syntax::ast::Escalation),
    Report(Box<crate::syntax::ast::Report>),
    Test(crate::syntax::ast::Test),
}

impl Recovery<'_, '_> {
    /// Reads a piece that has a block. None if it has none.
    pub(super) fn block_piece(&mut self, piece: &Range<usize>, place: Place) -> Option<Vec<Part>> {
        let word = self.text(piece.start);
        let inner = block_place(word, place)?;
        if word == "if" {
            return self.if_piece(piece, place);
        }
        let blocked = self.blocked(piece)?;
        let rest = blocked.block.end..piece.end;
        let head = self.head(&blocked.head, place);
        let parts = Parts::new(self.inner_pieces(&blocked.block, inner));
        let span = self.span(&(piece.start..blocked.block.end));
        let built = head.map(|head| self.assemble(head, parts, span, &blocked.block));
        if built.is_none() {
            self.builder.junk.push(junk::of(self.builder.source, self.builder.scan, span));
        }
        let mut parts: Vec<Part> = built.into_iter().collect();
        self.rest(rest, place, &mut parts);
        Some(parts)
    }

    /// What stands behind a block in its piece.
    fn rest(&mut self, rest: Range<usize>, place: Place, parts: &mut Vec<Part>) {
        if rest.start < rest.end {
            parts.extend(self.pieces(rest, place));
        }
    }

    /// The first block of a piece: a `{` behind a value, which no record can be.
    fn blocked(&self, piece: &Range<usize>) -> Option<Blocked> {
        let depth = self.token(piece.start)?.depth;
        let mut index = piece.start + 1;
        while index < piece.end {
            let token = self.token(index)?;
            if token.kind == TokenKind::Open && token.depth == depth && !token.inside {
                let close = token.partner as usize;
                let brace = matches!(self.text(index), "{" | "");
                if brace && self.opens_block(index) {
                    return Some(Blocked { head: piece.start..index, block: index..(close + 1).min(piece.end) });
                }
                index = close.max(index);
            }
            index += 1;
        }
        None
    }

    fn opens_block(&self, index: usize) -> bool {
        let led = matches!(self.text(index - 1), "always" | "else" | "failure");
        led || self.ends_value(index - 1) || self.holds_statements(index)
    }

    /// Whether a line with a word begins behind this brace, and is no entry of a record.
    fn holds_statements(&self, index: usize) -> bool {
        let first = self.token(index + 1);
        first.is_some_and(|first| first.is_first() && first.kind == TokenKind::Word)
            && !matches!(self.text(index + 2), ":" | "," | "}")
    }

    fn inner_pieces(&mut self, block: &Range<usize>, place: Place) -> Vec<Part> {
        let inner = block.start + 1..block.end.saturating_sub(1);
        if inner.start >= inner.end { Vec::new() } else { self.pieces(inner, place) }
    }

    /// Reads a head. None if it has a mistake, which is then reported.
    fn head(&mut self, run: &Range<usize>, place: Place) -> Option<Head> {
        let rule = if place == Place::Item { Rule::one_item_head } else { Rule::one_part_head };
        match self.read(run, rule) {
            Ok(pair) => {
                let span = self.span(run);
                self.builder.keep(span, |builder| build_head(builder, pair))
            }
            Err(stop) => {
                self.lose(run, &stop, place);
                None
            }
        }
    }

    fn assemble(&mut self, head: Head, parts: Parts, span: Span, block: &Range<usize>) -> Part {
        let block_span = self.span(block);
        let docs = self.builder.docs(span.start);
        let statement = |kind| Part::statement(Statement { docs: docs.clone(), kind, span });
        match head {
            Head::Header(header) => {
                let mut header = *header;
                header.fields = parts.fields;
                header.span = span;
                Part::Header(header)
            }
            Head::Item(head) => {
                let kind = item_kind(head, parts, block_span);
                Part::Item(Item { docs, kind, span })
            }
            Head::Member(step) => {
                let mut step = *step;
                step.span = span;
                step.body.span = block_span;
                step.body.on_failure.clone_from(&parts.on_failure);
                step.body.always.clone_from(&parts.always);
                step.body.statements = parts.statements();
                Part::Member(SectionMember::Step(step))
            }
            Head::Level(mut level) => {
                level.clauses = parts.level;
                Part::EscalationClause(EscalationClause { docs, kind: EscalationClauseKind::Level(level), span })
            }
            Head::Loop(label, at_most) => {
                let body = Block { statements: parts.statements(), span: block_span };
                statement(StatementKind::For(For { variable: label.name, list: label.list, at_most, body }))
            }
            Head::Retry(times, every) => {
                let body = Block { statements: parts.statements(), span: block_span };
                statement(StatementKind::Retry { times, every, body })
            }
            Head::OnFailure => Part::OnFailure(Block { statements: parts.statements(), span: block_span }),
            Head::Always => Part::Always(Block { statements: parts.statements(), span: block_span }),
            Head::If(condition) => {
                let body = Block { statements: parts.statements(), span: block_span };
                let branches = condition.map(|condition| IfBranch { condition, body }).into_iter().collect();
                statement(StatementKind::If { branches, otherwise: None })
            }
        }
    }

    /// `if a { … } else if b { … } else { … }`
    fn if_piece(&mut self, piece: &Range<usize>, place: Place) -> Option<Vec<Part>> {
        let mut blocked = self.blocked(piece)?;
        let mut branches = Vec::new();
        let mut otherwise = None;
        let mut whole = true;
        let end = loop {
            let head = self.head(&blocked.head, Place::Block);
            let statements = Parts::new(self.inner_pieces(&blocked.block, Place::Block)).statements();
            let body = Block { statements, span: self.span(&blocked.block) };
            match head {
                Some(Head::If(Some(condition))) => branches.push(IfBranch { condition, body }),
                Some(Head::If(None)) => otherwise = Some(body),
                _ => whole = false,
            }
            let rest = blocked.block.end..piece.end;
            if self.text(rest.start) != "else" || rest.start >= rest.end {
                break rest.start;
            }
            match self.blocked(&rest) {
                Some(next) => blocked = next,
                None => break rest.start,
            }
        };
        let span = self.span(&(piece.start..end));
        let mut parts = Vec::new();
        if whole && !branches.is_empty() {
            let docs = self.builder.docs(span.start);
            let kind = StatementKind::If { branches, otherwise };
            parts.push(Part::statement(Statement { docs, kind, span }));
        } else {
            self.builder.junk.push(junk::of(self.builder.source, self.builder.scan, span));
        }
        self.rest(end..piece.end, place, &mut parts);
        Some(parts)
    }
}

/// What stands in the block that a word leads to. None if it leads to none.
fn block_place(word: &str, place: Place) -> Option<Place> {
    match (place, word) {
        (Place::Item, "runbook" | "library") => Some(Place::HeaderField),
        (Place::Item, "command" | "report") | (Place::Member | Place::Body | Place::Block, "for" | "retry" | "if") => {
            Some(Place::Block)
        }
        (Place::Member | Place::Body, "on" | "always") => Some(Place::Block),
        (Place::Item, "threshold") => Some(Place::ThresholdClause),
        (Place::Item, "section") => Some(Place::Member),
        (Place::Item, "escalation") => Some(Place::EscalationClause),
        (Place::Item, "test") => Some(Place::TestStatement),
        (Place::Member, "step") => Some(Place::Body),
        (Place::EscalationClause, "level") => Some(Place::LevelClause),
        _ => None,
    }
}

fn item_kind(head: ItemHead, parts: Parts, block: Span) -> ItemKind {
    match head {
        ItemHead::Section(head) => {
            let (on_failure, always) = (parts.on_failure, parts.always);
            ItemKind::Section(head.with(parts.members, on_failure, always))
        }
        ItemHead::Threshold(mut threshold) => {
            threshold.clauses = parts.threshold;
            ItemKind::Threshold(threshold)
        }
        ItemHead::Escalation(mut escalation) => {
            escalation.clauses = parts.escalation;
            ItemKind::Escalation(escalation)
        }
        ItemHead::Test(mut test) => {
            test.statements = parts.test;
            ItemKind::Test(test)
        }
        ItemHead::Report(mut report) => {
            report.body = Block { statements: parts.statements(), span: block };
            ItemKind::Report(*report)
        }
        ItemHead::Command(mut command) => {
            command.body = Some(Block { statements: parts.statements(), span: block });
            ItemKind::Command(*command)
        }
    }
}

fn build_head(builder: &mut Builder<'_>, pair: pest::iterators::Pair<'_, Rule>) -> Built<Head> {
    Ok(match pair.as_rule() {
        Rule::header_head => Head::Header(Box::new(builder.header_head(pair)?)),
        Rule::command_head => Head::Item(ItemHead::Command(Box::new(builder.command_head(pair)?))),
        Rule::threshold_head => Head::Item(ItemHead::Threshold(builder.threshold_head(pair)?)),
        Rule::section_head => Head::Item(ItemHead::Section(Box::new(builder.section_head(pair)?))),
        Rule::escalation_head => Head::Item(ItemHead::Escalation(builder.escalation_head(pair)?)),
        Rule::report_head => Head::Item(ItemHead::Report(Box::new(builder.report_head(pair)?))),
        Rule::test_head => Head::Item(ItemHead::Test(builder.test_head(pair)?)),
        Rule::step_head => Head::Member(Box::new(builder.step_head(pair)?)),
        Rule::level_head => Head::Level(builder.level_head(pair)?),
        Rule::loop_head => {
            let (label, at_most) = builder.loop_head(pair)?;
            Head::Loop(label, at_most)
        }
        Rule::retry_head => {
            let (times, every) = builder.retry_head(pair)?;
            Head::Retry(times, every)
        }
        Rule::if_head => Head::If(builder.if_head(pair)?),
        Rule::on_failure_head => Head::OnFailure,
        _ => Head::Always,
    })
}
