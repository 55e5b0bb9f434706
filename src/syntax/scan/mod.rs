//! A look at the text before the grammar sees it: tokens, comments, brackets.
//!
//! The scan is linear and never recurses. It refuses what would make the grammar recurse too deeply, finds the mistakes
//! that a grammar cannot place well (a text, a bracket that is not closed), and gives recovery and the messages the
//! tokens that they work on. It reads texts, regexes, numbers and comments exactly as the grammar does.

mod brackets;
mod lexer;
mod strings;

use std::sync::Arc;

pub(super) use self::lexer::scan;
use super::ast::Comment;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// How deep brackets, interpolations included, may nest.
pub(super) const MAX_BRACKETS: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Word,
    /// Anything that begins with a digit.
    Number,
    /// A text without interpolations, of any quoting.
    Text,
    /// A piece of a text with interpolations, from its quote or a `}` to the next `{` or its quote.
    TextPiece,
    Regex,
    /// `(`, `[` or `{`
    Open,
    /// `)`, `]` or `}`
    Close,
    /// An operator or another sign.
    Sign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// How many brackets are open around it. An opening and its closing bracket have the same depth.
    pub(super) depth: u32,
    /// The index of the bracket that belongs to this one; its own index for everything else.
    pub(super) partner: u32,
    /// How many bytes of blanks stand before it on its line, if nothing else does.
    pub(super) indent: Option<u32>,
    /// It stands in an interpolation.
    pub(super) inside: bool,
}

impl Token {
    pub(super) const fn is_first(self) -> bool {
        self.indent.is_some()
    }
}

/// With more mistakes than this a file is no runbook, and nobody reads them all.
pub(super) const MOST_FAULTS: usize = 10_000;

/// That the rest is left out, where it begins.
pub(super) fn too_many(place: Span) -> Diagnostic {
    Diagnostic::new(Code::Syntax, place, format!("there are more than {MOST_FAULTS} mistakes before this"))
        .help("is this a runbook? mend the first ones and check again")
}

/// What the scan found.
#[derive(Default)]
pub(super) struct Scan {
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Comment>,
    /// In the order of the text.
    pub(super) faults: Vec<Diagnostic>,
    /// The grammar must not see this text.
    pub(super) too_deep: bool,
    /// There are so many mistakes that the rest was not read.
    pub(super) hopeless: bool,
}

/// A text and where it begins in its file.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) file: FileId,
    pub(super) text: &'a str,
}

impl<'a> Source<'a> {
    pub(super) fn span(self, start: usize, end: usize) -> Span {
        Span::new(self.file, offset(start), offset(end))
    }

    pub(super) fn slice(self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    pub(super) fn of(self, token: Token) -> &'a str {
        self.slice(token.start, token.end)
    }

    pub(super) fn token_span(self, token: Token) -> Span {
        Span::new(self.file, token.start, token.end)
    }

    pub(super) fn byte(self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    pub(super) fn starts_with(self, at: usize, prefix: &str) -> bool {
        self.text.as_bytes().get(at..).is_some_and(|rest| rest.starts_with(prefix.as_bytes()))
    }

    /// The next end of a line at or after `at`, or the end of the text.
    pub(super) fn line_end(self, at: usize) -> usize {
        let rest = self.text.as_bytes().get(at..).unwrap_or_default();
        memchr::memchr2(b'\n', b'\r', rest).map_or(self.text.len(), |found| at + found)
    }

    pub(super) fn comment(self, start: usize, end: usize, own_line: bool) -> Comment {
        let text = self.text.get(start..end).unwrap_or("").trim_end();
        Comment { text: Arc::from(text), span: self.span(start, start + text.len()), own_line }
    }
}

/// Files are capped far below 4 GiB, so offsets fit.
pub(super) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
