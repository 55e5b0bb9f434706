//! The courier: takes messages that were written down to their channels, and writes down what came of it.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::Desk;
use super::flood::{self, Pace};
use super::left::Own;
use super::turns::Turn;
use crate::alerting::Input;
use crate::catalog::{Again, Channel, Cx, Message, NotTold, Remark, RunFacts, World};
use crate::check::program::{ChannelId, ParamId, Program};
use crate::run;
use crate::store::ledger::{Due, Fence, Ledger, Outgoing, locked};
use crate::types::{Fault, FaultKind, Value};

/// How long a message is ours alone: longer than the longest try. If this process dies, it is told after this time.
const LEASE: SignedDuration = SignedDuration::from_secs(75);
/// How long one try may take.
const TRY: Duration = Duration::from_mins(1);
/// How many messages of a flood are told together.
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
/// When a page is tried again that the other side has refused.
const REFUSED: Again = Again::After(Duration::from_mins(10));

/// Takes the messages of one runbook to its channels.
#[derive(Clone)]
pub struct Courier {
    ledger: Arc<Mutex<Ledger>>,
    pub(super) desk: Arc<Desk>,
    program: Arc<Program>,
    set: HashMap<ParamId, Value>,
    pub(super) cx: Cx,
    /// Names this process to others that share the ledger.
    pub(super) holder: String,
    opened: Arc<Mutex<HashMap<String, Arc<dyn Channel>>>>,
    pace: Arc<Mutex<Pace>>,
    links: Option<MakesLinks>,
    /// Under which lease it tells.
    pub(super) fence: Option<Fence>,
    /// What this process has to tell.
    pub(super) own: Arc<Own>,
    /// The channels that are told by others alone.
    pub(super) closed: Arc<BTreeSet<Arc<str>>>,
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
    /// What the other side said, or why it was not told and what follows.
    pub result: Result<String, (Fault, Then)>,
    /// It was tried often enough, or is given up: the channel does not get through.
    pub is_down: bool,
}

/// What follows where a message was not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// It is tried again at this time.
    Again(Timestamp),
    GivenUp,
    /// Nobody needs it any more, or another process tells it: it was long on its way.
    NotOurs,
}

/// Takes what became of messages, as soon as it is known.
pub trait Hears: Send + Sync {
    fn told(&self, delivery: &Delivery);

    /// How a look at what is due ended, or (`Some`) a channel's line. Gives whether to go on where there is a fault: what
    /// cannot be written down is not told either.
    fn ended(&self, _channel: Option<&str>, _fault: Option<&Fault>) -> bool {
        false
    }
}

