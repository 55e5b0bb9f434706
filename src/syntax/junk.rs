//! What a part that could not be read speaks of.

use std::sync::Arc;

use super::ast::Junk;
use super::scan::{Scan, Source, TokenKind};
use crate::source::Span;

pub(super) fn of(source: Source<'_>, scan: &Scan, span: Span) -> Junk {
    let first = scan.tokens.partition_point(|token| token.start < span.start);
    let words = scan
        .tokens
        .iter()
        .skip(first)
        .take_while(|token| token.start < span.end)
        .filter_map(|token| {
            let text = source.of(*token);
            match token.kind {
                TokenKind::Word => Some(Arc::from(text)),
                TokenKind::Text => Some(Arc::from(text.trim_matches(['"', '\'']))),
                _ => None,
            }
        })
        .collect();
    Junk { span, words }
}
