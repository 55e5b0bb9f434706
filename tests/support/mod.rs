//! What several tests stand on.
#![expect(dead_code, reason = "each test takes what it needs of it")]

pub(crate) mod canned;
pub(crate) mod document;
pub(crate) mod rehearsal;
