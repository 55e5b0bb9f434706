//! prometheus.rules

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::api::{PRODUCT, data};
use super::sample::PROM;
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, FaultKind, Typed, Value, Word, Words, records};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.rules",
    summary: "The alerting and recording rules of the server, and whether each could be evaluated. A rule that could not alerts nobody.",
    params: &[PROM.info()],
    returns: Returns::Type(Vec::<Rule>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(rules(cx, args))),
    needs: &[Need::Words("GET /api/v1/rules of Prometheus")],
    by_hand: "curl -fsSL {connection}/api/v1/rules",
    examples: &[
        Example::call("check prom.rules() | all(.health == \"ok\") as \"every rule is evaluated\""),
        Example::call("prom.rules() | where(.health == \"err\") | each({ name: .name, why: .last_error })"),
    ],
};

/// Whether a rule could be evaluated.
#[derive(Clone, Debug)]
pub struct Health;

impl Words for Health {
    const ENUM: &'static EnumType =
        &EnumType { name: "prometheus_rule_health", values: &["ok", "err", "unknown"], open: true };
}

/// What an alerting rule says.
#[derive(Clone, Debug)]
pub struct State;

impl Words for State {
    const ENUM: &'static EnumType =
        &EnumType { name: "prometheus_rule_state", values: &["inactive", "pending", "firing", "unknown"], open: true };
}

/// What a rule is for.
#[derive(Clone, Debug)]
pub struct Purpose;

impl Words for Purpose {
    const ENUM: &'static EnumType =
        &EnumType { name: "prometheus_rule_kind", values: &["alerting", "recording"], open: true };
}

records! {
    /// A rule.
    struct Rule "prometheus_rule" {
        /// The alert, or the metric that is recorded.
        name: Arc<str>,
        /// Whether it alerts or records.
        kind: Word<Purpose>,
        /// The group that it is evaluated with.
        group: Arc<str>,
        /// Whether it could be evaluated. `unknown`: it has not been yet.
        health: Word<Health>,
        /// What an alerting rule says; missing where it records.
        state: Option<Word<State>>,
        /// When it was evaluated last; missing where it never was.
        evaluated_at: Option<Timestamp>,
        /// How long that took; missing where the server does not say it.
        evaluation_time: Result<Option<SignedDuration>, Fault>,
        /// Why it could not be evaluated.
        last_error: Option<Arc<str>>,
        /// Its expression.
        query: Arc<str>,
    }
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: Arc<str>,
    rules: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: Arc<str>,
    r#type: String,
    query: Arc<str>,
    health: String,
    #[serde(default)]
    last_error: Arc<str>,
    state: Option<String>,
    last_evaluation: Option<Timestamp>,
    evaluation_time: Option<f64>,
}

async fn rules(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    let found: Groups = data(&Service::of(&cx, &PRODUCT, &connection)?, Ask::get("/api/v1/rules")).await?;
    let rules = found.groups.into_iter().flat_map(|Group { name: group, rules }| {
        rules.into_iter().map(move |entry| Rule {
            name: entry.name,
            kind: Word::new(entry.r#type),
            group: Arc::clone(&group),
            health: Word::new(entry.health),
            last_error: Some(entry.last_error).filter(|error| !error.is_empty()),
            state: entry.state.map(Word::new),
            evaluated_at: entry.last_evaluation.filter(happened),
            evaluation_time: entry.evaluation_time.map(seconds).transpose(),
            query: entry.query,
        })
    });
    Ok(rules.collect::<Vec<_>>().into())
}

/// The server says the year 1 for what never happened.
pub(super) fn happened(time: &Timestamp) -> bool {
    time.as_second() > 0
}

pub(super) fn seconds(seconds: f64) -> Result<SignedDuration, Fault> {
    SignedDuration::try_from_secs_f64(seconds)
        .map_err(|error| Fault::new(FaultKind::BadAnswer, format!("{seconds} is no number of seconds: {error}")))
}
