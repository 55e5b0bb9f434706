//! Which statement may stand where.

use super::checker::Checker;
use super::wording::alternatives;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::StatementKind;

/// Where in a runbook the checker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Outside every block.
    Declaration,
    /// The clauses of a threshold, where a metric's name is its value.
    Threshold,
    Block(InBlock),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InBlock {
    pub(super) of: BlockOf,
    /// Inside `retry`.
    pub(super) repeated: bool,
    /// The beginning of the statement up to its call, and how a `change` would begin in its place.
    pub(super) heading: Option<(Span, Span, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BlockOf {
    Section,
    Step,
    /// A command that gives a value and changes nothing: it can be called among values.
    Function,
    Command,
    Report,
}

impl Place {
    pub(super) const fn block(of: BlockOf) -> Self {
        Self::Block(InBlock { of, repeated: false, heading: None })
    }

    pub(super) const fn knows_metrics(&self) -> bool {
        matches!(self, Self::Threshold)
    }

    pub(super) const fn is_repeated(&self) -> bool {
        matches!(self, Self::Block(InBlock { repeated: true, .. }))
    }

    pub(super) const fn of(&self) -> Option<BlockOf> {
        match self {
            Self::Block(block) => Some(block.of),
            _ => None,
        }
    }

    /// Remembers how a statement begins whose whole value is a call: so it could be a `change`.
    pub(super) fn set_heading(&mut self, heading: Option<(Span, Span, String)>) {
        if let Self::Block(block) = self {
            block.heading = heading;
        }
    }

    /// What to put in place of the statement's beginning, if the call is all of its value.
    pub(super) fn heading(&self, call: Span) -> Option<(Span, String)> {
        match self {
            Self::Block(InBlock { heading: Some((heading, value, replacement)), .. }) if *value == call => {
                Some((*heading, replacement.clone()))
            }
            _ => None,
        }
    }
}

/// What a command that gives a value is made of.
const OF_FUNCTION: &[&str] = &["let", "if", "return"];

/// What a report is made of.
const OF_REPORT: &[&str] = &["let", "show", "check", "if", "for", "send"];

impl Checker<'_> {
    /// Whether a statement may stand in the block around it; reported where it may not.
    pub(super) fn check_placement(&mut self, statement: &StatementKind, span: Span) -> bool {
        let keyword = statement.keyword();
        let Some(of) = self.place.of() else { return true };
        let (fits, message, help) = match of {
            BlockOf::Function => (
                OF_FUNCTION.contains(&keyword),
                format!("`{keyword}` cannot stand in a command that gives a value"),
                format!(
                    "it is computed wherever it is called, so it holds only {}",
                    alternatives(OF_FUNCTION.iter().copied())
                ),
            ),
            BlockOf::Report => (
                OF_REPORT.contains(&keyword),
                format!("`{keyword}` cannot stand in a report"),
                format!("a report looks and sends: it holds only {}", alternatives(OF_REPORT.iter().copied())),
            ),
            BlockOf::Section | BlockOf::Step | BlockOf::Command => match keyword {
                "return" => (
                    of == BlockOf::Command,
                    "`return` stands outside a command".to_owned(),
                    "a step has no value; `show` puts one into the output".to_owned(),
                ),
                "send" => (
                    false,
                    "`send` stands outside a report".to_owned(),
                    "tell people from here with `notify channel \"…\"`".to_owned(),
                ),
                _ => return true,
            },
        };
        if !fits {
            let word = Span { end: span.start.saturating_add(u32::try_from(keyword.len()).unwrap_or(0)), ..span };
            self.report(Diagnostic::new(Code::NotInACommand, word, message).help(help));
        }
        fits
    }
}
