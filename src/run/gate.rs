//! What holds changes back: guards that did not pass, changes that failed, each for what is written below it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::memory::lock;
use super::scope::Scope;
use crate::check::program::{Expr, Statement};
use crate::store::event::Withheld;

/// The gate of a step or a section.
pub(crate) struct Gate<'r> {
    parent: Option<Arc<Self>>,
    closed: Mutex<Option<Withheld>>,
    /// A change that was not made here: what is waited for below it will hardly come.
    unmade: Mutex<Option<Arc<str>>>,
    guards: Mutex<Vec<Arc<Guard<'r>>>>,
}

/// A guard that passed, to be read again before a change that waited for a person.
pub(crate) struct Guard<'r> {
    pub(crate) statement: &'r Statement,
    pub(crate) source: &'r Arc<str>,
    pub(crate) condition: &'r Expr,
    pub(crate) scope: Arc<Scope>,
    pub(crate) title: Arc<str>,
    /// How often the run had waited for somebody when it was last read.
    pub(crate) read_at: AtomicU32,
}

impl<'r> Gate<'r> {
    pub(crate) fn new(parent: Option<Arc<Self>>) -> Arc<Self> {
        Arc::new(Self { parent, closed: Mutex::default(), unmade: Mutex::default(), guards: Mutex::default() })
    }

    /// Closes it for all that comes. The first reason is kept.
    pub(crate) fn close(&self, reason: Withheld) {
        lock(&self.closed).get_or_insert(reason);
    }

    /// Takes down that a change was not made.
    pub(crate) fn not_made(&self, change: String) {
        lock(&self.unmade).get_or_insert_with(|| change.into());
    }

    /// A change above this place that was not made, in its own step or in the section itself.
    pub(crate) fn unmade(&self) -> Option<Arc<str>> {
        let own = lock(&self.unmade).clone();
        own.or_else(|| self.parent.as_ref().and_then(|parent| parent.unmade()))
    }

    /// Why no change passes here.
    pub(crate) fn closed(&self) -> Option<Withheld> {
        let own = lock(&self.closed).clone();
        own.or_else(|| self.parent.as_ref().and_then(|parent| parent.closed()))
    }

    /// Why no change passes here, the gates around it left aside.
    pub(crate) fn closed_itself(&self) -> Option<Withheld> {
        lock(&self.closed).clone()
    }

    pub(crate) fn passed(&self, guard: Guard<'r>) {
        lock(&self.guards).push(Arc::new(guard));
    }

    /// The guards that were read before the run last waited for somebody.
    pub(crate) fn stale(&self, waits: u32) -> Vec<Arc<Guard<'r>>> {
        let mut stale = self.parent.as_ref().map(|parent| parent.stale(waits)).unwrap_or_default();
        let guards = lock(&self.guards);
        stale.extend(guards.iter().filter(|guard| guard.read_at.load(Ordering::Relaxed) < waits).cloned());
        stale
    }
}
