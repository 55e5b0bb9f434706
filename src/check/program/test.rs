//! Checked tests.

use std::sync::Arc;

use jiff::SignedDuration;

use super::{ChannelId, ConnectionId, Expr, MetricId, ParamId, Severity, ThresholdId};
use crate::source::Span;
pub use crate::syntax::ast::Outcome;

/// `test "title" { … }`: what is given, what is done, what is expected.
#[derive(Debug)]
pub struct Test {
    pub title: Arc<str>,
    pub doc: Arc<str>,
    pub span: Span,
    pub statements: Vec<TestStatement>,
}

#[derive(Debug)]
pub struct TestStatement {
    pub kind: TestKind,
    pub span: Span,
}

#[derive(Debug)]
pub enum TestKind {
    Given(Given),
    /// `run "Section" (name: value)`
    Run {
        section: Arc<str>,
        set: Vec<(ParamId, Expr)>,
    },
    /// `after 30m`
    After(SignedDuration),
    /// `alert "InstanceDown" { instance: "a" } fires`: a threshold takes it.
    Posted {
        name: Arc<str>,
        labels: Vec<(Arc<str>, Expr)>,
        firing: bool,
    },
    Expect {
        /// `expect no …`
        negated: bool,
        fact: Fact,
    },
}

/// What is there instead of the outside.
#[derive(Debug)]
pub enum Given {
    Approves { role: Arc<str> },
    Answers { question: Arc<str>, answer: Expr },
    Unreachable(Target),
    Is { target: Target, value: Expr },
    Takes { target: Target, duration: SignedDuration },
    Fails { target: Target, message: Expr },
}

/// What a test speaks of.
#[derive(Debug)]
pub enum Target {
    Metric(MetricId),
    Connection(ConnectionId),
    /// A call of a built-in, a tool or a command. An argument that was left out may be any.
    Call(Expr),
}

#[derive(Debug)]
pub enum Fact {
    /// An open alert; without a threshold, any.
    Alert(Option<(ThresholdId, Option<Severity>)>),
    Notified(ChannelId),
    Level(u32),
    Change(Expr),
    Check {
        title: Arc<str>,
        outcome: Outcome,
    },
    Run(Outcome),
}
