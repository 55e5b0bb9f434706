//! Whether a text is one of the values that its type has.

use super::checker::Checker;
use super::constants::constant;
use super::program::Expr;
use super::wording::alternatives;
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::types::{EnumType, Type, Value};

/// How many values a message names.
const MAX_NAMED: usize = 12;

impl Checker<'_> {
    /// Checks a literal that is compared with a text of known values.
    pub(super) fn check_words(&mut self, of: &Expr, literal: &Expr) {
        if let (Type::Enum(words), Some(Value::String(text))) = (of.ty.present(), constant(literal)) {
            let text = text.clone();
            self.check_word(words, &text, literal.span);
        }
    }

    /// Checks that a text is one of the known values. Where others happen too, only a near miss is worth a warning.
    pub(super) fn check_word(&mut self, words: &EnumType, text: &str, span: Span) {
        if words.values.contains(&text) {
            return;
        }
        let name = words.name.replace('_', " ");
        let meant = nearest(text, words.values.iter().copied());
        let diagnostic = match (words.open, meant) {
            (true, None) => return,
            (true, Some(meant)) => {
                let message = format!("`{text}` is no known {name}; did you mean `{meant}`?");
                Diagnostic::new(Code::UnlikelyValue, span, message)
                    .help(format!("write `\"{meant}\"`"))
                    .fix(span, format!("\"{meant}\""))
            }
            (false, Some(meant)) => {
                let message = format!("{name} has no `{text}`; did you mean `{meant}`?");
                Diagnostic::new(Code::UnknownValue, span, message)
                    .help(format!("write `\"{meant}\"`"))
                    .fix(span, format!("\"{meant}\""))
            }
            (false, None) => Diagnostic::new(Code::UnknownValue, span, format!("{name} has no `{text}`"))
                .help(format!("its values: {}", alternatives(words.values.iter().copied().take(MAX_NAMED)))),
        };
        self.report(diagnostic);
    }

    /// Checks that a text is one of the words that a parameter takes.
    pub(super) fn check_choice(&mut self, words: &[&str], text: &str, span: Span, what: &str) {
        if words.contains(&text) {
            return;
        }
        let message = format!("{what} has no `{text}`");
        let diagnostic = match nearest(text, words.iter().copied()) {
            Some(meant) => Diagnostic::new(Code::UnknownValue, span, format!("{message}; did you mean `{meant}`?"))
                .help(format!("write `\"{meant}\"`"))
                .fix(span, format!("\"{meant}\"")),
            None => Diagnostic::new(Code::UnknownValue, span, message)
                .help(format!("write {}", alternatives(words.iter().copied()))),
        };
        self.report(diagnostic);
    }
}
