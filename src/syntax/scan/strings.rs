//! Texts in the scan: quotes, escapes, interpolations.

use super::TokenKind;
use super::lexer::{Frame, Lexer};
use crate::diagnostics::{Code, Diagnostic};

/// What ended a piece of a text.
enum PieceEnd {
    /// Its closing quotes; the offset behind them.
    Quote(usize),
    /// The `{` of an interpolation; its offset.
    Brace(usize),
    /// The end of the line, or of the file for a block; its offset.
    Open(usize),
}

impl Lexer<'_> {
    /// Reads a text from its opening quote on.
    pub(super) fn text(&mut self, quote: u8) {
        let start = self.at;
        let double = quote == b'"';
        let block = self.source.starts_with(start, if double { "\"\"\"" } else { "'''" });
        // The grammar reads `""` as an empty text, so that `"""` is a block wherever it stands.
        if !double {
            return self.raw(start, block);
        }
        if block {
            self.check_block_start(start);
        }
        let from = start + if block { 3 } else { 1 };
        match self.piece(from, block) {
            PieceEnd::Quote(end) => self.push(TokenKind::Text, start, end),
            PieceEnd::Brace(brace) => {
                self.push(TokenKind::TextPiece, start, brace);
                self.frames.push(Frame::Text { start, block });
                self.texts += 1;
                self.interpolation(brace);
            }
            PieceEnd::Open(end) => {
                self.unclosed_text(start, block);
                self.push(TokenKind::Text, start, end);
            }
        }
    }

    fn raw(&mut self, start: usize, block: bool) {
        let source = self.source;
        if block {
            self.check_block_start(start);
        }
        let from = start + if block { 3 } else { 1 };
        let limit = if block { source.text.len() } else { self.line_end(from) };
        let quote = if block { "'''" } else { "'" };
        let found =
            source.text.get(from..limit).and_then(|rest| rest.find(quote)).map(|found| from + found + quote.len());
        if found.is_none() {
            self.unclosed_text(start, block);
        }
        self.push(TokenKind::Text, start, found.unwrap_or(limit));
    }

    /// A block's text begins on the line after its quotes.
    fn check_block_start(&mut self, start: usize) {
        let line_end = self.line_end(start);
        let rest = self.source.text.get(start + 3..line_end).unwrap_or("");
        if !rest.trim_start_matches([' ', '\t']).is_empty() {
            let quotes = self.source.text.get(start..start + 3).unwrap_or("");
            let span = self.source.span(start, start + 3);
            self.fault(
                Diagnostic::new(Code::Syntax, span, format!("a block of text begins on the line after its `{quotes}`"))
                    .help(format!("put a new line behind `{quotes}`")),
            );
        }
    }

    /// Reads on in a text, up to its end or its next interpolation.
    fn piece(&mut self, from: usize, block: bool) -> PieceEnd {
        let source = self.source;
        let mut at = from;
        loop {
            match source.byte(at) {
                None => return PieceEnd::Open(at),
                Some(b'\n' | b'\r') if !block => return PieceEnd::Open(at),
                Some(b'"') if !block => return PieceEnd::Quote(at + 1),
                Some(b'"') if source.starts_with(at, "\"\"\"") => return PieceEnd::Quote(at + 3),
                Some(b'{') if self.foreign_brace(at) => at += 1,
                Some(b'{') => return PieceEnd::Brace(at),
                Some(b'\\') => at = self.escape(at),
                Some(_) => at += 1,
            }
        }
    }

    /// Checks the escape that begins at `at`; gives where the text goes on.
    fn escape(&mut self, at: usize) -> usize {
        let source = self.source;
        match source.byte(at + 1) {
            Some(b'"' | b'\\' | b'{' | b'}' | b'n' | b't') => at + 2,
            Some(b'u') => {
                let rest = source.text.get(at + 2..).unwrap_or("");
                let code = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(code, _)| code);
                let valid = |code: &&str| {
                    (1..=6).contains(&code.len())
                        && u32::from_str_radix(code, 16).ok().and_then(char::from_u32).is_some()
                };
                if let Some(code) = code.filter(valid) {
                    return at + 4 + code.len();
                }
                self.fault(
                    Diagnostic::new(Code::UnknownEscape, source.span(at, at + 2), "`\\u` names no character")
                        .help("write the character's number in hexadecimal, as in `\\u{e9}`"),
                );
                at + 2
            }
            None | Some(b'\n' | b'\r') => at + 1,
            Some(_) => {
                let character = source.text.get(at + 1..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
                let end = at + 1 + character.len_utf8();
                self.fault(
                    Diagnostic::new(
                        Code::UnknownEscape,
                        source.span(at, end),
                        format!("there is no escape `\\{character}`"),
                    )
                    .help("write `\\\\` for a backslash, or the text in single quotes, where a backslash is itself"),
                );
                end
            }
        }
    }

    /// `{job="api"}` of a query and `{a,b}` of a shell: nothing that could be a value begins so.
    fn foreign_brace(&mut self, brace: usize) -> bool {
        let line_end = self.line_end(brace);
        let rest = self.source.text.get(brace + 1..line_end).unwrap_or("");
        let Some(inside) = foreign(rest) else { return false };
        let message = format!("in double quotes a `{{` begins a value, and `{inside}` is none");
        let help = "write the text in single quotes, where a brace is itself, with double quotes inside of it; with a value in it, write `\\{` for this brace";
        self.fault(Diagnostic::new(Code::Syntax, self.source.span(brace, brace + 1), message).help(help));
        true
    }

    fn interpolation(&mut self, brace: usize) {
        self.at = brace;
        self.enter(Frame::Interpolation { start: brace });
        self.push(TokenKind::Open, brace, brace + 1);
        let next = self.source.byte(brace + 1);
        if next == Some(b'}') {
            self.interpolation_fault(brace, brace + 2, "there is nothing between these braces");
        } else if matches!(next, Some(b' ' | b'\t')) {
            self.interpolation_fault(brace, brace + 1, "the braces of an interpolation touch what they hold");
        }
    }

    fn interpolation_fault(&mut self, start: usize, end: usize, message: &str) {
        let span = self.source.span(start, end);
        self.fault(
            Diagnostic::new(Code::Syntax, span, message)
                .help("write `{x}` for the value of `x`, `\\{` for a brace, or the text in single quotes"),
        );
    }

    /// `:format`, where an interpolation's value has ended.
    pub(super) fn format(&mut self) {
        let start = self.at;
        let rest = self.source.text.get(start + 1..).unwrap_or("");
        let end = start + 1 + rest.find(['}', '{', '"', '\n', '\r']).unwrap_or(rest.len());
        self.push(TokenKind::Sign, start, end);
    }

    /// Closes the interpolation that a `}` here belongs to, and reads on in its text. False if there is none.
    pub(super) fn close_interpolation(&mut self) -> bool {
        let at = self.at;
        let Some(found) = self.innermost_interpolation() else { return false };
        let open: Vec<Frame> = self.frames.split_off(found);
        if open.len() > 1 {
            let span = self.source.span(at, at + 1);
            self.fault(Diagnostic::new(Code::Unclosed, span, "a bracket in this interpolation is not closed"));
        } else if let Some(Frame::Interpolation { start }) = open.first()
            && matches!(at.checked_sub(1).and_then(|before| self.source.byte(before)), Some(b' ' | b'\t'))
            && !matches!(self.source.byte(start + 1), Some(b' ' | b'\t'))
        {
            self.interpolation_fault(at, at + 1, "the braces of an interpolation touch what they hold");
        }
        self.push(TokenKind::Close, at, at + 1);
        let Some(Frame::Text { start, block }) = self.frames.last().copied() else { return true };
        match self.piece(at + 1, block) {
            PieceEnd::Brace(brace) => {
                self.texts -= 1;
                self.push(TokenKind::TextPiece, at + 1, brace);
                self.texts += 1;
                self.interpolation(brace);
            }
            PieceEnd::Quote(end) => self.end_text(at + 1, end),
            PieceEnd::Open(end) => {
                self.unclosed_text(start, block);
                self.end_text(at + 1, end);
            }
        }
        true
    }

    fn end_text(&mut self, start: usize, end: usize) {
        self.frames.pop();
        self.texts -= 1;
        self.push(TokenKind::TextPiece, start, end);
    }

    /// The interpolation that a `}` closes: unless a `{` was opened in it and not closed.
    fn innermost_interpolation(&self) -> Option<usize> {
        let found = self.frames.iter().rposition(|frame| matches!(frame, Frame::Interpolation { .. }))?;
        let inner = self.frames.get(found + 1..)?;
        (!inner.contains(&Frame::Bracket(b'{'))).then_some(found)
    }

    /// At the end of a line: no one-line text goes on.
    pub(super) fn end_line_texts(&mut self) {
        if self.texts == 0 {
            return;
        }
        let found = self.frames.iter().position(|frame| matches!(frame, Frame::Text { block: false, .. }));
        if let Some(found) = found {
            self.close_texts_from(found);
        }
    }

    /// At the end of the file.
    pub(super) fn close_texts(&mut self) {
        if let Some(found) = self.frames.iter().position(|frame| matches!(frame, Frame::Text { .. })) {
            self.close_texts_from(found);
        }
    }

    fn close_texts_from(&mut self, found: usize) {
        let open = self.frames.split_off(found);
        self.texts -= open.iter().filter(|frame| matches!(frame, Frame::Text { .. })).count();
        if let Some(Frame::Text { start, block }) = open.first() {
            self.unclosed_text(*start, *block);
        }
    }

    fn unclosed_text(&mut self, start: usize, block: bool) {
        let quotes = self.source.text.get(start..start + if block { 3 } else { 1 }).unwrap_or("").to_owned();
        let span = self.source.span(start, start + quotes.len());
        let fault = if block {
            Diagnostic::new(Code::Unclosed, span, "this block of text is not closed")
                .help(format!("close it with `{quotes}`"))
        } else {
            Diagnostic::new(Code::Unclosed, span, "this text is not closed on its line").help(format!(
                "close it with `{quotes}`; a text of several lines stands between `{quotes}{quotes}{quotes}` and `{quotes}{quotes}{quotes}`"
            ))
        };
        self.fault(fault);
    }
}

/// What stands behind a brace that begins no value, as far as that is seen: `job=`, `job!="api"`, `a,b`.
fn foreign(rest: &str) -> Option<&str> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name_end = rest.find(|c| !is_of_word(c)).unwrap_or(rest.len());
    let (name, behind) = rest.split_at_checked(name_end)?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let operator = behind.trim_start_matches([' ', '\t']);
    let is_matcher = operator.starts_with("=~")
        || operator.starts_with("!~")
        || (operator.starts_with('=') && !operator.starts_with("==") && !operator.starts_with("=>"))
        || ["!=\"", "!='", "!=\\\""].iter().any(|quote| behind.starts_with(quote));
    if is_name && is_matcher {
        let length =
            rest.len() - operator.len() + operator.find(['"', '\'', '\\', ' ', '{', '}']).unwrap_or(operator.len());
        return rest.get(..length);
    }
    // As far as it may be one, and no further: a long line may have many braces.
    let end = rest.find(|c| !(is_of_word(c) || matches!(c, ',' | '.' | '*' | '-')))?;
    let (inside, behind) = rest.split_at_checked(end)?;
    let is_list = inside.contains(',') && behind.starts_with('}');
    is_list.then_some(inside)
}
