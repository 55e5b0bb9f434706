//! What is written down of changes: that one is to be agreed to, how it ended, and why it was not made.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Place;
use crate::shown::Shown;
use crate::store::kept::Kept;
use crate::store::outcome::{ChangeOutcome, Outcome};
use crate::types::Fault;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeEnded {
    pub place: Place,
    /// Its number in the run, from 1: the same as in its intent.
    pub change: u32,
    pub title: Arc<str>,
    /// The items of the loops around it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Arc<str>>,
    pub outcome: ChangeOutcome,
    pub fault: Option<Fault>,
    /// What it gave, where it gave something that can be shown.
    pub result: Option<Shown>,
    /// Whether `verify` held; `None` where there is none or it was not reached.
    pub verified: Option<bool>,
    /// What the other side said beside that, a line each: `WARNING: …`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub said: Vec<Arc<str>>,
    /// What was found the last time that `verify` was seen not to hold.
    #[serde(default)]
    pub evidence: Vec<Shown>,
    /// How it is undone, as it was written: printed and offered, never run by itself.
    pub undo: Option<Arc<str>>,
    pub seconds: f64,
    /// What it gave, exactly, where later statements or its `undo` name it.
    #[serde(default)]
    pub value: Option<Kept>,
}

impl ChangeEnded {
    /// Whether it was made, or a part of it.
    #[must_use]
    pub fn is_made(&self) -> bool {
        matches!(self.outcome, ChangeOutcome::Done | ChangeOutcome::Partly) || self.verified == Some(false)
    }

    /// Whether it was made, and the other side warned of something.
    #[must_use]
    pub fn is_warned(&self) -> bool {
        self.outcome == ChangeOutcome::Done && self.said.iter().any(|line| line.starts_with("WARNING"))
    }

    /// Whether it was not made, or nobody can say that all of it was.
    #[must_use]
    pub fn is_left(&self) -> bool {
        match self.outcome {
            ChangeOutcome::Failed => self.verified != Some(false),
            ChangeOutcome::Partly | ChangeOutcome::Unknown => true,
            ChangeOutcome::Done => false,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ChangeKept {
    pub place: Place,
    /// Its number in this run.
    pub change: u32,
    pub title: Arc<str>,
    /// The items of the loops around it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Arc<str>>,
    /// The run that made it, its number there, and when it was over.
    pub run: Arc<str>,
    pub of: u32,
    pub done_at: Timestamp,
    /// Who says so, where the run itself did not know.
    pub by: Option<String>,
    pub undo: Option<Arc<str>>,
}

/// Why a change was not begun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Withheld {
    /// A guard above it did not pass.
    Guard {
        title: Arc<str>,
        outcome: Outcome,
    },
    /// A change above it failed or is unknown.
    EarlierChange {
        title: Arc<str>,
        /// The items of the loops around it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<Arc<str>>,
    },
    /// `--read-only`
    ReadOnly,
    NotApproved,
    /// The policy of the repository does not let it be made now.
    Policy {
        says: String,
    },
    /// What it needs could not be had.
    NotMeasured {
        fault: Fault,
    },
    /// A list is longer than its `at most`.
    TooMany {
        found: u64,
        at_most: u32,
    },
    /// Somebody else changes what its connection leads to, and did not come to an end.
    Busy {
        target: String,
        /// `run 7f3a12 of ops@db1, since 2026-11-26T02:00:00Z`
        holder: String,
    },
    /// The run was stopped, or its time was over.
    Stopped {
        reason: String,
    },
}

/// Where a connection leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedTo {
    /// Its name in the runbook.
    pub connection: Arc<str>,
    pub system: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedChange {
    pub section: Arc<str>,
    pub step: Option<Arc<str>>,
    pub file: Arc<str>,
    pub line: u32,
    /// As it was written, in one line.
    pub change: Arc<str>,
    /// The loops, conditions and commands that it stands in, from the outside: `do roll("small", 1)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub around: Vec<String>,
    /// The params and the arguments that it names, with their values.
    #[serde(default)]
    pub given: Vec<(Arc<str>, String)>,
    /// The connections that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<Arc<str>>,
    /// What they lead to; how they are declared, until that is known.
    pub target: Option<String>,
    /// What a run before this one did of it, a line each.
    #[serde(default)]
    pub before: Vec<String>,
}
