//! prometheus.range

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value as Json;

use super::PROMQL;
use super::api::{PRODUCT, data};
use super::sample::{Labels, PROM, Point, QUERY, WITHIN, histogram, instant_of, named, number, of_query};
use crate::builtins::http::service::{Ask, Service};
use crate::builtins::quoted::quoted;
use crate::builtins::settings::setup;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const OVER: Param<SignedDuration> = Param::required("over", "How far back it goes from now.");
const STEP: Param<SignedDuration> =
    Param::required("step", "How far one value is from the next. A server gives 11,000 values of a series at most.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "prometheus.range",
    summary: "How the values of a PromQL query went over a time, for each series.",
    params: &[PROM.info(), QUERY.info(), OVER.info(), STEP.info(), WITHIN.info()],
    returns: Returns::Type(Vec::<Series>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(range(cx, args))),
    needs: &[Need::Words("GET /api/v1/query_range of Prometheus")],
    by_hand: "curl -fsSLG {connection}/api/v1/query_range --data-urlencode query={promql} -d start=$(date -d '-{over:seconds} seconds' +%s) -d end=$(date +%s) -d step={step}",
    examples: &[
        Example::call("prom.range('sum(rate(http_requests_total[5m]))', over: 1h, step: 1m)"),
        Example::call(
            "prom.range('process_resident_memory_bytes', over: 6h, step: 5m) | each({ labels: .labels, most: .points | max(.value) })",
        ),
    ],
};

records! {
    /// A series and its values.
    struct Series "prometheus_series" {
        /// The series as Prometheus writes it: `up{instance="db-1:9187", job="postgres"}`.
        name: Arc<str>,
        /// The metric; missing where the query made something else of it.
        metric: Option<Arc<str>>,
        /// The labels by their names: `.labels.instance`.
        labels: Arc<Json>,
        /// The values, oldest first. Where there was none there is none: a gap is not 0.
        points: Vec<SeriesPoint>,
    }

    /// A value of a series.
    struct SeriesPoint "prometheus_point" {
        /// The time that it is of.
        time: Timestamp,
        /// The value. Not to be had where it is no number.
        value: Result<f64, Fault>,
    }
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    metric: Labels,
    #[serde(default)]
    values: Vec<Point>,
    /// Native histograms, which are no numbers.
    #[serde(default)]
    histograms: Vec<serde::de::IgnoredAny>,
}

async fn range(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&PROM)?;
    let service = Service::of(&cx, &PRODUCT, &connection)?;
    let query = quoted(&*args.get(&QUERY)?, &PROMQL)?;
    let (over, step) = (args.get(&OVER)?, args.get(&STEP)?);
    for (name, duration) in [(OVER.name(), over), (STEP.name(), step)] {
        if !duration.is_positive() {
            return Err(setup(format!("`{name}` is a time longer than nothing")));
        }
    }
    let end = cx.world.now();
    let start = end.checked_sub(over).map_err(|_| setup("`over` goes back beyond all times"))?;
    let seconds = |time: Timestamp| format!("{}.{:03}", time.as_second(), time.subsec_millisecond().max(0));
    let ask = Ask::get("/api/v1/query_range")
        .with("query", query.as_str())
        .with("start", seconds(start))
        .with("end", seconds(end))
        .with("step", step.as_secs_f64().to_string())
        .limited(args.get(&WITHIN)?)?;
    let matrix: Matrix = data(&service, ask).await.map_err(|fault| of_query(&query, fault))?;
    let series: Vec<Series> = matrix.result.into_iter().map(|entry| series(&query, entry)).collect::<Result<_, _>>()?;
    Ok(series.into())
}

fn series(query: &str, Entry { metric, values, histograms }: Entry) -> Result<Series, Fault> {
    if !histograms.is_empty() {
        return Err(histogram(query));
    }
    if values.is_empty() {
        let message = format!("the answer to `{query}` names a series, and has no values of it");
        return Err(Fault::new(FaultKind::BadAnswer, message));
    }
    let point = |(time, value): Point| Ok(SeriesPoint { time: instant_of(time)?, value: number(&value) });
    let points = values.into_iter().map(point).collect::<Result<_, Fault>>()?;
    let (name, metric, labels) = named(metric);
    Ok(Series { name, metric, labels, points })
}
