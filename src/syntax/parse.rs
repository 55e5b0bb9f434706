//! From a text to its tree, with every mistake in it.

use std::ops::Range;

use pest::Parser;
use pest::error::InputLocation;

use super::ast::{File, Item};
use super::build::Builder;
use super::grammar::{Grammar, Rule};
use super::recover;
use super::scan::{self, Scan, Source, TokenKind};
use super::{ast, junk, words};
use crate::apart;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::FileId;

/// Bytes of a file that are worth a thread of their own: reading them takes some milliseconds.
const WORTH_A_THREAD: usize = 64 << 10;

/// Bytes of a part of a file: what the grammar notes of it is many times as long, and stays where it is fast to reach.
const PART: usize = 16 << 10;

/// A tree, and what was wrong with the text.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub file: File,
    /// In the order of the text. Empty exactly if the tree holds all of it.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a file. It never fails: what cannot be read is reported and left out of the tree.
#[must_use]
pub fn parse(file: FileId, text: &str) -> Parsed {
    let source = Source { file, text };
    let start = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let scan = scan::scan(source, start);
    let mut builder = Builder::new(source, &scan);
    let mut found = Found::default();
    if scan.too_deep || scan.hopeless {
        builder.junk.push(junk::of(source, &scan, source.span(start, text.len())));
    } else if !(scan.faults.is_empty() && whole(&mut builder, start, &mut found)) {
        recover::file(&mut builder, &mut found);
        report_something(&mut builder, start);
    }
    let (junk, mut diagnostics) = (builder.junk, builder.diagnostics);
    finish(source, scan, found, junk, &mut diagnostics)
}

/// The declarations of a file as they are found.
#[derive(Default)]
pub(super) struct Found {
    pub(super) header: Option<ast::Header>,
    pub(super) items: Vec<Item>,
}

impl Found {
    /// Adds a header. A file has one.
    pub(super) fn header(&mut self, builder: &mut Builder<'_>, header: ast::Header) {
        let Some(first) = &self.header else {
            self.header = Some(header);
            return;
        };
        let fault = Diagnostic::new(Code::Syntax, header.kind.span, "a file has one header")
            .label(first.kind.span, "the first one is here")
            .help("put the fields of both into one");
        builder.fault(fault);
        builder.junk.push(junk::of(builder.source, builder.scan, header.span));
    }
}

/// Reads a file that has no mistake the grammar would see. False if it has one. It is read in parts, those of a long file
/// side by side: what comes of it is the same.
fn whole(builder: &mut Builder<'_>, start: usize, found: &mut Found) -> bool {
    let (source, scan) = (builder.source, builder.scan);
    let parts = parts(source, scan, start);
    let read = apart::each(&parts, source.text.len() / WORTH_A_THREAD, |part| {
        let (mut builder, mut found) = (Builder::new(source, scan), Found::default());
        part_of(&mut builder, part.clone(), &mut found).then_some((builder.diagnostics, builder.junk, found))
    });
    let read: Option<Vec<_>> = read.into_iter().collect();
    let Some(read) = read else { return false };
    for (diagnostics, junk, part) in read {
        builder.diagnostics.extend(diagnostics);
        builder.junk.extend(junk);
        found.items.extend(part.items);
        if let Some(header) = part.header {
            found.header(builder, header);
        }
    }
    true
}

/// Reads a part of a file that begins and ends between two declarations.
fn part_of(builder: &mut Builder<'_>, part: Range<usize>, found: &mut Found) -> bool {
    let text = builder.source.text.get(part.clone()).unwrap_or("");
    let Ok(mut pairs) = Grammar::parse(Rule::file, text) else { return false };
    builder.base = part.start;
    for pair in pairs.next().into_iter().flat_map(pest::iterators::Pair::into_inner) {
        let span = builder.span(&pair);
        match pair.as_rule() {
            Rule::EOI => {}
            Rule::header => {
                if let Some(header) = builder.keep(span, |builder| builder.header(pair)) {
                    found.header(builder, header);
                }
            }
            _ => found.items.extend(builder.keep(span, |builder| builder.item(pair))),
        }
    }
    true
}

/// The parts of a file. One ends where a block of its own closes and a word that begins a declaration follows at the
/// beginning of a line: nothing goes on there.
fn parts(source: Source<'_>, scan: &Scan, start: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut begin = start;
    for (before, token) in scan.tokens.iter().zip(scan.tokens.iter().skip(1)) {
        let at = token.start as usize;
        let is_border = before.kind == TokenKind::Close
            && before.depth == 0
            && token.kind == TokenKind::Word
            && token.indent == Some(0)
            && words::ITEMS.contains(&source.of(*token));
        if is_border && at - begin >= PART {
            parts.push(begin..at);
            begin = at;
        }
    }
    parts.push(begin..source.text.len());
    parts
}

/// A file that the grammar refuses has a mistake, even where recovery could read each of its parts.
fn report_something(builder: &mut Builder<'_>, start: usize) {
    if !builder.diagnostics.is_empty() || !builder.scan.faults.is_empty() {
        return;
    }
    let text = builder.source.text.get(start..).unwrap_or("");
    if let Err(error) = Grammar::parse(Rule::file, text) {
        let (InputLocation::Pos(at) | InputLocation::Span((at, _))) = error.location;
        let span = builder.source.span(start + at, start + at);
        builder.fault(Diagnostic::new(Code::Syntax, span, "this cannot stand here"));
    }
}

fn finish(
    source: Source<'_>,
    scan: Scan,
    found: Found,
    mut junk: Vec<ast::Junk>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Parsed {
    let mut all = scan.faults;
    all.append(diagnostics);
    all.sort_by_key(|diagnostic| (diagnostic.span().start, diagnostic.span().end));
    all.dedup_by(|next, first| next.span() == first.span());
    junk.sort_by_key(|junk| junk.span.start);
    let span = source.span(0, source.text.len());
    // A surplus bracket between two statements is no part of either.
    if junk.is_empty()
        && let Some(first) = all.first()
    {
        junk.push(ast::Junk { span: first.span(), words: Vec::new() });
    }
    let file = File { id: source.file, header: found.header, items: found.items, comments: scan.comments, junk, span };
    Parsed { file, diagnostics: all }
}
