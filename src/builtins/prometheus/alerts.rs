//! prometheus.alerts

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::api::{PRODUCT, data};
use super::sample::{Labels, PROM, json, number};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, Typed, Value, Word, Words, records};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.alerts",
    summary: "The alerts of the server's rules that fire, and those whose condition holds but not yet for long enough.",
    params: &[PROM.info()],
    returns: Returns::Type(Vec::<Alert>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(alerts(cx, args))),
    needs: &[Need::Words("GET /api/v1/alerts of Prometheus")],
    by_hand: "curl -fsSL {connection}/api/v1/alerts",
    examples: &[
        Example::call("prom.alerts() | where(.state == \"firing\")"),
        Example::call("check prom.alerts() | where(.state == \"firing\") | is_empty as \"no alert fires\""),
    ],
};

/// Whether an alert has fired.
#[derive(Clone, Debug)]
pub struct State;

impl Words for State {
    const ENUM: &'static EnumType =
        &EnumType { name: "prometheus_alert_state", values: &["pending", "firing"], open: true };
}

records! {
    /// An alert of a rule.
    struct Alert "prometheus_alert" {
        /// What it is called: its label `alertname`.
        name: Arc<str>,
        /// Whether it fires, or waits for its time.
        state: Word<State>,
        /// The labels by their names: `.labels.severity`.
        labels: Arc<Json>,
        /// What the rule has to say to it.
        annotations: Arc<Json>,
        /// Since when its condition holds.
        active_at: Timestamp,
        /// How long that was before the run began.
        age: SignedDuration,
        /// What the expression of the rule gave. Not to be had where that is no number.
        value: Result<f64, Fault>,
    }
}

#[derive(Deserialize)]
struct Alerts {
    alerts: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    labels: Labels,
    #[serde(default)]
    annotations: Labels,
    state: String,
    active_at: Timestamp,
    value: String,
}

async fn alerts(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    let found: Alerts = data(&Service::of(&cx, &PRODUCT, &connection)?, Ask::get("/api/v1/alerts")).await?;
    let alerts = found.alerts.into_iter().map(|entry| Alert {
        name: entry.labels.get("alertname").map_or("", String::as_str).into(),
        state: Word::new(entry.state),
        labels: Arc::new(json(entry.labels)),
        annotations: Arc::new(json(entry.annotations)),
        active_at: entry.active_at,
        age: cx.run.age(entry.active_at),
        value: number(&entry.value),
    });
    Ok(alerts.collect::<Vec<_>>().into())
}
