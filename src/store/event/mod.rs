//! The events of a run: everything that any output, journal or report is made from.
//!
//! As JSON Lines they are a public format: the first record says [`VERSION`], names are never reused with another
//! meaning, and a reader skips what it does not know. Durations are seconds, sizes bytes, times RFC 3339 in UTC.
//! No event ever holds a secret.

mod changes;

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::changes::{ChangeEnded, ChangeKept, LedTo, ProposedChange, Withheld};
use super::definition::{Continues, Definition};
use super::kept::Kept;
pub use super::outcome::{ChangeOutcome, Counts, ManualAnswer, Outcome, Status};
use crate::shown::Shown;
pub use crate::types::Severity;
use crate::types::{Fault, Labels};

/// The version of the format, in the first record.
pub const VERSION: u32 = 1;

/// One line of the stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// From 0, without gaps.
    pub seq: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Always the first.
    RunStarted(RunStarted),
    /// A secret is in too many words to be looked for: it is not hidden where something repeats it.
    SecretTooShort {
        name: Arc<str>,
    },
    /// A connection was opened: what it leads to, and as whom.
    ConnectionOpened {
        name: Arc<str>,
        driver: Arc<str>,
        target: String,
    },
    /// A connection could not be opened; all that needs it is not measured.
    ConnectionFailed {
        name: Arc<str>,
        driver: Arc<str>,
        fault: Fault,
    },
    SectionStarted {
        path: Path,
        title: Arc<str>,
        doc: Arc<str>,
    },
    SectionFinished {
        path: Path,
        title: Arc<str>,
        status: Status,
        seconds: f64,
    },
    /// What a section holds beside its steps, and a step that is made for each item: told in the order of the source, so
    /// that whoever prints can keep it.
    PartStarted {
        path: Path,
    },
    PartFinished {
        path: Path,
    },
    StepStarted {
        path: Path,
        title: Arc<str>,
        doc: Arc<str>,
        /// `service=gateway` of a step that is made for each item.
        label: Option<String>,
    },
    StepFinished {
        path: Path,
        title: Arc<str>,
        label: Option<String>,
        status: Status,
        seconds: f64,
        counts: Counts,
    },
    /// `show`
    Shown {
        place: Place,
        title: Arc<str>,
        shown: Shown,
    },
    /// `show` of something that could not be looked at.
    NotShown {
        place: Place,
        title: Arc<str>,
        fault: Fault,
    },
    /// `check` and `require`
    Checked(Checked),
    /// A list of `for`, a condition of `if`, a time limit, a `measure`: something that statements depend on could not be had.
    NotMeasured {
        place: Place,
        what: Arc<str>,
        fault: Fault,
    },
    /// A loop that looks at nothing had no items: nothing was done.
    NoItems {
        place: Place,
        /// The list as it was written, in one line.
        list: Arc<str>,
    },
    /// A change waits until somebody else has changed what its connection leads to.
    ChangeWaits {
        place: Place,
        title: Arc<str>,
        target: String,
        /// `run 7f3a12 of ops@db1, since 2026-11-26T02:00:00Z`
        holder: String,
    },
    /// A change takes over from somebody who did not give back what its connection leads to, and says nothing more: most
    /// likely that run was killed in the middle of a change.
    ChangeTakesOver {
        place: Place,
        title: Arc<str>,
        target: String,
        /// `run 7f3a12 of ops@db1, since 2026-11-26T02:00:00Z`
        holder: String,
    },
    /// Written before the call goes out, and on the disk before it does.
    ChangeIntended {
        place: Place,
        change: u32,
        title: Arc<str>,
        /// The items of the loops around it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<Arc<str>>,
        target: Option<String>,
        /// The system to which its connection leads, whatever that is called elsewhere.
        #[serde(default)]
        led_to: Option<LedTo>,
        call: Arc<str>,
        /// The standing approvals that it is made by; none where somebody agreed to the run itself.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        approvals: Vec<Arc<str>>,
        /// What it is known by in a run that continues this one: where it stands, and the items of the loops around it.
        #[serde(default)]
        key: Option<Arc<str>>,
        /// It calls a command, whose own changes are written down one by one.
        #[serde(default)]
        parts: bool,
        /// What the names in its `undo`, `verify` and `within` stood for.
        #[serde(default)]
        with: Vec<(Arc<str>, Kept)>,
    },
    /// Written after it.
    ChangeEnded(ChangeEnded),
    /// A change that a run before this one has made, and that is not made again.
    ChangeKept(ChangeKept),
    /// A change that was not begun, and why.
    ChangeWithheld {
        place: Place,
        change: u32,
        title: Arc<str>,
        /// The items of the loops around it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        items: Vec<Arc<str>>,
        reason: Withheld,
    },
    /// `wait until`
    Waited {
        place: Place,
        what: Arc<str>,
        outcome: Outcome,
        polls: u32,
        seconds: f64,
        /// Why it could not be looked at, the last time.
        fault: Option<Fault>,
        /// What was found the last time that it was seen not to hold: as of a check that failed.
        #[serde(default)]
        evidence: Vec<Shown>,
    },
    /// A round of `retry` that did not do.
    Retried {
        place: Place,
        round: u32,
        of: u32,
        fault: Option<Fault>,
    },
    /// `manual`
    Manual {
        place: Place,
        text: Arc<str>,
        link: Option<String>,
        answer: ManualAnswer,
        note: Option<String>,
    },
    /// `measure`, or a sample that was due.
    Measured(Measured),
    /// `notify`
    Notified {
        place: Place,
        channels: Vec<Arc<str>>,
        message: Option<String>,
    },
    /// `send to` in a report: all that it showed and checked above.
    Sent {
        place: Place,
        channels: Vec<Arc<str>>,
    },
    /// `raise`; a check that raises says so itself.
    Raised {
        place: Place,
        threshold: Arc<str>,
        message: Option<String>,
    },
    /// `escalate to level N`
    Called {
        place: Place,
        level: u32,
        message: Option<String>,
    },
    /// A statement that the version which recorded the run could not run. This one runs them all, and reads it.
    Unsupported {
        place: Place,
        what: Arc<str>,
        fault: Fault,
    },
    /// A statement that was not reached: the run was stopped, or its time was over.
    NotReached {
        place: Place,
        what: Arc<str>,
        reason: String,
    },
    /// The run waits for approval (exit 5).
    ApprovalNeeded {
        hash: String,
        changes: Vec<ProposedChange>,
        help: String,
    },
    /// Consent was given.
    Approved {
        hash: String,
        how: String,
    },
    /// Ctrl-C or SIGTERM.
    Interrupted {
        signal: String,
    },
    /// Always the last.
    RunFinished(RunFinished),
}

