//! Connections that are kept for the next read, so that two hundred probes of one host do not dial two hundred times.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::wire::Wire;
use crate::builtins::dial::Place;

/// How long one is kept: less than what servers commonly do.
const KEPT: Duration = Duration::from_secs(4);

/// Idle connections of one `connect`.
pub(in crate::builtins) struct Pool {
    idle: Mutex<Vec<Idle>>,
    most: usize,
}

struct Idle {
    key: Key,
    wire: Wire,
    since: Instant,
}

/// What makes two connections the same.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) tls: bool,
    pub(super) place: Place,
}

impl Pool {
    pub(in crate::builtins) fn new(most: usize) -> Self {
        Self { idle: Mutex::new(Vec::new()), most }
    }

    /// The connection used last, if one is kept.
    pub(super) fn take(&self, key: &Key) -> Option<Wire> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|kept| kept.since.elapsed() < KEPT && !kept.wire.is_closed());
        let last = idle.iter().rposition(|kept| kept.key == *key)?;
        Some(idle.remove(last).wire)
    }

    pub(super) fn keep(&self, key: Key, wire: Wire) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= self.most {
            idle.remove(0);
        }
        idle.push(Idle { key, wire, since: Instant::now() });
    }
}
