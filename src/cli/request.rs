//! What `run` and `plan` are asked for, in the words that both have.

use clap::ValueEnum;

/// How a run is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Terminal,
    /// Its events, one object a line, as they happen.
    Json,
    /// `JUnit` XML, for the test reports of CI.
    Junit,
}
