//! Faults: why there is no value. A fault never turns into 0, an empty list or `false` by itself.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What kind of fault it is: the name that `try X on … otherwise V` forgives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// Nobody answers: no route, connection refused, name not found, TLS not agreed.
    Unreachable,
    /// No answer within the limit.
    Timeout,
    /// The other side knows us and says no.
    Denied,
    /// The policy of the repository does not let it be asked.
    Forbidden,
    /// The other side says that there is no such thing.
    NotFound,
    /// The answer is not what was promised: a broken body, a wrong type, an unexpected status.
    BadAnswer,
    /// The answer is larger than what is taken.
    TooLarge,
    /// A program could not be started or ended in failure.
    Failed,
    /// A value does not convert to the type that is wanted.
    Conversion,
    /// Division by zero, overflow, an index out of range, `all` of nothing.
    NoValue,
    /// Known to be cut short, so that no count of it means anything.
    Partial,
    /// This machine or this version does not have it.
    Unsupported,
    /// Set up wrongly: an environment variable that is not there, a file that cannot be read.
    Setup,
    /// The run was stopped before it was its turn.
    Cancelled,
}

impl FaultKind {
    pub const ALL: &'static [Self] = &[
        Self::Unreachable,
        Self::Timeout,
        Self::Denied,
        Self::Forbidden,
        Self::NotFound,
        Self::BadAnswer,
        Self::TooLarge,
        Self::Failed,
        Self::Conversion,
        Self::NoValue,
        Self::Partial,
        Self::Unsupported,
        Self::Setup,
        Self::Cancelled,
    ];

    /// As it is written behind `on`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Denied => "denied",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::BadAnswer => "bad_answer",
            Self::TooLarge => "too_large",
            Self::Failed => "failed",
            Self::Conversion => "conversion",
            Self::NoValue => "no_value",
            Self::Partial => "partial",
            Self::Unsupported => "unsupported",
            Self::Setup => "setup",
            Self::Cancelled => "cancelled",
        }
    }

    /// What has happened where it is the kind.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Unreachable => "nobody is there: no route, no such name, the connection was refused",
            Self::Timeout => "no answer in time",
            Self::Denied => "no rights, or not who one claims to be",
            Self::Forbidden => "the policy of the repository does not let it be asked",
            Self::NotFound => "what was asked for is not there",
            Self::BadAnswer => "there was an answer, and it makes no sense",
            Self::TooLarge => "more than may be read",
            Self::Failed => "it was tried and did not work: a program ended with an error, a server refused",
            Self::Conversion => "a value is not what is wanted of it",
            Self::NoValue => "there is nothing to compute with: no items, a field that is not there",
            Self::Partial => "known to be cut short, so that no count of it means anything",
            Self::Unsupported => "this machine or this version does not have it",
            Self::Setup => "set up wrongly: a variable that is not set, a file or a program that is not there",
            Self::Cancelled => "the run was stopped before it was its turn",
        }
    }

    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

/// Why there is no value. Cheap to clone: it poisons whatever needs the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub kind: FaultKind,
    /// One line: what was tried on what, and what came of it. Never a secret.
    pub message: Arc<str>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<Arc<str>>,
    /// What was asked for had gone out, or a program had been started: it may have been done all the same, or a part of it.
    /// A change with such a fault is unknown.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub sent: bool,
    /// A part of what was asked for was done, and a part was not: what the message says. A change with such a fault is partly
    /// done.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub partly: bool,
    /// Which of the looks of a run it came from, or which of its connections: two of two looks are two, whatever they say.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<u32>,
}

impl Fault {
    pub fn new(kind: FaultKind, message: impl Into<Arc<str>>) -> Self {
        Self { kind, message: message.into(), help: None, sent: false, partly: false, of: None }
    }

    pub fn no_value(message: impl Into<Arc<str>>) -> Self {
        Self::new(FaultKind::NoValue, message)
    }

    pub fn conversion(message: impl Into<Arc<str>>) -> Self {
        Self::new(FaultKind::Conversion, message)
    }

    /// The fault of something that had gone out already.
    #[must_use]
    pub fn sent(mut self) -> Self {
        self.sent = true;
        self
    }

    /// The fault of something that was done in part.
    #[must_use]
    pub fn partly(mut self) -> Self {
        self.partly = true;
        self
    }

    /// With a field's name where its help leaves it open: `.…` stands for the field as it is written, `?.…` for what
    /// follows `it`, and `…: ` for a column of that name. Without a field it is the item itself.
    #[must_use]
    pub fn about(self, written: &str, name: Option<&str>) -> Self {
        let Some(help) = self.help.as_deref().filter(|help| help.contains(".…")) else { return self };
        let own = name.map_or_else(String::new, |name| format!("?.{name}"));
        let column = format!("`{}: ", name.unwrap_or("column"));
        let help = help.replace("?.…", &own).replace(".…", written).replace("`…: ", &column);
        self.help(help)
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<Arc<str>>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
