//! The language's form: text to tree, with recovery.
//!
//! [`parse`] goes over a text in three steps: a linear scan (tokens, comments, brackets), the grammar
//! (`grammar/runbook.pest`), and the builders, which make the tree and refuse what the grammar is too coarse for. Only
//! if something is wrong does recovery read the text again, declaration by declaration and statement by statement, so
//! that each mistake is reported once and the rest of the tree stays.

pub mod ast;
mod build;
pub mod dump;
mod explain;
mod grammar;
mod junk;
mod one_line;
mod parse;
mod recover;
pub mod rename;
mod scan;
pub mod words;

pub use self::one_line::one_line;
pub use self::parse::{Parsed, parse};
