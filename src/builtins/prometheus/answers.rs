//! prometheus.answers

use super::api::{Envelope, PRODUCT};
use super::sample::{Found, PROM};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.answers",
    summary: "Whether the server answers a query, `vector(1)`. No where it is down, silent or still starting; a fault where something else answers or nobody is let in.",
    params: &[PROM.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[Need::Words("GET /api/v1/query of Prometheus")],
    by_hand: "curl -fsSL {connection}'/api/v1/query?query=vector(1)'",
    examples: &[Example::call("check prom.answers() as \"Prometheus answers\"")],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    let ask = Ask::get("/api/v1/query").with("query", "vector(1)");
    Ok(Service::of(&cx, &PRODUCT, &connection)?.answers::<Envelope<Found>>(ask).await?.into())
}
