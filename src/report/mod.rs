//! The events of a run as people and programs read them: on a terminal, as JSON Lines, as `JUnit`.
//!
//! Nothing but the events goes in, so what is printed while a run goes on and what `runbook show` prints from the
//! journal is the same.

pub mod definition;
pub mod finding;
pub mod json;
pub mod junit;
pub mod looked;
mod order;
pub mod plan;
pub mod print;
mod problems;
mod progress;
pub mod rights;
pub mod terminal;
mod undoable;
