//! What can be wrong with a runbook: one type for every finding, and the table of codes.
//!
//! Stages return their value and a `Vec<Diagnostic>`, never the first error alone.

mod codes;
pub mod render;

use std::fmt::Display;

pub use self::codes::Code;
use crate::source::Span;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The runbook is not valid and does not start.
    Error,
    /// It runs, and probably does not do what was meant.
    Warning,
}

impl Level {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A place in a source file and what is to be said about it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub span: Span,
    /// May be empty: the place alone.
    pub text: String,
}

/// An edit that mends the finding: what to put where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    pub span: Span,
    pub replacement: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub code: Code,
    /// Lowercase, names in backticks, no final period.
    pub message: String,
    /// The first label is where it is; the others say why.
    pub labels: Vec<Label>,
    /// What to type.
    pub help: Option<String>,
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding at a place. The label's text is empty until [`Self::at`] gives it one.
    #[must_use]
    pub fn new(code: Code, span: Span, message: impl Display) -> Self {
        Self {
            code,
            message: message.to_string(),
            labels: vec![Label { span, text: String::new() }],
            help: None,
            fix: None,
        }
    }

    /// Something that is there once is there again.
    #[must_use]
    pub fn twice(what: &str, first: Span, again: Span) -> Self {
        Self::new(Code::Syntax, again, format!("`{what}` is given twice"))
            .label(first, "given here")
            .help("keep one of them")
    }

    /// Says something about the place itself.
    #[must_use]
    pub fn at(mut self, text: impl Display) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.to_string();
        }
        self
    }

    /// Points at another place.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Display) -> Self {
        self.labels.push(Label { span, text: text.to_string() });
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Display) -> Self {
        self.help = Some(help.to_string());
        self
    }

    /// An edit that mends it. The help should say the same in words.
    #[must_use]
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix { span, replacement: replacement.into() });
        self
    }

    #[must_use]
    pub const fn level(&self) -> Level {
        self.code.level()
    }

    /// Where it is: the place of the first label.
    ///
    /// # Panics
    /// Never: a diagnostic is made with its place.
    #[must_use]
    pub fn span(&self) -> Span {
        self.labels.first().expect("a diagnostic is made with its place").span
    }
}

/// Whether any of them keeps the runbook from starting.
#[must_use]
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.level() == Level::Error)
}

/// The name among `known` that was probably meant by `written`, for "did you mean". `None` where nothing is near.
#[must_use]
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A third of the word may be wrong, so that `Runing` finds `Running` and `x` does not find `y`.
    let allowed = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|candidate| *candidate != written)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&written.to_lowercase(), &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn offers_what_is_near_and_nothing_else() {
        assert_eq!(nearest("Runing", ["Pending", "Running"]), Some("Running"));
        assert_eq!(nearest("restart_count", ["restarts", "ready"]), None);
        assert_eq!(nearest("x", ["y"]), None);
        assert_eq!(nearest("cuont", ["count", "sum"]), Some("count"));
    }
}
