//! Checked statements.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{ChannelId, CommandId, Expr, LocalId, MetricId, Severity, StatementId, ThresholdId};
use crate::catalog::Effect;
use crate::source::Span;

pub type Block = Vec<Statement>;

#[derive(Debug)]
pub struct Statement {
    pub id: StatementId,
    pub kind: StatementKind,
    pub doc: Arc<str>,
    pub span: Span,
    /// The most that anything inside it does, blocks and called commands included.
    pub effect: Effect,
    /// Whether it waits for all that is written above it and holds back all that is written below it: `change`,
    /// `require`, `manual`, `wait`, and whatever has one of these inside.
    pub barrier: bool,
}

impl Statement {
    /// The threshold that it may raise by itself.
    #[must_use]
    pub const fn raises(&self) -> Option<ThresholdId> {
        match &self.kind {
            StatementKind::Raise { threshold, .. }
            | StatementKind::Check { otherwise: CheckElse::Raise { threshold, .. }, .. } => Some(*threshold),
            _ => None,
        }
    }

    /// Whether anything in it changes something outside.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.effect == Effect::Changes
    }
}

#[derive(Debug)]
pub enum StatementKind {
    Let {
        local: LocalId,
        value: Expr,
    },
    Show {
        value: Expr,
        /// A text.
        title: Option<Expr>,
        /// What was written, in one line: stands in for a title.
        source: Arc<str>,
    },
    Check {
        condition: Expr,
        title: Option<Expr>,
        source: Arc<str>,
        otherwise: CheckElse,
    },
    Require {
        condition: Expr,
        title: Option<Expr>,
        source: Arc<str>,
    },
    Measure {
        metrics: Vec<MetricId>,
    },
    Change(Box<Change>),
    Manual {
        text: Expr,
        link: Option<Expr>,
        within: Option<SignedDuration>,
    },
    Wait {
        condition: Expr,
        every: Expr,
        within: Expr,
        source: Arc<str>,
    },
    Retry {
        times: u32,
        every: Expr,
        body: Block,
    },
    For(For),
    If {
        branches: Vec<Branch>,
        otherwise: Option<Block>,
    },
    Do {
        command: CommandId,
        /// One for each parameter, defaults filled in.
        args: Vec<Expr>,
    },
    Notify {
        channels: Vec<ChannelId>,
        message: Option<Expr>,
    },
    Raise {
        threshold: ThresholdId,
        message: Option<Expr>,
    },
    Escalate {
        level: u32,
        message: Option<Expr>,
    },
    Return {
        value: Expr,
    },
    /// Only in a report.
    Send {
        channels: Vec<ChannelId>,
    },
}

/// What a failed check weighs and leads to.
#[derive(Debug)]
pub enum CheckElse {
    /// A check without `else` is [`Severity::Critical`]: it fails the run.
    Severity { severity: Severity, message: Option<Expr> },
    /// As severe as its threshold.
    Raise { threshold: ThresholdId, message: Option<Expr> },
}

/// The one way to change anything.
#[derive(Debug)]
pub struct Change {
    /// The name of the result.
    pub binding: Option<LocalId>,
    /// A call of a built-in, a tool or a command that changes: [`super::ExprKind::Call`],
    /// [`super::ExprKind::Tool`] or [`super::ExprKind::Command`].
    pub call: Expr,
    pub title: Option<Expr>,
    /// What was written, in one line.
    pub source: Arc<str>,
    pub within: Option<Expr>,
    pub approve_by: Option<Arc<str>>,
    pub verify: Option<Expr>,
    pub undo: Option<Expr>,
}

#[derive(Debug)]
pub struct For {
    pub local: LocalId,
    pub list: Expr,
    pub at_most: Option<u32>,
    pub body: Block,
}

#[derive(Debug)]
pub struct Branch {
    pub condition: Expr,
    pub body: Block,
}
