//! The courier: takes messages that were written down to their channels, and writes down what came of it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, join_all, select};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::Desk;
use super::flood::{self, Pace};
use crate::alerting::Input;
use crate::catalog::{Again, Channel, Cx, Message, NotTold, Occasion, Remark, RunFacts, World};
use crate::check::program::{ChannelId, ParamId, Program};
use crate::run;
use crate::store::ledger::{Fence, Ledger, Outgoing};
use crate::types::{Fault, FaultKind, Value};

/// How long a message is ours alone: longer than the longest try. If this process dies, it is told after this time.
const LEASE: SignedDuration = SignedDuration::from_secs(75);
/// How long one try may take.
const TRY: Duration = Duration::from_mins(1);
/// After how long what was claimed and is not told yet is put back: with one more try its claim is not over.
const SLOW: SignedDuration = SignedDuration::from_secs(10);
/// How many messages are taken at a time: of a flood, so many are told together.
const AT_ONCE: usize = 500;
/// After how many tries a channel is said to be down on the others.
const DOWN_AFTER: u32 = 3;
/// How long a message is tried. What nobody was told for two days is no news.
const GIVEN_UP_AFTER: SignedDuration = SignedDuration::from_hours(48);
/// How often, and after how long each time, it is tried to write down that a message is out.
const NOTED_AGAIN: u32 = 6;
const NOTED_AFTER: Duration = Duration::from_secs(2);
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(2);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(10);

/// Takes the messages of one runbook to its channels.
#[derive(Clone)]
pub struct Courier {
    ledger: Arc<Mutex<Ledger>>,
    desk: Arc<Desk>,
    program: Arc<Program>,
    set: HashMap<ParamId, Value>,
    cx: Cx,
    /// Names this process to others that share the ledger.
    holder: String,
    opened: Arc<Mutex<HashMap<String, Arc<dyn Channel>>>>,
    pace: Arc<Mutex<Pace>>,
    links: Option<MakesLinks>,
    /// Under which lease it tells.
    fence: Option<Fence>,
}

/// A message that is ours to tell.
struct Claimed {
    outgoing: Outgoing,
    message: Arc<Message>,
}

