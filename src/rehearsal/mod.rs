//! `runbook test`: the tests of a runbook, on a virtual clock and with canned answers. Nothing outside is ever asked.
//!
//! A test runs the real sections through the real runner, and what they find through the real alerting. Only the world
//! is another one: it answers what the test gives, and says of the rest that it was not given.

mod blank;
mod clock;
mod coverage;
mod expecting;
mod going;
pub mod junit;
mod samples;
mod stage;
mod told;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;

pub use self::coverage::{Gap, gaps};
pub use self::told::told;
use crate::alerting::Happening;
use crate::apart;
use crate::check::program::{Program, Test};
use crate::source::{Sources, Span};

/// What became of a test.
#[derive(Debug)]
pub struct Rehearsed {
    pub title: Arc<str>,
    pub span: Span,
    /// The first thing that was not as expected; nothing behind it is run.
    pub failure: Option<Failure>,
    /// What happened to whom, and how long after the beginning.
    pub timeline: Vec<(SignedDuration, Happening)>,
    pub reached: Reached,
}

/// Something that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub span: Span,
    /// Lowercase, no final period.
    pub message: String,
    /// What was found instead, a line each.
    pub found: Vec<String>,
}

/// What tests came to, for their coverage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Thresholds that opened.
    pub thresholds: BTreeSet<Arc<str>>,
    /// Levels that were told.
    pub levels: BTreeSet<u32>,
    /// Changes that were made, by the place of their statement.
    pub changes: BTreeSet<(Arc<str>, u32)>,
    /// Checks that failed, by the place of their statement.
    pub failed: BTreeSet<(Arc<str>, u32)>,
    /// Metrics that were measured by what they ask, and not given themselves.
    pub measured: BTreeSet<Arc<str>>,
}

impl Reached {
    /// What several tests came to.
    pub fn join(&mut self, other: &Self) {
        self.thresholds.extend(other.thresholds.iter().cloned());
        self.levels.extend(other.levels.iter().copied());
        self.changes.extend(other.changes.iter().cloned());
        self.failed.extend(other.failed.iter().cloned());
        self.measured.extend(other.measured.iter().cloned());
    }
}

/// Runs tests, as many at once as there are processors, and gives each with how long it took, in their order.
#[must_use]
pub fn rehearse(program: &Arc<Program>, sources: &Arc<Sources>, tests: &[&Test]) -> Vec<(Rehearsed, Duration)> {
    apart::each(tests, tests.len(), |test| {
        let begun = Instant::now();
        (stage::perform(program, sources, test), begun.elapsed())
    })
}
