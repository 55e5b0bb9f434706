//! Built-ins against real servers: the lab's (`tests/lab/README.md`), or a cluster of one's own.
//!
//! What the lab does not have is named on standard error and counted by `.ci/run`; nothing is left out in silence.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test ends where something is not as it should be, and the lab is on the real machine"
)]

mod fake_api;
mod harness;
mod kubectl;
mod kubernetes_changes;
mod kubernetes_rehearsed;
mod kubernetes_streams;
