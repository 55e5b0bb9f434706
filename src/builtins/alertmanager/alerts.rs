//! alertmanager.alerts

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::api::{ALERTMANAGER, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, Typed, Value, Word, Words, records};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "alertmanager.alerts",
    summary: "The alerts that are open now, and whether somebody is told of each. A suppressed one is silenced, or hidden by a worse one.",
    params: &[ALERTMANAGER.info()],
    returns: Returns::Type(Vec::<Alert>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(alerts(cx, args))),
    needs: &[Need::Words("GET /api/v2/alerts of Alertmanager")],
    by_hand: "amtool --alertmanager.url={connection.url} alert query --silenced --inhibited --unprocessed --active",
    examples: &[
        Example::call("check pager.alerts() | where(.state == \"active\") | is_empty as \"nothing is alerted\""),
        Example::call("pager.alerts() | where(.labels.severity == \"critical\")"),
    ],
};

/// Whether somebody is told.
#[derive(Clone, Debug)]
pub struct State;

impl Words for State {
    const ENUM: &'static EnumType =
        &EnumType { name: "alertmanager_alert_state", values: &["active", "suppressed", "unprocessed"], open: true };
}

records! {
    /// An alert.
    struct Alert "alertmanager_alert" {
        /// What it is called: its label `alertname`.
        name: Arc<str>,
        /// Whether somebody is told: `unprocessed` ones have just come in.
        state: Word<State>,
        /// The labels by their names: `.labels.severity`.
        labels: Arc<Json>,
        /// What its rule has to say to it.
        annotations: Arc<Json>,
        /// When it began.
        starts_at: Timestamp,
        /// How long that was before the run began.
        age: SignedDuration,
        /// When it ends if nobody says that it goes on.
        ends_at: Timestamp,
        /// Who is told.
        receivers: Vec<Arc<str>>,
        /// The silences that keep it quiet, by their ids.
        silenced_by: Vec<Arc<str>>,
        /// The alerts that keep it quiet, by their fingerprints.
        inhibited_by: Vec<Arc<str>>,
        /// What tells it from others.
        fingerprint: Arc<str>,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    fingerprint: Arc<str>,
    receivers: Vec<Receiver>,
    status: Status,
}

#[derive(Deserialize)]
struct Receiver {
    name: Arc<str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    state: String,
    silenced_by: Vec<Arc<str>>,
    inhibited_by: Vec<Arc<str>>,
}

async fn alerts(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ALERTMANAGER)?;
    let found: Vec<Entry> = Service::of(&cx, &PRODUCT, &connection)?.read(Ask::get("/api/v2/alerts")).await?;
    let alerts = found.into_iter().map(|entry| Alert {
        name: entry.labels.get("alertname").map_or("", String::as_str).into(),
        state: Word::new(entry.status.state),
        labels: data(entry.labels),
        annotations: data(entry.annotations),
        starts_at: entry.starts_at,
        age: cx.run.age(entry.starts_at),
        ends_at: entry.ends_at,
        receivers: entry.receivers.into_iter().map(|receiver| receiver.name).collect(),
        silenced_by: entry.status.silenced_by,
        inhibited_by: entry.status.inhibited_by,
        fingerprint: entry.fingerprint,
    });
    Ok(alerts.collect::<Vec<_>>().into())
}

fn data(labels: BTreeMap<String, String>) -> Arc<Json> {
    Arc::new(Json::Object(labels.into_iter().map(|(name, value)| (name, Json::String(value))).collect()))
}
