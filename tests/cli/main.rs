//! The tool as people use it: the built binary, its outputs and its exit codes.

mod check;
mod consent;
mod fmt;
mod harness;
mod history;
mod plan;
mod reference;
mod run;
