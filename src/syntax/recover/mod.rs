//! Reading a file that has mistakes: each declaration, part and statement by itself.
//!
//! No value can be followed by a word, so where one stands behind a value, something new begins. Each such piece is read
//! with the strict grammar; one that has a block and does not pass is read as its head and the pieces of its block. What
//! remains is a single statement with a single mistake, which `explain` puts into words.

mod blocks;
mod part;
mod place;

use std::ops::Range;

use pest::Parser;
use pest::error::{ErrorVariant, InputLocation};
use pest::iterators::Pair;

use self::part::Part;
pub(super) use self::place::Place;
use super::build::Builder;
use super::explain;
use super::grammar::{Grammar, Rule};
use super::junk;
use super::parse::Found;
use super::scan::{self, MOST_FAULTS, Token, TokenKind};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;

/// Where the grammar stopped in a piece.
pub(super) struct Stop {
    /// The token; the end of the piece if all of it was read and something is missing.
    pub(super) at: usize,
    /// The offset in the file.
    pub(super) offset: u32,
    /// What it would have gone on with.
    pub(super) wanted: Vec<Rule>,
}

/// Reads all declarations of a file.
pub(super) fn file(builder: &mut Builder<'_>, found: &mut Found) {
    let end = builder.scan.tokens.len();
    let mut recovery = Recovery { builder };
    for part in recovery.pieces(0..end, Place::Item) {
        match part {
            Part::Header(header) => found.header(recovery.builder, header),
            Part::Item(item) => found.items.push(item),
            _ => {}
        }
    }
}

pub(super) struct Recovery<'b, 'a> {
    pub(super) builder: &'b mut Builder<'a>,
}

