//! What a run leaves behind: its events, and the journal that keeps them.

pub mod event;
pub mod history;
pub mod journal;
