//! alertmanager.answers

use serde::Deserialize;

use super::api::{ALERTMANAGER, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "alertmanager.answers",
    summary: "Whether the server answers. No where it is down or silent; a fault where something else answers or nobody is let in.",
    params: &[ALERTMANAGER.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[Need::Words("GET /api/v2/status of Alertmanager")],
    by_hand: "curl -fsSL {connection}/api/v2/status",
    examples: &[Example::call("check pager.answers() as \"Alertmanager answers\"")],
};

/// What only an Alertmanager says.
#[derive(Deserialize)]
#[expect(dead_code, reason = "that it is there is all that is wanted")]
struct Status {
    #[serde(rename = "versionInfo")]
    version: serde::de::IgnoredAny,
}

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ALERTMANAGER)?;
    Ok(Service::of(&cx, &PRODUCT, &connection)?.answers::<Status>(Ask::get("/api/v2/status")).await?.into())
}
