//! history

use jiff::SignedDuration;

use super::METRICS;
use crate::catalog::{Accepts, Body, Builtin, EffectRule, Example, Param, Presence, Returns};
use crate::types::Value;

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
    body: Body::Later(METRICS),
    needs: &[],
    by_hand: "",
    examples: &[Example::call("history(disk_used, over: 30d) | max(.value)")],
};
