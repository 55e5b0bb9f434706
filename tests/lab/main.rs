//! Built-ins against real servers: the lab's (`tests/lab/README.md`), or a cluster of one's own.
//!
//! What the lab does not have is named on standard error and counted by `.ci/run`; nothing is left out in silence.

mod harness;
mod observe;
