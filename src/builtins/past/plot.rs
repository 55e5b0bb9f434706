//! plot

use std::sync::Arc;

use jiff::Timestamp;

use super::lines::{self, Line};
use crate::catalog::{
    Accepts, Args, Body, Builtin, EffectRule, Example, Flow, Inputs, Items, Mismatch, Param, Presence, Returns,
};
use crate::types::{Fault, Field, Measure, RecordType, Type, Value};

const ITEMS: Param<Value> =
    Param::new("samples", "The samples of a metric, as `history` gives them.", Accepts::Items, Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "plot",
    summary: "Draws the samples of a metric over time, a line for each set of labels: from the smallest value to the largest. Each column is the largest sample of its time; where nothing was measured it is blank. Of a forecast it draws the next 30 days.",
    params: &[ITEMS.info()],
    returns: Returns::Computed {
        shape: "list<{ …, plot: string, min: T, max: T, last: T, from: time, to: time }> with a field for each label of the metric; of a forecast without the times",
        compute: plots,
    },
    effect: EffectRule::Pure,
    body: Body::Stage(plot),
    needs: &[],
    by_hand: "",
    examples: &[Example::call("history(disk_used, over: 7d) | plot")],
};

/// How many columns a line takes: it stands in a table beside its labels, on a terminal and in a mail.
const COLUMNS: usize = 40;
/// How many days of a forecast are drawn.
const AHEAD: u32 = 30;
/// What a forecast says beside its labels.
const FORECAST: [&str; 4] = ["value", "per_day", "left", "at"];
/// A line that moves less than this share of itself is flat: it would say more than its numbers do.
const FLAT: f64 = 0.01;
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

fn plots(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let forecast = match inputs.item() {
        Type::Record(forecast) if forecast.fields.contains_key("per_day") => Some(forecast),
        _ => None,
    };
    let is_forecast = forecast.is_some();
    let sample = match forecast {
        Some(forecast) => forecast,
        None => match lines::sample_type("plot", "samples", inputs)? {
            Some(sample) => sample,
            None => return Ok(Type::Unknown),
        },
    };
    let mut fields = sample.fields.clone();
    for own in FORECAST.iter().filter(|_| is_forecast).chain(&["time"]) {
        fields.shift_remove(*own);
    }
    let value = sample.fields.get("value").map_or(Type::Unknown, |field| field.ty.clone());
    fields.shift_remove("value");
    if !value.is_number() && !value.is_unknown() && value != Type::Bool {
        return Err(Mismatch {
            param: "samples",
            message: format!("`plot` draws a metric that is a number, and this one is of type {value}"),
            help: None,
        });
    }
    let field = |ty: &Type, doc: &str| Field { ty: ty.clone(), doc: doc.into() };
    fields.insert(
        "plot".into(),
        field(&Type::String, "The samples from left to right, in letters that are as high as they are large."),
    );
    fields.insert("min".into(), field(&value, "The smallest sample."));
    fields.insert("max".into(), field(&value, "The largest sample."));
    fields.insert("last".into(), field(&value, "The newest sample; of a forecast, what it says of the end."));
    if !is_forecast {
        fields.insert("from".into(), field(&Type::Time, "When the oldest was taken."));
        fields.insert("to".into(), field(&Type::Time, "When the newest was taken."));
    }
    Ok(Type::list(Type::Record(Arc::new(RecordType { name: None, fields }))))
}

fn plot<'a>(items: Items<'a>, _: &Args<'a>) -> Result<Flow<'a>, Fault> {
    // All samples of a metric are of one measure.
    let measure = std::cell::Cell::new(None);
    let number = |value: &Value| {
        let own = measure.get().or_else(|| Measure::of_value(value));
        measure.set(own);
        own?.number(value)
    };
    let mut items = items.peekable();
    let is_forecast = matches!(items.peek(), Some(Ok(Value::Record(fields))) if fields.contains_key("per_day"));
    if is_forecast {
        let lines = items.map(|item| ahead(&item?.read()?, number)).collect::<Result<Vec<Line>, Fault>>()?;
        let Some(measure) = measure.get() else { return Ok(Flow::Value(Value::list(Vec::new()))) };
        return Ok(Flow::Value(Value::list(lines.into_iter().filter_map(|line| drawn(line, measure, true)).collect())));
    }
    let lines = lines::of("plot", Box::new(items), number)?;
    let Some(measure) = measure.get() else { return Ok(Flow::Value(Value::list(Vec::new()))) };
    Ok(Flow::Value(Value::list(lines.into_iter().filter_map(|line| drawn(line, measure, false)).collect())))
}

