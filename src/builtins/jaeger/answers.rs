//! jaeger.answers

use super::api::{Envelope, JAEGER, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "jaeger.answers",
    summary: "Whether the query service answers from its store.",
    params: &[JAEGER.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[Need::Words("GET /api/services of Jaeger")],
    by_hand: "curl -fsSL {connection}/api/services",
    examples: &[Example::call("check tracing.answers() as \"Jaeger answers\"")],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&JAEGER)?;
    Ok(Service::of(&cx, &PRODUCT, &connection)?
        .answers::<Envelope<Vec<String>>>(Ask::get("/api/services"))
        .await?
        .into())
}
