//! How something ended: what the events of a run say of checks, changes, people and the whole.

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Failed,
    /// Could not look. Neither passed nor failed.
    NotMeasured,
}

/// How a step, a section or a run went: the worst thing in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Passed,
    /// A check of severity info failed.
    Noted,
    /// A warning check failed.
    Warned,
    NotMeasured,
    /// A critical check or a change failed.
    Failed,
    /// It was stopped, or not reached.
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeOutcome {
    Done,
    /// It is known not to have happened, or its verification failed.
    Failed,
    /// A part of it is known to be made, and a part not to be.
    Partly,
    /// Nobody can say whether it happened, or how much of it.
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ManualAnswer {
    Done,
    Problem,
    Skipped,
    /// Nobody answered in time, or there was nobody to ask.
    NotAnswered,
}

/// How many of what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub passed: u32,
    /// Failed checks of severity critical.
    pub failed: u32,
    /// Failed checks of severity warning, and changes that were made with a warning.
    pub warned: u32,
    /// Failed checks of severity info.
    pub noted: u32,
    pub not_measured: u32,
    pub changes_done: u32,
    pub changes_failed: u32,
    /// Journals of versions before have none.
    #[serde(default)]
    pub changes_partly: u32,
    pub changes_unknown: u32,
    pub changes_withheld: u32,
    pub not_reached: u32,
}
