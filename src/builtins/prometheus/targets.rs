//! prometheus.targets

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::api::{PRODUCT, data};
use super::rules::{happened, seconds};
use super::sample::{Labels, PROM, json};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, Typed, Value, Word, Words, records};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.targets",
    summary: "What the server scrapes, and whether it could the last time. A target that was never found is not among them.",
    params: &[PROM.info()],
    returns: Returns::Type(Vec::<Target>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(targets(cx, args))),
    needs: &[Need::Words("GET /api/v1/targets of Prometheus")],
    by_hand: "curl -fsSL {connection}'/api/v1/targets?state=active'",
    examples: &[
        Example::call("check prom.targets() | all(.health == \"up\") as \"every target is scraped\""),
        Example::call("prom.targets() | where(.health == \"down\") | each({ url: .url, why: .last_error })"),
    ],
};

/// How the last scrape went.
#[derive(Clone, Debug)]
pub struct Health;

impl Words for Health {
    const ENUM: &'static EnumType =
        &EnumType { name: "prometheus_target_health", values: &["up", "down", "unknown"], open: true };
}

records! {
    /// What is scraped.
    struct Target "prometheus_target" {
        /// Its job.
        job: Arc<str>,
        /// Its instance, as the label says.
        instance: Arc<str>,
        /// How the last scrape went. `unknown`: there was none yet.
        health: Word<Health>,
        /// Why it failed.
        last_error: Option<Arc<str>>,
        /// When it was; missing where there was none.
        last_scrape: Option<Timestamp>,
        /// How long that was before the run began.
        age: Option<SignedDuration>,
        /// How long it took.
        duration: Result<SignedDuration, Fault>,
        /// Where it is scraped, without its query.
        url: Arc<str>,
        /// The labels by their names.
        labels: Arc<Json>,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Targets {
    active_targets: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    labels: Labels,
    scrape_url: String,
    last_error: Arc<str>,
    last_scrape: Timestamp,
    last_scrape_duration: f64,
    health: String,
}

async fn targets(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    let ask = Ask::get("/api/v1/targets").with("state", "active");
    let found: Targets = data(&Service::of(&cx, &PRODUCT, &connection)?, ask).await?;
    let targets = found.active_targets.into_iter().map(|entry| {
        let label = |name: &str| Arc::from(entry.labels.get(name).map_or("", String::as_str));
        let last_scrape = Some(entry.last_scrape).filter(happened);
        Target {
            job: label("job"),
            instance: label("instance"),
            health: Word::new(entry.health),
            last_error: Some(entry.last_error).filter(|error| !error.is_empty()),
            last_scrape,
            age: last_scrape.map(|time| cx.run.age(time)),
            duration: seconds(entry.last_scrape_duration),
            // A query may hold a token.
            url: entry.scrape_url.split('?').next().unwrap_or_default().into(),
            labels: Arc::new(json(entry.labels)),
        }
    });
    Ok(targets.collect::<Vec<_>>().into())
}
