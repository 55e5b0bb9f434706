//! A container's log from the API into a spool: bounded in bytes and time, and with a word on whatever is missing of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::BodyExt;
use jiff::Timestamp;
use tokio::time::{Instant, timeout_at};

use super::merged::stamp;
use crate::builtins::kubernetes::ask::{Ask, Resource};
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::kubernetes::faults::words;
use crate::builtins::kubernetes::request::Deadline;
use crate::builtins::spool::Spool;
use crate::types::{Fault, FaultKind};
use crate::units;

/// How often a log that breaks off is asked for again, from its beginning.
const AGAIN: u32 = 2;
/// How long until then, twice as long each time.
const PAUSE: Duration = Duration::from_millis(250);
/// How much of a line is kept to see its time, and to tell of it.
const HEAD: usize = 200;

/// Which log.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
    /// Of what ran before it was last restarted.
    pub(super) previous: bool,
    pub(super) since: Option<Timestamp>,
    pub(super) tail: Option<i64>,
}

/// What came of it.
pub(super) struct Fetched {
    pub(super) spool: Spool,
    pub(super) seen: Seen,
    /// Why it is not whole.
    pub(super) cut: Option<String>,
}

/// How much may still be kept of all logs of a call, and until when they may be read.
pub(super) struct Limits {
    left: AtomicU64,
    pub(super) at_most: u64,
    pub(super) deadline: Instant,
    pub(super) within: Duration,
    /// How much of each log stays in memory.
    pub(super) in_memory: usize,
}

impl Limits {
    pub(super) fn new(at_most: u64, within: Duration, in_memory: usize) -> Self {
        let deadline = Instant::now() + within;
        Self { left: AtomicU64::new(at_most), at_most, deadline, within, in_memory }
    }

    /// How many of so many bytes may be kept.
    fn take(&self, wanted: usize) -> usize {
        let wanted = wanted as u64;
        let less = |left: u64| Some(left.saturating_sub(wanted));
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).unwrap_or_default();
        usize::try_from(left.min(wanted)).unwrap_or_default()
    }

    fn give_back(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }

    fn no_answer(&self) -> Fault {
        let within = units::duration(nanoseconds(self.within));
        Fault::new(FaultKind::Timeout, format!("its log did not come within {within}"))
            .help("give it longer with `within:`")
    }

    fn too_slow(&self) -> String {
        format!("it was not read to its end within {}", units::duration(nanoseconds(self.within)))
    }
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Reads a log. What breaks off is read again from its beginning, which is the same log.
pub(super) async fn fetch(cluster: &Kubernetes, asked: &Asked, limits: &Limits) -> Result<Fetched, Fault> {
    let mut pause = PAUSE;
    let mut again = 0;
    loop {
        let fetched = once(cluster, asked, limits).await?;
        let Some(broken) = &fetched.broken else { return Ok(fetched.whole()) };
        if again == AGAIN || Instant::now() + pause >= limits.deadline {
            return Ok(fetched.whole());
        }
        tracing::debug!(pod = asked.pod, container = asked.container, %broken, "the log broke off, and is read again");
        limits.give_back(fetched.spool.length);
        tokio::time::sleep(pause).await;
        (again, pause) = (again + 1, pause * 2);
    }
}

/// One reading.
struct Reading {
    spool: Spool,
    seen: Seen,
    /// It ended where it should not have.
    broken: Option<String>,
    /// It was ended from here.
    stopped: Option<String>,
}

impl Reading {
    fn whole(mut self) -> Fetched {
        self.seen.end();
        let broken = self.broken.map(|why| format!("it broke off: {why}"));
        let cut = self.stopped.or(broken).or_else(|| self.seen.foreign.take());
        Fetched { spool: self.spool, seen: self.seen, cut }
    }
}

