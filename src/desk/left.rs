//! What is left to the server that leads: it tells, and whoever has written something down hears what came of it.

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;

use super::Desk;
use super::courier::{Courier, Delivery, Hears, Then};
use crate::alerting::Tell;
use crate::catalog::Message;
use crate::store::ledger::{Outgoing, OutgoingState, locked};
use crate::types::{Fault, FaultKind};

/// A message that was written down here and is not known to be told.
#[derive(Clone, Debug)]
pub struct Left {
    pub channel: Arc<str>,
    pub message: Arc<Message>,
    /// The try of which somebody was told that it failed.
    heard: u32,
    /// It is on its way at this moment.
    pub is_on_its_way: bool,
}

impl Left {
    /// Whether something came of it since it was written down.
    const fn was_tried(&self) -> bool {
        self.heard > 0
    }
}

/// The messages of one process.
#[derive(Default)]
pub(super) struct Own(Mutex<Vec<Left>>);

impl Own {
    /// Takes what was written down since.
    pub(super) fn take(&self, desk: &Desk) {
        let fresh = |Tell { channel, message }| Left { channel, message, heard: 0, is_on_its_way: false };
        self.lock().extend(desk.written().into_iter().map(fresh));
    }

    /// Looks what became of them, and gives whether nothing has come of some.
    pub(super) fn look(&self, courier: &Courier, desk: &Desk, hears: &dyn Hears) -> Result<bool, Fault> {
        let mut own = self.lock();
        let mut kept = Vec::new();
        for mut left in own.drain(..) {
            let outgoing = courier.with(|ledger| ledger.message(desk.runbook(), &left.channel, &left.message.key))?;
            // One that is not kept any more was over long ago.
            let Some(outgoing) = outgoing else { continue };
            let told = became(&outgoing, left.heard);
            if let Some(result) = told {
                left.heard = outgoing.tries;
                let (channel, message) = (outgoing.channel.clone(), Arc::clone(&left.message));
                hears.told(&Delivery { channel, message, result, is_down: false });
            }
            if outgoing.state.waits() {
                left.is_on_its_way = outgoing.state == OutgoingState::Claimed;
                kept.push(left);
            }
        }
        *own = kept;
        Ok(own.iter().any(|left| !left.was_tried()))
    }

    /// It is heard otherwise what became of one that is told here.
    pub(super) fn heard(&self, outgoing: &Outgoing, is_over: bool) {
        let is_it = |left: &Left| *left.channel == *outgoing.channel && *left.message.key == *outgoing.key;
        let mut own = self.lock();
        if is_over {
            own.retain(|left| !is_it(left));
        } else if let Some(left) = own.iter_mut().find(|left| is_it(left)) {
            left.heard = outgoing.tries;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Left>> {
        locked(&self.0)
    }
}

/// What came of a message, where that is more than was heard.
fn became(outgoing: &Outgoing, heard: u32) -> Option<Result<String, (Fault, Then)>> {
    let last = outgoing.last.clone().unwrap_or_default();
    let fault = |last| Fault::new(FaultKind::Failed, last);
    match outgoing.state {
        OutgoingState::Told => Some(Ok(last)),
        OutgoingState::GivenUp => Some(Err((fault(last), Then::GivenUp))),
        OutgoingState::Waiting if outgoing.tries > heard => Some(Err((fault(last), Then::Again(outgoing.not_before)))),
        // Nobody needs it any more, or nothing has come of it yet.
        OutgoingState::Withdrawn | OutgoingState::Waiting | OutgoingState::Claimed => None,
    }
}

impl Courier {
    /// The server that leads, and tells what is written down: whoever has something to tell beside it leaves it to it, so
    /// that nothing overtakes what is on its way. `None` where this is that server, or none does.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn leader(&self, now: Timestamp) -> Result<Option<String>, Fault> {
        match self.fence {
            Some(_) => Ok(None),
            None => self.with(|ledger| ledger.leader(self.desk.runbook(), now)),
        }
    }

    /// The messages that were written down here, since somebody follows them, and are not known to be told.
    #[must_use]
    pub fn left(&self) -> Vec<Left> {
        self.own.lock().clone()
    }

    /// What was written down here waits no longer for whoever looks.
    ///
    /// # Errors
    /// Where it cannot be written down.
    pub fn release(&self) -> Result<(), Fault> {
        self.own.take(&self.desk);
        let left = self.left();
        let untried: Vec<_> = left.iter().filter(|left| !left.was_tried()).collect();
        if untried.is_empty() {
            return Ok(());
        }
        let keys: Vec<(&str, &str)> = untried.iter().map(|left| (&*left.channel, &*left.message.key)).collect();
        self.with(|ledger| ledger.hold_no_longer(self.desk.runbook(), &keys, self.cx.world.now()))
    }

    /// It is heard from now on what becomes of what is written down here, also where a server tells it.
    pub fn follow(&self) {
        self.desk.follow();
    }
}
