//! The lines of a courier, side by side: for whoever waits for them in one place.

use std::collections::HashSet;
use std::future::pending;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::courier::{Courier, Delivery, Hears};
use crate::types::Fault;

/// What is waited for once nothing is due and nothing on its way.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// Nothing.
    NothingIsDue,
    /// What becomes due by then.
    NothingIsDueBy(Timestamp),
    /// Whatever comes, until it is told to stop.
    Stopped,
}

impl Until {
    fn is_over(self, next: Option<Timestamp>) -> bool {
        match self {
            Self::NothingIsDue => true,
            Self::NothingIsDueBy(last) => next.is_none_or(|next| next > last),
            Self::Stopped => false,
        }
    }
}

impl Courier {
    /// Tells all that is due now, as often as more becomes due, and gives what came of it.
    ///
    /// # Errors
    /// Those of [`Self::go_on`].
    pub async fn deliver(&self) -> Result<Vec<Delivery>, Fault> {
        let all = Mutex::<Vec<Delivery>>::default();
        let hears = |one: &Delivery| all.lock().unwrap_or_else(PoisonError::into_inner).push(one.clone());
        self.go_on(Until::NothingIsDue, &CancellationToken::new(), &hears).await?;
        Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells what is due and becomes due, each channel in a line of its own: one that hangs holds up no other. What is on
    /// its way when it is told to stop still arrives.
    ///
    /// # Errors
    /// Where the ledger cannot be read or written, once nothing is on its way. Where one message cannot be read, once all
    /// others are told.
    pub async fn go_on(&self, until: Until, stop: &CancellationToken, hears: Hears<'_>) -> Result<(), Fault> {
        let stop = stop.child_token();
        let (mut lines, mut busy, mut first) = (FuturesUnordered::new(), HashSet::new(), None);
        loop {
            let now = self.cx.world.now();
            let mut next = None;
            if !stop.is_cancelled() {
                let due = self.due(now).unwrap_or_else(|fault| {
                    first.get_or_insert(fault);
                    stop.cancel();
                    Vec::new()
                });
                for due in due.into_iter().filter(|due| !busy.contains(&due.channel)).collect::<Vec<_>>() {
                    if due.now == 0 {
                        next = next.into_iter().chain([due.at]).min();
                        continue;
                    }
                    busy.insert(due.channel.clone());
                    let stop = &stop;
                    lines.push(async move {
                        let told = self.line(&due.channel, stop, hears).await;
                        (due.channel, told)
                    });
                }
            }
            let stopped = stop.is_cancelled();
            if lines.is_empty() && (stopped || until.is_over(next)) {
                return first.map_or(Ok(()), Err);
            }
            let comes = async {
                let Some(next) = next else { return pending().await };
                let pause = Duration::try_from(next.duration_since(now)).unwrap_or_default();
                // One that another process is telling at this moment may be due in no time.
                self.cx.world.sleep(pause.max(Duration::from_millis(50))).await;
            };
            tokio::select! {
                Some((channel, told)) = lines.next() => {
                    busy.remove(&channel);
                    match told {
                        Ok(unreadable) => first = first.or(unreadable),
                        // What cannot be written down is not told either.
                        Err(fault) => {
                            first.get_or_insert(fault);
                            stop.cancel();
                        }
                    }
                }
                () = self.desk.news.notified(), if !stopped => {}
                () = comes, if !stopped => {}
                () = stop.cancelled(), if !stopped => {}
            }
        }
    }
}
