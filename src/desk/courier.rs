//! The courier: takes messages that were written down to their channels, and writes down what came of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::Desk;
use crate::alerting::Input;
use crate::catalog::{Again, Channel, Cx, Message, NotTold, Occasion, Remark, RunFacts, World};
use crate::check::program::{ChannelId, ParamId, Program};
use crate::run;
use crate::store::ledger::{Ledger, Outgoing};
use crate::types::{Fault, FaultKind, Value};

/// How long a message is ours alone: longer than the longest try.
const LEASE: SignedDuration = SignedDuration::from_secs(120);
/// How long one try may take.
const TRY: Duration = Duration::from_mins(1);
/// How many messages are taken at a time.
const AT_ONCE: usize = 16;
/// After how many tries a channel is said to be down on the others.
const DOWN_AFTER: u32 = 3;
/// How long a message is tried. What nobody was told for two days is no news.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(48);
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// Takes the messages of one runbook to its channels.
pub struct Courier {
    ledger: Mutex<Ledger>,
    desk: Arc<Desk>,
    program: Arc<Program>,
    set: HashMap<ParamId, Value>,
    cx: Cx,
    /// Names this process to others that share the ledger.
    holder: String,
    opened: Mutex<HashMap<String, Arc<dyn Channel>>>,
    links: Option<MakesLinks>,
}

/// The link by which an incident of a runbook is taken on, for a message that is sent now.
pub type MakesLinks = Box<dyn Fn(&str, i64, Timestamp) -> String + Send + Sync>;

/// What became of a message.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub channel: String,
    pub message: Arc<Message>,
    /// What the other side said, or why it was not told and when it is tried again; never again where there is no time.
    pub result: Result<String, (Fault, Option<Timestamp>)>,
}

impl Courier {
    /// `ledger` is a connection of its own: a message on its way must not hold up what is written down meanwhile.
    #[must_use]
    pub fn new(
        ledger: Ledger,
        desk: Arc<Desk>,
        program: Arc<Program>,
        set: HashMap<ParamId, Value>,
        facts: Arc<RunFacts>,
        world: Arc<dyn World>,
        holder: String,
    ) -> Self {
        let cx = Cx { world, run: facts, remark: Remark::default() };
        Self { ledger: Mutex::new(ledger), desk, program, set, cx, holder, opened: Mutex::default(), links: None }
    }

    /// Pages hold a link by which they are answered.
    #[must_use]
    pub fn with_links(self, links: MakesLinks) -> Self {
        Self { links: Some(links), ..self }
    }

    /// Tells all that is due now, as often as more becomes due, and gives what came of it.
    ///
    /// # Errors
    /// Where the ledger cannot be read or written. What was told and could not be written down is told again, under the
    /// same key.
    pub async fn deliver(&self) -> Result<Vec<Delivery>, Fault> {
        let mut all = Vec::new();
        loop {
            let now = self.cx.world.now();
            let claimed = self.with(|ledger| ledger.claim(self.desk.runbook(), &self.holder, now, LEASE, AT_ONCE))?;
            if claimed.is_empty() {
                return Ok(all);
            }
            // Side by side over channels, in order within one: an end is not told before its beginning.
            let mut channels: HashMap<String, Vec<Outgoing>> = HashMap::new();
            for outgoing in claimed {
                channels.entry(outgoing.channel.clone()).or_default().push(outgoing);
            }
            let told = join_all(channels.into_values().map(|messages| self.channel(messages))).await;
            for deliveries in told {
                all.extend(deliveries?);
            }
        }
    }

