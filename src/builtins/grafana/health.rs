//! grafana.health

use std::sync::Arc;

use serde::Deserialize;

use super::api::{GRAFANA, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value, records};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "grafana.health",
    summary: "Whether Grafana reaches its own database, and which version it is.",
    params: &[GRAFANA.info()],
    returns: Returns::Type(Health::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(health(cx, args))),
    needs: &[Need::Words("GET /api/health of Grafana")],
    by_hand: "curl -sSL {connection}/api/health",
    examples: &[
        Example::call("check charts.health().database_ok as \"Grafana has its database\""),
        Example::call("charts.health().version"),
    ],
};

records! {
    /// How a Grafana is.
    struct Health "grafana_health" {
        /// Whether it reaches its database.
        database_ok: bool,
        /// What it says of its database: `ok`, `failing`.
        database: Arc<str>,
        /// Its version; missing where it does not tell strangers.
        version: Option<Arc<str>>,
    }
}

#[derive(Deserialize)]
pub(super) struct Answer {
    database: Arc<str>,
    version: Option<Arc<str>>,
}

async fn health(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&GRAFANA)?;
    // With 503 it says in the same shape that the database is not there.
    let answer: Answer = Service::of(&cx, &PRODUCT, &connection)?.read_also(Ask::get("/api/health"), 503).await?;
    Ok(Health { database_ok: &*answer.database == "ok", database: answer.database, version: answer.version }.into())
}
