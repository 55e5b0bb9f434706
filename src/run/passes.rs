//! Passes over logs: all that is asked of one snapshot at the same time is answered by one of them.

use std::future::poll_fn;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};
use tracing::Instrument as _;

use super::key::Key;
use super::memory::{Memory, ScanCall, lock};
use super::outside::Outside;
use super::resolve::Unwanted;
use crate::catalog::timing;
use crate::types::{Answer, Query};

/// How often others have their turn before a pass begins: more often than steps and sections are inside each other.
const TURNS: u32 = 16;

/// A pass that is waited for. It is dropped, and ends, with the last who waits.
type Waited = Shared<BoxFuture<'static, ()>>;

/// The passes that are under way, or wait for more to be asked.
#[derive(Default)]
pub(crate) struct Passes(Mutex<Vec<Pass>>);

struct Pass {
    log: usize,
    calls: Arc<Mutex<Calls>>,
    waited: WeakShared<BoxFuture<'static, ()>>,
}

struct Calls {
    keys: Vec<Key>,
    /// Nothing more can be asked once it has begun.
    waiting: Option<Vec<ScanCall>>,
}

impl Passes {
    /// The pass that answers a call: one that does already, one that has not begun, or a new one.
    fn join(&self, call: ScanCall, begin: impl FnOnce(Arc<Mutex<Calls>>) -> BoxFuture<'static, ()>) -> Waited {
        let mut passes = lock(&self.0);
        passes.retain(|pass| pass.waited.upgrade().is_some());
        let log = Arc::as_ptr(&call.log.reader).addr();
        for pass in passes.iter() {
            let mut calls = lock(&pass.calls);
            let is_known = calls.keys.contains(&call.key);
            let joins = is_known || (pass.log == log && calls.waiting.is_some());
            if let (true, Some(waited)) = (joins, pass.waited.upgrade()) {
                if !is_known && let Some(waiting) = &mut calls.waiting {
                    waiting.push(call.clone());
                    calls.keys.push(call.key);
                }
                return waited;
            }
        }
        let calls = Arc::new(Mutex::new(Calls { keys: vec![call.key.clone()], waiting: Some(vec![call]) }));
        let waited = begin(Arc::clone(&calls)).shared();
        if let Some(weak) = waited.downgrade() {
            passes.push(Pass { log, calls, waited: weak });
        }
        waited
    }
}

impl Outside {
    /// Ends when the memory has the answer to a call.
    pub(super) async fn scan(self: Arc<Self>, call: ScanCall, memory: &Arc<Memory>) {
        let (outside, kept) = (Arc::clone(&self), Arc::clone(memory));
        memory.passes.join(call, |calls| async move { outside.pass(&calls, &kept).await }.boxed()).await;
    }

    async fn pass(&self, calls: &Mutex<Calls>, memory: &Memory) {
        // Whoever was woken by the same log comes to its evaluation first, also in another step or section, each of which
        // has a turn of its own; and all evaluations say what they need.
        for _ in 0..TURNS {
            turn().await;
        }
        self.evaluating.opened().await;
        let calls = lock(calls).waiting.take().unwrap_or_default();
        let Some(log) = calls.first().map(|call| call.log.clone()) else { return };
        let queries: Vec<Query> = calls.iter().map(|call| call.query.clone()).collect();
        tracing::debug!(target: "runbook::run", log = &*log.name, queries = queries.len(), "pass");
        let (name, answers) = (Arc::clone(&log.name), Arc::<Mutex<Vec<Answer>>>::default());
        let unwanted = Unwanted(Arc::new(AtomicBool::new(false)));
        let (given, flag) = (Arc::clone(&answers), Arc::clone(&unwanted.0));
        let work = move || {
            if let Some(scanner) = Arc::clone(&log.reader).scanner() {
                *lock(&given) = scanner.scan(&queries, &flag);
            }
        };
        let reading = async {
            timing::phase("reading");
            self.cx.world.compute(Box::new(work)).await;
        };
        reading.instrument(timing::call("read", &name)).await;
        // One that broke off has answered nothing: then the stages say what there is to say.
        let mut answers = std::mem::take(&mut *lock(&answers)).into_iter();
        for call in calls {
            memory.answered(call, answers.next().unwrap_or(Answer::ItemByItem));
        }
    }
}

/// Lets all others that can go on do so. It knows no executor: a run is also made on a virtual clock.
async fn turn() {
    let mut given = false;
    poll_fn(|task| {
        if std::mem::replace(&mut given, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