    /// When something is due next.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>, Fault> {
        self.with(|ledger| ledger.next_due(self.desk.runbook()))
    }

    async fn channel(&self, messages: Vec<Outgoing>) -> Result<Vec<Delivery>, Fault> {
        let mut deliveries = Vec::new();
        for outgoing in messages {
            deliveries.push(self.one(outgoing).await?);
        }
        Ok(deliveries)
    }

    async fn one(&self, outgoing: Outgoing) -> Result<Delivery, Fault> {
        let message: Message = Message::deserialize(&outgoing.body).map_err(|error| {
            Fault::new(FaultKind::BadAnswer, format!("the ledger's message {} cannot be read: {error}", outgoing.id))
        })?;
        let message = Arc::new(self.linked(message));
        let answer = self.tell(&outgoing.channel, &message).await;
        let now = self.cx.world.now();
        let result = match answer {
            Ok(said) => {
                self.with(|ledger| ledger.told(outgoing.id, &self.holder, now, &said))?;
                Ok(said)
            }
            Err(NotTold { fault, again }) => {
                let next = next_try(&outgoing, again, now);
                let why = fault.to_string();
                self.with(|ledger| ledger.not_told(outgoing.id, &self.holder, now, &why, next))?;
                if outgoing.tries == DOWN_AFTER || next.is_none() {
                    self.report_down(&outgoing, &message, &why, now)?;
                }
                Err((fault, next))
            }
        };
        Ok(Delivery { channel: outgoing.channel, message, result })
    }

    /// With the link by which it is answered, where it asks for an answer.
    fn linked(&self, message: Message) -> Message {
        let asks = matches!(message.occasion, Occasion::Opened | Occasion::Again | Occasion::Escalated);
        let acknowledge = match (&self.links, &message.incident) {
            (Some(links), Some(incident)) if asks => {
                Some(links(self.desk.runbook(), incident.number, self.cx.world.now()))
            }
            _ => None,
        };
        Message { acknowledge, ..message }
    }

    async fn tell(&self, name: &str, message: &Arc<Message>) -> Result<String, NotTold> {
        let channel = self.open(name).await.map_err(|fault| NotTold { fault, again: Again::Later })?;
        let telling = channel.tell(self.cx.clone(), Arc::clone(message));
        match select(telling, self.cx.world.sleep(TRY)).await {
            Either::Left((answer, _)) => answer.map(|told| told.said),
            Either::Right(_) => {
                let message = "no answer within a minute";
                Err(NotTold { fault: Fault::new(FaultKind::Timeout, message), again: Again::Later })
            }
        }
    }

    /// A channel by its name; it is opened once.
    ///
    /// # Errors
    /// Where there is none, or it cannot be opened: a secret that is not set.
    pub async fn open(&self, name: &str) -> Result<Arc<dyn Channel>, Fault> {
        let known = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(channel) = known {
            return Ok(channel);
        }
        let place = self.program.channels.iter().position(|channel| *channel.name == *name);
        let id = place.and_then(|place| u32::try_from(place).ok()).map(ChannelId);
        let id = id.ok_or_else(|| {
            let message = format!("the runbook has no channel `{name}` any more");
            Fault::new(FaultKind::NotFound, message)
        })?;
        let (facts, world) = (Arc::clone(&self.cx.run), Arc::clone(&self.cx.world));
        let channel = run::open_channel(Arc::clone(&self.program), self.set.clone(), facts, world, id).await?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(opened.entry(name.to_owned()).or_insert(channel)))
    }

    /// Says on the other channels of this runbook that one of them does not get through.
    fn report_down(&self, outgoing: &Outgoing, message: &Message, why: &str, now: Timestamp) -> Result<(), Fault> {
        // Its own report is not reported.
        if message.key.starts_with(DOWN) {
            return Ok(());
        }
        let others = self.program.channels.iter().map(|channel| Arc::clone(&channel.name));
        let channels: Vec<Arc<str>> = others.filter(|name| **name != *outgoing.channel).collect();
        let hour = now.as_second() / 3600;
        let key = format!("{DOWN}{}-{hour}", outgoing.channel);
        let title = format!("{}: `{}` does not get through", self.desk.runbook(), outgoing.channel);
        let text = format!("\"{}\" ({}) could not be told there: {why}", message.title, message.occasion.name());
        self.desk.take(now, Input::Note { key: key.into(), channels, title: title.into(), text })?;
        Ok(())
    }

    fn with<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        work(&mut self.ledger.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How the keys of reports on a channel begin.
const DOWN: &str = "channel-down-";

/// When a message is tried again: twice as long each time, and not all at the same moment.
fn next_try(outgoing: &Outgoing, again: Again, now: Timestamp) -> Option<Timestamp> {
    if now.duration_since(outgoing.created_at) > GIVEN_UP_AFTER {
        return None;
    }
    let pause = match again {
        Again::Never => return None,
        Again::After(pause) => SignedDuration::try_from(pause).unwrap_or(LONGEST_PAUSE),
        Again::Later => {
            let doubled = FIRST_PAUSE.checked_mul(1 << outgoing.tries.saturating_sub(1).min(16));
            let pause = doubled.unwrap_or(LONGEST_PAUSE).min(LONGEST_PAUSE);
            let mut hasher = DefaultHasher::new();
            (outgoing.id, outgoing.tries).hash(&mut hasher);
            let share = i32::try_from(hasher.finish() % 256).unwrap_or(0);
            pause + pause * share / 1024
        }
    };
    now.checked_add(pause).ok()
}
