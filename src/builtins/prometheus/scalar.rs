//! prometheus.scalar

use super::api::{PRODUCT, quote};
use super::sample::{PROM, QUERY, WITHIN, instant};
use crate::builtins::http::service::Service;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.scalar",
    summary: "The one value that a PromQL query gives now. No value is a fault, and so are several.",
    params: &[PROM.info(), QUERY.info(), WITHIN.info()],
    returns: Returns::Type(f64::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(scalar(cx, args))),
    needs: &[Need::Words("GET /api/v1/query of Prometheus")],
    by_hand: "curl -fsSLG {connection}/api/v1/query --data-urlencode query={promql}",
    examples: &[
        Example::call("prom.scalar('sum(rate(http_errors_total[5m])) / sum(rate(http_requests_total[5m]))') < 5%"),
        Example::call(r#"prom.scalar("sum(up\{job='{id}'})")"#),
    ],
};

async fn scalar(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    let (query, samples) = instant(&Service::of(&cx, &PRODUCT, &connection)?, &args).await?;
    let query = quote(&query);
    match samples.as_slice() {
        [one] => one.value.clone().map(Value::Float).map_err(|fault| {
            let message = format!("{query}: {}", fault.message);
            Fault { message: message.into(), ..fault }
        }),
        [] => Err(Fault::no_value(format!("{query} has no value: no series matches it"))
            .help("is a name misspelled, or the target gone?")),
        many => Err(Fault::new(FaultKind::Conversion, format!("{query} has {} values and not one", many.len()))
            .help("make one of them: `sum(…)`, `max(…)`; or take them all: `query(…)`")),
    }
}
