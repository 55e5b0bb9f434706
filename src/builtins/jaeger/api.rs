//! Traces as the query service gives them, and how many of them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value as Json;

use crate::builtins::http::service::{Ask, Product, Said, Service, part};
use crate::builtins::settings::setup;
use crate::catalog::{Args, Cx, Param};
use crate::types::{Connection, Fault, FaultKind, Value, records};

pub(super) static PRODUCT: Product = Product { name: "Jaeger", usually: "http://jaeger-query:16686", said };

pub(super) const JAEGER: Param<Arc<Connection>> = Param::connection("jaeger");
pub(super) const SERVICE: Param<String> = Param::required("service", "The service, as Jaeger calls it.");
pub(super) const OPERATION: Param<Option<String>> =
    Param::optional("operation", "Only traces in which the service does this: `GET /checkout`.");
pub(super) const SINCE: Param<SignedDuration> = Param::required("since", "How far back it looks from now.");
pub(super) const AT_MOST: Param<i64> = Param::or(
    "at_most",
    "How many traces may be read. Where there are as many, there may be more: that is a fault.",
    || Value::Int(1000),
);

records! {
    /// A trace: what came of one request.
    struct Trace "jaeger_trace" {
        /// Its id.
        id: Arc<str>,
        /// The service where it began.
        service: Arc<str>,
        /// What was asked of it.
        operation: Arc<str>,
        /// When it began.
        started: Timestamp,
        /// How long that was before the run began.
        age: SignedDuration,
        /// From its first moment to its last.
        duration: SignedDuration,
        /// How many steps it has.
        spans: i64,
        /// How many of them failed.
        errors: i64,
    }
}

/// A trace, and which services failed in it.
pub(super) struct Seen {
    pub(super) trace: Trace,
    pub(super) failed: HashSet<String>,
}

#[derive(Deserialize)]
#[serde(bound = "T: Deserialize<'de>")]
pub(super) struct Envelope<T> {
    /// Nothing is `null`; what does not say it at all is not of Jaeger.
    #[serde(deserialize_with = "said_or_null")]
    data: Option<T>,
    errors: Option<Vec<Wrong>>,
}

/// What is there, or `null`: a field that is left out is another answer than was asked for.
fn said_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

/// What is there, and nothing where it is `null`.
fn listed<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(said_or_null(from)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Wrong {
    msg: String,
}

fn said(_: u16, body: &[u8]) -> Option<Said> {
    let envelope: Envelope<Json> = serde_json::from_slice(body).ok()?;
    envelope.errors?.into_iter().next().map(|wrong| Said::words(wrong.msg))
}

/// Asks, and gives the data where all of it is there.
pub(super) async fn data<T: DeserializeOwned>(service: &Service<'_>, ask: Ask) -> Result<Option<T>, Fault> {
    let Envelope { data, errors } = service.read(ask).await?;
    match errors.into_iter().flatten().next() {
        Some(wrong) => {
            Err(Fault::new(FaultKind::Partial, format!("Jaeger could not read all that was asked for: {}", wrong.msg)))
        }
        None => Ok(data),
    }
}

/// The services that Jaeger knows.
pub(super) async fn names(service: &Service<'_>) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = data(service, Ask::get("/api/services")).await?.unwrap_or_default();
    names.sort();
    Ok(names)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(rename = "traceID")]
    id: Arc<str>,
    spans: Vec<Span>,
    processes: BTreeMap<String, Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    #[serde(rename = "spanID")]
    id: String,
    operation_name: Arc<str>,
    #[serde(default)]
    references: Vec<Reference>,
    /// Microseconds since 1970.
    start_time: i64,
    /// Microseconds.
    duration: i64,
    /// They say whether it failed.
    #[serde(deserialize_with = "listed")]
    tags: Vec<Tag>,
    #[serde(rename = "processID")]
    process: String,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "spanID")]
    id: String,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: Json,
}

impl Span {
    fn failed(&self) -> bool {
        self.tags.iter().any(|tag| match (tag.key.as_str(), &tag.value) {
            ("error", Json::Bool(failed)) => *failed,
            ("error", Json::String(text)) => text == "true",
            ("otel.status_code", Json::String(text)) => text == "ERROR",
            _ => false,
        })
    }
}

