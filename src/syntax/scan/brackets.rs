//! Which bracket belongs to which.
//!
//! Where all of them match, nothing but their order is looked at. Where one is missing, the words that only begin a
//! declaration, a step or a statement, and the indentation, say where; a bracket of no width is put there, so that
//! recovery sees whole blocks. Each missing or surplus one is reported once.

use super::{MOST_FAULTS, Scan, Source, Token, TokenKind, offset, too_many};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::words;

/// Sets the depth and the partner of each token.
pub(super) fn pair(source: Source<'_>, scan: &mut Scan) {
    if link(source, &mut scan.tokens) {
        return;
    }
    let mut mender = Mender::new(source);
    mender.surplus = surplus(source, &scan.tokens);
    for (index, token) in scan.tokens.iter().enumerate() {
        let next = scan.tokens.get(index + 1).copied();
        mender.token(*token, next);
        if mender.faults.len() == MOST_FAULTS {
            mender.faults.push(too_many(source.span(token.end as usize, token.end as usize)));
            scan.hopeless = true;
            break;
        }
    }
    mender.finish();
    scan.tokens = mender.out;
    scan.faults.append(&mut mender.faults);
    link(source, &mut scan.tokens);
}

/// Links brackets by their order alone. False if they do not match.
fn link(source: Source<'_>, tokens: &mut [Token]) -> bool {
    let mut open: Vec<(usize, u8)> = Vec::new();
    for index in 0..tokens.len() {
        let Some(token) = tokens.get(index).copied() else { break };
        let mut depth = open.len();
        let mut partner = index;
        match token.kind {
            _ if token.inside => depth += 1,
            TokenKind::Open => open.push((index, bracket(source, token, b'{'))),
            TokenKind::Close => {
                let Some((opening, byte)) = open.pop() else { return false };
                if !matches(byte, bracket(source, token, b'}')) {
                    return false;
                }
                depth = open.len();
                partner = opening;
                if let Some(first) = tokens.get_mut(opening) {
                    first.partner = offset(index);
                }
            }
            _ => {}
        }
        if let Some(token) = tokens.get_mut(index) {
            token.depth = offset(depth);
            if token.kind != TokenKind::Open {
                token.partner = offset(partner);
            }
        }
    }
    open.is_empty()
}

/// How many more `}` than `{` there are.
fn surplus(source: Source<'_>, tokens: &[Token]) -> usize {
    let count = |brace: &str| tokens.iter().filter(|token| !token.inside && source.of(**token) == brace).count();
    count("}").saturating_sub(count("{"))
}

/// The bracket that a token is; one of no width stands for the one that is missing.
fn bracket(source: Source<'_>, token: Token, missing: u8) -> u8 {
    source.of(token).bytes().next().unwrap_or(missing)
}

const fn matches(opening: u8, closing: u8) -> bool {
    matches!((opening, closing), (b'(', b')') | (b'[', b']') | (b'{', b'}'))
}

#[derive(Clone, Copy)]
struct Open {
    byte: u8,
    token: Token,
    /// Of the line that it stands on.
    indent: u32,
    line: u32,
}

/// Puts in what is missing and leaves out what is too much.
struct Mender<'a> {
    source: Source<'a>,
    out: Vec<Token>,
    faults: Vec<Diagnostic>,
    open: Vec<Open>,
    /// Of the line that is read.
    indent: u32,
    line: u32,
    /// How many more `}` than `{` there are.
    surplus: usize,
    /// A word that needs a block and where it stands, until the block's `{` comes; with how much was open at it.
    head: Option<(Token, usize, u32)>,
}

impl<'a> Mender<'a> {
    fn new(source: Source<'a>) -> Self {
        Self {
            source,
            out: Vec::new(),
            faults: Vec::new(),
            open: Vec::new(),
            indent: 0,
            line: 0,
            surplus: 0,
            head: None,
        }
    }

    fn token(&mut self, token: Token, next: Option<Token>) {
        if let Some(indent) = token.indent {
            self.indent = indent;
            self.line += 1;
        }
        if token.inside {
            self.out.push(token);
            return;
        }
        match token.kind {
            TokenKind::Word if token.is_first() => self.first_word(token, next),
            TokenKind::Open => self.opening(token),
            TokenKind::Close => return self.closing(token),
            _ => {}
        }
        self.out.push(token);
    }

    /// A word that begins its line may say that what is open before it should have been closed.
    fn first_word(&mut self, token: Token, next: Option<Token>) {
        let word = self.source.of(token);
        let next_kind = next.map(|next| next.kind);
        let next_text = next.map_or("", |next| self.source.of(next));
        let titled = matches!(next_kind, Some(TokenKind::Text | TokenKind::TextPiece));
        let named = next_kind == Some(TokenKind::Word) && !words::is_reserved(next_text);
        let is_item = words::ITEMS.contains(&word)
            && match word {
                "section" | "threshold" | "report" | "test" | "runbook" | "library" | "use" => titled,
                _ => named,
            };
        let is_part = (word == "step" && titled) || (word == "level" && next_kind == Some(TokenKind::Number));
        let is_statement = words::STATEMENTS.contains(&word)
            && !matches!(word, "if" | "for")
            && next_kind != Some(TokenKind::Close)
            && !matches!(next_text, ":" | "," | ".");
        let opens_late = is_statement || is_part || matches!(word, "when" | "given" | "respond" | "expect");
        if opens_late && !is_item {
            self.open_late();
        }
        if is_item {
            self.close_to(0);
        } else if is_part {
            self.close_to(1);
        } else if is_statement {
            let blocks = self.open.iter().rposition(|open| open.byte == b'{').map_or(0, |at| at + 1);
            self.close_to(blocks);
        }
        let has_block = is_part
            || (is_item
                && matches!(word, "section" | "threshold" | "report" | "test" | "escalation" | "runbook" | "library"));
        if has_block {
            self.head = Some((token, self.open.len(), self.indent));
        } else if is_item || is_statement {
            self.head = None;
        }
    }

