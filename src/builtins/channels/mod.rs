//! Channels: how people are told. Their declarations are checked; telling comes with the alerts.

mod email;
mod pagerduty;
mod slack;
mod webhook;

use crate::catalog::{Driver, Param};

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&email::DRIVER, &slack::DRIVER, &pagerduty::DRIVER, &webhook::DRIVER];

/// The part of the tool that sends.
const PART: &str = "notifications";

const TEMPLATE: Param<Option<String>> =
    Param::optional("template", "A file that says what a message looks like, from the runbook's own folder.");
