//! Statements: what steps, sections, commands and reports are made of.
//!
//! The form allows every statement in every block. Which block may hold which is the checker's question.

use super::{Docs, Expr, Name, Template, Title, Type, Written};
use crate::source::{Span, Spanned};
use crate::types::Severity;

/// `{ … }` of statements.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    pub statements: Vec<Statement>,
    /// With the braces.
    pub span: Span,
}

/// The block of a step: statements, and what closes it.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    pub statements: Vec<Statement>,
    /// `on failure { … }`
    pub on_failure: Option<Block>,
    /// `always { … }`
    pub always: Option<Block>,
    /// With the braces.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    pub docs: Docs,
    pub kind: StatementKind,
    /// From its first word, without its docs.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum StatementKind {
    /// `let name: ty = value`
    Let {
        name: Name,
        ty: Option<Type>,
        value: Expr,
    },
    /// `show value as "title"`
    Show {
        value: Expr,
        title: Option<Template>,
    },
    Check(Check),
    /// `require condition as "title"`
    Require {
        condition: Expr,
        title: Option<Template>,
    },
    /// `measure a, b`
    Measure {
        metrics: Vec<Name>,
    },
    Change(Box<Change>),
    /// `manual "text" link "…" within D`
    Manual {
        text: Template,
        link: Option<Template>,
        within: Option<Expr>,
    },
    /// `wait until condition every D within D`
    Wait {
        condition: Expr,
        every: Expr,
        within: Expr,
    },
    /// `retry times every D { … }`
    Retry {
        times: Written,
        every: Expr,
        body: Block,
    },
    For(For),
    /// `if … { … } else if … { … } else { … }`: at least one branch.
    If {
        branches: Vec<IfBranch>,
        otherwise: Option<Block>,
    },
    /// `do fragment(…)`
    Do {
        call: Expr,
    },
    /// `notify a, b "message"`
    Notify {
        channels: Vec<Name>,
        message: Option<Template>,
    },
    /// `raise "Threshold" "message"`
    Raise {
        threshold: Title,
        message: Option<Template>,
    },
    /// `escalate to level N "message"`
    Escalate {
        level: Written,
        message: Option<Template>,
    },
    /// `return value`
    Return {
        value: Expr,
    },
    /// `send to a, b`: only in a report.
    Send {
        channels: Vec<Name>,
    },
}

impl StatementKind {
    /// The word that it begins with.
    #[must_use]
    pub const fn keyword(&self) -> &'static str {
        match self {
            Self::Let { .. } => "let",
            Self::Show { .. } => "show",
            Self::Check(_) => "check",
            Self::Require { .. } => "require",
            Self::Measure { .. } => "measure",
            Self::Change(_) => "change",
            Self::Manual { .. } => "manual",
            Self::Wait { .. } => "wait",
            Self::Retry { .. } => "retry",
            Self::For(_) => "for",
            Self::If { .. } => "if",
            Self::Do { .. } => "do",
            Self::Notify { .. } => "notify",
            Self::Raise { .. } => "raise",
            Self::Escalate { .. } => "escalate",
            Self::Return { .. } => "return",
            Self::Send { .. } => "send",
        }
    }
}

/// `check condition as "title" else …`
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub condition: Expr,
    pub title: Option<Template>,
    pub otherwise: Option<CheckElse>,
}

/// What a failed check leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckElse {
    /// `else warning "message"`
    Severity { severity: Spanned<Severity>, message: Option<Template> },
    /// `else raise "Threshold"`
    Raise { threshold: Title, message: Option<Template> },
}

/// `change result = call as "…" within D approve by "role" verify condition undo call`, the clauses in any order.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The name that the result gets.
    pub binding: Option<Name>,
    /// A name, or anything that is called or looked up; whether it is a call that changes is the checker's.
    pub call: Expr,
    pub title: Option<Template>,
    pub within: Option<Expr>,
    pub approve_by: Option<Title>,
    pub verify: Option<Expr>,
    pub undo: Option<Expr>,
}

/// `for variable in list at most N { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct For {
    pub variable: Name,
    pub list: Expr,
    pub at_most: Option<Written>,
    pub body: Block,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IfBranch {
    pub condition: Expr,
    pub body: Block,
}

/// `for name in list` of a step or a metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    pub name: Name,
    pub list: Expr,
    pub span: Span,
}
