//! Tokens, comments, and how deep the text nests.

use super::{MAX_BRACKETS, MOST_FAULTS, Scan, Source, Token, TokenKind, brackets, offset, too_many};
use crate::diagnostics::{Code, Diagnostic};

/// Scans a text from `from` on.
pub(in crate::syntax) fn scan(source: Source<'_>, from: usize) -> Scan {
    let mut lexer = Lexer::new(source, from);
    while lexer.at < source.text.len() && !lexer.scan.too_deep && lexer.scan.faults.len() < MOST_FAULTS {
        lexer.step();
    }
    if lexer.at < source.text.len() && !lexer.scan.too_deep {
        let place = source.span(lexer.at, lexer.at);
        lexer.scan.faults.push(too_many(place));
        lexer.scan.hopeless = true;
        return lexer.scan;
    }
    lexer.close_texts();
    let mut scan = lexer.scan;
    if scan.too_deep {
        // Nothing is known of what follows, and the rest is an echo.
        scan.faults.retain(|fault| fault.code == Code::NestedTooDeeply);
    } else {
        brackets::pair(source, &mut scan);
    }
    scan.faults.sort_by_key(|fault| fault.span().start);
    scan
}

/// What is open around the place that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// `(`, `[` or `{`
    Bracket(u8),
    /// A text with interpolations, and where it began.
    Text { start: usize, block: bool },
    /// The `{` of an interpolation.
    Interpolation { start: usize },
}

pub(super) struct Lexer<'a> {
    pub(super) source: Source<'a>,
    pub(super) at: usize,
    pub(super) scan: Scan,
    pub(super) frames: Vec<Frame>,
    /// How many of the frames are texts.
    pub(super) texts: usize,
    /// Blanks before the next token on its line, while nothing else stood there.
    indent: Option<u32>,
    /// How often `if` and `try` nest without brackets.
    prefixes: usize,
    /// How many `list<` follow one another.
    generics: usize,
    /// Where the line ends that was looked at last: texts on one long line ask for it again and again.
    line_end: usize,
}

impl<'a> Lexer<'a> {
    fn new(source: Source<'a>, from: usize) -> Self {
        Self {
            source,
            at: from,
            scan: Scan::default(),
            frames: Vec::new(),
            texts: 0,
            indent: Some(0),
            prefixes: 0,
            generics: 0,
            line_end: 0,
        }
    }

    /// Reads one token, comment or run of blanks.
    fn step(&mut self) {
        let Some(byte) = self.source.byte(self.at) else { return };
        match byte {
            b' ' | b'\t' => {
                self.at += 1;
                self.indent = self.indent.map(|indent| indent + 1);
            }
            b'\n' | b'\r' => self.newline(),
            b'#' => self.comment(),
            b'"' | b'\'' => self.text(byte),
            b'(' | b'[' | b'{' => self.open(byte),
            b')' | b']' | b'}' => self.close(byte),
            b'0'..=b'9' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
            b'/' if self.source.starts_with(self.at, "//") => self.foreign_comment("//"),
            b'/' if self.indent.is_some() && self.source.starts_with(self.at, "/*") => self.foreign_comment("/*"),
            b'-' if self.indent.is_some() && self.source.starts_with(self.at, "--") => self.foreign_comment("--"),
            b'/' => self.slash(),
            b';' => self.semicolon(),
            b':' if matches!(self.frames.last(), Some(Frame::Interpolation { .. })) => self.format(),
            _ => self.sign(),
        }
    }

    /// The end of the line that `at` is on. What is asked for never goes back.
    pub(super) fn line_end(&mut self, at: usize) -> usize {
        if self.line_end < at || self.line_end == 0 {
            self.line_end = self.source.line_end(at);
        }
        self.line_end
    }

    pub(super) fn push(&mut self, kind: TokenKind, start: usize, end: usize) {
        let index = offset(self.scan.tokens.len());
        self.scan.tokens.push(Token {
            kind,
            start: offset(start),
            end: offset(end),
            depth: 0,
            partner: index,
            indent: self.indent.take(),
            inside: self.texts > 0,
        });
        self.at = end;
    }

    pub(super) fn fault(&mut self, fault: Diagnostic) {
        self.scan.faults.push(fault);
    }

    fn newline(&mut self) {
        self.at += 1;
        self.indent = Some(0);
        self.end_line_texts();
    }

    fn comment(&mut self) {
        let end = self.source.line_end(self.at);
        let comment = self.source.comment(self.at, end, self.indent.is_some());
        self.scan.comments.push(comment);
        self.at = end;
    }

    pub(super) fn enter(&mut self, frame: Frame) {
        self.frames.push(frame);
        self.check_depth(self.frames.len() - self.texts);
    }

