//! What ends the waiting of a statement: the time limits around it, and the stop of the run.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Either, Shared, select, select_all};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;

use crate::catalog::World;
use crate::types::{Fault, FaultKind};

/// Ends with the fault of whoever is still waiting then.
pub(crate) type Limit = Shared<BoxFuture<'static, Fault>>;

/// The limits around a statement, the run's own stop among them.
#[derive(Clone)]
pub(crate) struct Limits {
    stop: Limit,
    times: Vec<Limit>,
}

impl Limits {
    /// No limit but the stop of the run.
    pub(crate) fn until(token: CancellationToken, why: &'static str) -> Self {
        let stop = async move {
            token.cancelled().await;
            Fault::new(FaultKind::Cancelled, why)
        };
        Self { stop: stop.boxed().shared(), times: Vec::new() }
    }

    /// With one more time limit.
    pub(crate) fn and(&self, limit: Limit) -> Self {
        let mut limits = self.clone();
        limits.times.push(limit);
        limits
    }

    /// The limit that was reached.
    pub(crate) fn reached(&self) -> Option<Fault> {
        self.all().into_iter().find_map(FutureExt::now_or_never)
    }

    /// A future's result, or the fault of the first limit that is reached before.
    pub(crate) async fn race<T>(&self, future: impl Future<Output = T>) -> Result<T, Fault> {
        race(future, self.all()).await
    }

    /// The time limits without the stop of the run: for a change in flight, which a stop does not end at once.
    pub(crate) fn times(&self) -> Vec<Limit> {
        self.times.clone()
    }

    fn all(&self) -> Vec<Limit> {
        std::iter::once(&self.stop).chain(&self.times).cloned().collect()
    }
}

/// A future's result, or the fault of the first limit that is reached before.
pub(crate) async fn race<T>(future: impl Future<Output = T>, limits: Vec<Limit>) -> Result<T, Fault> {
    if limits.is_empty() {
        return Ok(future.await);
    }
    let future = std::pin::pin!(future);
    match select(future, select_all(limits)).await {
        Either::Left((result, _)) => Ok(result),
        Either::Right(((fault, ..), _)) => Err(fault),
    }
}

/// A limit from now on. `what` says whose it is: `` step "Disks" ``.
pub(crate) fn within(world: &Arc<dyn World>, limit: SignedDuration, what: &str) -> Limit {
    beyond(world, limit, SignedDuration::ZERO, what)
}

/// The same where somebody else keeps to the limit, and is given a little more time to say how it ended.
pub(crate) fn beyond(world: &Arc<dyn World>, limit: SignedDuration, more: SignedDuration, what: &str) -> Limit {
    let fault =
        Fault::new(FaultKind::Timeout, format!("{what} is limited to {}", crate::types::Value::Duration(limit)));
    let sleep = world.sleep(to_std(limit.saturating_add(more)));
    async move {
        sleep.await;
        fault
    }
    .boxed()
    .shared()
}

/// A limit that is reached from the start: what it should be could not be had.
pub(crate) fn unknown(fault: Fault) -> Limit {
    std::future::ready(fault).boxed().shared()
}

/// A time that is over is no time.
pub(crate) fn to_std(duration: SignedDuration) -> Duration {
    Duration::try_from(duration).unwrap_or(Duration::ZERO)
}
