//! The lines of a courier, side by side: for whoever waits for them in one place.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::courier::{Courier, Delivery, Hears};
use crate::store::ledger::Due;
use crate::types::Fault;

/// How often it is looked at what is due.
const LOOK: Duration = Duration::from_secs(1);
/// How long a channel is left alone of which something could not be written down.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);
const SHORTEST: Duration = Duration::from_millis(50);
/// How often it is looked at what a server does.
const AGAIN: SignedDuration = SignedDuration::from_millis(200);

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
    /// its way when it is told to stop still arrives. Where a server leads, all is left to it, and what came of what was
    /// written down here is heard.
    ///
    /// # Errors
    /// Where the ledger cannot be read or written, once nothing is on its way. Where one message cannot be read, once all
    /// others are told.
    pub async fn go_on(&self, until: Until, stop: &CancellationToken, hears: &dyn Hears) -> Result<(), Fault> {
        let stop = stop.child_token();
        // Ended where a server begins to lead: what is on its way here arrives.
        let mut own = stop.child_token();
        let (mut lines, mut busy, mut first) = (FuturesUnordered::new(), HashSet::new(), None);
        // What failed is left alone until then: a full disk would be tried thousands of times a second.
        let mut failed: HashMap<String, Timestamp> = HashMap::new();
        let mut news = self.desk.news();
        loop {
            let now = self.cx.world.now();
            let mut next = None;
            if !stop.is_cancelled() {
                let looked = self.look(now, &mut own, &stop, hears);
                let goes_on = hears.ended(None, looked.as_ref().err());
                if let Ok((due, _)) = &looked {
                    // Of a line that failed when all was told, no other would say that it is well again.
                    let waits =
                        |channel: &String| busy.contains(channel) || due.iter().any(|due| due.channel == *channel);
                    for (channel, _) in failed.extract_if(|channel, _| !waits(channel)) {
                        hears.ended(Some(&channel), None);
                    }
                }
                let (due, waits) = looked.unwrap_or_else(|fault| {
                    if !goes_on {
                        first.get_or_insert(fault);
                        stop.cancel();
                    }
                    (Vec::new(), None)
                });
                next = waits;
                for due in due.into_iter().filter(|due| !busy.contains(&due.channel)).collect::<Vec<_>>() {
                    // A clock that was set back lets nobody wait for longer.
                    let left_alone = failed.get(&due.channel).copied();
                    let left_alone = left_alone.filter(|until| *until > now && until.duration_since(now) <= PAUSE);
                    if due.now == 0 || left_alone.is_some() {
                        next = next.into_iter().chain([left_alone.unwrap_or(due.at)]).min();
                        continue;
                    }
                    busy.insert(due.channel.clone());
                    let own = own.clone();
                    lines.push(async move {
                        let told = self.line(&due.channel, &own, hears).await;
                        (due.channel, told)
                    });
                }
            }
            let stopped = stop.is_cancelled();
            if lines.is_empty() && (stopped || until.is_over(next)) {
                return first.map_or(Ok(()), Err);
            }
            // Others write down as well, and clocks jump: nobody sleeps until a far moment. One that another process is
            // telling at this moment may be due in no time.
            let soon = next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
            let pause = self.cx.world.sleep(soon.unwrap_or(LOOK).clamp(SHORTEST, LOOK));
            tokio::select! {
                Some((channel, told)) = lines.next() => {
                    busy.remove(&channel);
                    let is_fatal = told.is_err();
                    let fault = told.unwrap_or_else(Some);
                    let goes_on = hears.ended(Some(&channel), fault.as_ref());
                    if fault.is_some() {
                        let now = self.cx.world.now();
                        failed.insert(channel, now.checked_add(PAUSE).unwrap_or(now));
                    } else {
                        failed.remove(&channel);
                    }
                    if !goes_on {
                        first = first.or(fault);
                    }
                    if is_fatal && !goes_on {
                        stop.cancel();
                    }
                }
                Ok(()) = news.changed(), if !stopped => {}
                () = pause, if !stopped => {}
                () = stop.cancelled(), if !stopped => {}
            }
        }
    }

    /// For which channels something waits, where it is told here. Where a server leads, when to look again what it has done
    /// of what was written down here.
    fn look(
        &self,
        now: Timestamp,
        own: &mut CancellationToken,
        stop: &CancellationToken,
        hears: &dyn Hears,
    ) -> Result<(Vec<Due>, Option<Timestamp>), Fault> {
        self.own.take(&self.desk);
        if self.leader(now)?.is_some() {
            own.cancel();
            let waits = self.own.look(self, &self.desk, hears)?;
            return Ok((Vec::new(), waits.then(|| now.checked_add(AGAIN).unwrap_or(now))));
        }
        if own.is_cancelled() {
            *own = stop.child_token();
        }
        let mut due = self.due(now)?;
        due.retain(|due| !self.closed.contains(&*due.channel));
        Ok((due, None))
    }
}
