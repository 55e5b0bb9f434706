//! A virtual clock, and the executor that moves it: time passes only where everybody waits for it.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use jiff::SignedDuration;

/// Time since the beginning of a test. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Clock(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    now: SignedDuration,
    /// Who waits, by when and by who came first.
    sleepers: BTreeMap<(SignedDuration, u64), Waker>,
    sleeps: u64,
}

impl Clock {
    pub(super) fn now(&self) -> SignedDuration {
        self.lock().now
    }

    pub(super) fn sleep(&self, duration: SignedDuration) -> Sleep {
        let mut inner = self.lock();
        inner.sleeps += 1;
        let until = inner.now.checked_add(duration.max(SignedDuration::ZERO)).unwrap_or(SignedDuration::MAX);
        Sleep { clock: self.clone(), key: (until, inner.sleeps) }
    }

    /// Waits until everybody waits for time to pass. No time passes meanwhile.
    pub(super) fn settled(&self) -> Settled {
        Settled { sleep: self.sleep(SignedDuration::ZERO), waited: false }
    }

    /// Runs a future to its end. `None` where it waits for something that will never come.
    pub(super) fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        let woken = Arc::new(Woken(AtomicBool::new(true)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            while woken.0.swap(false, Ordering::Relaxed) {
                if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
                    return Some(value);
                }
            }
            let next = {
                let mut inner = self.lock();
                let (key, waker) = inner.sleepers.pop_first()?;
                inner.now = inner.now.max(key.0);
                waker
            };
            next.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Waits for a time on the virtual clock.
pub(super) struct Sleep {
    clock: Clock,
    key: (SignedDuration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.clock.lock();
        if inner.now >= self.key.0 {
            return Poll::Ready(());
        }
        inner.sleepers.insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

/// Waits for the end of a moment.
pub(super) struct Settled {
    sleep: Sleep,
    waited: bool,
}

impl Future for Settled {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.sleep.clock.lock();
        let key = self.sleep.key;
        // Whoever moves the clock takes out who is woken.
        if self.waited && !inner.sleepers.contains_key(&key) {
            return Poll::Ready(());
        }
        inner.sleepers.insert(key, context.waker().clone());
        drop(inner);
        self.waited = true;
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clock.lock().sleepers.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join;
    use jiff::SignedDuration;

    use super::Clock;

    #[test]
    fn time_passes_only_where_everybody_waits() {
        let clock = Clock::default();
        let minutes = |minutes| clock.sleep(SignedDuration::from_mins(minutes));
        let slow = async {
            minutes(90).await;
            clock.now()
        };
        let quick = async {
            minutes(1).await;
            minutes(1).await;
            clock.now()
        };
        let ended = clock.run(join(slow, quick));
        assert_eq!(ended, Some((SignedDuration::from_mins(90), SignedDuration::from_mins(2))));
        assert_eq!(clock.run(std::future::pending::<()>()), None);
    }
}
