//! What of an index is looked at: a query string or a query as JSON, and how far back.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value as Json, json};

use super::LUCENE;
use crate::builtins::http::service::part;
use crate::builtins::quoted::quoted;
use crate::builtins::settings::setup;
use crate::catalog::{Accepts, Args, Landing, Param, Presence};
use crate::types::{Fault, Template, Type, Value};

pub(super) const INDEX: Param<String> =
    Param::required("index", "The index, a pattern such as `logs-*`, or several with commas.");
pub(super) const QUERY: Param<Option<Arc<Template>>> = Param::new(
    "query",
    "Which documents, as a query string: `level:error AND service:\"{service}\"`. An interpolated value stands between quotes and cannot end them; outside of quotes stand numbers. Without a query it is all of them.",
    Accepts::Literal(Landing::Quoted(&LUCENE)),
    Presence::Optional,
);
pub(super) const JSON: Param<Value> = Param::new(
    "json",
    "The same as a query of the Query DSL: `{ term: { \"status\": 500 } }`.",
    Accepts::Type(|| Type::Data),
    Presence::Optional,
);
pub(super) const SINCE: Param<Option<SignedDuration>> =
    Param::optional("since", "Only documents of the last such time, by the clock of the cluster.");
pub(super) const TIME: Param<String> =
    Param::or("time", "The field that says when a document is of.", || Value::string("@timestamp"));
pub(super) const WITHIN: Param<Option<SignedDuration>> =
    Param::optional("within", "How long it may take, where that is not what the connection says.");

/// The index as a part of a path.
pub(super) fn index(args: &Args<'static>) -> Result<(String, String), Fault> {
    let index = args.get(&INDEX)?;
    let path = part(&index, "name of an index")?;
    Ok((index, path))
}

pub(super) fn query_string(template: &Template) -> Result<Json, Fault> {
    Ok(json!({ "query_string": { "query": quoted(template, &LUCENE)? } }))
}

/// The query.
pub(super) fn query(args: &Args<'static>) -> Result<Json, Fault> {
    let query = match (args.get(&QUERY)?, args.value(JSON.name()).filter(|value| !matches!(value, Value::Null))) {
        (Some(_), Some(_)) => return Err(setup("`query` and `json` are both the query: keep one of them")),
        (Some(template), None) => query_string(&template)?,
        (None, Some(json)) => json.to_json(),
        (None, None) => json!({ "match_all": {} }),
    };
    let Some(since) = args.get(&SINCE)? else { return Ok(query) };
    if !since.is_positive() {
        return Err(setup("`since` is a time longer than nothing"));
    }
    // The cluster counts in whole seconds.
    let from = format!("now-{}s", since.as_millis().div_euclid(1000) + i128::from(since.subsec_nanos() > 0));
    let mut range = serde_json::Map::new();
    range.insert(args.get(&TIME)?, json!({ "gte": from }));
    Ok(json!({ "bool": { "must": [query], "filter": [{ "range": range }] } }))
}
