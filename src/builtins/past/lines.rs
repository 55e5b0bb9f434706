//! Samples of a metric, as `history` gives them, as lines: one for each set of labels.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::Timestamp;

use crate::catalog::{Inputs, Items, Mismatch};
use crate::types::{Fault, FaultKind, RecordType, Type, Value};

/// The samples of one set of labels.
pub(super) struct Line {
    /// The labels, in the order of the sample's fields.
    pub(super) labels: Vec<(Arc<str>, Value)>,
    /// The oldest first.
    pub(super) points: Vec<(Timestamp, f64)>,
}

/// The type of the samples that a stage works on; `None` where nobody knows it.
pub(super) fn sample_type(
    stage: &str,
    param: &'static str,
    inputs: &Inputs<'_>,
) -> Result<Option<Arc<RecordType>>, Mismatch> {
    match inputs.item() {
        Type::Unknown => Ok(None),
        Type::Record(sample) if sample.fields.contains_key("value") && sample.fields.contains_key("time") => {
            Ok(Some(sample))
        }
        other => Err(Mismatch {
            param,
            message: format!("`{stage}` works on the samples of a metric, and these are of type {other}"),
            help: Some(format!("write `history(metric, over: 30d) | {stage}`")),
        }),
    }
}

/// The lines of samples. `number` says what a value is on its line.
pub(super) fn of(stage: &str, items: Items<'_>, number: impl Fn(&Value) -> Option<f64>) -> Result<Vec<Line>, Fault> {
    let no_sample = || Fault::new(FaultKind::Conversion, format!("`{stage}` works on the samples of a metric"));
    let mut lines: IndexMap<String, Line> = IndexMap::new();
    for item in items {
        let Value::Record(fields) = item?.read()? else { return Err(no_sample()) };
        let (Some(Value::Time(at)), Some(value)) = (fields.get("time"), fields.get("value")) else {
            return Err(no_sample());
        };
        let number = number(value).ok_or_else(no_sample)?;
        let labels = fields.iter().filter(|(name, _)| !matches!(&***name, "time" | "value"));
        let labels: Vec<(Arc<str>, Value)> = labels.map(|(name, value)| (Arc::clone(name), value.clone())).collect();
        let key: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.entry(key.join("\0")).or_insert_with(|| Line { labels, points: Vec::new() }).points.push((*at, number));
    }
    let mut lines: Vec<Line> = lines.into_values().collect();
    for line in &mut lines {
        line.points.sort_by_key(|(at, _)| *at);
    }
    Ok(lines)
}
