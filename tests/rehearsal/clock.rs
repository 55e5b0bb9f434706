//! A virtual clock, and what runs on it: time passes only when there is nothing else to do.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;

pub struct Clock {
    start: Timestamp,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    now: Duration,
    next: u64,
    timers: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl Clock {
    pub fn new() -> Arc<Self> {
        Self::starting("2026-11-23T08:00:00Z".parse().unwrap())
    }

    pub fn starting(start: Timestamp) -> Arc<Self> {
        Arc::new(Self { start, state: Mutex::default() })
    }

    pub fn elapsed(&self) -> Duration {
        self.state.lock().unwrap().now
    }

    pub fn now(&self) -> Timestamp {
        self.start + self.elapsed()
    }

    pub fn sleep(self: &Arc<Self>, duration: Duration) -> BoxFuture<'static, ()> {
        let mut state = self.state.lock().unwrap();
        let key = (state.now + duration, state.next);
        state.next += 1;
        state.timers.insert(key, None);
        Box::pin(Sleep { clock: self.clone(), key })
    }

    /// Runs a future to its end, and others beside it as long as it takes.
    pub fn drive<T>(&self, future: impl Future<Output = T>, mut beside: Vec<BoxFuture<'static, ()>>) -> T {
        let mut future = std::pin::pin!(future);
        let flag = Arc::new(Flag(AtomicBool::new(true)));
        let waker = Waker::from(flag.clone());
        let mut context = Context::from_waker(&waker);
        loop {
            while flag.0.swap(false, Ordering::SeqCst) {
                beside.retain_mut(|other| other.as_mut().poll(&mut context).is_pending());
                if let Poll::Ready(result) = future.as_mut().poll(&mut context) {
                    return result;
                }
            }
            self.advance();
        }
    }

    /// To the next timer.
    fn advance(&self) {
        let mut state = self.state.lock().unwrap();
        let (key, waker) = state.timers.pop_first().expect("it waits for nothing that could come");
        state.now = state.now.max(key.0);
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

struct Sleep {
    clock: Arc<Clock>,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.state.lock().unwrap();
        if state.now >= self.key.0 {
            return Poll::Ready(());
        }
        state.timers.insert(self.key, Some(context.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.state.lock().unwrap().timers.remove(&self.key);
    }
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}