    fn check_depth(&mut self, depth: usize) {
        if depth > MAX_BRACKETS {
            self.refuse(format!("brackets nest more than {MAX_BRACKETS} deep here"), "name the inner parts with `let`");
        }
    }

    fn refuse(&mut self, message: String, help: &str) {
        if !self.scan.too_deep {
            self.scan.too_deep = true;
            let span = self.source.span(self.at, self.at + 1);
            self.fault(Diagnostic::new(Code::NestedTooDeeply, span, message).help(help));
        }
    }

    fn open(&mut self, byte: u8) {
        let start = self.at;
        self.enter(Frame::Bracket(byte));
        self.push(TokenKind::Open, start, start + 1);
    }

    fn close(&mut self, byte: u8) {
        let start = self.at;
        if byte == b'}' && self.close_interpolation() {
            return;
        }
        // The pairing that recovery uses is made later (brackets); this one only measures the depth.
        let opening = match byte {
            b')' => b'(',
            b']' => b'[',
            _ => b'{',
        };
        let floor = self.frames.iter().rposition(|frame| !matches!(frame, Frame::Bracket(_))).map_or(0, |at| at + 1);
        let found = self.frames.iter().rposition(|frame| *frame == Frame::Bracket(opening));
        if let Some(found) = found.filter(|found| *found >= floor) {
            self.frames.truncate(found);
        }
        self.push(TokenKind::Close, start, start + 1);
    }

    fn number(&mut self) {
        let end = number_end(self.source, self.at);
        self.push(TokenKind::Number, self.at, end);
    }

    fn word(&mut self) {
        let start = self.at;
        let mut end = start;
        while self.source.byte(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            end += 1;
        }
        self.count_prefixes(self.source.text.get(start..end).unwrap_or(""));
        self.push(TokenKind::Word, start, end);
    }

    /// `if` and `try` right behind `then`, `else`, `otherwise` or another `if` nest without a bracket.
    fn count_prefixes(&mut self, word: &str) {
        if !matches!(word, "if" | "try") {
            return;
        }
        let before = self.scan.tokens.last().map_or("", |token| self.source.of(*token));
        match before {
            "else" if word == "if" => {}
            "if" | "then" | "else" | "otherwise" => self.prefixes += 1,
            _ => self.prefixes = 1,
        }
        if self.prefixes > MAX_BRACKETS {
            self.refuse(
                format!("`if` and `try` nest more than {MAX_BRACKETS} deep here"),
                "name the inner parts with `let`",
            );
        }
    }

    /// A regex touches its first slash; a division does not. Where there is nothing to divide, a regex begins with a blank: it is
    /// refused as a whole, since a quote in it begins no text.
    fn slash(&mut self) {
        let start = self.at;
        let divides = self.scan.tokens.last().is_none_or(|before| match before.kind {
            TokenKind::Open => false,
            TokenKind::Sign => !matches!(self.source.of(*before), "(" | "," | "~" | "|" | "=" | ":"),
            _ => true,
        });
        let blank = || {
            (!divides && self.source.byte(start + 1) == Some(b' ')).then(|| regex_rest(self.source, start)).flatten()
        };
        match regex_end(self.source, start).or_else(blank) {
            Some(end) => self.push(TokenKind::Regex, start, end),
            None => self.push(TokenKind::Sign, start, start + 1),
        }
    }

    /// `//` begins a comment elsewhere.
    /// A comment as other languages begin one. A line that begins so is nothing else.
    fn foreign_comment(&mut self, sign: &str) {
        let span = self.source.span(self.at, self.at + sign.len());
        let help = format!("write `#` for `{sign}`, on each line of it");
        let fault = Diagnostic::new(Code::Syntax, span, "a comment begins with `#`").help(help);
        self.fault(fault.fix(span, "#"));
        self.at = self.source.line_end(self.at);
    }

    /// `;` ends a statement elsewhere.
    fn semicolon(&mut self) {
        let span = self.source.span(self.at, self.at + 1);
        let fault = Diagnostic::new(Code::Syntax, span, "a statement ends without a `;`").help("take it away");
        self.fault(fault.fix(span, ""));
        self.at += 1;
    }

    /// A blank that looks like one and is another: pages and word processors put it in.
    fn foreign_blank(&mut self, blank: char) {
        let span = self.source.span(self.at, self.at + blank.len_utf8());
        let message = format!("this blank is U+{:04X}, which looks like a space and is none", u32::from(blank));
        self.fault(Diagnostic::new(Code::Syntax, span, message).help("write a space").fix(span, " "));
        self.at += blank.len_utf8();
    }

