//! Taking the snapshot: which logs are asked for, all of them side by side, and a word on what is missing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::iter;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;

use super::fetch::{Asked, Fetched, Limits, begins, fetch};
use super::instances::{Container, containers, names};
use super::merged::{Merged, Stream};
use super::whose::Whose;
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::spool::Spool;
use crate::types::{Fault, FaultKind, Log, Partial};
use crate::units;

/// How many logs are read side by side.
const AT_ONCE: usize = 8;
/// The most containers: each log may take a file.
const MOST: usize = 500;
/// How much all logs of a call take of the memory before they go into files.
const IN_MEMORY: usize = 16 << 20;
/// How many reasons are told.
const MOST_REASONS: usize = 3;

/// What of the logs is asked for.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) container: Option<String>,
    pub(super) from: Option<Timestamp>,
    pub(super) previous: bool,
    pub(super) tail: Option<i64>,
    pub(super) at_most: u64,
    pub(super) within: Duration,
}

/// What was read of one container.
struct Read {
    parts: Vec<Spool>,
    missing: Vec<String>,
    /// There is nothing, for this reason.
    nothing: Option<Fault>,
}

/// Reads the logs as they are now.
pub(super) async fn snapshot(
    cluster: &Kubernetes,
    namespace: &str,
    whose: &Whose,
    wanted: &Wanted,
    name: String,
) -> Result<Log, Fault> {
    let sources = sources(cluster, namespace, whose, wanted).await?;
    let in_memory = (IN_MEMORY / sources.len().max(1)).clamp(16 << 10, 4 << 20);
    let limits = Limits::new(wanted.at_most, wanted.within, in_memory);
    let reads: Vec<BoxFuture<'_, Read>> =
        sources.iter().map(|source| read(cluster, source, wanted, &limits).boxed()).collect();
    let reads: Vec<Read> = iter(reads).buffered(AT_ONCE).collect().await;
    if reads.iter().all(|read| read.nothing.is_some())
        && let Some(fault) = reads.iter().find_map(|read| read.nothing.clone())
    {
        return Err(fault);
    }
    let meanwhile = meanwhile(cluster, namespace, whose, wanted, &sources).await;
    let mut missing = Vec::new();
    let mut streams = Vec::new();
    for (source, read) in sources.iter().zip(reads) {
        let changed = meanwhile.get(&key(source)).cloned();
        let nothing = read.nothing.map(|fault| fault.message.to_string());
        let reasons = read.missing.into_iter().chain(nothing).chain(changed);
        missing.extend(reasons.map(|reason| format!("{}: {reason}", source.source)));
        streams.push(Stream { source: source.source.as_str().into(), parts: read.parts });
    }
    let partial = told(&missing).map(|reason| Arc::new(Partial { reason: reason.into() }));
    Ok(Log { name: name.into(), reader: Arc::new(Merged { streams, from: wanted.from }), partial })
}

/// The containers that have a log.
async fn sources(
    cluster: &Kubernetes,
    namespace: &str,
    whose: &Whose,
    wanted: &Wanted,
) -> Result<Vec<Container>, Fault> {
    let pods = whose.pods(cluster, namespace).await?;
    let named = wanted.container.as_deref();
    let mut sources: Vec<Container> = pods.iter().flat_map(|pod| containers(pod, named)).collect();
    if sources.is_empty() {
        let known: Vec<&str> = pods.first().map(names).unwrap_or_default();
        let message = format!("the {} has no container `{}`", whose.shown(), named.unwrap_or_default());
        return Err(Fault::new(FaultKind::NotFound, message).help(format!("it has `{}`", known.join("`, `"))));
    }
    if wanted.previous {
        sources.retain(|source| source.previous.is_some() || source.started > 1);
        if sources.is_empty() {
            let message = format!("the {} was never restarted: there is no log of before", whose.shown());
            return Err(Fault::new(FaultKind::NotFound, message));
        }
    }
    if sources.len() > MOST {
        let message = format!("the {} has {} containers, more than {MOST}", whose.shown(), sources.len());
        return Err(
            Fault::new(FaultKind::TooLarge, message).help("name one `container:`, or fewer pods by `selector:`")
        );
    }
    Ok(sources)
}

