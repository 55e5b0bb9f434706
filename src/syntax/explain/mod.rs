//! What is wrong with a piece, in words that help.
//!
//! The typical slips have their own words (`slips`, `names`), and so have habits of other languages (`habits`); the rest is what was expected and what was found, and the
//! form that the piece should have.

mod forms;
mod habits;
mod names;
mod slips;

use std::ops::Range;

use super::grammar::Rule;
use super::recover::{Place, Recovery, Stop};
use super::scan::{Token, TokenKind};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;

/// A piece that could not be read, and where reading stopped.
pub(super) struct Puzzle<'p, 'b, 'a> {
    pub(super) recovery: &'p Recovery<'b, 'a>,
    pub(super) piece: &'p Range<usize>,
    pub(super) place: Place,
    pub(super) stop: &'p Stop,
}

pub(super) fn explain(recovery: &Recovery<'_, '_>, piece: &Range<usize>, stop: &Stop, place: Place) -> Diagnostic {
    let puzzle = Puzzle { recovery, piece, place, stop };
    let rules: [fn(&Puzzle<'_, '_, '_>) -> Option<Diagnostic>; 20] = [
        slips::curly_quote,
        habits::operator,
        habits::around_a_word,
        slips::foreign_sign,
        slips::dollar,
        names::first_word,
        slips::detached_bracket,
        slips::detached_field,
        slips::detached_unit,
        slips::division,
        slips::stray_point,
        slips::bad_number,
        slips::bare_branch,
        names::title,
        names::reserved,
        names::shorthand,
        names::field_as_key,
        names::misspelled,
        slips::severity_missing,
        names::capital,
    ];
    rules.iter().find_map(|rule| rule(&puzzle)).unwrap_or_else(|| puzzle.plain())
}

impl<'a> Puzzle<'_, '_, 'a> {
    /// The token where reading stopped, if it is one of the piece.
    pub(super) fn found(&self) -> Option<Token> {
        if self.stop.at < self.piece.end { self.recovery.token(self.stop.at) } else { None }
    }

    pub(super) fn found_text(&self) -> &'a str {
        self.found().map_or("", |token| self.recovery.builder.source.of(token))
    }

    /// The token before the stop, if it is one of the piece.
    pub(super) fn before(&self) -> Option<Token> {
        if self.stop.at > self.piece.start { self.recovery.token(self.stop.at - 1) } else { None }
    }

    pub(super) fn before_text(&self) -> &'a str {
        self.before().map_or("", |token| self.recovery.builder.source.of(token))
    }

    pub(super) fn after_value(&self) -> bool {
        self.stop.at > self.piece.start && self.recovery.ends_value(self.stop.at - 1)
    }

    pub(super) fn token_span(&self, token: Token) -> Span {
        self.recovery.builder.source.token_span(token)
    }

    /// What stands between two tokens.
    pub(super) fn gap(&self, first: Token, next: Token) -> &'a str {
        self.recovery.builder.source.slice(first.end, next.start)
    }

    pub(super) fn gap_span(&self, first: Token, next: Token) -> Span {
        Span::new(self.recovery.builder.source.file, first.end, next.start)
    }

    pub(super) fn wants(&self, rule: Rule) -> bool {
        self.stop.wanted.contains(&rule)
    }

    pub(super) fn wants_value(&self) -> bool {
        // The grammar names the outermost rule that could have begun here.
        let values = [Rule::binary, Rule::prefix, Rule::operand, Rule::quantity, Rule::name_or_call, Rule::arg];
        values.iter().any(|rule| self.wants(*rule))
    }

    pub(super) fn first_word(&self) -> &'a str {
        self.recovery.text(self.piece.start)
    }

    /// What was expected, what was found, and the form.
    fn plain(&self) -> Diagnostic {
        let wanted = forms::wanted(&self.stop.wanted);
        let form = forms::form(self.first_word(), self.place);
        let Some(found) = self.found() else {
            return self.cut_short(&wanted, form);
        };
        let span = self.token_span(found);
        let written = shown(self.found_text());
        // Where the statement could have ended, what follows is simply too much.
        let whole = wanted.is_empty() || self.wants(Rule::EOI);
        let value = matches!(found.kind, TokenKind::Word | TokenKind::Number | TokenKind::Text);
        let message = if whole && value && self.after_value() {
            format!("nothing joins {written} to what stands before it")
        } else if wanted.is_empty() {
            format!("{written} cannot stand here")
        } else {
            format!("expected {wanted}, found {written}")
        };
        with_form(Diagnostic::new(Code::Syntax, span, message), form)
    }

    /// The piece ends too early.
    fn cut_short(&self, wanted: &str, form: Option<&str>) -> Diagnostic {
        let last = self.before().map_or_else(|| self.recovery.span(self.piece), |token| self.token_span(token));
        let before = shown(self.before_text());
        let message = match wanted {
            "" => format!("something is missing behind {before}"),
            wanted => format!("expected {wanted} behind {before}"),
        };
        with_form(Diagnostic::new(Code::Syntax, last.after(), message), form)
    }
}

fn with_form(fault: Diagnostic, form: Option<&str>) -> Diagnostic {
    match form {
        Some(form) => fault.help(format!("the form is `{form}`")),
        None => fault,
    }
}

/// A piece of text in backticks, cut if it is long.
pub(super) fn shown(text: &str) -> String {
    let line = text.lines().next().unwrap_or("");
    if line.chars().count() > 30 || line.len() < text.len() {
        let cut: String = line.chars().take(27).collect();
        return format!("`{cut}…`");
    }
    format!("`{line}`")
}
