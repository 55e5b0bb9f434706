//! Telling people while serving: each channel has a line of its own, so that one that hangs holds up no other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{join, join_all};
use jiff::Timestamp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::current::Current;
use super::served::Served;
use crate::check::program::Program;
use crate::desk::{Delivery, Hears, Until};
use crate::shown::look::counted;
use crate::store::ledger::Fence;
use crate::types::Fault;

/// How long what is on its way may take to arrive when the server is told to stop.
const ARRIVES_WITHIN: Duration = Duration::from_secs(5);
/// How often it is tried to open a channel that could not be opened.
const OPENED_AGAIN: Duration = Duration::from_secs(15);

/// The lines of each version of the runbook that still tells somebody.
#[derive(Default)]
pub(super) struct Lines {
    /// Which version begins something new.
    of: Option<Arc<Program>>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

/// How people are told.
#[derive(Default)]
pub(super) struct Telling {
    /// Why messages of a channel can not be read or their ends not be written down, or those of all (`None`).
    lines: BTreeMap<Option<String>, String>,
    /// Why a channel does not get through.
    down: BTreeMap<String, String>,
    /// Channels that cannot be opened, and why: a secret that is not set.
    closed: BTreeMap<String, String>,
    /// Why nobody hears of anything: no channel gets through.
    nobody: Option<String>,
}

impl Lines {
    /// Begins nothing more; what is on its way arrives.
    pub(super) fn end(&mut self) {
        self.of = None;
        std::mem::take(&mut self.stop).cancel();
    }
}

impl Telling {
    /// Why people are not told.
    pub(super) fn trouble(&self) -> Option<&String> {
        self.lines.values().chain(self.closed.values()).next().or(self.nobody.as_ref())
    }

    /// Takes how a line ended. Gives whether that is news.
    fn ended(&mut self, channel: Option<&str>, why: Option<&String>) -> bool {
        is_news(&mut self.lines, channel.map(str::to_owned), why)
    }

    /// Takes whether a channel could be opened. Gives whether that is news.
    fn opened(&mut self, channel: &str, why: Option<&String>) -> bool {
        is_news(&mut self.closed, channel.to_owned(), why)
    }

    /// Takes what became of a message of a runbook with so many channels. One that is down is said on the others; where all
    /// are, only whoever waits for signs of life can find out.
    fn heard(&mut self, delivery: &Delivery, channels: usize) {
        match &delivery.result {
            Ok(_) => _ = self.down.remove(&delivery.channel),
            Err((fault, _)) if delivery.is_down => {
                self.down.insert(delivery.channel.clone(), fault.to_string());
            }
            Err(_) => {}
        }
        let all: Vec<String> = self.down.iter().map(|(channel, why)| format!("`{channel}`: {why}")).collect();
        self.nobody = (all.len() >= channels).then(|| format!("nobody can be told: {}", all.join("; ")));
    }
}

/// Keeps why something does not go, or that it does. Gives whether that is news.
fn is_news<K: Ord>(known: &mut BTreeMap<K, String>, of: K, why: Option<&String>) -> bool {
    match why {
        Some(why) => known.insert(of, why.clone()).as_ref() != Some(why),
        None => known.remove(&of).is_some(),
    }
}

/// Hears how people are told by one version of a runbook.
struct Told {
    served: Arc<Served>,
    channels: usize,
    fence: Fence,
}

impl Told {
    /// Opens the channels before they are needed: else it is found out when a page reaches nobody.
    async fn open(&self, current: &Current, stop: &CancellationToken) {
        let channels = &current.loaded.program.channels;
        loop {
            let mut all = true;
            for channel in channels {
                let why = current.courier.open(&channel.name).await.err();
                let why =
                    why.map(|fault| format!("`{}` cannot be opened, and nobody is told there: {fault}", channel.name));
                all &= why.is_none();
                let is_news = self.served.signs().troubles.telling.opened(&channel.name, why.as_ref());
                match why {
                    Some(why) if is_news => self.served.home.warn(&why),
                    None if is_news => self.served.home.say(&format!("`{}` can be opened again", channel.name)),
                    _ => {}
                }
            }
            if all || stop.run_until_cancelled(current.world.sleep(OPENED_AGAIN)).await.is_none() {
                return;
            }
        }
    }
}

impl Hears for Told {
    fn told(&self, delivery: &Delivery) {
        self.served.home.delivered(delivery);
        self.served.signs().troubles.telling.heard(delivery, self.channels);
    }

    fn ended(&self, channel: Option<&str>, fault: Option<&Fault>) -> bool {
        // That another server tells by now is no trouble.
        let fault = fault.filter(|_| !self.fence.is_lost());
        let why = fault.map(|fault| format!("messages cannot be told: {fault}"));
        let is_news = self.served.signs().troubles.telling.ended(channel, why.as_ref());
        if let Some(why) = why.filter(|_| is_news) {
            self.served.home.warn(&why);
        }
        // It is tried again.
        true
    }
}

impl Served {
    /// Tells what is due and becomes due.
    pub(super) fn tell(
        self: &Arc<Self>,
        lines: &mut Lines,
        current: &Current,
        fence: &Fence,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let program = &current.loaded.program;
        let goes_on = lines.tasks.last().is_some_and(|task| !task.is_finished());
        lines.tasks.retain(|task| !task.is_finished());
        if goes_on && lines.of.as_ref().is_some_and(|own| Arc::ptr_eq(own, program)) {
            return Ok(());
        }
        // An edited channel leads elsewhere, and who has mended something waits to see it.
        lines.end();
        self.ledger(Some(fence)).hurry(current.desk.runbook(), now)?;
        lines.of = Some(Arc::clone(program));
        self.signs().troubles.telling = Telling::default();
        let (current, stop) = (current.clone(), lines.stop.clone());
        let hears = Told { served: Arc::clone(self), channels: program.channels.len(), fence: fence.clone() };
        lines.tasks.push(tokio::spawn(async move {
            let telling = current.courier.go_on(Until::Stopped, &stop, &hears);
            if let (Err(fault), ()) = join(telling, hears.open(&current, &stop)).await {
                hears.ended(None, Some(&fault));
            }
        }));
        Ok(())
    }

    /// Lets what is on its way arrive, for a short time. What does not is free for whoever serves next.
    pub(super) async fn arrive(&self, mut lines: Lines) {
        lines.end();
        let mut tasks = lines.tasks;
        if tokio::time::timeout(ARRIVES_WITHIN, join_all(tasks.iter_mut())).await.is_err() {
            tasks.retain(|task| !task.is_finished());
            tasks.iter().for_each(JoinHandle::abort);
            join_all(tasks).await;
        }
        if let Err(fault) = self.let_go() {
            self.home.warn(&format!("what is not told waits for its claims to run out: {fault}"));
        }
    }

    fn let_go(&self) -> Result<(), Fault> {
        let (now, title) = (self.home.now(), self.title());
        let why = "the server was stopped before an answer came";
        let cut = self.ledger(None).let_go(&title, &self.holder, now, why)?;
        if cut > 0 {
            let many = counted(cut, "message");
            let within = ARRIVES_WITHIN.as_secs();
            self.home.warn(&format!("\"{title}\": no answer to {many} on the way within {within} s: told again later"));
        }
        let due = self.ledger(None).due(&title, now)?;
        let waits: Vec<String> = due.into_iter().map(|due| due.channel).collect();
        if !waits.is_empty() && self.leader().is_none() {
            self.home.warn(&format!("\"{title}\": messages wait for whoever serves next: for {}", waits.join(", ")));
        }
        Ok(())
    }
}
