//! Alerts that others post: what they mean for the thresholds of a runbook.

use std::sync::Arc;

use jiff::Timestamp;

use super::engine::{Input, Raised};
use super::raisers;
use super::state::Subject;
use crate::check::program::Program;
use crate::types::Labels;

/// An alert as somebody else knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub name: Arc<str>,
    /// All that identify it, by name.
    pub labels: Labels,
    pub text: Arc<str>,
    pub firing: bool,
    /// When it began and when it ended, as far as that was said.
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// What an alert says of which nothing but the name is known.
#[must_use]
pub fn fires(name: &str) -> String {
    format!("{name} fires")
}

/// What it means: it raises the threshold that is `from` its name, or closes what it raised. `None` where no threshold
/// takes it.
#[must_use]
pub fn posted(program: &Program, posted: &Posted) -> Option<Input> {
    let threshold = program.thresholds.iter().find(|threshold| threshold.from.contains(&posted.name))?;
    let subject = Subject { threshold: Arc::clone(&threshold.title), labels: posted.labels.clone() };
    let raiser = raisers::of_posted(&posted.name);
    Some(if posted.firing {
        Input::Raised(Raised { subject, raiser, text: Arc::clone(&posted.text), since: posted.since })
    } else {
        Input::Resolved { subject, raiser, at: posted.until }
    })
}