async fn once(cluster: &Kubernetes, asked: &Asked, limits: &Limits) -> Result<Reading, Fault> {
    let ask = ask(asked, None)?;
    let opened = timeout_at(limits.deadline, cluster.stream(&ask)).await;
    let mut body = opened.map_err(|_| limits.no_answer())??.into_body();
    let (spool, seen) = (Spool::keeping(limits.in_memory), Seen::default());
    let mut reading = Reading { spool, seen, broken: None, stopped: None };
    loop {
        let frame = match timeout_at(limits.deadline, body.frame()).await {
            Err(_) => {
                reading.stopped = Some(limits.too_slow());
                return Ok(reading);
            }
            Ok(None) => return Ok(reading),
            Ok(Some(Err(error))) => {
                reading.broken = Some(words(&error));
                return Ok(reading);
            }
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(chunk) = frame.into_data() else { continue };
        let (length, kept) = (chunk.len(), limits.take(chunk.len()));
        let kept_bytes = chunk.get(..kept).unwrap_or_default();
        reading.seen.look(kept_bytes);
        if let Err(error) = reading.spool.push(kept_bytes) {
            reading.stopped = Some(format!("it could not be kept on this machine: {error}"));
            return Ok(reading);
        }
        if kept < length {
            let most = units::size(i64::try_from(limits.at_most).unwrap_or(i64::MAX));
            reading.stopped = Some(format!("more than {most} was logged, which is all that is kept (`at_most:`)"));
            return Ok(reading);
        }
    }
}

/// The time of the first line that the API has of a log, whatever is asked for of it.
pub(super) async fn begins(cluster: &Kubernetes, asked: &Asked, limits: &Limits) -> Option<Timestamp> {
    const STAMP: i64 = 64;
    let all = Asked { since: None, tail: None, ..asked.clone() };
    let ask = ask(&all, Some(STAMP)).ok()?;
    let head = timeout_at(limits.deadline, cluster.read_bytes(&ask, Deadline::after(cluster.within)));
    stamp(&head.await.ok()?.ok()?).map(|(time, _)| time)
}

fn ask(asked: &Asked, limit: Option<i64>) -> Result<Ask, Fault> {
    let mut ask = Ask::get(&Resource::PODS, &asked.namespace, &asked.pod)?
        .sub("log")
        .query("container", asked.container.as_str())
        .query("timestamps", "true");
    if asked.previous {
        ask = ask.query("previous", "true");
    }
    // Asked from the second on in which it begins: the API knows no fractions.
    if let Some(second) = asked.since.and_then(|since| Timestamp::from_second(since.as_second()).ok()) {
        ask = ask.query("sinceTime", second.to_string());
    }
    if let Some(lines) = asked.tail {
        ask = ask.query("tailLines", lines.to_string());
    }
    if let Some(bytes) = limit {
        ask = ask.query("limitBytes", bytes.to_string());
    }
    Ok(ask)
}

/// What was seen of the lines as they went by.
#[derive(Default)]
pub(super) struct Seen {
    /// The time of the first line.
    pub(super) first: Option<Timestamp>,
    any: bool,
    head: Vec<u8>,
    inside: bool,
    /// A line that no container wrote: the node puts its own troubles in between.
    foreign: Option<String>,
}

impl Seen {
    fn look(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let end = memchr::memchr(b'\n', bytes);
            let line = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
            let room = HEAD.saturating_sub(self.head.len());
            self.head.extend_from_slice(line.get(..room).unwrap_or(line));
            self.inside = true;
            let Some(end) = end else { return };
            self.end();
            bytes = bytes.get(end + 1..).unwrap_or_default();
        }
    }

    /// The end of a line.
    fn end(&mut self) {
        if !std::mem::take(&mut self.inside) {
            return;
        }
        // Looking whether it begins with a year is enough: a log has millions of lines.
        let dated =
            self.head.get(..5).is_some_and(|year| matches!(year, [y @ .., b'-'] if y.iter().all(u8::is_ascii_digit)));
        if !dated && self.foreign.is_none() {
            let text = String::from_utf8_lossy(&self.head);
            let text: String = text.chars().filter(|c| !c.is_control()).collect();
            self.foreign = Some(format!("a line of it has no time, so the node wrote it: `{}`", text.trim()));
        }
        if !std::mem::replace(&mut self.any, true) {
            self.first = stamp(&self.head).map(|(time, _)| time);
        }
        self.head.clear();
    }
}
