//! prometheus.answers

use super::api::PRODUCT;
use super::sample::PROM;
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.answers",
    summary: "Whether the server says that it is ready for queries. No where it is down, silent or still starting.",
    params: &[PROM.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &["GET /-/ready of Prometheus"],
    by_hand: "curl -fsS {connection}/-/ready",
    examples: &[Example::call("check prom.answers() as \"Prometheus is ready\"")],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    Ok(Service::of(&cx, &PRODUCT, &connection)?.answers(Ask::get("/-/ready")).await?.into())
}
