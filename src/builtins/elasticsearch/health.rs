//! elasticsearch.health

use std::sync::Arc;

use serde::Deserialize;

use super::api::{ELASTICSEARCH, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, FaultKind, Percent, Typed, Value, Word, Words, records};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "elasticsearch.health",
    summary: "How the cluster is: green with all shards, yellow where copies are missing, red where data is.",
    params: &[ELASTICSEARCH.info()],
    returns: Returns::Type(Health::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(health(cx, args))),
    needs: &[Need::Words("the cluster privilege `monitor`")],
    by_hand: "curl -fsSL {connection}/_cluster/health",
    examples: &[
        Example::call("check search.health().status == \"green\" as \"the search cluster is whole\""),
        Example::call("search.health().unassigned_shards"),
    ],
};

/// How a cluster or an index is.
#[derive(Clone, Debug)]
pub struct Status;

impl Words for Status {
    const ENUM: &'static EnumType =
        &EnumType { name: "elasticsearch_status", values: &["green", "yellow", "red"], open: true };
}

records! {
    /// How a cluster is.
    struct Health "elasticsearch_health" {
        /// The name of the cluster.
        cluster: Arc<str>,
        /// Green with all shards, yellow where copies are missing, red where data is.
        status: Word<Status>,
        /// How many nodes it has.
        nodes: i64,
        /// How many of them hold data.
        data_nodes: i64,
        /// Shards that are there, copies included.
        active_shards: i64,
        /// The share of the shards that are there.
        active_share: Percent,
        /// Shards that move to another node.
        relocating_shards: i64,
        /// Shards that are being made.
        initializing_shards: i64,
        /// Shards that are nowhere.
        unassigned_shards: i64,
        /// Changes of the cluster that wait for their turn.
        pending_tasks: i64,
    }
}

#[derive(Deserialize)]
struct Answer {
    cluster_name: Arc<str>,
    status: String,
    timed_out: bool,
    number_of_nodes: i64,
    number_of_data_nodes: i64,
    active_shards: i64,
    relocating_shards: i64,
    initializing_shards: i64,
    unassigned_shards: i64,
    number_of_pending_tasks: i64,
    active_shards_percent_as_number: f64,
}

async fn health(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ELASTICSEARCH)?;
    let ask = Ask::get("/_cluster/health").right("the cluster privilege `monitor`");
    let answer: Answer = Service::of(&cx, &PRODUCT, &connection)?.read(ask).await?;
    if answer.timed_out {
        return Err(Fault::new(FaultKind::Partial, "the cluster did not find out in time how it is"));
    }
    Ok(Health {
        cluster: answer.cluster_name,
        status: Word::new(answer.status),
        nodes: answer.number_of_nodes,
        data_nodes: answer.number_of_data_nodes,
        active_shards: answer.active_shards,
        active_share: Percent(answer.active_shards_percent_as_number / 100.0),
        relocating_shards: answer.relocating_shards,
        initializing_shards: answer.initializing_shards,
        unassigned_shards: answer.unassigned_shards,
        pending_tasks: answer.number_of_pending_tasks,
    }
    .into())
}