/// The traces of a service, newest first. `over` leaves out those that took less.
pub(super) async fn traces(cx: &Cx, args: &Args<'static>, over: Option<SignedDuration>) -> Result<Vec<Seen>, Fault> {
    let connection = args.get(&JAEGER)?;
    let service = Service::of(cx, &PRODUCT, &connection)?;
    let (name, since, at_most) = (args.get(&SERVICE)?, args.get(&SINCE)?, args.get(&AT_MOST)?);
    if !since.is_positive() {
        return Err(setup("`since` is a time longer than nothing"));
    }
    let at_most =
        usize::try_from(at_most).ok().filter(|most| *most > 0).ok_or_else(|| setup("`at_most` is at least 1"))?;
    let end = cx.world.now();
    let start = end.checked_sub(since).map_err(|_| setup("`since` goes back beyond all times"))?;
    let mut ask = Ask::get("/api/traces")
        .with("service", name.as_str())
        .with("start", start.as_microsecond().to_string())
        .with("end", end.as_microsecond().to_string())
        .with("limit", at_most.to_string());
    let operation = args.get(&OPERATION)?;
    if let Some(operation) = &operation {
        ask = ask.with("operation", operation.as_str());
    }
    if let Some(over) = over {
        ask = ask.with("minDuration", format!("{}us", over.as_micros()));
    }
    let found: Vec<Entry> = data(&service, ask).await?.unwrap_or_default();
    if found.len() >= at_most {
        let message = format!("Jaeger gave the {at_most} traces of `{name}` that it may, and there may be more");
        return Err(
            Fault::new(FaultKind::Partial, message).help("look back less far (`since:`), or take more (`at_most:`)")
        );
    }
    if found.is_empty() {
        known(&service, &name, operation.as_deref()).await?;
    }
    let mut seen: Vec<Seen> = found.into_iter().map(|entry| self::seen(cx, entry)).collect::<Result<_, _>>()?;
    seen.sort_by_key(|one| std::cmp::Reverse(one.trace.started));
    Ok(seen)
}

/// That there are no traces means something only of a service, and of an operation, that there is.
async fn known(service: &Service<'_>, name: &str, operation: Option<&str>) -> Result<(), Fault> {
    among(&names(service).await?, name, "Jaeger knows no service")?;
    if let Some(operation) = operation {
        let path = format!("/api/services/{}/operations", part(name, "name of a service")?);
        let operations: Vec<String> = data(service, Ask::get(path)).await?.unwrap_or_default();
        among(&operations, operation, &format!("`{name}` has no operation"))?;
    }
    Ok(())
}

fn among(names: &[String], name: &str, not: &str) -> Result<(), Fault> {
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    let some: Vec<&str> = names.iter().map(String::as_str).take(8).collect();
    let help = if some.is_empty() {
        "there are none at all: does anything send traces?".to_owned()
    } else {
        format!("there are {}{}", some.join(", "), if names.len() > some.len() { " and more" } else { "" })
    };
    Err(Fault::new(FaultKind::NotFound, format!("{not} `{name}`")).help(help))
}

fn seen(cx: &Cx, Entry { id, spans, processes }: Entry) -> Result<Seen, Fault> {
    let bad = |what: &str| Fault::new(FaultKind::BadAnswer, format!("the trace {id} {what}"));
    let ids: HashSet<&str> = spans.iter().map(|span| span.id.as_str()).collect();
    let is_root = |span: &&Span| !span.references.iter().any(|reference| ids.contains(reference.id.as_str()));
    // Where the root has not arrived there may be several that have no parent here.
    let root = spans.iter().filter(is_root).min_by_key(|span| span.start_time).or_else(|| spans.first());
    let root = root.ok_or_else(|| bad("has no spans"))?;
    let service = |span: &Span| {
        processes.get(&span.process).map(|process| process.service_name.clone()).ok_or_else(|| bad("names no service"))
    };
    let started = spans.iter().map(|span| span.start_time).min().unwrap_or(root.start_time);
    let ended = spans.iter().map(|span| span.start_time.saturating_add(span.duration)).max();
    let failed: Vec<&Span> = spans.iter().filter(|span| span.failed()).collect();
    let (started, ended) = (time(started, &bad)?, time(ended.unwrap_or(started), &bad)?);
    let trace = Trace {
        service: service(root)?.into(),
        operation: Arc::clone(&root.operation_name),
        started,
        age: cx.run.age(started),
        duration: ended.duration_since(started),
        spans: i64::try_from(spans.len()).unwrap_or(i64::MAX),
        errors: i64::try_from(failed.len()).unwrap_or(i64::MAX),
        id: Arc::clone(&id),
    };
    Ok(Seen { trace, failed: failed.into_iter().map(service).collect::<Result<_, _>>()? })
}

fn time(microseconds: i64, bad: &dyn Fn(&str) -> Fault) -> Result<Timestamp, Fault> {
    Timestamp::from_microsecond(microseconds).map_err(|_| bad("is of a time that there is not"))
}
