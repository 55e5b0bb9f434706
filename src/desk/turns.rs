//! Whose turn it is to tell a channel: one process at a time, of all that share the ledger.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::courier::Courier;
use crate::store::ledger::Lease;
use crate::types::Fault;

/// How long others wait for whoever says nothing more and cannot be seen to have ended.
const LEASE: SignedDuration = SignedDuration::from_secs(15);
/// How often whoever tells says that it still does.
const KEPT_EVERY: SignedDuration = SignedDuration::from_secs(5);
/// How often whoever waits asks.
const ASKED_EVERY: Duration = Duration::from_millis(500);

/// The turn to tell a channel. What is dropped is given back.
pub(super) struct Turn<'c> {
    courier: &'c Courier,
    channel: &'c str,
    /// Tells it from the other turns of this process: they wait for each other as well.
    part: u64,
    /// When it was said last that it is ours.
    kept: Option<Timestamp>,
}

impl<'c> Turn<'c> {
    pub(super) fn new(courier: &'c Courier, channel: &'c str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { courier, channel, part: NEXT.fetch_add(1, Ordering::Relaxed), kept: None }
    }

    /// Waits until it is ours. `false` where it is told to stop before, or was told so.
    pub(super) async fn comes(&mut self, stop: &CancellationToken) -> Result<bool, Fault> {
        loop {
            if stop.is_cancelled() {
                return Ok(false);
            }
            let now = self.courier.cx.world.now();
            // A machine that was suspended has to ask; so has one whose clock was set back.
            let is_fresh = |kept: &Timestamp| now >= *kept && now.duration_since(*kept) < KEPT_EVERY;
            if self.kept.as_ref().is_some_and(is_fresh) {
                return Ok(true);
            }
            self.kept = None;
            if let Lease::Held { .. } = self.ask(now)? {
                self.kept = Some(now);
                return Ok(true);
            }
            tokio::select! {
                () = self.courier.cx.world.sleep(ASKED_EVERY) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Keeps it while something is on its way.
    pub(super) async fn lasts(&self) -> Infallible {
        loop {
            self.courier.cx.world.sleep(KEPT_EVERY.unsigned_abs()).await;
            // What is on its way cannot be taken back: whoever has lost it finds out before the next message.
            if let Err(fault) = self.ask(self.courier.cx.world.now()) {
                tracing::warn!(target: "runbook::run", %fault, "the line of `{}` was not kept", self.channel);
            }
        }
    }

    fn ask(&self, now: Timestamp) -> Result<Lease, Fault> {
        let until = now.checked_add(LEASE).unwrap_or(Timestamp::MAX);
        let of = (&**self.courier.desk.runbook(), self.channel);
        self.courier.with(|ledger| ledger.line(of, (&self.courier.holder, self.part), now, until))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.kept.is_none() {
            return;
        }
        let of = (&**self.courier.desk.runbook(), self.channel);
        if let Err(fault) = self.courier.with(|ledger| ledger.end_line(of, (&self.courier.holder, self.part))) {
            // Others wait until it runs out.
            tracing::warn!(target: "runbook::run", %fault, "the line of `{}` was not given back", self.channel);
        }
    }
}
