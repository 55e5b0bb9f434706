//! What looks back: the language has it and the checker knows it; this version keeps no samples and no alerts yet.

mod alerts;
mod forecast;
mod history;

use crate::catalog::Builtin;

/// The built-ins of this family.
pub(super) static ALL: &[&Builtin] = &[&history::BUILTIN, &forecast::BUILTIN, &alerts::BUILTIN];

/// The part of the tool that keeps samples.
const METRICS: &str = "the metrics store";
/// The part of the tool that keeps alerts.
const ALERTS: &str = "the alert store";
