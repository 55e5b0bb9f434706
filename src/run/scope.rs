//! Names and what they stand for: a cell for each, filled once, that others can wait for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use tokio::sync::Notify;

use crate::check::program::LocalId;
use crate::types::{Fault, Partial, Value};

/// A value, and why it is not whole where it is made from something that was cut short.
#[derive(Clone, Debug)]
pub(crate) struct Tracked {
    pub(crate) value: Value,
    pub(crate) partial: Option<Arc<Partial>>,
}

impl Tracked {
    pub(crate) const fn whole(value: Value) -> Self {
        Self { value, partial: None }
    }
}

/// The value of a name: not yet there, there, or a fault that poisons whoever needs it.
pub(crate) struct Cell {
    value: OnceLock<Result<Tracked, Fault>>,
    /// Somebody looked at it: its fault is reported there.
    seen: AtomicBool,
    /// It lives for one pass of an evaluation only: nobody will fill it, what it needs has been noted.
    passing: bool,
    ready: Notify,
}

impl Cell {
    pub(crate) fn empty() -> Arc<Self> {
        Arc::new(Self::new(false))
    }

    /// A value that this pass of an evaluation does not have: the next pass makes another cell.
    pub(crate) fn passing() -> Arc<Self> {
        Arc::new(Self::new(true))
    }

    fn new(passing: bool) -> Self {
        Self { value: OnceLock::new(), seen: AtomicBool::new(false), passing, ready: Notify::new() }
    }

    pub(crate) const fn is_passing(&self) -> bool {
        self.passing
    }

    pub(crate) fn holding(value: Result<Tracked, Fault>) -> Arc<Self> {
        let cell = Self::empty();
        cell.fill(value);
        cell
    }

    /// Gives it its value. A second one changes nothing: what was seen stays true.
    pub(crate) fn fill(&self, value: Result<Tracked, Fault>) {
        if self.value.set(value).is_ok() {
            self.ready.notify_waiters();
        }
    }

    pub(crate) fn get(&self) -> Option<&Result<Tracked, Fault>> {
        let value = self.value.get()?;
        self.seen.store(true, Ordering::Relaxed);
        Some(value)
    }

    /// The fault that nobody has looked at.
    pub(crate) fn unseen_fault(&self) -> Option<&Fault> {
        if self.seen.load(Ordering::Relaxed) { None } else { self.value.get()?.as_ref().err() }
    }

    pub(crate) async fn filled(&self) {
        // Made before the look, so that a value between look and wait is not missed.
        let ready = self.ready.notified();
        if self.value.get().is_none() {
            ready.await;
        }
    }
}

/// The names of a block, inside those of the blocks around it.
pub(crate) struct Scope {
    parent: Option<Arc<Self>>,
    cells: Vec<(LocalId, Arc<Cell>)>,
}

impl Scope {
    pub(crate) fn root() -> Arc<Self> {
        Arc::new(Self { parent: None, cells: Vec::new() })
    }

    /// A block's names. All are there from the start, so that whoever runs early finds the cell to wait for.
    pub(crate) fn inside(parent: &Arc<Self>, cells: Vec<(LocalId, Arc<Cell>)>) -> Arc<Self> {
        if cells.is_empty() { Arc::clone(parent) } else { Arc::new(Self { parent: Some(Arc::clone(parent)), cells }) }
    }

    pub(crate) fn cell(&self, local: LocalId) -> Option<&Arc<Cell>> {
        let mut scope = self;
        loop {
            if let Some((_, cell)) = scope.cells.iter().find(|(id, _)| *id == local) {
                return Some(cell);
            }
            scope = scope.parent.as_deref()?;
        }
    }
}
