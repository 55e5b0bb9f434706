//! grafana.answers

use super::api::{GRAFANA, PRODUCT};
use super::health::Answer;
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "grafana.answers",
    summary: "Whether Grafana answers and reaches its own database.",
    params: &[GRAFANA.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[Need::Words("GET /api/health of Grafana")],
    by_hand: "curl -fsSL {connection}/api/health",
    examples: &[Example::call("check charts.answers() as \"Grafana answers\"")],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&GRAFANA)?;
    Ok(Service::of(&cx, &PRODUCT, &connection)?.answers::<Answer>(Ask::get("/api/health")).await?.into())
}
