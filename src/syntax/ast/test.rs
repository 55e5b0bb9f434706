//! Tests: what is given, what is done, what is expected.

use super::{Args, Docs, Expr, Name, Severity, Template, Title, Written};
use crate::source::{Span, Spanned};

/// `test "title" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    pub title: Title,
    pub statements: Vec<TestStatement>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TestStatement {
    pub docs: Docs,
    pub kind: TestStatementKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TestStatementKind {
    Given(Given),
    /// `run "Section" (name: value)`
    Run {
        section: Title,
        args: Option<Args>,
    },
    /// `after 30m`
    After {
        time: Expr,
    },
    /// `alert "InstanceDown" { instance: "a" } fires`: what others post. `labels` is a record.
    Posted {
        name: Title,
        labels: Option<Expr>,
        firing: bool,
    },
    /// `expect fact`, `expect no fact`
    Expect(Expect),
}

/// A canned answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Given {
    /// `given "DBA" approves`
    Approves { role: Title },
    /// `given "Look" answers "done"`
    Answers { question: Title, answer: Template },
    /// `given db is unreachable`
    Unreachable { target: Expr },
    /// `given error_rate is 12%`
    Is { target: Expr, value: Expr },
    /// `given api.get("/health") takes 12s`
    Takes { target: Expr, duration: Expr },
    /// `given db.size() fails "…"`
    Fails { target: Expr, message: Template },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Expect {
    /// `expect no …`
    pub negated: bool,
    pub fact: Fact,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// `alert "Threshold" critical`; without a title, any alert.
    Alert { title: Option<Title>, severity: Option<Spanned<Severity>> },
    /// `notified slack`
    Notified { channel: Name },
    /// `level 2`
    Level { level: Written },
    /// `change db.execute("V")`
    Change { call: Expr },
    /// `"check's title" failed`
    Check { title: Title, outcome: Spanned<Outcome> },
    /// `run failed`
    Run { outcome: Spanned<Outcome> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Passed,
    Failed,
    NotMeasured,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Passed, Self::Failed, Self::NotMeasured];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotMeasured => "not measured",
        }
    }
}
