//! forecast

use std::sync::Arc;

use super::METRICS;
use crate::catalog::{Accepts, Body, Builtin, EffectRule, Example, Inputs, Mismatch, Param, Presence, Returns};
use crate::types::{Field, RecordType, Type, Value};

const ITEMS: Param<Value> =
    Param::new("samples", "The samples of a metric, as `history` gives them.", Accepts::Items, Presence::Required);
const REACHES: Param<Value> =
    Param::new("reaches", "The value to look out for, in the unit of the metric.", Accepts::Number, Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "forecast",
    summary: "When a metric reaches a value if it goes on like this, for each set of labels: a straight line through the median slope.",
    params: &[ITEMS.info(), REACHES.info()],
    returns: Returns::Computed {
        shape: "list<{ …, value: T, per_day: T, left: duration, at: time? }> with a field for each label of the metric",
        compute: forecasts,
    },
    effect: EffectRule::Pure,
    body: Body::Later(METRICS),
    needs: &[],
    by_hand: "",
    examples: &[Example::call("history(disk_used, over: 30d) | forecast(reaches: 80%) | all(.left > 14d)")],
};

fn forecasts(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let sample = match inputs.item() {
        Type::Unknown => return Ok(Type::Unknown),
        Type::Record(sample) if sample.fields.contains_key("value") && sample.fields.contains_key("time") => sample,
        other => {
            let message = format!("`forecast` works on the samples of a metric, and these are of type {other}");
            return Err(mismatch("samples", message, Some("write `history(metric, over: 30d) | forecast(…)`")));
        }
    };
    let value = sample.fields.get("value").map_or(Type::Unknown, |field| field.ty.clone());
    if !value.is_number() && !value.is_unknown() {
        let message = format!("`forecast` needs a metric that is a number, and this one is of type {value}");
        return Err(mismatch("samples", message, None));
    }
    let reaches = inputs.of("reaches");
    if !reaches.fits(&value) {
        let message = format!("the metric is of type {value}, and `reaches` of type {reaches}");
        return Err(mismatch("reaches", message, Some("say it in the unit of the metric")));
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

#[cfg(test)]
mod tests {
    use super::forecasts;
    use crate::catalog::Inputs;
    use crate::types::{Field, RecordType, Type};

    fn samples(value: Type) -> Type {
        let field = |ty: Type| Field { ty, doc: "".into() };
        let fields = [("time", Type::Time), ("value", value), ("mount", Type::String)];
        let fields = fields.into_iter().map(|(name, ty)| (name.into(), field(ty))).collect();
        Type::list(Type::Record(RecordType { name: None, fields }.into()))
    }

    fn of(samples: Type, reaches: Type) -> Result<String, String> {
        let types = [("samples", Some(samples)), ("reaches", Some(reaches))];
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
}
