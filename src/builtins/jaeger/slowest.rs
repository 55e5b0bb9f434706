//! jaeger.slowest

use jiff::SignedDuration;

use super::api::{AT_MOST, JAEGER, OPERATION, SERVICE, SINCE, Trace, traces};
use crate::builtins::settings::setup;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value};

const N: Param<i64> = Param::or("n", "How many.", || Value::Int(10));
const OVER: Param<Option<SignedDuration>> = Param::optional(
    "over",
    "Only traces in which a step of the service took longer. Jaeger leaves out the others, so that a busy service needs no larger `at_most:`.",
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "jaeger.slowest",
    summary: "The traces of a service that took longest, the slowest first.",
    params: &[JAEGER.info(), SERVICE.info(), N.info(), OPERATION.info(), SINCE.info(), OVER.info(), AT_MOST.info()],
    returns: Returns::Type(Vec::<Trace>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(slowest(cx, args))),
    needs: &[Need::Words("GET /api/traces and /api/services of Jaeger")],
    by_hand: "curl -fsSLG {connection}/api/traces --data-urlencode service={service} [--data-urlencode operation={operation}] -d lookback={since} [-d minDuration={over}] -d limit={at_most}",
    examples: &[Example::call("tracing.slowest(\"gateway\", n: 5, since: 1h, over: 500ms)")],
};

async fn slowest(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let n = usize::try_from(args.get(&N)?).ok().filter(|n| *n > 0).ok_or_else(|| setup("`n` is at least 1"))?;
    let over = args.get(&OVER)?;
    if over.is_some_and(|over| over.is_negative()) {
        return Err(setup("`over` is not negative"));
    }
    let mut found: Vec<Trace> = traces(&cx, &args, over).await?.into_iter().map(|one| one.trace).collect();
    found.sort_by_key(|trace| std::cmp::Reverse(trace.duration));
    found.truncate(n);
    Ok(found.into())
}
