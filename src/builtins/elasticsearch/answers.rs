//! elasticsearch.answers

use serde::Deserialize;

use super::api::{ELASTICSEARCH, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "elasticsearch.answers",
    summary: "Whether a node of the cluster answers. How the cluster is says `health`.",
    params: &[ELASTICSEARCH.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[Need::Words("GET / of Elasticsearch")],
    by_hand: "curl -fsSL {connection}/",
    examples: &[Example::call("check search.answers() as \"Elasticsearch answers\"")],
};

/// What a node says of itself.
#[derive(Deserialize)]
#[expect(dead_code, reason = "that it is there is all that is wanted")]
struct Node {
    cluster_name: serde::de::IgnoredAny,
    version: serde::de::IgnoredAny,
}

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ELASTICSEARCH)?;
    Ok(Service::of(&cx, &PRODUCT, &connection)?.answers::<Node>(Ask::get("/")).await?.into())
}
