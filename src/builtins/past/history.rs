//! history

use std::sync::Arc;

use jiff::SignedDuration;

use super::{ago, past};
use crate::catalog::{Accepts, Args, Body, Builtin, Cx, EffectRule, Example, Param, Presence, Returns};
use crate::types::{Fault, FaultKind, Measure, Value};

const METRIC: Param<Value> = Param::new("metric", "The metric, by its name.", Accepts::Metric, Presence::Required);
const OVER: Param<SignedDuration> = Param::required("over", "How far to look back from the start of the run.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "history",
    summary: "The samples of a metric, oldest first. A sample that could not be taken is not among them.",
    params: &[METRIC.info(), OVER.info()],
    returns: Returns::Computed {
        shape: "list<{ time: time, value: T, … }> with a field for each label of the metric",
        compute: |inputs| Ok(inputs.of("metric")),
    },
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(async move { history(&cx, &args) })),
    needs: &[],
    by_hand: "",
    examples: &[Example::call("history(disk_used, over: 30d) | max(.value)")],
};

fn history(cx: &Cx, args: &Args<'_>) -> Result<Value, Fault> {
    let Value::Record(metric) = args.get(&METRIC)? else { return Err(no_metric()) };
    let (Some(Value::String(name)), Some(Value::String(measure)), Some(Value::List(labels))) =
        (metric.get("name"), metric.get("measure"), metric.get("labels"))
    else {
        return Err(no_metric());
    };
    let measure = Measure::named(measure).ok_or_else(no_metric)?;
    let samples = past(cx)?.samples(name, ago(cx, args.get(&OVER)?))?;
    let samples = samples.iter().map(|sample| {
        let mut fields =
            vec![(Arc::from("time"), Value::Time(sample.at)), (Arc::from("value"), measure.value(sample.value))];
        for label in labels.iter() {
            let Value::String(label) = label else { continue };
            let value = sample.labels.iter().find(|(name, _)| *name == **label);
            // A sample that was taken before the metric got this label has none.
            let value = value.map_or_else(|| Value::string(""), |(_, value)| Value::string(Arc::clone(value)));
            fields.push((Arc::clone(label), value));
        }
        Value::record(fields)
    });
    Ok(Value::list(samples.collect()))
}

fn no_metric() -> Fault {
    Fault::new(FaultKind::Conversion, "this is no metric")
}