impl<F: Fn(&Delivery) + Send + Sync> Hears for F {
    fn told(&self, delivery: &Delivery) {
        self(delivery);
    }
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
            own: Arc::default(),
            closed: Arc::default(),
        }
    }

    /// The same courier, in the name of a lease: it tells and writes only while the lease is held.
    #[must_use]
    pub fn under(&self, fence: &Fence) -> Self {
        let desk = Arc::new(self.desk.under(fence.clone()));
        Self { desk, fence: Some(fence.clone()), ..self.clone() }
    }

    /// The same courier, which leaves what some channels have to tell to others.
    #[must_use]
    pub fn without(self, closed: BTreeSet<Arc<str>>) -> Self {
        Self { closed: Arc::new(closed), ..self }
    }

    /// Pages hold a link by which they are answered.
    #[must_use]
    pub fn with_links(self, links: MakesLinks) -> Self {
        Self { links: Some(links), ..self }
    }

    /// For which channels something waits.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn due(&self, now: Timestamp) -> Result<Vec<Due>, Fault> {
        self.with(|ledger| ledger.due(self.desk.runbook(), now))
    }

    /// When something is due next.
    ///
    /// # Errors
    /// Where the ledger cannot be read.
    pub fn next_due(&self) -> Result<Option<Timestamp>, Fault> {
        self.with(|ledger| ledger.next_due(self.desk.runbook()))
    }

    /// Tells a channel what is due there, one after the other (an end is not told before its beginning), or together where
    /// that is more than it takes. Waits while another process does so. Ends when nothing is due, or between two messages
    /// where it is told to stop. Whoever tells several channels gives each a line of its own: one that hangs holds up no
    /// other.
    ///
    /// Gives why a message could not be read, where that is so: it holds up no other.
    ///
    /// # Errors
    /// Where the ledger cannot be read or written. What was told and could not be written down is told again, under the
    /// same key.
    pub(super) async fn line(
        &self,
        name: &str,
        stop: &CancellationToken,
        hears: &dyn Hears,
    ) -> Result<Option<Fault>, Fault> {
        // Of one that cannot be opened it is said when it is told.
        let most = self.open(name).await.ok().and_then(|channel| channel.at_most());
        let runbook = self.desk.runbook();
        let mut unreadable = None;
        let mut turn = Turn::new(self, name);
        // What was tried before goes first, whatever its time, until something does not get through: a channel that is back
        // hears all of it at once, and in order.
        let mut behind = Some(0);
        while turn.comes(stop).await? {
            let now = self.cx.world.now();
            if let Some((next, why)) = self.held(name, most, now) {
                self.with(|ledger| ledger.postpone(runbook, name, now, next, why))?;
                break;
            }
            let free = most.map(|most| self.pace().free(name, most, now));
            let at_most = match free {
                Some(Ok(free)) if self.with(|ledger| ledger.waiting(runbook, name, now))? > free => AT_ONCE,
                // What is claimed is on its way: of a line that hangs, others see what has not been tried yet.
                _ => 1,
            };
            let claimed =
                self.with(|ledger| ledger.claim((runbook, name), &self.holder, now, LEASE, at_most, behind))?;
            let Some(last) = claimed.last().map(|one| one.id) else { break };
            behind = behind.map(|_| last);
            let mut own = Vec::new();
            for outgoing in claimed {
                match self.message(&outgoing) {
                    Ok(message) => own.push(Claimed { outgoing, message }),
                    // It stays for whoever can read it: a newer version may have written it.
                    Err(fault) => {
                        let (why, next) = (fault.to_string(), next_try(&outgoing, Again::Later, now));
                        self.with(|ledger| ledger.not_told(outgoing.id, &self.holder, now, &why, next))?;
                        unreadable.get_or_insert(fault);
                    }
                }
            }
            let message = match own.as_slice() {
                [] => continue,
                [one] => Arc::clone(&one.message),
                [first, ..] => {
                    let messages: Vec<Arc<Message>> = own.iter().map(|one| Arc::clone(&one.message)).collect();
                    flood::together(&messages, now).map_or_else(|| Arc::clone(&first.message), Arc::new)
                }
            };
            let (told, is_heard) = match select(pin!(self.send(name, &own, message)), pin!(turn.lasts())).await {
                Either::Left((told, _)) => told?,
                Either::Right((never, _)) => match never {},
            };
            behind = is_heard.then_some(last);
            hears.told(&told);
        }
        Ok(unreadable)
    }

    /// Until when a channel takes nothing, and why.
    fn held(&self, name: &str, most: Option<usize>, now: Timestamp) -> Option<(Timestamp, &'static str)> {
        let pace = &mut *self.pace();
        if let Some(until) = pace.left_alone(name, now) {
            return Some((until, "the other side takes nothing for now: it waits its turn"));
        }
        let next = most.and_then(|most| pace.free(name, most, now).err());
        next.map(|next| (next, "more is told there than it takes in a minute: it waits its turn"))
    }

    /// Sends one message, which stands for all that was claimed. Gives whether the other side heard it, and be it to refuse.
    async fn send(&self, name: &str, claimed: &[Claimed], message: Arc<Message>) -> Result<(Delivery, bool), Fault> {
        let answer = self.tell(name, &message).await;
        let now = self.cx.world.now();
        self.pace().told(name, now);
        if let Err(NotTold { again: Again::After(pause), .. }) = &answer
            && let Ok(until) = now.checked_add((*pause).min(LONGEST_PAUSE.unsigned_abs()))
        {
            // What is told there next would be refused as well.
            self.pace().leave_alone(name, until);
        }
        let (mut then, mut is_down) = (None, false);
        for Claimed { outgoing, message } in claimed {
            match &answer {
                Ok(said) => {
                    self.own.heard(outgoing, true);
                    self.note_told(outgoing.id, now, said).await?;
                }
                Err(NotTold { fault, again }) => {
                    // Whoever was told there of what is over now is not there any more.
                    let in_vain = message.occasion.is_for_all() && self.id(name).is_none();
                    // As long as it is open, somebody has to hear of it: what is refused may be taken once that is mended.
                    let refused = *again == Again::Never;
                    let again = if refused && message.occasion.is_page() { REFUSED } else { *again };
                    let next = next_try(outgoing, again, now).filter(|_| !in_vain);
                    let why = fault.to_string();
                    self.own.heard(outgoing, next.is_none());
                    let ours = self.with(|ledger| ledger.not_told(outgoing.id, &self.holder, now, &why, next))?;
                    then.get_or_insert(match next {
                        _ if !ours => Then::NotOurs,
                        Some(next) => Then::Again(next),
                        None => Then::GivenUp,
                    });
                    if in_vain {
                        continue;
                    }
                    is_down |= outgoing.tries >= DOWN_AFTER || refused || next.is_none();
                    if outgoing.tries == DOWN_AFTER || (refused && outgoing.tries == 1) || next.is_none() {
                        self.report_down(outgoing, message, &why, refused, now)?;
                    }
                }
            }
        }
        let is_heard = !matches!(&answer, Err(NotTold { again: Again::Later | Again::After(_), .. }));
        let result = answer.map_err(|NotTold { fault, .. }| (fault, then.unwrap_or(Then::NotOurs)));
        Ok((Delivery { channel: name.to_owned(), message, result, is_down }, is_heard))
    }

    /// Writes down what is out, also where the ledger is away for a moment: it would be told again otherwise.
    async fn note_told(&self, id: i64, now: Timestamp, said: &str) -> Result<(), Fault> {
        let mut left = NOTED_AGAIN;
        loop {
            match self.with(|ledger| ledger.told(id, &self.holder, now, said)) {
                // Whether it was written is not always known, and to write it once more does no harm.
                Err(fault) if matches!(fault.kind, FaultKind::Unreachable | FaultKind::Timeout) && left > 0 => {
                    left -= 1;
                }
                noted => return noted.map(drop),
            }
            self.cx.world.sleep(NOTED_AFTER).await;
        }
    }

    pub(super) fn message(&self, outgoing: &Outgoing) -> Result<Arc<Message>, Fault> {
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
        let acknowledge = match (&self.links, &message.incident) {
            (Some(links), Some(incident)) if message.occasion.is_page() => {
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

    /// A channel that the runbook has.
    fn id(&self, name: &str) -> Option<ChannelId> {
        let place = self.program.channels.iter().position(|channel| *channel.name == *name)?;
        u32::try_from(place).ok().map(ChannelId)
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
        let id = self.id(name).ok_or_else(|| {
            let message = format!("the runbook has no channel `{name}` any more");
            Fault::new(FaultKind::NotFound, message)
        })?;
        let (facts, world) = (Arc::clone(&self.cx.run), Arc::clone(&self.cx.world));
        let channel = run::open_channel(Arc::clone(&self.program), self.set.clone(), facts, world, id).await?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(opened.entry(name.to_owned()).or_insert(channel)))
    }

    /// Says on the other channels of this runbook that one of them does not get through.
    fn report_down(
        &self,
        outgoing: &Outgoing,
        message: &Message,
        why: &str,
        refused: bool,
        now: Timestamp,
    ) -> Result<(), Fault> {
        // Its own report is not reported.
        if message.key.starts_with(DOWN) {
            return Ok(());
        }
        let others = self.program.channels.iter().map(|channel| Arc::clone(&channel.name));
        let channels: Vec<Arc<str>> = others.filter(|name| **name != *outgoing.channel).collect();
        let hour = now.as_second() / 3600;
        // What one of them says of it is not what the other does.
        let kind = if refused { "refused-" } else { "" };
        let key = format!("{DOWN}{kind}{}-{hour}", outgoing.channel);
        let title = format!("{}: `{}` does not get through", self.desk.runbook(), outgoing.channel);
        let text = format!("\"{}\" ({}) could not be told there: {why}", message.title, message.occasion.name());
        self.desk.take(now, Input::Note { key: key.into(), channels, title: title.into(), text })?;
        Ok(())
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Ledger) -> T) -> T {
        let mut ledger = locked(&self.ledger);
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
        // Whoever wants to be left alone for a day is asked again all the same: people wait.
        Again::After(pause) => SignedDuration::try_from(pause).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE)),
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
