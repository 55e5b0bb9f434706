//! What was before: samples and alerts that outlive a run.

use std::sync::Arc;

use jiff::Timestamp;

use crate::types::{Fault, Labels, Severity};

/// What is kept of a runbook.
pub trait Past: Send + Sync {
    /// The samples of a metric from a time on, oldest first. Those that could not be taken are not among them.
    ///
    /// # Errors
    /// Where what is kept cannot be read.
    fn samples(&self, metric: &str, since: Timestamp) -> Result<Vec<PastSample>, Fault>;

    /// The alerts that are open or were open at some time since then; all that are kept otherwise. The newest first.
    ///
    /// # Errors
    /// Where what is kept cannot be read.
    fn alerts(&self, since: Option<Timestamp>) -> Result<Vec<PastAlert>, Fault>;
}

#[derive(Clone, Debug, PartialEq)]
pub struct PastSample {
    pub at: Timestamp,
    pub labels: Labels,
    /// In the base unit of the metric.
    pub value: f64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastAlert {
    pub number: i64,
    pub threshold: Arc<str>,
    pub severity: Severity,
    pub labels: Labels,
    pub opened_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// Whether somebody has taken it on.
    pub acknowledged: bool,
}
