//! forecast

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::lines::{self, Line};
use crate::catalog::{
    Accepts, Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Presence, Returns,
};
use crate::types::{Fault, Field, Measure, RecordType, Type, Value};

const ITEMS: Param<Value> =
    Param::new("samples", "The samples of a metric, as `history` gives them.", Accepts::Items, Presence::Required);
const REACHES: Param<Value> = Param::new(
    "reaches",
    "The value that it grows to, in the unit of the metric. What is there or beyond it has reached it.",
    Accepts::Number,
    Presence::Optional,
);
const FALLS_TO: Param<Value> = Param::new(
    "falls_to",
    "The value that it falls to, such as the free space that is left, in place of `reaches`.",
    Accepts::Number,
    Presence::Optional,
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "forecast",
    summary: "When a metric grows to a value, or falls to one, if it goes on like this, for each set of labels: a straight line through the median slope.",
    params: &[ITEMS.info(), REACHES.info(), FALLS_TO.info()],
    returns: Returns::Computed {
        shape: "list<{ …, value: T, per_day: T, left: duration, at: time? }> with a field for each label of the metric",
        compute: forecasts,
    },
    effect: EffectRule::Pure,
    body: Body::Stage(forecast),
    needs: &[],
    by_hand: "",
    examples: &[Example::call("history(disk_used, over: 30d) | forecast(reaches: 80%) | all(.left > 14d)")],
};

fn forecasts(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let Some(sample) = lines::sample_type("forecast", "samples", inputs)? else { return Ok(Type::Unknown) };
    let value = sample.fields.get("value").map_or(Type::Unknown, |field| field.ty.clone());
    if !value.is_number() && !value.is_unknown() {
        let message = format!("`forecast` needs a metric that is a number, and this one is of type {value}");
        return Err(mismatch("samples", message, None));
    }
    let (param, reaches) = match (inputs.given(REACHES.name()), inputs.given(FALLS_TO.name())) {
        (Some(reaches), None) => (REACHES.name(), reaches.clone()),
        (None, Some(falls_to)) => (FALLS_TO.name(), falls_to.clone()),
        _ => {
            let message = "`forecast` looks out for one value: `reaches` or `falls_to`".to_owned();
            return Err(mismatch(
                "samples",
                message,
                Some("write `forecast(reaches: 80%)` or `forecast(falls_to: 0B)`"),
            ));
        }
    };
    if !reaches.fits(&value) {
        let message = format!("the metric is of type {value}, and `{param}` of type {reaches}");
        return Err(mismatch(param, message, Some("say it in the unit of the metric")));
    }
    let mut fields = sample.fields.clone();
    fields.shift_remove("time");
    fields.shift_remove("value");
    let field = |ty: Type, doc: &str| Field { ty, doc: doc.into() };
    fields.insert("value".into(), field(value.clone(), "What the line says it is now."));
    fields.insert("per_day".into(), field(value, "How much it grows in a day; negative where it shrinks."));
    // Never is the longest time there is, so that `.left > 14d` holds for a disk that does not grow.
    fields.insert("left".into(), field(Type::Duration, "How long until it is reached; 292 years where it never is."));
    fields.insert("at".into(), field(Type::Time.optional(), "When it is reached; missing where it never is."));
    Ok(Type::list(Type::Record(Arc::new(RecordType { name: None, fields }))))
}

fn mismatch(param: &'static str, message: String, help: Option<&str>) -> Mismatch {
    Mismatch { param, message, help: help.map(str::to_owned) }
}

/// How many samples of one set of labels a line is drawn through; of more, as many are taken evenly.
const MOST: usize = 400;
const DAY: f64 = 86_400.0;
/// The longest duration that can be written.
const NEVER: SignedDuration = SignedDuration::from_nanos(i64::MAX);

