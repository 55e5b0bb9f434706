//! The tree of a source file: what was written, nothing about what it means.
//!
//! Every node has its [`Span`]. Literals keep the text as written (`10GiB`, `3/min`, `2025-09-09`); what that says is
//! the checker's to find out. A mistake leaves its statement or item out of the tree, and in [`File::junk`].
//!
//! The depth of a tree is bounded by the parser ([`MAX_DEPTH`]), so a recursive walk is safe.

mod expr;
mod item;
mod statement;
mod test;

use std::fmt;
use std::sync::Arc;

pub use self::expr::{
    Arg, Args, BinaryOp, Call, Entry, Expr, ExprKind, Interpolation, Part, Quoting, Receiver, Template, UnaryOp,
};
pub use self::item::{
    ChangesEffect, Channel, Command, Connect, Driver, EscalateTrigger, Escalation, EscalationClause,
    EscalationClauseKind, Header, HeaderField, HeaderKind, Item, ItemKind, Level, LevelClause, LevelClauseKind, Metric,
    Param, Parameter, Report, Schedule, ScheduleRule, Secret, Section, SectionMember, Step, Threshold, ThresholdClause,
    ThresholdClauseKind, Tool, Type, TypeAlias, TypeField, TypeKind, Unless, Use,
};
pub use self::statement::{Block, Body, Change, Check, CheckElse, For, IfBranch, Label, Statement, StatementKind};
pub use self::test::{Expect, Fact, Given, Outcome, Test, TestStatement, TestStatementKind};
use crate::source::{FileId, Span, Spanned};
pub use crate::types::Severity;

/// How deep expressions may nest in one another, operators and brackets together.
pub const MAX_DEPTH: usize = 256;

/// One file.
#[derive(Clone, Debug, PartialEq)]
pub struct File {
    pub id: FileId,
    /// `runbook "…" { … }` or `library "…" { … }`. It may stand anywhere in the file.
    pub header: Option<Header>,
    /// In the order of the text.
    pub items: Vec<Item>,
    /// All comments in the order of the text, docs included.
    pub comments: Vec<Comment>,
    /// What could not be read, in the order of the text. Empty exactly if there was no error.
    pub junk: Vec<Junk>,
    pub span: Span,
}

impl File {
    /// Whether a part that could not be read speaks of this name or title.
    ///
    /// Such a name may be declared there, or used there: that it is unknown or unused is an echo of the mistake that
    /// was reported already.
    #[must_use]
    pub fn is_in_junk(&self, name: &str) -> bool {
        self.junk.iter().any(|junk| junk.words.iter().any(|word| **word == *name))
    }
}

/// A part that could not be read. Its mistake is among the diagnostics.
#[derive(Clone, Debug, PartialEq)]
pub struct Junk {
    pub span: Span,
    /// The names and the constant texts in it.
    pub words: Vec<Arc<str>>,
}

/// A comment: from its `#` to the end of the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// With its `#`, without blanks at the end.
    pub text: Arc<str>,
    pub span: Span,
    /// Nothing but blanks stands before it on its line.
    pub own_line: bool,
}

impl Comment {
    /// Whether it is a doc comment: `##` and then no third `#`.
    #[must_use]
    pub fn is_doc(&self) -> bool {
        self.text.strip_prefix("##").is_some_and(|rest| !rest.starts_with('#'))
    }
}

/// The `##` lines right above a node, without their `## `.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Docs {
    pub lines: Vec<Arc<str>>,
}

impl Docs {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The lines as one Markdown text.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }
}

/// A name and where it was written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name {
    pub text: Arc<str>,
    pub span: Span,
}

impl Name {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

/// A constant text in quotes that is somebody's identity: of a section, a threshold, a role. Never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Title {
    /// Without quotes, escapes decoded.
    pub text: Arc<str>,
    /// With the quotes.
    pub span: Span,
}

impl Title {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A literal as it was written: `10GiB`, `3`, `08:00`.
pub type Written = Spanned<Arc<str>>;
