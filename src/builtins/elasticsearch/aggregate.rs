//! elasticsearch.aggregate

use std::sync::Arc;

use http::Method;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::api::{ELASTICSEARCH, PRODUCT, Shards};
use super::fields;
use super::search::{INDEX, JSON, QUERY, SINCE, TIME, WITHIN, index, query};
use crate::builtins::http::service::{Ask, Service};
use crate::builtins::settings::setup;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const BY: Param<String> =
    Param::required("by", "The field whose values are counted: a keyword, a number, a bool or a date.");
const TOP: Param<i64> =
    Param::or("top", "How many values at most, the most frequent first; 10,000 is the most.", || Value::Int(10));

/// How many more each shard looks at than are wanted, so that the counts are right.
const MARGIN: i64 = 100;
const MOST: i64 = 10_000;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "elasticsearch.aggregate",
    summary: "The most frequent values of a field among the documents that match, and how many have each. Documents without the field are in no count.",
    params: &[
        ELASTICSEARCH.info(),
        INDEX.info(),
        QUERY.info(),
        JSON.info(),
        BY.info(),
        TOP.info(),
        SINCE.info(),
        TIME.info(),
        WITHIN.info(),
    ],
    returns: Returns::Type(Vec::<Bucket>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(aggregate(cx, args))),
    needs: &[Need::Words("the privileges `read` and `view_index_metadata` on the index")],
    by_hand: "curl -fsSL -H 'Content-Type: application/json' --data-binary '{\"size\": 0, \"query\": {\"bool\": {[json? \"must\": {json:json}, ][query? \"must\": {\"query_string\": {\"query\": {query:json}}}, ][since? \"filter\": {\"range\": {{time:json}: {\"gte\": \"now-{since:seconds}s\"}}}][!since? \"filter\": {\"match_all\": {}}]}}, \"aggs\": {\"by\": {\"terms\": {\"field\": {by:json}, \"size\": {top}}}}}' {connection}/{index}/_search",
    examples: &[
        Example::call("search.aggregate(\"logs-*\", \"level:error\", by: \"service.keyword\", top: 5, since: 1h)"),
        Example::call("search.aggregate(\"orders\", by: \"status\") | where(.key == \"failed\")"),
    ],
};

records! {
    /// A value of a field.
    struct Bucket "elasticsearch_bucket" {
        /// The value, as text.
        key: Arc<str>,
        /// How many documents have it. Not to be had where the shards cannot say it exactly.
        count: Result<i64, Fault>,
    }
}

#[derive(Deserialize)]
struct Found {
    timed_out: bool,
    #[serde(rename = "_shards")]
    shards: Shards,
    hits: Hits,
    aggregations: Option<Aggregations>,
}

#[derive(Deserialize)]
struct Hits {
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    value: u64,
}

#[derive(Deserialize)]
struct Aggregations {
    by: Terms,
}

#[derive(Deserialize)]
struct Terms {
    buckets: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    key: Json,
    key_as_string: Option<Arc<str>>,
    doc_count: i64,
    #[serde(default)]
    doc_count_error_upper_bound: i64,
}

async fn aggregate(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ELASTICSEARCH)?;
    let (index, path) = index(&args)?;
    let (field, top) = (args.get(&BY)?, args.get(&TOP)?);
    if !(1..=MOST).contains(&top) {
        return Err(setup(format!("`top` is a number from 1 to {MOST}")));
    }
    let terms = json!({
        "field": field,
        "size": top,
        "shard_size": (top * 3 / 2 + MARGIN).min(MOST),
        "show_term_doc_count_error": true,
    });
    let ask = Ask::new(Method::POST, format!("/{path}/_search"))
        .with("allow_no_indices", "false")
        .json(json!({ "size": 0, "query": query(&args)?, "aggs": { "by": { "terms": terms } } }))
        .naming(format!("index `{index}`"))
        .right("the privilege `read` on the index")
        .limited(args.get(&WITHIN)?)?;
    let service = Service::of(&cx, &PRODUCT, &connection)?;
    let found: Found = service.read(ask).await?;
    found.shards.whole(&index, found.timed_out)?;
    if found.aggregations.is_none() && found.hits.total.value > 0 {
        let message = format!("the answer counts documents of `{index}`, and has no groups of them");
        return Err(Fault::new(FaultKind::BadAnswer, message));
    }
    let entries = found.aggregations.map(|all| all.by.buckets).unwrap_or_default();
    if found.hits.total.value == 0 {
        fields::exist(&service, &args).await?;
    }
    if entries.is_empty() && found.hits.total.value > 0 {
        let message = format!("documents of `{index}` match, and none of them has a field `{field}`");
        return Err(Fault::new(FaultKind::NotFound, message)
            .help(format!("is it misspelled? a text is counted by its keyword: `by: \"{field}.keyword\"`")));
    }
    Ok(entries.into_iter().map(bucket).collect::<Vec<_>>().into())
}

fn bucket(entry: Entry) -> Bucket {
    let key: Arc<str> = match (entry.key_as_string, entry.key) {
        (Some(text), _) => text,
        (None, Json::String(text)) => text.into(),
        (None, other) => other.to_string().into(),
    };
    let count = match entry.doc_count_error_upper_bound {
        0 => Ok(entry.doc_count),
        more => {
            let message = format!(
                "the count of `{key}` is only known to be between {} and {}",
                entry.doc_count,
                entry.doc_count + more
            );
            Err(Fault::new(FaultKind::Partial, message)
                .help("count it by itself with `count(…)`, or ask for more values: `top:`"))
        }
    };
    Bucket { key, count }
}
