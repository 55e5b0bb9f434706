//! What connections and calls are told about themselves, and that it makes sense: one wording for all of them.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use url::ParseError;

use crate::catalog::Judge;
use crate::types::{Fault, FaultKind};

/// Something is set up wrongly.
pub(super) fn setup(message: impl Into<Arc<str>>) -> Fault {
    Fault::new(FaultKind::Setup, message)
}

/// A time limit.
///
/// # Errors
/// Where it is negative.
pub(super) fn limit(within: SignedDuration) -> Result<Duration, Fault> {
    Duration::try_from(within).map_err(|_| setup("`within` is a time from now on, so it cannot be negative"))
}

/// A port.
///
/// # Errors
/// Where it is none.
pub(super) fn port(number: i64) -> Result<u16, Fault> {
    let port = u16::try_from(number).ok().filter(|port| *port > 0);
    port.ok_or_else(|| setup("`port` is a number from 1 to 65535"))
}

/// What is said of a port that is written.
pub(super) const PORT: Judge = Judge::Number(|number| port(number).map(drop));

/// Why a text is no URL, in words for whoever wrote it, and never the text: a password may be in it.
pub(super) fn no_url(error: ParseError) -> String {
    match error {
        ParseError::RelativeUrlWithoutBase => "it does not begin with `https://` or another scheme".to_owned(),
        ParseError::InvalidPort => "its port is no number from 0 to 65535".to_owned(),
        other => other.to_string(),
    }
}

/// How many calls go out side by side.
///
/// # Errors
/// Where it is less than one.
pub(super) fn at_once(most: i64) -> Result<usize, Fault> {
    usize::try_from(most).ok().filter(|most| *most > 0).ok_or_else(|| setup("`at_once` is at least 1"))
}
