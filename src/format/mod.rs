//! The one canonical text of a tree.
//!
//! No options. Nothing is aligned, so that one change is one line of a diff. Every comment stays where it was: at the end
//! of its line, or on a line of its own before what it stood before. Literals and texts stay as they were written.

mod alert;
mod doc;
mod expr;
mod item;
mod printer;
mod statement;
mod test;
mod types;

use self::printer::Printer;
use crate::syntax::ast::File;

/// Formats a file. One that has a part which could not be read is left as it is.
#[must_use]
pub fn format(text: &str, file: &File) -> String {
    if !file.junk.is_empty() {
        return text.to_owned();
    }
    let mut printer = Printer::new(text, &file.comments);
    let docs = printer.file(file);
    let mut out = doc::render(&docs);
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}
