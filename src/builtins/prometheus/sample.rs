//! Samples: what a query gives for each series.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value as Json;

use super::PROMQL;
use super::api::{data, quote};
use crate::builtins::http::service::{Ask, Service};
use crate::builtins::quoted::quoted;
use crate::catalog::{Args, Landing, Param};
use crate::types::{Fault, FaultKind, Template, records};

pub(super) const PROM: Param<Arc<crate::types::Connection>> = Param::connection("prometheus");
pub(super) const QUERY: Param<Arc<Template>> = Param::literal(
    "promql",
    "The query. An interpolated value stands between quotes and cannot end them, behind `=~` it matches itself; outside of quotes stand numbers and durations. A brace of PromQL is `\\{`, or the text is in single quotes.",
    Landing::Quoted(&PROMQL),
);
pub(super) const WITHIN: Param<Option<SignedDuration>> =
    Param::optional("within", "How long the query may take, where that is not what the connection says.");

records! {
    /// The value of a series at a time.
    struct Sample "prometheus_sample" {
        /// The series as Prometheus writes it: `up{instance="db-1:9187", job="postgres"}`.
        name: Arc<str>,
        /// The metric; missing where the query made something else of it.
        metric: Option<Arc<str>>,
        /// The labels by their names: `.labels.instance`.
        labels: Arc<Json>,
        /// The value. Not to be had where it is no number: 0 / 0, or divided by 0.
        value: Result<f64, Fault>,
        /// The time that it is of.
        time: Timestamp,
    }
}

/// The name and the labels of a series.
pub(super) type Labels = BTreeMap<String, String>;

/// What a query gives, by its type.
#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
pub(super) enum Found {
    Vector(Vec<Entry>),
    Scalar(Point),
    Matrix(IgnoredAny),
    String(IgnoredAny),
}

#[derive(Deserialize)]
pub(super) struct Entry {
    metric: Labels,
    /// Without one it is a native histogram.
    value: Option<Point>,
}

/// Seconds since 1970, and a number as a text.
pub(super) type Point = (f64, String);

/// A query at this moment.
pub(super) async fn instant(service: &Service<'_>, args: &Args<'static>) -> Result<(String, Vec<Sample>), Fault> {
    let query = quoted(&*args.get(&QUERY)?, &PROMQL)?;
    let ask = Ask::get("/api/v1/query").with("query", query.as_str()).limited(args.get(&WITHIN)?)?;
    let found: Found = data(service, ask).await.map_err(|fault| of_query(&query, fault))?;
    let samples = match found {
        Found::Vector(entries) => entries.into_iter().map(|entry| sample(&query, entry)).collect::<Result<_, _>>()?,
        Found::Scalar((time, value)) => {
            let (name, metric, labels) = named(Labels::new());
            vec![Sample { name, metric, labels, value: number(&value), time: instant_of(time)? }]
        }
        Found::Matrix(_) => {
            return Err(Fault::new(FaultKind::Conversion, format!("{} gives many values of each series", quote(&query)))
                .help("take one of them with a function such as `rate(…)` or `max_over_time(…)`, or leave the `[…]` out and write `range(…, over: 1h, step: 1m)`"));
        }
        Found::String(_) => {
            return Err(Fault::new(FaultKind::Conversion, format!("{} gives a text and no number", quote(&query))));
        }
    };
    Ok((query, samples))
}

/// A fault of a query says which one it was.
pub(super) fn of_query(query: &str, fault: Fault) -> Fault {
    match fault.kind {
        FaultKind::Failed | FaultKind::Timeout | FaultKind::TooLarge | FaultKind::Partial => {
            Fault { message: format!("{}: {}", quote(query), fault.message).into(), ..fault }
        }
        _ => fault,
    }
}

fn sample(query: &str, Entry { metric, value }: Entry) -> Result<Sample, Fault> {
    let (time, value) = value.ok_or_else(|| histogram(query))?;
    let (name, metric, labels) = named(metric);
    Ok(Sample { name, metric, labels, value: number(&value), time: instant_of(time)? })
}

pub(super) fn histogram(query: &str) -> Fault {
    Fault::new(FaultKind::Conversion, format!("{} gives a histogram and no number", quote(query)))
        .help("take a number from it: `histogram_quantile(0.99, …)`, `histogram_count(…)`")
}

/// The series as it is written, its metric, and the other labels.
pub(super) fn named(mut labels: Labels) -> (Arc<str>, Option<Arc<str>>, Arc<Json>) {
    let metric: Option<Arc<str>> = labels.remove("__name__").map(Arc::from);
    let written: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={}", in_quotes(value))).collect();
    let name = format!("{}{{{}}}", metric.as_deref().unwrap_or_default(), written.join(", "));
    (name.into(), metric, Arc::new(json(labels)))
}

/// The value of a label as Prometheus writes it.
fn in_quotes(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n"))
}

pub(super) fn json(labels: Labels) -> Json {
    Json::Object(labels.into_iter().map(|(name, value)| (name, Json::String(value))).collect())
}

fn bad(what: &str) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("the answer {what}"))
}

/// A value that is a number.
pub(super) fn number(text: &str) -> Result<f64, Fault> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        Ok(value) if value.is_nan() => Err(Fault::no_value("the value is no number (NaN), such as 0 / 0 gives it")),
        Ok(_) => Err(Fault::no_value(format!("the value is {text}: something was divided by 0, or is out of range"))),
        Err(_) => Err(bad(&format!("has `{text}` in the place of a number"))),
    }
}

pub(super) fn instant_of(seconds: f64) -> Result<Timestamp, Fault> {
    let milliseconds = (seconds * 1000.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "a cast saturates, and what is out of range is refused")]
    Timestamp::from_millisecond(milliseconds as i64).map_err(|_| bad(&format!("has {seconds} in the place of a time")))
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn a_series_is_written_as_prometheus_writes_it() {
        let labels = [("__name__", "up"), ("job", "a \"b\""), ("path", "C:\\x  y\n")];
        let (name, metric, _) = named(labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(&*name, r#"up{job="a \"b\"", path="C:\\x  y\n"}"#);
        assert_eq!(metric.as_deref(), Some("up"));
    }
}
