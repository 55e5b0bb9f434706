//! What has been read since the last barrier: identical reads are made once, and those on their way are shared.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

use super::key::Key;
use super::passes::Passes;
use crate::catalog::Builtin;
use crate::check::program::{ConnectionId, SecretId};
use crate::run::scope::Cell;
use crate::types::{Answer, Fault, Log, Query, Value};

/// What an expression waits for.
#[derive(Clone)]
pub(crate) enum Need {
    Read(ReadCall),
    Connection(ConnectionId),
    Secret(SecretId),
    Local(Arc<Cell>),
    Scan(ScanCall),
}

/// A call that only reads, with the values of its arguments.
#[derive(Clone)]
pub(crate) struct ReadCall {
    pub(crate) key: Key,
    pub(crate) builtin: &'static Builtin,
    pub(crate) args: Vec<Option<Value>>,
}

/// What is asked of all lines of a log.
#[derive(Clone)]
pub(crate) struct ScanCall {
    pub(crate) key: Key,
    pub(crate) log: Arc<Log>,
    pub(crate) query: Query,
}

/// A read on its way. It goes on as long as somebody waits for it, and is dropped with the last of them.
pub(crate) type Read = Shared<Reading>;

/// What makes a read.
type Reading = BoxFuture<'static, Result<Value, Fault>>;

/// The reads of one epoch.
#[derive(Default)]
pub(crate) struct Memory {
    done: Mutex<HashMap<Key, Result<Value, Fault>>>,
    /// What was said beside a value.
    remarks: Mutex<HashMap<Key, Arc<str>>>,
    // Weak, or a read that nobody waits for any more would stand still in here and keep its place at the connection.
    flying: Mutex<HashMap<Key, WeakShared<Reading>>>,
    /// What passes over logs came to, each with its log: as long as that is there, no other has its place in memory.
    answers: Mutex<HashMap<Key, (Arc<Log>, Answer)>>,
    pub(crate) passes: Passes,
}

impl Memory {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Result<Value, Fault>> {
        lock(&self.done).get(key).cloned()
    }

    pub(crate) fn answer(&self, key: &Key) -> Option<Answer> {
        lock(&self.answers).get(key).map(|(_, answer)| answer.clone())
    }

    pub(crate) fn answered(&self, call: ScanCall, answer: Answer) {
        lock(&self.answers).insert(call.key, (call.log, answer));
    }

    pub(crate) fn note(&self, key: &Key, remark: Arc<str>) {
        lock(&self.remarks).insert(key.clone(), remark);
    }

    pub(crate) fn remark(&self, key: &Key) -> Option<Arc<str>> {
        lock(&self.remarks).get(key).cloned()
    }

    /// The read of a key: the one that is on its way, or else the one that `make` makes.
    pub(crate) fn read(self: &Arc<Self>, key: &Key, make: impl FnOnce() -> Reading) -> Read {
        let mut flying = lock(&self.flying);
        if let Some(read) = flying.get(key).and_then(WeakShared::upgrade) {
            return read;
        }
        let (memory, made, own) = (Arc::clone(self), make(), key.clone());
        let read = async move {
            let result = made.await;
            lock(&memory.done).insert(own, result.clone());
            result
        };
        let read = read.boxed().shared();
        if let Some(weak) = read.downgrade() {
            flying.insert(key.clone(), weak);
        }
        read
    }
}

/// The memory of now. A barrier that may have changed something puts a fresh one in its place.
pub(crate) struct Epoch {
    memory: Mutex<Arc<Memory>>,
}

impl Epoch {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { memory: Mutex::new(Memory::new()) })
    }

    pub(crate) fn memory(&self) -> Arc<Memory> {
        Arc::clone(&lock(&self.memory))
    }

    pub(crate) fn renew(&self) {
        *lock(&self.memory) = Memory::new();
    }
}

/// Whoever panicked while holding one of our locks left whole values behind: each is written in one go.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
