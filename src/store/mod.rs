//! What a run leaves behind: its events, and the journal that keeps them; and the ledger of what outlives it.

pub mod event;
pub mod history;
pub mod journal;
pub mod ledger;
