//! A tree as one line of text, without its spans: two texts with the same dump mean the same.
//!
//! Parentheses are not shown, as the nesting shows what they did. `it.x` is an own field, `q:` a quantity, `pc:` a
//! percentage, `re` a regex, `(| a b)` a pipe, `<show a>` a statement.

mod expr;
mod item;
mod statement;

use super::ast::{Docs, File, Header, Item, Name, Title, Written};

/// A whole file.
#[must_use]
pub fn file(file: &File) -> String {
    let mut dump = Dump::default();
    if let Some(header) = &file.header {
        dump.header(header);
    }
    for item in &file.items {
        dump.item(item);
    }
    dump.out
}

/// One declaration.
#[must_use]
pub fn item(item: &Item) -> String {
    let mut dump = Dump::default();
    dump.item(item);
    dump.out
}

#[derive(Default)]
struct Dump {
    out: String,
}

impl Dump {
    /// `<name …>`
    fn node(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.atom(&format!("<{name}"));
        inner(self);
        self.out.push('>');
    }

    /// A word, with a blank before it unless it begins something.
    fn atom(&mut self, text: &str) {
        if !self.out.is_empty() && !self.out.ends_with(['(', '{', '[']) {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    fn name(&mut self, name: &Name) {
        self.atom(name.as_str());
    }

    fn names(&mut self, names: &[Name]) {
        for name in names {
            self.name(name);
        }
    }

    fn written(&mut self, written: &Written) {
        self.atom(&written.node);
    }

    fn title(&mut self, title: &Title) {
        self.atom(&quoted(title.as_str()));
    }

    fn docs(&mut self, docs: &Docs) {
        for line in &docs.lines {
            self.atom(&format!("## {}", quoted(line)));
        }
    }

    fn header(&mut self, header: &Header) {
        self.docs(&header.docs);
        self.node(header.kind.node.name(), |dump| {
            dump.title(&header.title);
            for field in &header.fields {
                dump.docs(&field.docs);
                dump.node(field.name.as_str(), |dump| dump.expr(&field.value));
            }
        });
    }
}

/// A text with its special characters escaped.
fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' | '{' | '}' => out.extend(['\\', character]),
            _ => out.push(character),
        }
    }
    out
}
