//! Comments and blank lines: what goes between the parts of the tree.

use super::doc::{Doc, render_flat};
use crate::source::Span;
use crate::syntax::ast::Comment;

/// Whether an empty line stands before a part of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    /// Where one was written.
    AsWritten,
    Always,
}

/// A part of a block that stands on lines of its own.
pub(super) struct Part<'p, 't> {
    pub(super) span: Span,
    pub(super) blank: Blank,
    pub(super) print: Box<dyn FnOnce(&mut Printer<'t>) -> Doc + 'p>,
}

impl<'p, 't> Part<'p, 't> {
    pub(super) fn new(span: Span, blank: Blank, print: impl FnOnce(&mut Printer<'t>) -> Doc + 'p) -> Self {
        Self { span, blank, print: Box::new(print) }
    }
}

/// An item between brackets.
pub(super) struct Item {
    /// What stands before it, and so behind the comma of the one before.
    comments: Vec<Doc>,
    doc: Doc,
}

pub(super) struct Printer<'t> {
    text: &'t str,
    comments: &'t [Comment],
    /// The first comment that was not printed yet.
    next: usize,
    /// Where what was printed last ends in the source.
    last: u32,
}

impl<'t> Printer<'t> {
    pub(super) const fn new(text: &'t str, comments: &'t [Comment]) -> Self {
        Self { text, comments, next: 0, last: 0 }
    }

    /// As it was written, with the line ends of the canonical text.
    pub(super) fn source(&self, span: Span) -> String {
        self.slice(span.start, span.end).replace("\r\n", "\n").replace('\r', "\n")
    }

    pub(super) fn slice(&self, start: u32, end: u32) -> &'t str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    pub(super) fn written(&self, span: Span) -> Doc {
        Doc::text(self.source(span))
    }

