//! What the test of the specification stands on.

pub(crate) mod canned;
pub(crate) mod document;
pub(crate) mod rehearsal;
