//! Which names are visible inside blocks.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::checker::Checker;
use super::names::duplicate;
use super::program::{ConnectionId, Local, LocalId};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::Name;
use crate::types::Type;

/// The names of the blocks around a place.
#[derive(Default)]
pub(super) struct Scope {
    visible: HashMap<Arc<str>, LocalId>,
    /// What each new name hid, to be brought back where its block ends.
    trail: Vec<(Arc<str>, Option<LocalId>)>,
    /// The items of the per-item expressions around the place, the innermost last.
    items: Vec<Item>,
    /// By [`LocalId`].
    kinds: Vec<(LocalKind, bool, usize)>,
    /// Which connection the value of a local comes from, where that is known.
    origins: HashMap<LocalId, ConnectionId>,
    /// Those whose value is one quantity divided by another of its kind.
    pub(super) ratios: HashSet<LocalId>,
    /// Those that are the rows of a statement that gives one row whatever it finds.
    pub(super) single_rows: HashSet<LocalId>,
}

/// The item of a per-item expression.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) local: LocalId,
    pub(super) ty: Type,
    /// `p` in `p => …`: then neither `it` nor an own field speaks of it.
    pub(super) name: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LocalKind {
    Let,
    /// `change name = …`
    Result,
    Parameter,
    /// `for name in …`, of a statement, a step or a metric.
    Loop,
    Item,
}

impl Scope {
    pub(super) fn names(&self) -> impl Iterator<Item = &Arc<str>> {
        self.visible.keys()
    }

    pub(super) fn find(&self, name: &str) -> Option<LocalId> {
        self.visible.get(name).copied()
    }

    pub(super) fn mark_used(&mut self, local: LocalId) {
        if let Some((_, used, _)) = self.kinds.get_mut(local.index()) {
            *used = true;
        }
    }

    /// The locals that nothing uses, with the file of each.
    pub(super) fn unused(&self) -> impl Iterator<Item = (LocalId, LocalKind, usize)> {
        self.kinds
            .iter()
            .zip(0..)
            .filter(|((_, used, _), _)| !used)
            .map(|((kind, _, module), id)| (LocalId(id), *kind, *module))
    }

    pub(super) fn origin(&self, local: LocalId) -> Option<ConnectionId> {
        self.origins.get(&local).copied()
    }

    pub(super) fn comes_from(&mut self, local: LocalId, origin: Option<ConnectionId>) {
        self.origins.extend(origin.map(|origin| (local, origin)));
    }

    pub(super) fn item(&self) -> Option<&Item> {
        self.items.last()
    }

    pub(super) fn push_item(&mut self, item: Item) {
        self.items.push(item);
    }

    pub(super) fn pop_item(&mut self) {
        self.items.pop();
    }
}

impl Checker<'_> {
    /// A place to come back to with [`Self::leave`].
    pub(super) fn enter(&self) -> usize {
        self.scope.trail.len()
    }

    /// Forgets the names that were declared since.
    pub(super) fn leave(&mut self, mark: usize) {
        while self.scope.trail.len() > mark {
            let Some((name, hidden)) = self.scope.trail.pop() else { return };
            match hidden {
                Some(local) => self.scope.visible.insert(name, local),
                None => self.scope.visible.remove(&name),
            };
        }
    }

    /// Declares a name in the block. Hiding another one is an error: in a review, one name is one thing.
    pub(super) fn declare_local(&mut self, name: &Name, ty: Type, kind: LocalKind) -> LocalId {
        let first = match self.scope.find(&name.text) {
            Some(local) => self.locals.get(local.index()).map(|local| local.span),
            None => self.names.find(self.module, &name.text).map(|declaration| declaration.name.span),
        };
        if let Some(first) = first {
            self.report(duplicate(&name.text, name.span, first));
        } else if *name.text == *super::names::PREDECLARED {
            let message = format!("`{name}` is the run itself");
            self.report(Diagnostic::new(Code::DuplicateName, name.span, message).help("give it another name"));
        }
        let local = self.new_local(name.text.clone(), name.span, ty, kind);
        let hidden = self.scope.visible.insert(name.text.clone(), local);
        self.scope.trail.push((name.text.clone(), hidden));
        local
    }

    /// A local that no name leads to, such as the item of a per-item expression.
    pub(super) fn new_local(&mut self, name: Arc<str>, span: Span, ty: Type, kind: LocalKind) -> LocalId {
        let id = LocalId(u32::try_from(self.locals.len()).unwrap_or(u32::MAX));
        self.locals.push(Local { name, span, ty });
        self.scope.kinds.push((kind, false, self.module));
        id
    }

    pub(super) fn local_type(&self, local: LocalId) -> Type {
        self.locals.get(local.index()).map_or(Type::Unknown, |local| local.ty.clone())
    }
}
