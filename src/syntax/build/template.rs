//! Texts: escapes decoded, blocks without their indentation, interpolations as expressions.

use std::sync::Arc;

use pest::iterators::Pair;

use super::expr::is_expr;
use super::{Builder, Built, Children, Lost};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Spanned;
use crate::syntax::ast::{Interpolation, Part, Quoting, Template};
use crate::syntax::grammar::Rule;

impl Builder<'_> {
    /// The next child, a text.
    pub(super) fn next_template(&mut self, children: &mut Children<'_>) -> Built<Template> {
        self.maybe_template(children)?.ok_or(Lost)
    }

    /// The next child, if it is a text.
    pub(super) fn maybe_template(&mut self, children: &mut Children<'_>) -> Built<Option<Template>> {
        let wanted = |rule| matches!(rule, Rule::text | Rule::raw | Rule::block_text | Rule::block_raw);
        match children.take_if(wanted) {
            Some(pair) => Ok(Some(self.template_node(pair)?.0)),
            None => Ok(None),
        }
    }

    /// A text and how deep its interpolations nest.
    pub(super) fn template_node(&mut self, pair: Pair<'_, Rule>) -> Built<(Template, usize)> {
        let span = self.span(&pair);
        let quoting = match pair.as_rule() {
            Rule::text => Quoting::Text,
            Rule::raw => Quoting::Raw,
            Rule::block_text => Quoting::Block,
            Rule::block_raw => Quoting::BlockRaw,
            _ => return Err(Lost),
        };
        let mut parts = Parts::new(quoting, pair.as_str());
        let mut depth = 0;
        match quoting {
            Quoting::Raw | Quoting::BlockRaw => {
                let quotes = if quoting == Quoting::Raw { 1 } else { 3 };
                let written = pair.as_str();
                let inner = written.get(quotes..written.len() - quotes).unwrap_or("");
                parts.text(inner);
                parts.end_text(self, &pair, quotes, written.len() - quotes);
            }
            Quoting::Text | Quoting::Block => depth = self.parts(pair, &mut parts)?,
        }
        Ok((Template { parts: parts.done, quoting, span }, depth))
    }

    fn parts(&mut self, pair: Pair<'_, Rule>, parts: &mut Parts) -> Built<usize> {
        let origin = pair.as_span().start();
        let whole = pair.clone();
        let mut depth = 0;
        let mut from = if parts.quoting == Quoting::Block { 3 } else { 1 };
        for inner in pair.into_inner() {
            let found = inner.as_span();
            match inner.as_rule() {
                Rule::text_chars | Rule::block_chars => parts.text(inner.as_str()),
                Rule::escape => parts.push_char(decode(inner.as_str()).ok_or(Lost)?),
                _ => {
                    parts.end_text(self, &whole, from, found.start() - origin);
                    from = found.end() - origin;
                    let (interpolation, inner_depth) = self.interpolation(inner, parts.quoting)?;
                    depth = depth.max(inner_depth);
                    parts.done.push(Part::Interpolation(interpolation));
                    parts.line_start = false;
                }
            }
        }
        let quotes = if parts.quoting == Quoting::Block { 3 } else { 1 };
        parts.end_text(self, &whole, from, whole.as_str().len() - quotes);
        Ok(depth)
    }

    fn interpolation(&mut self, pair: Pair<'_, Rule>, quoting: Quoting) -> Built<(Interpolation, usize)> {
        let span = self.span(&pair);
        if quoting == Quoting::Text && pair.as_str().contains(['\n', '\r']) {
            return Err(self.fault(
                Diagnostic::new(Code::Unclosed, span, "a text ends on its line, and so do the values in it")
                    .help("name the value with `let` before"),
            ));
        }
        let mut children = Children::new(pair);
        let inner = Children::new(children.need(Rule::in_expr)?).take_if(is_expr).ok_or(Lost)?;
        let node = self.expr(inner)?;
        let format = children.take(Rule::format).map(|format| {
            let span = self.span(&format);
            let text = format.as_str().strip_prefix(':').unwrap_or_default();
            Spanned::new(Arc::from(text), crate::source::Span { start: span.start + 1, ..span })
        });
        Ok((Interpolation { value: Box::new(node.expr), format, span }, node.depth))
    }

    /// The text of a constant: of a title, a quoted key.
    pub(super) fn constant(pair: Pair<'_, Rule>) -> Arc<str> {
        if pair.as_rule() == Rule::raw {
            let written = pair.as_str();
            return Arc::from(written.get(1..written.len() - 1).unwrap_or(""));
        }
        let mut text = String::new();
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::escape => text.extend(decode(inner.as_str())),
                _ => text.push_str(inner.as_str()),
            }
        }
        Arc::from(text)
    }
}

