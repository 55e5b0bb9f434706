//! prometheus.query

use super::api::PRODUCT;
use super::sample::{PROM, QUERY, Sample, WITHIN, instant};
use crate::builtins::http::service::Service;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.query",
    summary: "What a PromQL query gives now, a sample for each series. No series is an empty list, also where a name is misspelled: `scalar` and `all` do not pass then.",
    params: &[PROM.info(), QUERY.info(), WITHIN.info()],
    returns: Returns::Type(Vec::<Sample>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(query(cx, args))),
    needs: &[Need::Words("GET /api/v1/query of Prometheus")],
    by_hand: "curl -fsSLG {connection}/api/v1/query --data-urlencode query={promql}",
    examples: &[
        Example::call("check prom.query('up') | all(.value == 1) as \"every target is up\""),
        Example::call("prom.query('topk(5, rate(http_requests_total[5m]))') | sort(by: .value, descending: true)"),
        Example::call(r#"prom.query("up\{job='{id}'}") | where(.value == 0)"#),
    ],
};

async fn query(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    let (_, samples) = instant(&Service::of(&cx, &PRODUCT, &connection)?, &args).await?;
    Ok(samples.into())
}