fn forecast<'a>(items: Items<'a>, args: &Args<'a>) -> Result<Flow<'a>, Fault> {
    let (limit, falls) = match (args.value(REACHES.name()), args.value(FALLS_TO.name())) {
        (_, Some(falls_to)) => (falls_to, true),
        (Some(reaches), None) => (reaches, false),
        (None, None) => return Err(Fault::no_value("`forecast` looks out for one value: `reaches` or `falls_to`")),
    };
    let limit = limit.read()?.plainly();
    // 100 is a limit of a metric of floats as 100.0 is.
    let measure = match Measure::of_value(&limit) {
        Some(Measure::Int) => Some(Measure::Float),
        other => other,
    };
    let measure = measure.ok_or_else(|| Fault::conversion("what is looked out for is not a number"))?;
    let reaches = measure.number(&limit).ok_or_else(|| Fault::conversion("what is looked out for is not a number"))?;
    let lines = lines::of("forecast", items, |value| measure.number(value))?;
    // Samples that are not there say nothing of what comes: an empty list would read as "never".
    if lines.is_empty() {
        return Err(Fault::no_value("there are no samples to draw a line through"));
    }
    Ok(Flow::Value(Value::list(lines.into_iter().map(|line| drawn(line, measure, reaches, falls)).collect())))
}

fn drawn(line: Line, measure: Measure, reaches: f64, falls: bool) -> Value {
    let mut fields = line.labels;
    let last = line.points.last().map_or(Timestamp::UNIX_EPOCH, |(at, _)| *at);
    let found = slope(&line.points, last);
    let field = |value: Option<Value>| {
        let missing = || Value::Faulted(Arc::new(Fault::no_value("two samples of different times draw no line yet")));
        value.unwrap_or_else(missing)
    };
    let left = found.map(|(slope, now)| {
        // What is there or beyond it has reached it, wherever it goes from there; what moves away from it never does.
        let is_there = if falls { now <= reaches } else { now >= reaches };
        if is_there {
            return SignedDuration::ZERO;
        }
        let seconds = (reaches - now) / slope;
        let left = SignedDuration::try_from_secs_f64(seconds).ok().filter(|_| seconds > 0.0);
        left.filter(|left| *left < NEVER).unwrap_or(NEVER)
    });
    let at = left.and_then(|left| if left == NEVER { None } else { last.checked_add(left).ok() });
    fields.push(("value".into(), field(found.map(|(_, now)| measure.value(now)))));
    fields.push(("per_day".into(), field(found.map(|(slope, _)| measure.value(slope * DAY)))));
    fields.push(("left".into(), field(left.map(Value::Duration))));
    fields.push(("at".into(), at.map_or(Value::Null, Value::Time)));
    Value::record(fields)
}

/// The median slope of all pairs, a second, and what the line through the medians says of the last time: half of the
/// samples may be wild without moving it (Theil and Sen).
fn slope(points: &[(Timestamp, f64)], last: Timestamp) -> Option<(f64, f64)> {
    let step = points.len().div_ceil(MOST).max(1);
    let seconds = |at: Timestamp| at.duration_since(last).as_secs_f64();
    let points: Vec<(f64, f64)> = points.iter().rev().step_by(step).map(|(at, value)| (seconds(*at), *value)).collect();
    let mut slopes = Vec::new();
    for (index, (at, value)) in points.iter().enumerate() {
        for (other_at, other) in points.iter().skip(index + 1) {
            if (at - other_at).abs() > f64::EPSILON {
                slopes.push((value - other) / (at - other_at));
            }
        }
    }
    let slope = median(&mut slopes)?;
    let mut rests: Vec<f64> = points.iter().map(|(at, value)| value - slope * at).collect();
    Some((slope, median(&mut rests)?))
}

fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let high = *values.get(middle)?;
    if values.len() % 2 == 1 { Some(high) } else { Some(f64::midpoint(*values.get(middle.checked_sub(1)?)?, high)) }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Line, NEVER, drawn, forecasts};
    use crate::catalog::Inputs;
    use crate::types::{Field, Measure, RecordType, Type, Value};

    fn samples(value: Type) -> Type {
        let field = |ty: Type| Field { ty, doc: "".into() };
        let fields = [("time", Type::Time), ("value", value), ("mount", Type::String)];
        let fields = fields.into_iter().map(|(name, ty)| (name.into(), field(ty))).collect();
        Type::list(Type::Record(RecordType { name: None, fields }.into()))
    }

    fn of(samples: Type, reaches: Type) -> Result<String, String> {
        let types = [("samples", Some(samples)), ("reaches", Some(reaches)), ("falls_to", None)];
        forecasts(&Inputs { types: &types }).map(|ty| ty.to_string()).map_err(|mismatch| mismatch.message)
    }

    #[test]
    fn a_forecast_keeps_labels_and_units() {
        let shape = "list<{ mount: string, value: percent, per_day: percent, left: duration, at: time? }>";
        assert_eq!(of(samples(Type::Percent), Type::Percent).as_deref(), Ok(shape));
        assert!(of(samples(Type::Percent), Type::Size).is_err_and(|message| message.contains("percent")));
        assert!(of(samples(Type::Bool), Type::Percent).is_err());
        assert!(of(Type::list(Type::Int), Type::Int).is_err());
    }

    /// What is said of a value at every hour: `now`, `per day` and `left`, each as it is shown.
    fn says(hourly: &[i64], reaches: f64) -> [String; 3] {
        said(hourly, reaches, false)
    }

    fn said(hourly: &[i64], reaches: f64, falls: bool) -> [String; 3] {
        let point = |(hour, value): (i64, &i64)| (Timestamp::from_second(hour * 3600).unwrap(), *value);
        let points = (0..).zip(hourly).map(point).map(|(at, value)| (at, f64::from(i32::try_from(value).unwrap())));
        let line = Line { labels: Vec::new(), points: points.collect() };
        let Value::Record(fields) = drawn(line, Measure::of(&Type::Float).unwrap(), reaches, falls) else { panic!() };
        ["value", "per_day", "left"].map(|name| match fields.get(name).unwrap() {
            Value::Faulted(fault) => fault.message.to_string(),
            Value::Duration(NEVER) => "never".to_owned(),
            value => value.to_string(),
        })
    }

    #[test]
    fn a_line_is_followed_to_where_it_leads() {
        assert_eq!(says(&[10, 20, 30, 40], 100.0), ["40", "240", "6h"]);
        assert_eq!(says(&[40, 30, 20], 10.0), ["20", "-240", "0s"], "it is beyond it, though it falls");
        assert_eq!(says(&[95, 95, 95], 80.0), ["95", "0", "0s"]);
        assert_eq!(said(&[40, 30, 20], 10.0, true), ["20", "-240", "1h"], "it falls to it");
        assert_eq!(said(&[50, 50, 50], 0.0, true), ["50", "0", "never"]);
        assert_eq!(said(&[50, 60, 70], 0.0, true), ["70", "240", "never"]);
        assert_eq!(said(&[20, 10, 0], 0.0, true), ["0", "-240", "0s"]);
        assert_eq!(says(&[40, 30, 20], 100.0), ["20", "-240", "never"], "it falls away from it");
        assert_eq!(says(&[40, 40, 40], 100.0), ["40", "0", "never"]);
        assert_eq!(says(&[90, 100, 110], 100.0), ["110", "240", "0s"], "it is beyond it, and goes on");
    }

    #[test]
    fn some_wild_samples_do_not_bend_the_line() {
        assert_eq!(says(&[10, 20, 9000, 40, 50, -7000, 70, 80, 90], 100.0), ["90", "240", "1h"]);
    }

    #[test]
    fn one_sample_draws_no_line() {
        let why = "two samples of different times draw no line yet";
        assert_eq!(says(&[10], 100.0), [why; 3]);
    }
}
