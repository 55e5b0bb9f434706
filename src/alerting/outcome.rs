//! What came of an input: what happened, what has to be told, what of the state is different.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::state::{Alert, Cause, End, Incident, Subject};
use crate::catalog::{Message, Occasion};
use crate::types::Severity;

/// All that came of an input. It is written down in one piece, before anybody is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    pub happened: Vec<Happening>,
    pub tell: Vec<Tell>,
    /// The keys of messages that need not be told any more, where they were not yet.
    pub withdraw: Vec<Arc<str>>,
    pub touched: Touched,
    /// What is not open any more, as it was at its end.
    pub ended_alerts: Vec<Alert>,
    pub ended_incidents: Vec<Incident>,
}

impl Outcome {
    /// With what came of the input after it.
    pub fn join(&mut self, later: Self) {
        self.happened.extend(later.happened);
        self.tell.extend(later.tell);
        self.withdraw.extend(later.withdraw);
        self.ended_alerts.extend(later.ended_alerts);
        self.ended_incidents.extend(later.ended_incidents);
        self.touched.watches.extend(later.touched.watches);
        self.touched.alerts.extend(later.touched.alerts);
        self.touched.incidents.extend(later.touched.incidents);
        self.touched.silences.extend(later.touched.silences);
        self.touched.rest |= later.touched.rest;
    }
}

/// One message for one channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Tell {
    pub channel: Arc<str>,
    pub message: Arc<Message>,
}

/// What of the state is different, for whoever writes it down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    pub watches: BTreeSet<Subject>,
    pub alerts: BTreeSet<i64>,
    pub incidents: BTreeSet<i64>,
    pub silences: BTreeSet<i64>,
    /// The numbers, or what keeps thresholds quiet.
    pub rest: bool,
}

impl Touched {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// One line of the story of an alert or an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<i64>,
    #[serde(flatten)]
    pub what: Happened,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "happened", rename_all = "snake_case")]
pub enum Happened {
    AlertOpened {
        title: Arc<str>,
        severity: Severity,
        cause: Cause,
        text: Arc<str>,
    },
    AlertClosed {
        title: Arc<str>,
        end: End,
    },
    /// Nobody is told: `by` says what keeps it quiet.
    Quiet {
        title: Arc<str>,
        by: Arc<str>,
    },
    IncidentOpened {
        title: Arc<str>,
        level: u32,
        role: Arc<str>,
    },
    /// A level was told.
    Level {
        level: u32,
        role: Arc<str>,
        round: u32,
    },
    /// A person called a level, and what for.
    CalledBy {
        by: Arc<str>,
        level: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Arc<str>>,
    },
    /// Nobody is on call for the level now: the next one is told.
    NobodyOnCall {
        level: u32,
        role: Arc<str>,
    },
    /// Nobody has acknowledged within the time of the level.
    Late {
        level: u32,
        role: Arc<str>,
    },
    /// The channel has an escalation of its own, and had been told before.
    Handed {
        channel: Arc<str>,
    },
    Acknowledged {
        by: Arc<str>,
    },
    /// All levels and rounds were told, and nobody else is left.
    Exhausted,
    IncidentClosed {
        title: Arc<str>,
        end: End,
    },
    /// A message was written down for a channel.
    Told {
        channel: Arc<str>,
        occasion: Occasion,
        title: Arc<str>,
        /// Names the message. Missing in what versions before have written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<Arc<str>>,
    },
    Silenced {
        /// Missing in what versions before have written.
        #[serde(default)]
        number: Option<i64>,
        until: Timestamp,
        by: Arc<str>,
        why: Arc<str>,
    },
    SilenceEnded {
        by: Arc<str>,
    },
}
