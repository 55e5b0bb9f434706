//! Channels: how people are told. A channel sends once and says what came of it; who calls tries again.
//!
//! `wording` says a message in words, `shape` as data, `template` as its runbook wants it. `post` sends over HTTP.

mod email;
mod heartbeat;
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

pub use self::heartbeat::Heartbeat;

use super::settings::setup;
use crate::catalog::{Driver, Judge, NotTold, Param};
use crate::types::{Counted, Fault, Rate, Value};

/// The drivers of this family.
pub(super) static DRIVERS: &[&Driver] = &[&email::DRIVER, &slack::DRIVER, &pagerduty::DRIVER, &webhook::DRIVER];

const WITHIN: Param<SignedDuration> = Param::or("within", "How long the other side may take to answer.", || {
    Value::Duration(SignedDuration::from_secs(10))
})
.judged(Judge::Value(some_time));

const AT_MOST: Param<Rate> =
    Param::or("at_most", "How many messages people can read, at least 1/min; more are told together, as one.", || {
        Value::Rate(0.5, Counted::Items)
    })
    .judged(Judge::Value(|value| match value {
        Value::Rate(rate, Counted::Items) => at_most(Rate(*rate)).map(drop),
        _ => Ok(()),
    }));

const CA: Param<Option<String>> = Param::optional(
    "ca",
    "A PEM file with the authorities to trust instead of the system's, from the runbook's own folder.",
);

/// Nobody is told in no time at all.
fn some_time(value: &Value) -> Result<(), Fault> {
    match value {
        Value::Duration(within) if *within <= SignedDuration::ZERO => {
            Err(setup("`within` is a time in which somebody can be told, so it is longer than 0s"))
        }
        _ => Ok(()),
    }
}

/// How many messages a channel takes in a minute.
fn at_most(rate: Rate) -> Result<usize, Fault> {
    let a_minute = (rate.0 * 60.0).round();
    // A float becomes the nearest whole number that there is.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is at least 1")]
    if a_minute >= 1.0 { Ok(a_minute as usize) } else { Err(setup("`at_most` is at least 1/min")) }
}
