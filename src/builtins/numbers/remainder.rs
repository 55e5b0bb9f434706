//! `remainder`

use crate::catalog::{
    Accepts, Args, Body, Builtin, EffectRule, Example, Inputs, Judge, Mismatch, Param, Presence, Returns,
};
use crate::types::{Fault, Number, Type, Value};

const VALUE: Param<Value> = Param::new("value", "The number.", Accepts::Number, Presence::Required);
const BY: Param<Value> = Param::new("by", "What it is divided by.", Accepts::Number, Presence::Required)
    .judged(Judge::Value(|by| Number::of(by).map_or(Ok(()), |by| some(by.nearest()))));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "remainder",
    summary: "What is left of a number that is divided by another one, `%` of other languages: below 0 where the number is.",
    params: &[VALUE.info(), BY.info()],
    returns: Returns::Computed { shape: "int or float", compute: number_type },
    effect: EffectRule::Pure,
    body: Body::Pure(remainder),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("7 | remainder(3)", "1"), Example::gives("-7 | remainder(3)", "-1")],
};

fn some(by: f64) -> Result<(), Fault> {
    if by == 0.0 { Err(Fault::no_value("nothing is divided by 0")) } else { Ok(()) }
}

fn remainder(args: &Args<'_>) -> Result<Value, Fault> {
    let (value, by) = (super::number(args.get(&VALUE)?)?, super::number(args.get(&BY)?)?);
    if let (Value::Int(value), Value::Int(by)) = (&value, &by) {
        return value.checked_rem(*by).map(Value::Int).ok_or_else(|| Fault::no_value("nothing is divided by 0"));
    }
    let number = |value: &Value| {
        let number = Number::of(value).map(Number::nearest);
        number.ok_or_else(|| Fault::conversion(format!("`remainder` wants a number, got a {}", value.kind())))
    };
    let (value, by) = (number(&value)?, number(&by)?);
    some(by).map(|()| Value::Float(value % by))
}

fn number_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let mut whole = true;
    for param in ["value", "by"] {
        match inputs.of(param) {
            Type::Int | Type::Unknown => {}
            Type::Float | Type::Data => whole = false,
            other => {
                let message = format!("`remainder` is of plain numbers, and this is `{other}`");
                let help = other.one().map(|one| format!("divide it by its unit first: `x / {one}`"));
                return Err(Mismatch { param, message, help });
            }
        }
    }
    Ok(if whole { Type::Int } else { Type::Float })
}