    fn sign(&mut self) {
        let start = self.at;
        let first = self.source.text.get(start..).and_then(|rest| rest.chars().next());
        if let Some(blank) = first.filter(|first| !first.is_ascii() && first.is_whitespace()) {
            return self.foreign_blank(blank);
        }
        let two = ["==", "!=", "<=", ">=", "??", "?.", "=>", "->", "&&", "||"];
        let len = if two.iter().any(|sign| self.source.starts_with(start, sign)) {
            2
        } else {
            self.source.text.get(start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8)
        };
        self.count_generics(start);
        self.push(TokenKind::Sign, start, start + len);
    }

    /// `list<list<list<…` nests without a bracket.
    fn count_generics(&mut self, start: usize) {
        if self.source.byte(start) != Some(b'<') {
            return;
        }
        let mut last = self.scan.tokens.iter().rev();
        let follows = last.next().is_some_and(|token| token.kind == TokenKind::Word)
            && last.next().is_some_and(|token| self.source.of(*token) == "<");
        self.generics = if follows { self.generics + 1 } else { 1 };
        self.check_depth(self.generics);
    }
}

/// Where what begins with a digit ends: `1h30m`, `3/min`, `2025-09-09T08:00:00Z`, `5%`.
fn number_end(source: Source<'_>, start: usize) -> usize {
    let digit = |at: usize| source.byte(at).is_some_and(|byte| byte.is_ascii_digit());
    let letter = |at: usize| source.byte(at).is_some_and(|byte| byte.is_ascii_alphabetic()) || is_micro(source, at);
    let part = |at: usize| {
        source.byte(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') || is_micro(source, at)
    };
    let mut end = start;
    loop {
        if part(end) {
            end += if is_micro(source, end) { 2 } else { 1 };
        } else if (source.byte(end) == Some(b'.') && digit(end + 1))
            || is_date_dash(source, start, end)
            || (source.byte(end) == Some(b':') && is_clock_colon(source, start, end))
        {
            end += 1;
        } else {
            break;
        }
    }
    if source.byte(end) == Some(b'%') {
        return end + 1;
    }
    if source.byte(end) == Some(b'/') && letter(end + 1) {
        let mut unit = end + 1;
        while letter(unit) {
            unit += if is_micro(source, unit) { 2 } else { 1 };
        }
        return unit;
    }
    end
}

/// `µ` in either of its forms.
fn is_micro(source: Source<'_>, at: usize) -> bool {
    source.starts_with(at, "µ") || source.starts_with(at, "μ")
}

/// The dashes of `2025-09-09`.
fn is_date_dash(source: Source<'_>, start: usize, at: usize) -> bool {
    let len = at - start;
    let is_digits = |from: usize, count: usize| {
        (from..from + count).all(|at| source.byte(at).is_some_and(|byte| byte.is_ascii_digit()))
    };
    source.byte(at) == Some(b'-')
        && ((len == 4 && is_digits(start, 4) && is_digits(at + 1, 2) && source.byte(at + 3) == Some(b'-'))
            || (len == 7 && is_digits(at + 1, 2) && source.byte(start + 4) == Some(b'-')))
}

/// The colons of `08:00` and of `2025-09-09T08:00:00`.
fn is_clock_colon(source: Source<'_>, start: usize, at: usize) -> bool {
    let len = at - start;
    let digit = |at: usize| source.byte(at).is_some_and(|byte| byte.is_ascii_digit());
    matches!(len, 2 | 13 | 16) && (start..start + 2).all(digit) && digit(at + 1) && digit(at + 2)
}

/// Where the regex that begins here ends, flags included. `None` if it is none.
fn regex_end(source: Source<'_>, start: usize) -> Option<usize> {
    let begins = !matches!(source.byte(start + 1), None | Some(b' ' | b'\t' | b'/' | b'*'));
    begins.then(|| regex_rest(source, start)).flatten()
}

/// The same, whatever it begins with.
fn regex_rest(source: Source<'_>, start: usize) -> Option<usize> {
    let line_end = source.line_end(start);
    let mut at = start + 1;
    let mut class = false;
    while at < line_end {
        match source.byte(at)? {
            b'\\' => at += 1,
            b'[' if !class => {
                class = true;
                if source.byte(at + 1) == Some(b'^') {
                    at += 1;
                }
                if source.byte(at + 1) == Some(b']') {
                    at += 1;
                }
            }
            b']' => class = false,
            b'/' if !class => {
                at += 1;
                while source.byte(at).is_some_and(|byte| byte.is_ascii_lowercase()) {
                    at += 1;
                }
                return Some(at);
            }
            _ => {}
        }
        at += 1;
    }
    None
}