/// What an escape stands for. `None` if its number is no character, which the scan has reported.
fn decode(escape: &str) -> Option<char> {
    match escape.get(1..)? {
        "n" => Some('\n'),
        "t" => Some('\t'),
        rest if rest.starts_with('u') => {
            let number = rest.strip_prefix("u{")?.strip_suffix('}')?;
            u32::from_str_radix(number, 16).ok().and_then(char::from_u32)
        }
        rest => rest.chars().next(),
    }
}

/// The parts of a text as they are read.
struct Parts {
    quoting: Quoting,
    done: Vec<Part>,
    text: String,
    /// The blanks that are taken away from each line of a block.
    indent: String,
    /// The place where the text goes on is the start of a line of a block.
    line_start: bool,
    /// The line end behind a raw block's quotes was not passed yet. In the other block the grammar has passed it.
    opening: bool,
}

impl Parts {
    fn new(quoting: Quoting, written: &str) -> Self {
        let block = quoting.is_block();
        let indent = if block { closing_indent(written) } else { "" };
        Self {
            quoting,
            done: Vec::new(),
            text: String::new(),
            indent: indent.to_owned(),
            line_start: quoting == Quoting::Block,
            opening: quoting == Quoting::BlockRaw,
        }
    }

    fn push_char(&mut self, character: char) {
        self.text.push(character);
        self.line_start = false;
    }

    /// Adds what stands in the text as it is.
    fn text(&mut self, chunk: &str) {
        if !self.quoting.is_block() {
            self.text.push_str(chunk);
            return;
        }
        let mut rest = chunk;
        while !rest.is_empty() {
            if self.line_start {
                rest = without_indent(rest, &self.indent);
                self.line_start = false;
            }
            let Some(end) = rest.find(['\n', '\r']) else {
                self.text.push_str(rest);
                return;
            };
            let (line, tail) = rest.split_at(end);
            rest = tail.strip_prefix("\r\n").or_else(|| tail.get(1..)).unwrap_or("");
            if self.opening {
                self.opening = false;
            } else {
                self.text.push_str(line);
                self.text.push('\n');
            }
            self.line_start = true;
        }
    }

    /// Ends a text, which was written from `from` to `to` of `whole`.
    fn end_text(&mut self, builder: &Builder<'_>, whole: &Pair<'_, Rule>, from: usize, to: usize) {
        if self.text.is_empty() {
            return;
        }
        let origin = builder.base + whole.as_span().start();
        let span = builder.span_of(origin + from, origin + to);
        let text = Arc::from(std::mem::take(&mut self.text));
        self.done.push(Part::Text(Spanned::new(text, span)));
    }
}

/// The blanks before a block's closing quotes, if nothing else stands there.
pub(in crate::syntax) fn closing_indent(written: &str) -> &str {
    let inner = written.get(3..written.len().saturating_sub(3)).unwrap_or("");
    let last_line = inner.rfind(['\n', '\r']).and_then(|end| inner.get(end + 1..)).unwrap_or("");
    if last_line.trim_matches([' ', '\t']).is_empty() { last_line } else { "" }
}

/// A line without as much of the indentation as it has.
fn without_indent<'t>(line: &'t str, indent: &str) -> &'t str {
    let same = line.bytes().zip(indent.bytes()).take_while(|(found, wanted)| found == wanted).count();
    line.get(same..).unwrap_or("")
}
