//! The tool as people use it: the built binary, its outputs and its exit codes.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

mod check;
mod consent;
mod fmt;
mod harness;
mod history;
mod notify;
mod next;
mod plan;
mod reference;
mod run;
mod store;
