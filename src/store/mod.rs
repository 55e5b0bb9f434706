//! What a run leaves behind: its events, and the journal that keeps them, chained by hashes; and the ledger of what outlives it.

pub mod approval;
pub mod audit;
mod begun;
pub mod beside;
mod chain;
pub mod definition;
pub mod event;
pub mod history;
pub mod journal;
pub mod kept;
pub mod ledger;
mod outcome;
pub mod past;
mod seal;