/// Where something stands in the order of the source: section, member, round, statement, round, statement, …
///
/// Paths compare as the output is ordered.
pub type Path = Vec<u32>;

/// Where a statement is; nowhere by default, as what no statement brings about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub path: Path,
    pub file: Arc<str>,
    /// From 1.
    pub line: u32,
    pub column: u32,
    /// The items of the loops around it, from the outside in, as `name=item`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Arc<str>>,
    /// In a command: the calls that lead there, each by where it stands in the plan: `3.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<Arc<str>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunStarted {
    pub version: u32,
    pub tool: String,
    pub run: Arc<str>,
    pub runbook: Arc<str>,
    pub file: Arc<str>,
    /// The folder of that file, from the root: `file` may be as it was typed in another folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Arc<str>>,
    /// SHA-256 of the source of all files, in hex.
    pub source_hash: String,
    /// What its consent covers; `None` where nothing changes.
    pub plan: Option<String>,
    pub scheduled_at: Timestamp,
    pub timezone: Arc<str>,
    /// `user@host`
    pub by: String,
    pub read_only: bool,
    /// What `--only` named.
    pub only: Vec<String>,
    /// What `--set` gave.
    pub set: Vec<(Arc<str>, String)>,
    /// How many change statements are in what was asked for.
    pub changes: u32,
    /// How many steps are in what was asked for, before lists are known.
    pub steps: u32,
    /// How the changes are defined that are in what was asked for.
    #[serde(default)]
    pub definition: Definition,
    /// The run that it goes on with, or of which it undoes something.
    #[serde(default)]
    pub continues: Option<Continues>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checked {
    pub place: Place,
    /// `check` or `require`.
    pub kind: CheckKind,
    pub title: Arc<str>,
    /// The condition as it was written, in one line.
    pub source: Arc<str>,
    pub severity: Severity,
    pub outcome: Outcome,
    /// What the runbook says when it fails.
    pub message: Option<String>,
    /// Its doc comment.
    pub doc: Arc<str>,
    /// Why it could not be measured.
    pub fault: Option<Fault>,
    /// What was found: the items that failed, the two sides of a comparison.
    pub evidence: Vec<Shown>,
    /// The threshold that it raises.
    pub raises: Option<Arc<str>>,
    pub seconds: f64,
}

/// The samples of a metric that were taken at one time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measured {
    pub place: Place,
    pub metric: Arc<str>,
    pub samples: Vec<Sampled>,
    /// Why nobody knows of what there should have been samples.
    pub fault: Option<Fault>,
    /// When it was begun to look, where that took long and something of it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub began: Option<Timestamp>,
    /// When they were taken, where they have waited for others of the same moment since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken: Option<Timestamp>,
    /// Whether others of the same moment follow at once, which are judged together with these.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// One sample.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sampled {
    pub labels: Labels,
    /// In the base unit of the metric: seconds, bytes, a ratio; 1 and 0 for true and false. Missing where it could not
    /// be measured.
    pub value: Option<f64>,
    /// As a person reads it.
    pub text: String,
    pub fault: Option<Fault>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckKind {
    Check,
    Require,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunFinished {
    pub status: Status,
    pub counts: Counts,
    /// As language.md's table has them: 0, 1, 3, 4, 5, 6, 130.
    pub exit: u8,
    pub seconds: f64,
}