    fn take_comment(&mut self, before: u32) -> Option<&'t Comment> {
        let comment = self.comments.get(self.next).filter(|comment| comment.span.start < before)?;
        self.next += 1;
        Some(comment)
    }

    /// Whether a comment stands in a part of the source, which therefore cannot be printed flat.
    pub(super) fn has_comment(&self, span: Span) -> bool {
        let first = self.comments.partition_point(|comment| comment.span.start < span.start);
        self.comments.get(first).is_some_and(|comment| comment.span.start < span.end)
    }

    /// Leaves out the comments of a part that is printed as it was written.
    pub(super) fn skip_comments(&mut self, end: u32) {
        while self.take_comment(end).is_some() {}
    }

    /// The comments before a place in the middle of a line. One from the end of a line goes to the end of this one.
    pub(super) fn middle(&mut self, at: u32, docs: &mut Vec<Doc>) {
        while let Some(comment) = self.take_comment(at) {
            let text = comment.text.to_string();
            docs.push(if comment.own_line { Doc::Own(text) } else { Doc::Floating(text) });
        }
    }

    /// The comments before a place where a line may end.
    pub(super) fn anchor(&mut self, at: u32, docs: &mut Vec<Doc>) {
        while let Some(comment) = self.take_comment(at) {
            let text = comment.text.to_string();
            docs.push(if comment.own_line { Doc::Own(text) } else { Doc::Trailing(text) });
        }
    }

    /// The comments that a statement still has before its end. On a line of their own, they would belong to the next.
    pub(super) fn leftover(&mut self, end: u32, docs: &mut Vec<Doc>) {
        while let Some(comment) = self.take_comment(end) {
            docs.push(Doc::Floating(comment.text.to_string()));
        }
    }

    /// Whether a comment gets a line of its own before what begins at `next`. A `##` line would document that; if
    /// something else stands between them, it did not, and must not now.
    fn has_own_line(comment: &Comment, adjacent: u32) -> bool {
        comment.own_line && (!comment.is_doc() || comment.span.start >= adjacent)
    }

    /// From where on nothing but blanks and comments stands before a place.
    fn adjacent(&self, place: u32) -> u32 {
        let mut from = place;
        let last = self.comments.partition_point(|comment| comment.span.start < place);
        let before = self.comments.get(self.next..last).unwrap_or_default();
        for comment in before.iter().rev() {
            if !self.slice(comment.span.end, from).trim_ascii().is_empty() {
                break;
            }
            from = comment.span.start;
        }
        from
    }

    /// The parts of a block, each on lines of its own, with the comments around them, up to `end` in the source.
    pub(super) fn lines(&mut self, parts: Vec<Part<'_, 't>>, end: u32) -> Vec<Doc> {
        let mut docs = Vec::new();
        for part in parts {
            let mut blank = part.blank;
            self.comment_lines(part.span.start, &mut blank, &mut docs);
            self.start_line(part.span.start, blank, &mut docs);
            docs.push((part.print)(self));
            self.last = part.span.end;
        }
        self.comment_lines(end, &mut Blank::AsWritten, &mut docs);
        docs
    }

    fn comment_lines(&mut self, before: u32, blank: &mut Blank, docs: &mut Vec<Doc>) {
        let adjacent = self.adjacent(before);
        while let Some(comment) = self.take_comment(before) {
            let text = comment.text.to_string();
            if Self::has_own_line(comment, adjacent) {
                self.start_line(comment.span.start, *blank, docs);
                // The comment belongs to what follows, and so does the empty line before it.
                *blank = Blank::AsWritten;
                docs.push(Doc::Text(text));
            } else {
                docs.push(Doc::Trailing(text));
            }
            self.last = comment.span.end;
        }
    }

    fn start_line(&self, start: u32, blank: Blank, docs: &mut Vec<Doc>) {
        let first = !docs.iter().any(|doc| !matches!(doc, Doc::Trailing(_)));
        let written = self.slice(self.last, start).matches('\n').count() > 1;
        docs.push(Doc::Hard { blank: !first && (blank == Blank::Always || written) });
    }

    /// `{ … }` with its parts on lines of their own.
    pub(super) fn braced(&mut self, parts: Vec<Part<'_, 't>>, end: u32) -> Vec<Doc> {
        let lines = self.lines(parts, end.saturating_sub(1));
        self.last = end;
        if lines.is_empty() {
            return vec![Doc::text("{}")];
        }
        vec![Doc::text("{"), Doc::Nest(lines), Doc::Hard { blank: false }, Doc::text("}")]
    }

    /// The same for parts that all are of one kind.
    pub(super) fn lines_of<T>(
        &mut self,
        parts: &[T],
        span: impl Fn(&T) -> Span,
        print: fn(&mut Self, &T) -> Doc,
        end: u32,
    ) -> Vec<Doc> {
        let part = |part| Part::new(span(part), Blank::AsWritten, move |printer: &mut Self| print(printer, part));
        let parts = parts.iter().map(part).collect();
        self.braced(parts, end)
    }

    /// On one line, whatever its length.
    pub(super) fn flat(&mut self, print: impl FnOnce(&mut Self) -> Doc) -> String {
        render_flat(&[print(self)])
    }

    /// An item between brackets, with the comments before it.
    pub(super) fn item(&mut self, start: u32, print: impl FnOnce(&mut Self) -> Doc) -> Item {
        let mut comments = Vec::new();
        self.anchor(start, &mut comments);
        Item { comments, doc: print(self) }
    }

    /// The same for an item that may have docs.
    pub(super) fn documented_item(&mut self, start: u32, print: impl FnOnce(&mut Self) -> Doc) -> Item {
        let mut comments = Vec::new();
        let adjacent = self.adjacent(start);
        while let Some(comment) = self.take_comment(start) {
            let text = comment.text.to_string();
            comments.push(if Self::has_own_line(comment, adjacent) { Doc::Own(text) } else { Doc::Trailing(text) });
        }
        Item { comments, doc: print(self) }
    }

    /// Items between brackets, one a line if they do not fit. `pad` puts blanks inside of the brackets.
    pub(super) fn bracketed(&mut self, open: &str, items: Vec<Item>, close: &str, end: u32, pad: bool) -> Doc {
        let edge = if pad { Doc::Line } else { Doc::Soft };
        let mut tail = Vec::new();
        self.anchor(end, &mut tail);
        if items.is_empty() && tail.is_empty() {
            return Doc::text(format!("{open}{close}"));
        }
        let mut inner = Vec::new();
        let empty = items.is_empty();
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                inner.push(Doc::text(","));
            }
            inner.extend(item.comments);
            inner.push(if index > 0 { Doc::Line } else { edge.clone() });
            inner.push(item.doc);
        }
        if !empty {
            inner.push(Doc::IfBroken(","));
        }
        inner.extend(tail);
        Doc::group(vec![Doc::text(open), Doc::Nest(inner), edge, Doc::text(close)])
    }
}
