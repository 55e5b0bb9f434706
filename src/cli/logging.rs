//! `RUNBOOK_LOG`: what the tool itself does, on standard error.
//!
//! Only our own records are shown: those of libraries below us may hold headers, and with them secrets.

use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::console::{Console, Failure};
use super::timings::Timings;
use crate::catalog::timing::TARGET;
use crate::system;

/// Starts logging where it was asked for.
pub(super) fn start(console: &Console, timings: Option<&Timings>) -> Result<(), Failure> {
    let wanted = system::env("RUNBOOK_LOG");
    if wanted.is_none() && timings.is_none() {
        return Ok(());
    }
    let log = wanted.map(|wanted| {
        let filter = EnvFilter::builder().parse(&wanted).map_err(|error| {
            Failure::new(format!("`RUNBOOK_LOG={wanted}` is not understood: {error}"))
                .help("write `RUNBOOK_LOG=debug`, or `info`, `warn`, `error`, `trace`")
        })?;
        let ours = filter_fn(|metadata| metadata.target().starts_with("runbook") && metadata.target() != TARGET);
        let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(console.err_has_colour());
        Ok::<_, Failure>(layer.with_filter(ours.and(filter)))
    });
    let timed = timings.cloned().map(|timings| timings.with_filter(filter_fn(|of| of.target() == TARGET)));
    tracing_subscriber::registry()
        .with(timed)
        .with(log.transpose()?)
        .try_init()
        .map_err(|error| Failure::new(format!("cannot log: {error}")))
}
