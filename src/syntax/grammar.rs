//! The parser that pest makes of `grammar/runbook.pest`. Nothing outside of `syntax` knows of it.

#[derive(pest_derive::Parser)]
#[grammar = "../grammar/runbook.pest"]
pub(super) struct Grammar;