impl<'a> Recovery<'_, 'a> {
    pub(super) fn token(&self, index: usize) -> Option<Token> {
        self.builder.scan.tokens.get(index).copied()
    }

    pub(super) fn text(&self, index: usize) -> &'a str {
        self.token(index).map_or("", |token| self.builder.source.of(token))
    }

    /// From the first to the last of some tokens.
    pub(super) fn span(&self, run: &Range<usize>) -> Span {
        let start = self.token(run.start).map_or(0, |token| token.start);
        let end = run.end.checked_sub(1).and_then(|last| self.token(last)).map_or(start, |token| token.end);
        Span::new(self.builder.source.file, start, end.max(start))
    }

    /// Reads what stands in a block, piece by piece.
    pub(super) fn pieces(&mut self, run: Range<usize>, place: Place) -> Vec<Part> {
        let starts = self.starts(&run, place);
        let mut parts = Vec::new();
        let mut closing = 0;
        let mut index = 0;
        while let Some(first) = starts.get(index).copied() {
            let next = |index: usize| starts.get(index).copied().unwrap_or(run.end);
            let piece = first..next(index + 1);
            index += 1;
            if self.builder.diagnostics.len() >= MOST_FAULTS {
                self.give_up(piece.start..run.end);
                break;
            }
            match self.strict(&piece, place) {
                Ok(part) => parts.extend(part),
                Err(stop) => {
                    // A word that begins a statement elsewhere may go on this one: `let x = try a` + `on b otherwise c`.
                    if stop.at >= piece.end
                        && index < starts.len()
                        && let Ok(part) = self.strict(&(first..next(index + 1)), place)
                    {
                        index += 1;
                        parts.extend(part);
                    } else {
                        self.broken(piece.clone(), &stop, place, &mut parts);
                    }
                }
            }
            self.check_order(&piece, parts.last(), &mut closing);
        }
        parts
    }

    /// Leaves the rest of a block out of the tree, and says so once.
    fn give_up(&mut self, rest: Range<usize>) {
        let span = self.span(&rest);
        self.builder.junk.push(junk::of(self.builder.source, self.builder.scan, span));
        if self.builder.diagnostics.len() == MOST_FAULTS {
            self.builder.fault(scan::too_many(Span::new(span.file, span.start, span.start)));
        }
    }

    /// `on failure` and then `always` close a block: nothing follows them. `closing` is how far the block is.
    fn check_order(&mut self, piece: &Range<usize>, last: Option<&Part>, closing: &mut u8) {
        let reached = match last {
            Some(Part::OnFailure(_)) => 1,
            Some(Part::Always(_)) => 2,
            _ => 0,
        };
        if reached > *closing {
            *closing = reached;
        } else if *closing > 0 && self.token(piece.start).is_some() {
            let first = piece.start..piece.start + 1;
            let closed = if *closing == 1 { "on failure" } else { "always" };
            let fault =
                Diagnostic::new(Code::Syntax, self.span(&first), format!("nothing but `always` follows `{closed}`"));
            let fault = if *closing == 2 {
                Diagnostic { message: "nothing follows `always`".to_owned(), ..fault }
            } else {
                fault
            };
            self.builder.fault(fault.help("a block closes with one `on failure { … }` and then one `always { … }`"));
        }
    }

    /// Where the pieces of a block begin.
    fn starts(&self, run: &Range<usize>, place: Place) -> Vec<usize> {
        let mut starts = Vec::new();
        let Some(depth) = self.token(run.start).map(|token| token.depth) else { return starts };
        starts.push(run.start);
        let mut index = run.start + 1;
        // `for` goes on the head of a step, up to its block.
        let mut in_step = self.text(run.start) == "step";
        while index < run.end {
            let Some(token) = self.token(index) else { break };
            if token.kind == TokenKind::Open && token.depth == depth && !token.inside {
                in_step = false;
                index = (token.partner as usize).max(index + 1);
                continue;
            }
            let word = token.kind == TokenKind::Word && token.depth == depth && !token.inside;
            if word && !(in_step && self.text(index) == "for") && self.begins(index, token, place) {
                in_step = self.text(index) == "step";
                starts.push(index);
            }
            index += 1;
        }
        starts
    }

    /// Whether a word begins something new.
    fn begins(&self, index: usize, token: Token, place: Place) -> bool {
        let word = self.text(index);
        let after_value = self.ends_value(index - 1);
        if !place.words().contains(&word) {
            // No clause and no operator: whatever it is, it is no part of what stands before it.
            return after_value && (place == Place::HeaderField || (token.is_first() && !place::goes_on(word)));
        }
        match word {
            "if" | "for" => after_value,
            // `escalate to level 2 when …` is one clause.
            "when" if self.text(index.saturating_sub(4)) == "escalate" => false,
            "on" if self.text(index + 1) != "failure" => false,
            "by" if self.text(index + 1) != "hand" => false,
            _ if place == Place::Item => self.is_titled(index) && (after_value || token.is_first()),
            _ if place::always_begins(word) => after_value || token.is_first(),
            _ => after_value || (token.is_first() && !self.is_part_of_row(index)),
        }
    }

    /// Whether a sign follows, so that the word is a value rather than the beginning of something.
    fn is_part_of_row(&self, index: usize) -> bool {
        self.token(index + 1).is_some_and(|next| matches!(next.kind, TokenKind::Sign | TokenKind::Close))
    }

    /// Whether a name or a title follows, as behind a declaration's first word.
    fn is_titled(&self, index: usize) -> bool {
        let next = self.token(index + 1);
        let is_title = |next: Token| matches!(next.kind, TokenKind::Word | TokenKind::Text | TokenKind::TextPiece);
        // Quotes of a word processor, and a colon as YAML has it.
        let is_slip = || matches!(self.text(index + 1), "“" | "”" | "„" | "«" | "»" | "‘" | "’" | "`" | ":");
        next.is_some_and(is_title) || (self.token(index).is_some_and(Token::is_first) && is_slip())
    }

    /// Whether a value could end with this token.
    pub(super) fn ends_value(&self, index: usize) -> bool {
        let Some(token) = self.token(index) else { return false };
        match token.kind {
            TokenKind::Word => place::is_value_word(self.text(index)),
            TokenKind::Number | TokenKind::Text | TokenKind::TextPiece | TokenKind::Regex | TokenKind::Close => true,
            TokenKind::Open => false,
            TokenKind::Sign => self.text(index) == "?",
        }
    }

    /// Reads a piece with the strict grammar. None if it was read and then refused by its builder.
    fn strict(&mut self, piece: &Range<usize>, place: Place) -> Result<Option<Part>, Stop> {
        let span = self.span(piece);
        let pair = self.read(piece, place.rule())?;
        Ok(self.builder.keep(span, |builder| part::build(builder, pair, place)))
    }

    /// What the grammar makes of some tokens: the one pair inside of `rule`.
    pub(super) fn read(&mut self, piece: &Range<usize>, rule: Rule) -> Result<Pair<'a, Rule>, Stop> {
        let span = self.span(piece);
        let text = self.builder.source.slice(span.start, span.end);
        self.builder.base = span.start as usize;
        match Grammar::parse(rule, text) {
            Ok(mut pairs) => pairs.next().and_then(|whole| whole.into_inner().next()).ok_or(Stop {
                at: piece.end,
                offset: span.end,
                wanted: Vec::new(),
            }),
            Err(error) => {
                let (InputLocation::Pos(found) | InputLocation::Span((found, _))) = error.location;
                let offset = span.start + super::scan::offset(found);
                let wanted = match error.variant {
                    ErrorVariant::ParsingError { positives, .. } => positives,
                    ErrorVariant::CustomError { .. } => Vec::new(),
                };
                let tokens = &self.builder.scan.tokens;
                let at = tokens.partition_point(|token| token.end <= offset).clamp(piece.start, piece.end);
                Err(Stop { at, offset, wanted })
            }
        }
    }

    /// A piece that did not pass.
    fn broken(&mut self, piece: Range<usize>, stop: &Stop, place: Place, parts: &mut Vec<Part>) {
        if let Some(read) = self.block_piece(&piece, place) {
            parts.extend(read);
            return;
        }
        // What stands before a word that begins its line may be whole.
        let begins_line = self.token(stop.at).is_some_and(|token| token.is_first() && token.kind == TokenKind::Word);
        if begins_line
            && stop.at > piece.start
            && stop.at < piece.end
            && let Ok(part) = self.strict(&(piece.start..stop.at), place)
        {
            parts.extend(part);
            let rest = stop.at..piece.end;
            self.lose(&rest, &Stop { at: rest.start, offset: stop.offset, wanted: stop.wanted.clone() }, place);
            return;
        }
        self.lose(&piece, stop, place);
    }

    /// Reports a piece's mistake, unless the scan has, and leaves the piece out of the tree.
    pub(super) fn lose(&mut self, piece: &Range<usize>, stop: &Stop, place: Place) {
        let span = self.span(piece);
        self.builder.junk.push(junk::of(self.builder.source, self.builder.scan, span));
        if !self.builder.has_fault(span) {
            let fault = explain::explain(self, piece, stop, place);
            self.builder.fault(fault);
        }
    }
}
