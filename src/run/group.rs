//! Statements that run side by side, and how others wait for them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{BoxFuture, Either, select};
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Notify;

/// What runs since the last barrier.
#[derive(Default)]
pub(crate) struct Group<'r> {
    running: FuturesUnordered<BoxFuture<'r, ()>>,
}

impl<'r> Group<'r> {
    pub(crate) fn push(&mut self, statement: BoxFuture<'r, ()>) {
        self.running.push(statement);
    }

    /// Waits for all of it.
    pub(crate) async fn drain(&mut self) {
        while self.running.next().await.is_some() {}
    }

    /// Waits for something while the rest goes on: it may be what this waits for.
    pub(crate) async fn drive<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            if self.running.is_empty() {
                return future.await;
            }
            match select(future, self.running.next()).await {
                Either::Left((result, _)) => return result,
                Either::Right((_, rest)) => future = rest,
            }
        }
    }
}

/// Opens when everything that entered has left.
#[derive(Clone)]
pub(crate) struct Latch(Arc<Inside>);

struct Inside {
    count: AtomicUsize,
    empty: Notify,
}

impl Latch {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Inside { count: AtomicUsize::new(0), empty: Notify::new() }))
    }

    pub(crate) fn enter(&self) -> Entered {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        Entered(Arc::clone(&self.0))
    }

    pub(crate) async fn opened(&self) {
        loop {
            let empty = self.0.empty.notified();
            if self.0.count.load(Ordering::Acquire) == 0 {
                return;
            }
            empty.await;
        }
    }
}

/// Leaves when it goes.
pub(crate) struct Entered(Arc<Inside>);

impl Drop for Entered {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.empty.notify_waiters();
        }
    }
}
