//! elasticsearch.count

use http::Method;
use serde::Deserialize;
use serde_json::json;

use super::api::{ELASTICSEARCH, PRODUCT, Shards};
use super::fields;
use super::search::{INDEX, JSON, QUERY, SINCE, TIME, WITHIN, index, query};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "elasticsearch.count",
    summary: "How many documents match. A shard that does not answer, an index or a field that is not there is a fault, never a smaller number.",
    params: &[ELASTICSEARCH.info(), INDEX.info(), QUERY.info(), JSON.info(), SINCE.info(), TIME.info(), WITHIN.info()],
    returns: Returns::Type(i64::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(count(cx, args))),
    needs: &[Need::Words("the privileges `read` and `view_index_metadata` on the index")],
    by_hand: "curl -fsSL -H 'Content-Type: application/json' --data-binary '{\"query\": {\"bool\": {[json? \"must\": {json:json}, ][query? \"must\": {\"query_string\": {\"query\": {query:json}}}, ][since? \"filter\": {\"range\": {{time:json}: {\"gte\": \"now-{since:seconds}s\"}}}][!since? \"filter\": {\"match_all\": {}}]}}}' {connection}/{index}/_count",
    examples: &[
        Example::call("search.count(\"logs-*\", \"level:error AND service:\\\"{id}\\\"\", since: 1h) < 100"),
        Example::call("search.count(\"orders\", json: { term: { status: \"failed\" } })"),
    ],
};

#[derive(Deserialize)]
struct Counted {
    count: i64,
    #[serde(rename = "_shards")]
    shards: Shards,
}

async fn count(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ELASTICSEARCH)?;
    let (index, path) = index(&args)?;
    let ask = Ask::new(Method::POST, format!("/{path}/_count"))
        .with("allow_no_indices", "false")
        .json(json!({ "query": query(&args)? }))
        .naming(format!("index `{index}`"))
        .right("the privilege `read` on the index")
        .limited(args.get(&WITHIN)?)?;
    let service = Service::of(&cx, &PRODUCT, &connection)?;
    let counted: Counted = service.read(ask).await?;
    counted.shards.whole(&index, false)?;
    if counted.count == 0 {
        fields::exist(&service, &args).await?;
    }
    Ok(counted.count.into())
}
