//! `abs`

use crate::catalog::{Accepts, Args, Body, Builtin, EffectRule, Example, Param, Presence, Returns};
use crate::types::{Fault, Type, Value};

const VALUE: Param<Value> = Param::new("value", "The number.", Accepts::Number, Presence::Required);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "abs",
    summary: "A number without its sign, with its unit.",
    params: &[VALUE.info()],
    returns: Returns::Computed {
        shape: "the type of the number",
        compute: |inputs| Ok(number_type(&inputs.of("value"))),
    },
    effect: EffectRule::Pure,
    body: Body::Pure(abs),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("(2 - 5) | abs", "3"), Example::gives("(1m - 3m) | abs", "2m")],
};

fn abs(args: &Args<'_>) -> Result<Value, Fault> {
    let overflow = || Fault::no_value("the number is larger than its type can hold");
    Ok(match super::number(args.get(&VALUE)?)? {
        Value::Int(value) => Value::Int(value.checked_abs().ok_or_else(overflow)?),
        Value::Size(value) => Value::Size(value.checked_abs().ok_or_else(overflow)?),
        Value::Duration(value) => {
            Value::Duration(if value.is_negative() { value.checked_neg().ok_or_else(overflow)? } else { value })
        }
        Value::Float(value) => Value::Float(value.abs()),
        // An integer that is too large for an int is not below 0.
        Value::Data(data) if data.is_number() => Value::Data(data),
        Value::Percent(value) => Value::Percent(value.abs()),
        Value::Cores(value) => Value::Cores(value.abs()),
        Value::Rate(value, counted) => Value::Rate(value.abs(), counted),
        other => return Err(Fault::conversion(format!("`abs` wants a number, got a {}", other.kind()))),
    })
}

/// A number in data is a number without a unit.
fn number_type(value: &Type) -> Type {
    if *value == Type::Data { Type::Float } else { value.clone() }
}
