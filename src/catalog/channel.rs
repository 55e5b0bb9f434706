//! Channels: what is told, and the contract of whoever tells it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Cx;
use crate::shown::Shown;
use crate::types::{Fault, Severity};

/// A way to people, opened: mail, a chat, a pager.
pub trait Channel: Send + Sync {
    /// Tells it, once. Whether it is tried again is up to the caller, who knows what else waits.
    fn tell(&self, cx: Cx, message: Arc<Message>) -> BoxFuture<'static, Result<Told, NotTold>>;

    /// Where it leads, for the output: `#alerts by Slack`, `2 addresses by smtp.example.com`. Never a secret.
    fn target(&self) -> String;

    /// How many messages it takes in a minute. More are told together, since people would not read them; `None` where each
    /// has to go by itself.
    fn at_most(&self) -> Option<usize>;
}

/// What the other side made of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// `250 queued`, `202 accepted`: as short as it goes.
    pub said: String,
}

/// A message that did not get through.
#[derive(Clone, Debug)]
pub struct NotTold {
    pub fault: Fault,
    pub again: Again,
}

/// Whether it helps to tell it once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// The other side refuses this message whenever it comes.
    Never,
    /// As soon as the caller sees fit.
    Later,
    /// Not before this time has passed: the other side said so.
    After(Duration),
}

/// What people are told.
///
/// It is written down before it is sent and may be sent twice: `key` is the same both times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Names this message: at most 255 characters of ASCII.
    pub key: Arc<str>,
    /// Names what it is about, the same from its opening to its end: at most 255 characters of ASCII. Mails of one
    /// subject are one thread, and a pager's events of one subject one incident.
    pub about: Arc<str>,
    pub occasion: Occasion,
    pub severity: Severity,
    /// The threshold, or the runbook where no threshold is behind it. One line.
    pub title: Arc<str>,
    /// What is the matter, in a sentence or more: `error_rate is 12%, for service=gateway`.
    pub text: String,
    /// What a report shows, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Shown>,
    /// What else is known, in order: labels, values, the level and its role.
    pub facts: Vec<(Arc<str>, String)>,
    /// The doc comment of the threshold: what to do about it.
    pub doc: Arc<str>,
    pub runbook: Arc<str>,
    /// When it happened.
    pub at: Timestamp,
    /// The name of the runbook's zone, in which people read times.
    pub timezone: Arc<str>,
    pub incident: Option<Incident>,
    /// Who is on call for the level, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_call: Option<Arc<Person>>,
    /// Who else is told by name: of what all hear who know of it, whoever was on call when it was told there before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub called: Vec<Arc<Person>>,
    /// Where to read on: the `link` of the threshold.
    pub link: Option<String>,
    /// Where it is acknowledged. Whoever has the address can do so.
    pub acknowledge: Option<String>,
}

impl Message {
    /// Who is told by name. Of what all hear who know of it, that is whoever was told before, and not who is on call by now.
    pub fn people(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.on_call.iter().filter(|_| !self.occasion.is_for_all()).chain(&self.called)
    }
}

/// Somebody who can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub name: Arc<str>,
    pub email: Option<Arc<str>>,
    pub phone: Option<Arc<str>>,
    /// The id of a member in Slack: `U012AB3CD`.
    pub slack: Option<Arc<str>>,
}

impl std::fmt::Display for Person {
    /// `Ann Example, +49 170 1234567, ann@example.com`
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        [&self.phone, &self.email].into_iter().flatten().try_for_each(|way| write!(f, ", {way}"))
    }
}

/// Why people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    /// Something is wrong.
    Opened,
    /// Nobody answered in time: the same people again.
    Again,
    /// A higher level is told.
    Escalated,
    /// Somebody has taken it on.
    Acknowledged,
    /// It is over.
    Closed,
    /// `notify` in a runbook.
    Note,
    /// `send` in a report.
    Report,
    /// `runbook notify --test`: it says of itself that it is one.
    Test,
}

impl Occasion {
    /// Whether somebody is to do something.
    #[must_use]
    pub const fn is_page(self) -> bool {
        matches!(self, Self::Opened | Self::Again | Self::Escalated)
    }

    /// Whether it is told to all who know of it, and to nobody else.
    #[must_use]
    pub const fn is_for_all(self) -> bool {
        matches!(self, Self::Acknowledged | Self::Closed)
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Again => "again",
            Self::Escalated => "escalated",
            Self::Acknowledged => "acknowledged",
            Self::Closed => "closed",
            Self::Note => "note",
            Self::Report => "report",
            Self::Test => "test",
        }
    }
}

/// The incident that a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number in the store.
    pub number: i64,
    pub level: u32,
    /// `Operations Engineer`
    pub role: Arc<str>,
}
