//! Diagnostics as people and programs read them.

mod excerpt;
pub mod github;
pub mod json;
pub mod sarif;
pub mod terminal;

use crate::source::{Position, Sources, Span};

/// Where a span begins and ends, for formats that say both.
fn range(sources: &Sources, span: Span) -> (Position, Position) {
    let file = sources.file(span.file);
    (file.position(span.start), file.position(span.end.max(span.start)))
}
