//! jaeger.services

use super::api::{JAEGER, PRODUCT, names};
use crate::builtins::http::service::Service;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "jaeger.services",
    summary: "The services that have sent traces, by name.",
    params: &[JAEGER.info()],
    returns: Returns::Type(Vec::<String>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(services(cx, args))),
    needs: &[Need::Words("GET /api/services of Jaeger")],
    by_hand: "curl -fsSL {connection}/api/services",
    examples: &[Example::call("check \"gateway\" in tracing.services() as \"the gateway sends traces\"")],
};

async fn services(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&JAEGER)?;
    Ok(names(&Service::of(&cx, &PRODUCT, &connection)?).await?.into())
}
