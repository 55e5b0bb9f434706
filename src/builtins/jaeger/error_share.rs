//! `jaeger.error_share`

use super::api::{AT_MOST, JAEGER, OPERATION, SERVICE, SINCE, traces};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Percent, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "jaeger.error_share",
    summary: "The share of the traces of a service in which a step of this service failed. Of no traces there is none: that is a fault.",
    params: &[JAEGER.info(), SERVICE.info(), OPERATION.info(), SINCE.info(), AT_MOST.info()],
    returns: Returns::Type(Percent::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(error_share(cx, args))),
    needs: &[Need::Words("GET /api/traces and /api/services of Jaeger")],
    by_hand: "curl -fsSLG {connection}/api/traces --data-urlencode service={service} [--data-urlencode operation={operation}] -d lookback={since} -d limit={at_most}",
    examples: &[Example::call("check tracing.error_share(\"gateway\", since: 15m) < 1% as \"the gateway works\"")],
};

async fn error_share(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let name = args.get(&SERVICE)?;
    let seen = traces(&cx, &args, None).await?;
    if seen.is_empty() {
        return Err(Fault::no_value(format!("`{name}` has no traces in that time, so no share of them failed"))
            .help("look back further: `since:`"));
    }
    let failed = seen.iter().filter(|one| one.failed.contains(&name)).count();
    #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^53")]
    let share = failed as f64 / seen.len() as f64;
    Ok(Percent(share).into())
}
