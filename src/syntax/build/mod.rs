//! From the grammar's pairs to the tree. What the grammar allows and the language does not is refused here.
//!
//! A builder never stops a file: what it cannot build is reported, and left out of the tree as junk.

mod alert;
mod children;
mod expr;
mod item;
mod literal;
mod operators;
mod schedule;
mod statement;
mod template;
mod test;
mod types;

use std::sync::Arc;

use pest::iterators::Pair;

use self::children::Children;
pub(super) use self::item::SectionHead;
pub(super) use self::template::closing_indent;
use super::ast::{Block, Docs, Name, Statement, Title, Written};
use super::grammar::Rule;
use super::junk;
use super::scan::{Scan, Source, Token, offset};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{Span, Spanned};

/// The node could not be built. Why is among the diagnostics.
#[derive(Debug)]
pub(super) struct Lost;

pub(super) type Built<T> = Result<T, Lost>;

pub(super) struct Builder<'a> {
    pub(super) source: Source<'a>,
    pub(super) scan: &'a Scan,
    /// Where the text that the pairs point into begins in the file.
    pub(super) base: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) junk: Vec<super::ast::Junk>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: Source<'a>, scan: &'a Scan) -> Self {
        Self { source, scan, base: 0, diagnostics: Vec::new(), junk: Vec::new() }
    }

    pub(super) fn fault(&mut self, fault: Diagnostic) -> Lost {
        self.diagnostics.push(fault);
        Lost
    }

    /// What was built; or nothing, with the part in the junk and a diagnostic that says why.
    pub(super) fn keep<T>(&mut self, span: Span, build: impl FnOnce(&mut Self) -> Built<T>) -> Option<T> {
        let known = self.diagnostics.len();
        let built = build(self).ok();
        if built.is_none() {
            if self.diagnostics.len() == known && !self.has_fault(span) {
                self.diagnostics.push(Diagnostic::new(Code::Syntax, span, "this cannot be read"));
            }
            self.junk.push(junk::of(self.source, self.scan, span));
        }
        built
    }

    /// Whether the scan has found a mistake there.
    pub(super) fn has_fault(&self, span: Span) -> bool {
        let first = self.scan.faults.partition_point(|fault| fault.span().start < span.start);
        self.scan.faults.get(first).is_some_and(|fault| fault.span().start <= span.end)
    }

    /// Where a pair stands. The grammar counts the blanks and comments behind it as its own; they are not.
    pub(super) fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let found = pair.as_span();
        let start = self.base + found.start();
        let mut end = self.base + found.end();
        let last = end.checked_sub(1).and_then(|last| self.source.byte(last));
        if matches!(last, Some(b' ' | b'\t' | b'\n' | b'\r')) || found.end() == found.get_input().len() {
            let before = self.scan.tokens.partition_point(|token| (token.end as usize) <= end);
            let token = before.checked_sub(1).and_then(|index| self.scan.tokens.get(index));
            end = token.map_or(end, |token: &Token| (token.end as usize).max(start).min(end));
        }
        self.source.span(start, end)
    }

    pub(super) fn text(pair: &Pair<'_, Rule>) -> Arc<str> {
        Arc::from(pair.as_str())
    }

    pub(super) fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        Name { text: Self::text(pair), span: self.span(pair) }
    }

    pub(super) fn written(&self, pair: &Pair<'_, Rule>) -> Written {
        Spanned::new(Self::text(pair), self.span(pair))
    }

    pub(super) fn title(&self, pair: Pair<'_, Rule>) -> Title {
        let span = self.span(&pair);
        Title { text: Self::constant(pair), span }
    }

    /// The `##` lines right above what begins at `start`.
    pub(super) fn docs(&self, start: u32) -> Docs {
        let comments = &self.scan.comments;
        let mut first = comments.partition_point(|comment| comment.span.start < start);
        let last = first;
        let mut next = start;
        while let Some(comment) = first.checked_sub(1).and_then(|index| comments.get(index)) {
            let between = self.source.slice(comment.span.end, next);
            if !comment.own_line || !between.trim_matches([' ', '\t', '\n', '\r']).is_empty() {
                break;
            }
            next = comment.span.start;
            first -= 1;
        }
        let lines = comments.get(first..last).unwrap_or_default().iter().filter(|comment| comment.is_doc());
        let text = |comment: &super::ast::Comment| {
            let rest = comment.text.strip_prefix("##").unwrap_or(&comment.text);
            Arc::from(rest.strip_prefix(' ').unwrap_or(rest))
        };
        Docs { lines: lines.map(text).collect() }
    }

    /// Builds each pair of a list; what cannot be built is left out.
    pub(super) fn each<'i, T>(
        &mut self,
        pairs: impl Iterator<Item = Pair<'i, Rule>>,
        mut build: impl FnMut(&mut Self, Pair<'i, Rule>) -> Built<T>,
    ) -> Vec<T> {
        let mut built = Vec::new();
        for pair in pairs {
            let span = self.span(&pair);
            built.extend(self.keep(span, |this| build(this, pair)));
        }
        built
    }

    pub(super) fn block(&mut self, pair: Pair<'_, Rule>) -> Block {
        let span = self.span(&pair);
        Block { statements: self.statements(pair), span }
    }

    fn statements(&mut self, pair: Pair<'_, Rule>) -> Vec<Statement> {
        let pairs = pair.into_inner().filter(|inner| is_statement(inner.as_rule()));
        self.each(pairs, Self::statement)
    }

    /// The span from the start of one to the end of another.
    pub(super) fn span_of(&self, start: usize, end: usize) -> Span {
        Span::new(self.source.file, offset(start), offset(end))
    }
}

const fn is_statement(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::let_s
            | Rule::show_s
            | Rule::check_s
            | Rule::require_s
            | Rule::change_s
            | Rule::measure_s
            | Rule::manual_s
            | Rule::wait_s
            | Rule::retry_s
            | Rule::for_s
            | Rule::if_s
            | Rule::do_s
            | Rule::notify_s
            | Rule::raise_s
            | Rule::escalate_s
            | Rule::return_s
            | Rule::send_s
    )
}
