//! The language's form: text to tree, with recovery.

pub mod ast;