/// The line of a forecast, a point a day.
fn ahead(forecast: &Value, number: impl Fn(&Value) -> Option<f64>) -> Result<Line, Fault> {
    let wrong = || Fault::conversion("this is no forecast");
    let Value::Record(fields) = forecast else { return Err(wrong()) };
    let of = |name: &str| match fields.get(name) {
        Some(Value::Faulted(fault)) => Err(fault.as_ref().clone()),
        Some(value) => number(value).ok_or_else(wrong),
        None => Err(wrong()),
    };
    let (value, per_day) = (of("value")?, of("per_day")?);
    let points = (0..=AHEAD).filter_map(|day| {
        let at = Timestamp::from_second(i64::from(day) * 86_400).ok()?;
        Some((at, f64::from(day).mul_add(per_day, value)))
    });
    let labels = fields.iter().filter(|(name, _)| !FORECAST.contains(&&***name));
    let labels = labels.map(|(name, value)| (Arc::clone(name), value.clone())).collect();
    Ok(Line { labels, points: points.collect() })
}

fn drawn(line: Line, measure: Measure, is_forecast: bool) -> Option<Value> {
    let ((from, _), (to, last)) = (*line.points.first()?, *line.points.last()?);
    let values = || line.points.iter().map(|(_, value)| *value);
    let (min, max) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
    let text = bars(&line.points, from, to, min, max);
    let mut fields = line.labels;
    fields.push(("plot".into(), Value::string(text)));
    for (name, value) in [("min", min), ("max", max), ("last", last)] {
        fields.push((name.into(), measure.value(value)));
    }
    if !is_forecast {
        fields.push(("from".into(), Value::Time(from)));
        fields.push(("to".into(), Value::Time(to)));
    }
    Some(Value::record(fields))
}

/// As many columns as there are samples, and not more than there is room for.
fn bars(points: &[(Timestamp, f64)], from: Timestamp, to: Timestamp, min: f64, max: f64) -> String {
    let width = points.len().min(COLUMNS);
    let long = to.duration_since(from).as_secs_f64();
    let mut columns: Vec<Option<f64>> = vec![None; width];
    for (at, value) in points {
        let share = if long > 0.0 { at.duration_since(from).as_secs_f64() / long } else { 0.0 };
        if let Some(column) = columns.get_mut(place(share, width)) {
            *column = Some(column.map_or(*value, |old| old.max(*value)));
        }
    }
    let bar = |column: Option<f64>| {
        let Some(value) = column else { return ' ' };
        let share = if max - min > FLAT * max.abs() { (value - min) / (max - min) } else { 0.0 };
        BARS.get(place(share, BARS.len())).copied().unwrap_or(' ')
    };
    columns.into_iter().map(bar).collect()
}

/// Which of so many places a share of the whole falls into.
fn place(share: f64, places: usize) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share is between 0 and 1, and a cast of floats saturates"
    )]
    let place = (share * places as f64) as usize;
    place.min(places.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::bars;

    fn drawn(samples: &[(i64, f64)]) -> String {
        let points: Vec<(Timestamp, f64)> =
            samples.iter().map(|(second, value)| (Timestamp::from_second(*second).unwrap(), *value)).collect();
        let values = || samples.iter().map(|(_, value)| *value);
        let (min, max) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::NEG_INFINITY, f64::max));
        bars(&points, points[0].0, points[points.len() - 1].0, min, max)
    }

    #[test]
    fn a_line_goes_from_its_smallest_to_its_largest() {
        let eight: Vec<(i64, f64)> = (0..8).map(|at| (i64::from(at) * 60, f64::from(at))).collect();
        assert_eq!(drawn(&eight), "▁▂▃▄▅▆▇█");
        assert_eq!(drawn(&[(0, 5.0), (60, 5.0)]), "▁▁");
        assert_eq!(drawn(&[(0, 5.0), (60, 5.001)]), "▁▁");
        assert_eq!(drawn(&[(0, -5.0), (60, 5.0)]), "▁█");
        assert_eq!(drawn(&[(0, 5.0)]), "▁");
    }

    #[test]
    fn a_peak_stays_and_a_gap_is_seen() {
        // One high sample among thousands.
        let many: Vec<(i64, f64)> = (0..4000).map(|at| (at, if at == 2000 { 9.0 } else { 0.0 })).collect();
        let line = drawn(&many);
        assert_eq!((line.chars().count(), line.matches('█').count()), (40, 1), "{line}");
        assert_eq!(drawn(&[(0, 0.0), (1, 0.0), (2, 0.0), (9, 1.0)]), "▁  █");
    }
}
