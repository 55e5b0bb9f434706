//! The ledger: what was kept is there again, two that do the same thing are told apart, and damage is said.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_macros,
    reason = "a test ends where something is not as it should be, and prints what it has measured"
)]

#[macro_use]
mod place;

mod approvals;
#[path = "../support/checked.rs"]
mod checked;
mod children;
mod damage;
mod dropped;
mod figures;
mod full;
mod kills;
mod leases;
mod outbox;
#[path = "../support/postgres.rs"]
mod postgres;
mod races;
mod samples;
mod sends;
mod shared;
mod state;
mod tidying;
