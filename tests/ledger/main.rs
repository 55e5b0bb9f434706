//! The ledger: what was kept is there again, two that do the same thing are told apart, and damage is said.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

mod damage;
mod leases;
mod outbox;
mod place;
mod races;
mod samples;
mod state;
mod tidying;
