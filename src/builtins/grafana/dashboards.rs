//! grafana.dashboards

use std::sync::Arc;

use serde::Deserialize;

use super::api::{GRAFANA, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const QUERY: Param<String> =
    Param::or("query", "Only those with this in their title; all of them otherwise.", || Value::string(""));

/// As many as Grafana gives at once.
const PAGE: usize = 1000;
/// More is not listed.
const PAGES: usize = 20;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "grafana.dashboards",
    summary: "The dashboards that the login of the connection may see.",
    params: &[GRAFANA.info(), QUERY.info()],
    returns: Returns::Type(Vec::<Dashboard>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(dashboards(cx, args))),
    needs: &[Need::Words("the permission `dashboards:read` of Grafana")],
    by_hand: "curl -fsSLG {connection}/api/search -d type=dash-db [--data-urlencode query={query}]",
    examples: &[
        Example::call("charts.dashboards(\"database\")"),
        Example::call("charts.dashboards() | count_by(.folder)"),
    ],
};

records! {
    /// A dashboard.
    struct Dashboard "grafana_dashboard" {
        /// What it is called.
        title: Arc<str>,
        /// Its id, for `annotate`.
        uid: Arc<str>,
        /// The folder that it is in; missing where it is in none.
        folder: Option<Arc<str>>,
        /// Its path behind the URL of Grafana.
        url: Arc<str>,
        /// Its tags.
        tags: Vec<Arc<str>>,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    title: Arc<str>,
    uid: Arc<str>,
    folder_title: Option<Arc<str>>,
    url: Arc<str>,
    #[serde(default)]
    tags: Vec<Arc<str>>,
}

async fn dashboards(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&GRAFANA)?;
    let service = Service::of(&cx, &PRODUCT, &connection)?;
    let query = args.get(&QUERY)?;
    let mut found: Vec<Dashboard> = Vec::new();
    for page in 1..=PAGES {
        let ask = Ask::get("/api/search")
            .with("type", "dash-db")
            .with("query", query.as_str())
            .with("limit", PAGE.to_string())
            .with("page", page.to_string())
            .right("the permission `dashboards:read`");
        let entries: Vec<Entry> = service.read(ask).await?;
        let last = entries.len() < PAGE;
        found.extend(entries.into_iter().map(|entry| Dashboard {
            title: entry.title,
            uid: entry.uid,
            folder: entry.folder_title,
            url: entry.url,
            tags: entry.tags,
        }));
        if last {
            return Ok(found.into());
        }
    }
    let message = format!("Grafana has more than {} dashboards with that in their title", found.len());
    Err(Fault::new(FaultKind::Partial, message).help("say what is in the title: `dashboards(\"database\")`"))
}
