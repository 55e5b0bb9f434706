//! Whatever the tool is given: a clear error at its place, soon, in bounded memory, and never a wrong pass.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod growth;
#[path = "../net/mod.rs"]
mod net;
#[path = "../support/program.rs"]
mod program;
mod secrets;
mod servers;
mod surroundings;
mod text;
mod tools;
