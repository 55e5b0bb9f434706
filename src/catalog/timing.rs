//! What the time of a run goes to, as spans and events of `tracing`. Nothing of it costs anything unless somebody listens.
//!
//! No value is in them: names of sections, steps, built-ins and connections, and what is waited for.

use tracing::Span;

/// The target of all of them.
pub const TARGET: &str = "runbook::timing";

/// The phase of a call that has its place and says nothing more of itself.
pub const BEGUN: &str = "asking";

/// A section, or a step in it: what is asked inside belongs to it.
#[must_use]
pub fn part(outer: &Span, title: &str) -> Span {
    tracing::info_span!(target: TARGET, parent: outer, "part", what = title)
}

/// Something that is asked, and by which connection, from the moment when it is wanted.
#[must_use]
pub fn call(what: &str, on: &str) -> Span {
    tracing::info_span!(target: TARGET, "call", what, on)
}

/// What the call around this waits for from now on.
pub fn phase(what: &str) {
    tracing::info!(target: TARGET, phase = what);
}
