//! `round`

use crate::catalog::{
    Accepts, Args, Body, Builtin, EffectRule, Example, Inputs, Judge, Mismatch, Param, Presence, Returns,
};
use crate::types::{Fault, Type, Value};
use crate::units;

const VALUE: Param<Value> = Param::new("value", "The number.", Accepts::Number, Presence::Required);
const DIGITS: Param<i64> = Param::or("digits", "How many decimals stay, 0 to 12.", || Value::Int(0))
    .judged(Judge::Number(|digits| kept(digits).map(drop)));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "round",
    summary: "A number rounded half away from zero: to whole numbers, or to so many decimals. A percent is rounded as it is shown.",
    params: &[VALUE.info(), DIGITS.info()],
    returns: Returns::Computed { shape: "the type of the number", compute: number_type },
    effect: EffectRule::Pure,
    body: Body::Pure(round),
    needs: &[],
    by_hand: "",
    examples: &[Example::gives("2.5 | round", "3"), Example::gives("12.345% | round(1)", "12.3%")],
};

fn round(args: &Args<'_>) -> Result<Value, Fault> {
    let digits = kept(args.get(&DIGITS)?)?;
    let to = |value: f64, digits| units::fixed(value, digits).parse().unwrap_or(value);
    Ok(match super::number(args.get(&VALUE)?)? {
        Value::Int(value) => Value::Int(value),
        Value::Data(data) if data.is_number() => Value::Data(data),
        Value::Float(value) => Value::Float(to(value, digits)),
        Value::Percent(value) => Value::Percent(to(value, digits + 2)),
        Value::Cores(value) => Value::Cores(to(value, digits)),
        other => return Err(Fault::conversion(format!("`round` wants a number, got a {}", other.kind()))),
    })
}

fn kept(digits: i64) -> Result<usize, Fault> {
    let digits = usize::try_from(digits).ok().filter(|digits| *digits <= 12);
    digits.ok_or_else(|| Fault::no_value("`round` keeps 0 to 12 decimals"))
}

fn number_type(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    match inputs.of("value") {
        Type::Data => Ok(Type::Float),
        ty @ (Type::Int | Type::Float | Type::Percent | Type::Cores | Type::Unknown) => Ok(ty),
        other => Err(Mismatch {
            param: "value",
            message: format!("`round` rounds numbers and percents, and this is `{other}`"),
            help: other.is_number().then(|| "divide it by its unit first: `x / 1s`".to_owned()),
        }),
    }
}
