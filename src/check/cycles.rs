//! Which declarations need themselves, directly or through others.

use std::collections::{HashMap, HashSet};

use super::checker::Checker;
use super::names::What;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;

/// A declaration that can need others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Declared(What),
    /// A type, by its place among the aliases.
    Type(usize),
}

/// Who needs whom.
#[derive(Default)]
pub(super) struct Needs {
    edges: HashMap<Node, Vec<Node>>,
    order: Vec<Node>,
    current: Option<Node>,
}

impl Needs {
    /// What follows belongs to this declaration, until [`Self::end`] is given what this returns.
    pub(super) fn begin(&mut self, node: Node) -> Option<Node> {
        self.order.push(node);
        self.current.replace(node)
    }

    pub(super) fn end(&mut self, outer: Option<Node>) {
        self.current = outer;
    }

    /// The declaration that is being checked needs this one.
    pub(super) fn add(&mut self, needed: Node) {
        if let Some(current) = self.current {
            self.edges.entry(current).or_default().push(needed);
        }
    }

    /// Every circle, each once, from its first declaration in the order of the text.
    fn circles(&self) -> Vec<Vec<Node>> {
        let mut done = HashSet::new();
        let mut circles = Vec::new();
        for start in &self.order {
            self.follow(*start, &mut done, &mut circles);
        }
        circles
    }

    /// A walk without recursion: a chain of declarations is as long as the file.
    fn follow(&self, start: Node, done: &mut HashSet<Node>, circles: &mut Vec<Vec<Node>>) {
        let mut path: Vec<(Node, usize)> = Vec::new();
        let mut on_path: HashMap<Node, usize> = HashMap::new();
        if done.contains(&start) {
            return;
        }
        on_path.insert(start, 0);
        path.push((start, 0));
        while let Some((node, next)) = path.last_mut() {
            let Some(needed) = self.edges.get(node).and_then(|needed| needed.get(*next)).copied() else {
                done.insert(*node);
                on_path.remove(node);
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(from) = on_path.get(&needed) {
                let circle: Vec<Node> = path.iter().skip(*from).map(|(node, _)| *node).collect();
                circles.push(circle);
                // One report for a circle, however often it closes.
                done.insert(needed);
            } else if !done.contains(&needed) {
                on_path.insert(needed, path.len());
                path.push((needed, 0));
            }
        }
    }
}

impl Checker<'_> {
    pub(super) fn report_cycles(&mut self) {
        let mut reported = HashSet::new();
        for circle in self.needs.circles() {
            if circle.iter().any(|node| !reported.insert(*node)) {
                continue;
            }
            let places: Vec<(String, Span)> = circle.iter().filter_map(|node| self.place_of(*node)).collect();
            let Some((first, span)) = places.first().cloned() else { continue };
            let message = if places.len() == 1 {
                format!("`{first}` needs itself")
            } else {
                let names: Vec<&str> = places.iter().map(|(name, _)| name.as_str()).chain([first.as_str()]).collect();
                format!("`{first}` needs itself: {}", names.join(" → "))
            };
            let mut diagnostic = Diagnostic::new(Code::NameBeforeValue, span, message);
            for (name, place) in places.iter().skip(1).take(8) {
                diagnostic = diagnostic.label(*place, format!("through `{name}`"));
            }
            if let Some(Node::Declared(What::Command(_))) = circle.first() {
                diagnostic = diagnostic.help("a command cannot call itself: go through a list with `each` or `for`");
            }
            self.report(diagnostic);
        }
    }

    fn place_of(&self, node: Node) -> Option<(String, Span)> {
        match node {
            Node::Declared(what) => self
                .names
                .declaration(what)
                .map(|declaration| (declaration.name.text.to_string(), declaration.name.span)),
            Node::Type(index) => {
                self.names.aliases.get(index).map(|alias| (alias.alias.name.text.to_string(), alias.alias.name.span))
            }
        }
    }
}