/// All logs of a container that are asked for.
async fn read(cluster: &Kubernetes, source: &Container, wanted: &Wanted, limits: &Limits) -> Read {
    let mut read = Read { parts: Vec::new(), missing: Vec::new(), nothing: None };
    if source.current.is_none() && !wanted.previous {
        // It was never started, so it has logged nothing.
        return read;
    }
    let began = |instance: &Option<super::instances::Instance>| instance.as_ref().and_then(|it| it.began);
    let inside = |time: Option<Timestamp>| wanted.from.zip(time).is_some_and(|(from, time)| time > from);
    // What is asked for from a time on includes what it logged before it was restarted after that time.
    let both = !wanted.previous && wanted.tail.is_none() && inside(began(&source.current));
    if both && source.previous.is_some() {
        let asked = asked(source, wanted, true);
        match fetch(cluster, &asked, limits).await {
            Ok(fetched) => keep(&mut read, fetched, "before its restart"),
            Err(fault) => read.missing.push(format!("what it logged before its restart: {}", fault.message)),
        }
    }
    let oldest = if both && source.previous.is_some() { &source.previous } else { &source.current };
    let readable = if both && source.previous.is_some() { 2 } else { 1 };
    if both && inside(began(oldest)) && source.started > readable {
        let times = source.started - 1;
        read.missing.push(format!("it was restarted {times} times, and only the last logs are kept"));
    }
    let asked = asked(source, wanted, wanted.previous);
    match fetch(cluster, &asked, limits).await {
        Ok(fetched) => {
            if let Some(rotated) = rotated(cluster, &asked, began(&source.current), &fetched, limits).await {
                read.missing.push(rotated);
            }
            keep(&mut read, fetched, "");
        }
        Err(fault) if waits_to_start(&fault) => {}
        Err(fault) => read.nothing = Some(fault),
    }
    read
}

fn asked(source: &Container, wanted: &Wanted, previous: bool) -> Asked {
    Asked {
        namespace: source.namespace.clone(),
        pod: source.pod.clone(),
        container: source.name.clone(),
        previous,
        since: wanted.from,
        tail: wanted.tail,
    }
}

fn keep(read: &mut Read, fetched: Fetched, when: &str) {
    read.missing.extend(fetched.cut.map(|cut| if when.is_empty() { cut } else { format!("{when}: {cut}") }));
    read.parts.push(fetched.spool);
}

/// The API gives the file that is being written only. Where a container has run since before what is asked for and
/// that file begins later, there were others.
async fn rotated(
    cluster: &Kubernetes,
    asked: &Asked,
    began: Option<Timestamp>,
    fetched: &Fetched,
    limits: &Limits,
) -> Option<String> {
    let from = asked.since.filter(|from| !asked.previous && began.is_some_and(|began| began < *from))?;
    // With lines to the brim of the window nothing is missing, and nobody needs to be asked.
    if asked.tail.is_some() || fetched.seen.first.is_some_and(|first| first <= from) {
        return None;
    }
    let first = begins(cluster, asked, limits).await.filter(|first| *first > from)?;
    let late = units::duration(i64::try_from(first.as_nanosecond() - from.as_nanosecond()).ok()?);
    Some(format!(
        "its log begins at {first:.0}, {late} later than asked for, and it has run for longer: the cluster gives no older file of it"
    ))
}

/// A container that has not been started yet has no log, and has logged nothing.
fn waits_to_start(fault: &Fault) -> bool {
    fault.kind == FaultKind::Failed && fault.message.contains("is waiting to start")
}

/// What happened to the containers while their logs were read.
async fn meanwhile(
    cluster: &Kubernetes,
    namespace: &str,
    whose: &Whose,
    wanted: &Wanted,
    before: &[Container],
) -> HashMap<Key, String> {
    let now = whose.pods(cluster, namespace).await;
    let gone = now.as_ref().is_err_and(|fault| matches!(fault.kind, FaultKind::NotFound | FaultKind::NoValue));
    let now: Vec<Container> = match &now {
        Ok(pods) => pods.iter().flat_map(|pod| containers(pod, wanted.container.as_deref())).collect(),
        Err(_) if gone => Vec::new(),
        Err(fault) => {
            let reason = format!("nobody can say whether it was restarted while its log was read: {}", fault.message);
            return before.iter().map(|container| (key(container), reason.clone())).collect();
        }
    };
    let now: HashMap<_, _> = now.into_iter().map(|container| (key(&container), container.identity)).collect();
    let changed = |container: &Container| {
        let what = match now.get(&key(container)) {
            None => "its pod went away while its log was read",
            Some(identity) if identity.0 != container.identity.0 => "its pod was replaced while its log was read",
            Some(identity) if identity.1 != container.identity.1 => "it was restarted while its log was read",
            Some(_) => return None,
        };
        Some((key(container), what.to_owned()))
    };
    before.iter().filter_map(changed).collect()
}

/// A container by its names.
type Key = (String, String, String);

fn key(container: &Container) -> Key {
    (container.namespace.clone(), container.pod.clone(), container.name.clone())
}

/// The reasons as one.
fn told(reasons: &[String]) -> Option<String> {
    let first = reasons.iter().take(MOST_REASONS).cloned().collect::<Vec<_>>().join("; ");
    let more = reasons.len().saturating_sub(MOST_REASONS);
    match (first.is_empty(), more) {
        (true, _) => None,
        (false, 0) => Some(first),
        (false, more) => Some(format!("{first}; and {more} more")),
    }
}
