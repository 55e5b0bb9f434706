//! Too much for people to read: more messages than a channel takes in a minute are told as one.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use crate::catalog::{Message, Person};
use crate::types::Severity;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// For how long the other side may ask that nothing is told there.
const LONGEST_ALONE: SignedDuration = SignedDuration::from_mins(10);
/// How many messages are named in one that stands for many, and how long each name is.
const NAMED: usize = 40;
const LONGEST: usize = 200;

/// When each channel was told something in the last minute.
#[derive(Default)]
pub(super) struct Pace {
    told: HashMap<String, VecDeque<Timestamp>>,
    /// Until when a channel is left alone: the other side said so.
    left_alone: HashMap<String, Timestamp>,
}

impl Pace {
    /// The other side takes nothing for a time.
    pub(super) fn leave_alone(&mut self, channel: &str, until: Timestamp) {
        self.left_alone.insert(channel.to_owned(), until);
    }

    /// Until when a channel is to be left alone; `None` where it may be told now. Nobody is left alone for long: people wait.
    pub(super) fn left_alone(&self, channel: &str, now: Timestamp) -> Option<Timestamp> {
        let until = *self.left_alone.get(channel)?;
        let longest = now.checked_add(LONGEST_ALONE).unwrap_or(Timestamp::MAX);
        (until > now && until <= longest).then_some(until)
    }

    /// How many more messages a channel takes now, or else when it takes the next.
    pub(super) fn free(&mut self, channel: &str, most: usize, now: Timestamp) -> Result<usize, Timestamp> {
        let Some(told) = self.told.get_mut(channel) else { return Ok(most) };
        // A clock that was set back must not hold anything up for longer than a minute.
        told.retain(|at| now.duration_since(*at).abs() < MINUTE);
        match most.checked_sub(told.len()) {
            Some(free @ 1..) => Ok(free),
            _ => Err(told.front().and_then(|first| first.checked_add(MINUTE).ok()).unwrap_or(now)),
        }
    }

    pub(super) fn told(&mut self, channel: &str, now: Timestamp) {
        match self.told.get_mut(channel) {
            Some(told) => told.push_back(now),
            None => _ = self.told.insert(channel.to_owned(), VecDeque::from([now])),
        }
    }
}

/// One message that stands for several of a channel: how many there are, and which.
pub(super) fn together(messages: &[Arc<Message>], now: Timestamp) -> Option<Message> {
    let first = messages.first()?;
    let mut hash = Sha256::new();
    let mut occasions: BTreeMap<&str, usize> = BTreeMap::new();
    for message in messages {
        hash.update(message.key.as_bytes());
        hash.update([0]);
        *occasions.entry(message.occasion.name()).or_default() += 1;
    }
    let name: Arc<str> = format!("together-{:.32}", hex::encode(hash.finalize())).into();
    let counts: Vec<String> = occasions.iter().map(|(occasion, count)| format!("{count} {occasion}")).collect();
    let mut text = format!("{}. They came too fast to be told one by one.", counts.join(", "));
    // What is worst is named first; of the same, what came first.
    let mut named: Vec<&Arc<Message>> = messages.iter().collect();
    named.sort_by_key(|message| std::cmp::Reverse(message.severity));
    for message in named.iter().take(NAMED) {
        let _ = write!(text, "\n{}", line(message));
    }
    if let Some(more @ 1..) = messages.len().checked_sub(NAMED) {
        let _ = write!(text, "\nand {more} more: `runbook incidents` lists what is open");
    }
    Some(Message {
        key: Arc::clone(&name),
        about: name,
        occasion: crate::catalog::Occasion::Note,
        severity: messages.iter().map(|message| message.severity).max().unwrap_or(Severity::Info),
        title: format!("{}: {} messages", first.runbook, messages.len()).into(),
        text,
        parts: Vec::new(),
        facts: Vec::new(),
        doc: "".into(),
        at: now,
        on_call: None,
        called: called(messages),
        incident: None,
        link: None,
        acknowledge: None,
        ..(**first).clone()
    })
}

/// Who is told by name of any of them, each once.
fn called(messages: &[Arc<Message>]) -> Vec<Arc<Person>> {
    let mut called: Vec<Arc<Person>> = Vec::new();
    for person in messages.iter().flat_map(|message| message.people()) {
        if !called.contains(person) {
            called.push(Arc::clone(person));
        }
    }
    called
}

/// `critical, opened: Errors: errors are 50% for pod=a`
fn line(message: &Message) -> String {
    let text = message.text.lines().next().unwrap_or_default();
    let whole = format!("{}, {}: {}: {text}", message.severity.name(), message.occasion.name(), message.title);
    let mut line: String = whole.chars().take(LONGEST).collect();
    if let Some(url) = &message.acknowledge {
        let _ = write!(line, " (acknowledge: {url})");
    }
    line
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{MINUTE, Pace};

    #[test]
    fn a_channel_takes_so_many_in_any_minute() {
        let (mut pace, begun) = (Pace::default(), Timestamp::UNIX_EPOCH);
        assert_eq!(pace.free("chat", 2, begun), Ok(2));
        pace.told("chat", begun);
        let later = begun + MINUTE / 2;
        pace.told("chat", later);
        assert_eq!(pace.free("chat", 2, later), Err(begun + MINUTE));
        assert_eq!(pace.free("mail", 2, later), Ok(2), "another has a pace of its own");
        assert_eq!(pace.free("chat", 2, begun + MINUTE), Ok(1));
        assert_eq!(pace.free("chat", 2, begun - MINUTE * 60), Ok(2), "the clock was set back");
        pace.leave_alone("chat", later);
        assert_eq!(pace.left_alone("chat", begun), Some(later));
        assert_eq!((pace.left_alone("chat", later), pace.left_alone("mail", begun)), (None, None));
        assert_eq!(pace.left_alone("chat", begun - MINUTE * 60), None, "the clock was set back");
    }
}
