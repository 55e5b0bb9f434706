//! jaeger.traces

use super::api::{AT_MOST, JAEGER, OPERATION, SERVICE, SINCE, Trace, traces};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "jaeger.traces",
    summary: "The traces that a service has part in, newest first. A service that Jaeger does not know is a fault.",
    params: &[JAEGER.info(), SERVICE.info(), OPERATION.info(), SINCE.info(), AT_MOST.info()],
    returns: Returns::Type(Vec::<Trace>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(list(cx, args))),
    needs: &[Need::Words("GET /api/traces and /api/services of Jaeger")],
    by_hand: "curl -fsSLG {connection}/api/traces --data-urlencode service={service} [--data-urlencode operation={operation}] -d lookback={since} -d limit={at_most}",
    examples: &[
        Example::call("tracing.traces(\"gateway\", since: 15m) | where(.errors > 0)"),
        Example::call("tracing.traces(\"gateway\", operation: \"GET /checkout\", since: 1h) | p95(.duration)"),
    ],
};

async fn list(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let seen = traces(&cx, &args, None).await?;
    Ok(seen.into_iter().map(|one| one.trace).collect::<Vec<_>>().into())
}
