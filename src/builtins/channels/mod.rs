//! Channels: how people are told. A channel sends once and says what came of it; who calls tries again.
//!
//! `wording` says a message in words, `shape` as data, `template` as its runbook wants it. `post` sends over HTTP.

mod email;
mod letter;
mod pagerduty;
mod post;
mod shape;
mod slack;
mod smtp;
mod template;
mod unsealed;
mod webhook;
mod wording;

use jiff::SignedDuration;

use crate::catalog::{Driver, NotTold, Param};
use crate::types::Value;

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&email::DRIVER, &slack::DRIVER, &pagerduty::DRIVER, &webhook::DRIVER];

const WITHIN: Param<SignedDuration> = Param::or("within", "How long the other side may take to answer.", || {
    Value::Duration(SignedDuration::from_secs(10))
});

const CA: Param<Option<String>> = Param::optional(
    "ca",
    "A PEM file with the authorities to trust instead of the system's, from the runbook's own folder.",
);
