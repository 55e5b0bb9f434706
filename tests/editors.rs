//! The editors' files: they know every word of the language and no other, and colour a runbook as it is meant.

#[path = "editors/colours.rs"]
mod colours;

#[path = "editors/words.rs"]
mod words;
