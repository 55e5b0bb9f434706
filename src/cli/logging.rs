//! `RUNBOOK_LOG`: what the tool itself does, on standard error.
//!
//! Only our own records are shown: those of libraries below us may hold headers, and with them secrets.

use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::console::{Console, Failure};
use crate::system;

/// Starts logging where it was asked for.
pub(super) fn start(console: &Console) -> Result<(), Failure> {
    let Some(wanted) = system::env("RUNBOOK_LOG") else { return Ok(()) };
    let filter = EnvFilter::builder().parse(&wanted).map_err(|error| {
        Failure::new(format!("`RUNBOOK_LOG={wanted}` is not understood: {error}"))
            .help("write `RUNBOOK_LOG=debug`, or `info`, `warn`, `error`, `trace`")
    })?;
    let ours = filter_fn(|metadata| metadata.target().starts_with("runbook"));
    let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(console.err_has_colour()).with_filter(ours);
    tracing_subscriber::registry()
        .with(filter)
        .with(layer)
        .try_init()
        .map_err(|error| Failure::new(format!("cannot log: {error}")))
}