/// The link by which an incident of a runbook is taken on, for a message that is sent now.
pub type MakesLinks = Arc<dyn Fn(&str, i64, Timestamp) -> String + Send + Sync>;

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
        Self {
            ledger: Arc::new(Mutex::new(ledger)),
            desk,
            program,
            set,
            cx,
            holder,
            opened: Arc::default(),
            pace: Arc::default(),
            links: None,
            fence: None,
        }
    }

    /// The same courier, in the name of a lease: it tells and writes only while the lease is held.
    #[must_use]
    pub fn under(&self, fence: &Fence) -> Self {
        let desk = Arc::new(self.desk.under(fence.clone()));
        Self { desk, fence: Some(fence.clone()), ..self.clone() }
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
    /// same key. Where one message cannot be read, once all others are told.
    pub async fn deliver(&self) -> Result<Vec<Delivery>, Fault> {
        let (mut all, mut unreadable) = (Vec::new(), None);
        loop {
            let now = self.cx.world.now();
            let claimed = self.with(|ledger| ledger.claim(self.desk.runbook(), &self.holder, now, LEASE, AT_ONCE))?;
            if claimed.is_empty() {
                return unreadable.map_or(Ok(all), Err);
            }
            // Side by side over channels, in order within one: an end is not told before its beginning.
            let mut channels: HashMap<String, Vec<Claimed>> = HashMap::new();
            for outgoing in claimed {
                match self.message(&outgoing) {
                    Ok(message) => {
                        channels.entry(outgoing.channel.clone()).or_default().push(Claimed { outgoing, message });
                    }
                    // It holds up no other, and stays for whoever can read it: a newer version may have written it.
                    Err(fault) => {
                        let (why, next) = (fault.to_string(), next_try(&outgoing, Again::Later, now));
                        self.with(|ledger| ledger.not_told(outgoing.id, &self.holder, now, &why, next))?;
                        unreadable.get_or_insert(fault);
                    }
                }
            }
            let told = join_all(channels.into_iter().map(|(name, claimed)| self.channel(name, claimed))).await;
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

    /// Tells a channel what was claimed for it: one by one, or together where that is more than it takes.
    async fn channel(&self, name: String, mut claimed: Vec<Claimed>) -> Result<Vec<Delivery>, Fault> {
        let begun = self.cx.world.now();
        // Of one that cannot be opened it is said when it is told.
        let most = self.open(&name).await.ok().and_then(|channel| channel.at_most());
        let free = most.map(|most| self.pace().free(&name, most, begun));
        match free {
            Some(Err(next)) => {
                self.put_back(&claimed, next, "more is told there than it takes in a minute: it waits its turn")?;
                return Ok(Vec::new());
            }
            Some(Ok(free)) if claimed.len() > free => {
                self.retain_ours(&mut claimed)?;
                let messages: Vec<Arc<Message>> = claimed.iter().map(|one| Arc::clone(&one.message)).collect();
                if let Some(message) = flood::together(&messages, begun) {
                    return Ok(vec![self.send(&name, &claimed, Arc::new(message)).await?]);
                }
            }
            Some(Ok(_)) | None => {}
        }
        let mut deliveries = Vec::new();
        let mut left = claimed.into_iter();
        while let Some(one) = left.next() {
            let now = self.cx.world.now();
            // What the claim may run out for is left to whoever claims it next, so that nobody else tells it meanwhile.
            if now.duration_since(begun) >= SLOW {
                let rest: Vec<Claimed> = std::iter::once(one).chain(left).collect();
                self.put_back(&rest, now, "what was told before it took long: it waits its turn")?;
                break;
            }
            let mut own = vec![one];
            self.retain_ours(&mut own)?;
            if let Some(message) = own.first().map(|one| Arc::clone(&one.message)) {
                deliveries.push(self.send(&name, &own, message).await?);
            }
        }
        Ok(deliveries)
    }

    fn put_back(&self, claimed: &[Claimed], until: Timestamp, why: &str) -> Result<(), Fault> {
        let now = self.cx.world.now();
        for one in claimed {
            self.with(|ledger| ledger.not_told(one.outgoing.id, &self.holder, now, why, Some(until)))?;
        }
        Ok(())
    }

    /// Leaves only what is still ours to tell: it may be long ago that it was claimed, if this process was suspended since.
    fn retain_ours(&self, claimed: &mut Vec<Claimed>) -> Result<(), Fault> {
        let ids: Vec<i64> = claimed.iter().map(|one| one.outgoing.id).collect();
        let now = self.cx.world.now();
        let own = self.with(|ledger| ledger.prolong(&ids, &self.holder, now, LEASE))?;
        claimed.retain(|one| own.contains(&one.outgoing.id));
        Ok(())
    }

    /// Sends one message, which stands for all that was claimed.
    async fn send(&self, name: &str, claimed: &[Claimed], message: Arc<Message>) -> Result<Delivery, Fault> {
        let answer = self.tell(name, &message).await;
        let now = self.cx.world.now();
        self.pace().told(name, now);
        for Claimed { outgoing, message } in claimed {
            match &answer {
                Ok(said) => self.note_told(outgoing.id, now, said).await?,
                Err(NotTold { fault, again }) => {
                    let next = next_try(outgoing, *again, now);
                    let why = fault.to_string();
                    self.with(|ledger| ledger.not_told(outgoing.id, &self.holder, now, &why, next))?;
                    if outgoing.tries == DOWN_AFTER || next.is_none() {
                        self.report_down(outgoing, message, &why, now)?;
                    }
                }
            }
        }
        let first = claimed.first().map(|one| &one.outgoing);
        let result =
            answer.map_err(|NotTold { fault, again }| (fault, first.and_then(|first| next_try(first, again, now))));
        Ok(Delivery { channel: name.to_owned(), message, result })
    }

    /// Writes down what is out, also where the ledger is away for a moment: it would be told again otherwise.
    async fn note_told(&self, id: i64, now: Timestamp, said: &str) -> Result<(), Fault> {
        let mut left = NOTED_AGAIN;
        loop {
            match self.with(|ledger| ledger.told(id, &self.holder, now, said)) {
                Err(fault) if fault.kind == FaultKind::Unreachable && left > 0 => left -= 1,
                noted => return noted.map(drop),
            }
            self.cx.world.sleep(NOTED_AFTER).await;
        }
    }

    fn message(&self, outgoing: &Outgoing) -> Result<Arc<Message>, Fault> {
        let message: Message = Message::deserialize(&outgoing.body).map_err(|error| {
            Fault::new(FaultKind::BadAnswer, format!("the ledger's message {} cannot be read: {error}", outgoing.id))
        })?;
        Ok(Arc::new(self.linked(message)))
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
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
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.guard(self.fence.as_ref());
        work(&mut ledger)
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
