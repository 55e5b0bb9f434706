//! elasticsearch.indices

use std::sync::Arc;

use serde::Deserialize;

use super::api::{ELASTICSEARCH, PRODUCT, no_index};
use super::health::Status;
use crate::builtins::http::service::{Ask, Service, part};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Size, Typed, Value, Word, records};

const INDEX: Param<String> = Param::or(
    "index",
    "Which: a name or a pattern such as `logs-*`. Hidden ones are only among them where named.",
    || Value::string("*"),
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "elasticsearch.indices",
    summary: "The indices with their size and number of documents.",
    params: &[ELASTICSEARCH.info(), INDEX.info()],
    returns: Returns::Type(Vec::<Index>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(indices(cx, args))),
    needs: &[Need::Words("the cluster privilege `monitor`"), Need::Words("the privilege `monitor` on the indices")],
    by_hand: "curl -fsSL {connection}'/_cat/indices/{index}?v'",
    examples: &[
        Example::call("search.indices() | sort(by: .size, descending: true)"),
        Example::call("check search.indices(\"logs-*\") | all(.status != \"red\") as \"no log is lost\""),
    ],
};

records! {
    /// An index.
    struct Index "elasticsearch_index" {
        /// Its name.
        name: Arc<str>,
        /// Green with all shards, yellow where copies are missing, red where data is.
        status: Word<Status>,
        /// Whether it is open: a closed one takes no queries.
        open: bool,
        /// How many documents it has. Not to be had where a shard is missing or the index is closed.
        docs: Result<i64, Fault>,
        /// How much room it takes, copies included. Not to be had where a shard is missing or the index is closed.
        size: Result<Size, Fault>,
        /// How many shards it is split into.
        primaries: Result<i64, Fault>,
        /// How many copies there are to be of each.
        replicas: Result<i64, Fault>,
    }
}

#[derive(Deserialize)]
struct Row {
    health: Option<String>,
    status: String,
    index: Arc<str>,
    pri: Option<String>,
    rep: Option<String>,
    #[serde(rename = "docs.count")]
    docs: Option<String>,
    #[serde(rename = "store.size")]
    size: Option<String>,
}

async fn indices(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ELASTICSEARCH)?;
    let index = args.get(&INDEX)?;
    let ask = Ask::get(format!("/_cat/indices/{}", part(&index, "name of an index")?))
        .with("format", "json")
        .with("bytes", "b")
        .with("h", "health,status,index,pri,rep,docs.count,store.size")
        .naming(format!("index `{index}`"))
        .right("the cluster privilege `monitor`, and `monitor` on the indices");
    let rows: Vec<Row> = Service::of(&cx, &PRODUCT, &connection)?.read(ask).await?;
    if rows.is_empty() && index != "*" {
        return Err(no_index(&index));
    }
    Ok(rows.into_iter().map(of).collect::<Vec<_>>().into())
}

fn of(row: Row) -> Index {
    // Of a red index the cluster counts the shards that are left.
    let whole = row.health.as_deref() != Some("red");
    let number = |text: Option<String>, what: &str| match text {
        Some(text) if whole => text
            .parse()
            .map_err(|_| Fault::new(FaultKind::BadAnswer, format!("the {what} of `{}` is `{text}`", row.index))),
        Some(_) => {
            let message = format!("shards of `{}` are missing, so the {what} of all is not known", row.index);
            Err(Fault::new(FaultKind::Partial, message))
        }
        None => Err(Fault::no_value(format!("the cluster does not say the {what} of `{}`", row.index))),
    };
    let said = |text: Option<String>, what: &str| {
        text.and_then(|text| text.parse().ok())
            .ok_or_else(|| Fault::no_value(format!("the cluster does not say the {what} of `{}`", row.index)))
    };
    Index {
        status: Word::new(row.health.clone().unwrap_or_else(|| "unknown".to_owned())),
        open: row.status == "open",
        docs: number(row.docs, "number of documents"),
        size: number(row.size, "size").map(Size),
        primaries: said(row.pri, "number of shards"),
        replicas: said(row.rep, "number of copies"),
        name: row.index.clone(),
    }
}