    /// Opens the block that the last head needed, if it did not come.
    fn open_late(&mut self) {
        let Some((head, open, indent)) = self.head.take() else { return };
        if self.open.len() != open {
            return;
        }
        let Some(last) = self.out.last().copied() else { return };
        let word = self.source.of(head);
        let place = Span::new(self.source.file, last.end, last.end);
        self.faults.push(
            Diagnostic::new(Code::Unclosed, place, format!("the block of this `{word}` is not opened"))
                .label(self.source.token_span(head), "begins here")
                .help("write `{` here"),
        );
        let token = synthetic(TokenKind::Open, last.end);
        self.open.push(Open { byte: b'{', token, indent, line: self.line.saturating_sub(1) });
        self.out.push(token);
    }

    fn opening(&mut self, token: Token) {
        let byte = bracket(self.source, token, b'{');
        if byte == b'{' && self.head.is_some_and(|(_, open, _)| open == self.open.len()) {
            self.head = None;
        }
        self.open.push(Open { byte, token, indent: self.indent, line: self.line });
    }

    fn closing(&mut self, token: Token) {
        let byte = bracket(self.source, token, b'}');
        let found = self.opening_of(token, byte);
        if found.is_none() && byte == b'}' {
            self.surplus = self.surplus.saturating_sub(1);
        }
        if let Some(found) = found {
            self.close_to(found + 1);
            self.open.pop();
            self.out.push(token);
            return;
        }
        let written = self.source.of(token);
        let span = self.source.token_span(token);
        let mut fault = Diagnostic::new(Code::Syntax, span, format!("this `{written}` closes nothing"));
        if let Some(open) = self.open.last().filter(|open| open.byte != b'{' && !open.token.is_empty()) {
            fault = fault.label(self.source.token_span(open.token), "open here");
        }
        self.faults.push(fault.help("take it away"));
    }

    /// Which of the open ones this closes.
    fn opening_of(&self, token: Token, byte: u8) -> Option<usize> {
        if byte == b'}' && token.is_first() {
            // A block's closing brace stands as far in as the line that opened it.
            let same = self.open.iter().rposition(|open| open.byte == b'{' && open.indent == self.indent);
            if same.is_some() {
                return same;
            }
            let last = self.open.iter().rposition(|open| open.byte == b'{')?;
            let deeper = self.open.get(last).is_some_and(|open| open.indent > self.indent);
            return (deeper || self.surplus == 0).then_some(last);
        }
        let found = self.open.iter().rposition(|open| matches(open.byte, byte))?;
        let crossed = self.open.get(found + 1..).unwrap_or_default();
        crossed.iter().all(|open| open.byte != b'{' || open.line == self.line).then_some(found)
    }

    /// Closes all but the outermost `keep`. The innermost of them is the one that people look for.
    fn close_to(&mut self, keep: usize) {
        if self.open.len() <= keep {
            return;
        }
        let place = self.out.last().map_or(0, |token| token.end);
        let missing = self.open.split_off(keep);
        if let Some(open) = missing.last() {
            self.unclosed(*open);
        }
        self.out.extend(missing.iter().rev().map(|_| synthetic(TokenKind::Close, place)));
        // A bracket of no width closes whatever is open, so the kinds need not match.
        self.fix_kinds(&missing);
    }

    /// The closing bracket of no width reads as `}`; what it closes must then be a brace for [`link`].
    fn fix_kinds(&mut self, missing: &[Open]) {
        for open in missing.iter().filter(|open| open.byte != b'{') {
            if let Some(token) = self.out.iter_mut().rfind(|token| token.start == open.token.start) {
                token.end = token.start;
            }
        }
    }

    fn unclosed(&mut self, open: Open) {
        if open.token.is_empty() {
            return;
        }
        let written = self.source.of(open.token);
        let closing = match open.byte {
            b'(' => ")",
            b'[' => "]",
            _ => "}",
        };
        let span = self.source.token_span(open.token);
        self.faults.push(
            Diagnostic::new(Code::Unclosed, span, format!("this `{written}` is not closed"))
                .help(format!("close it with `{closing}`")),
        );
    }

    fn finish(&mut self) {
        self.close_to(0);
    }
}

impl Token {
    const fn is_empty(self) -> bool {
        self.start == self.end
    }
}

const fn synthetic(kind: TokenKind, at: u32) -> Token {
    Token { kind, start: at, end: at, depth: 0, partner: 0, indent: None, inside: false }
}
