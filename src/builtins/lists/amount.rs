//! Amounts: numbers of one dimension added up, with their unit.

use jiff::SignedDuration;

use crate::catalog::{Args, Inputs, Items, Mismatch, Param, PerItem, Presence, Yields};
use crate::types::{self, Counted, Fault, Number, Type, Value};

/// What stages that work on numbers take from each item.
pub(super) const OF: Param<PerItem<'static>> = Param::per_item(
    "of",
    "The number of each item; the item itself where left out.",
    Yields::Number,
    Presence::Optional,
);

/// What to write where an item of data has no value: a text or a time has no 0, and of numbers it would be counted.
pub(super) const MISSING: &str = "leave such items out: `| where(it?.… != null)`";

/// The same where the type says that a value may be missing, which it still does behind `where`. What stands in is never
/// taken, so it changes no mean and no least value.
pub(super) fn without_missing(stage: &str, is_field: bool, stand_in: &str) -> String {
    let of = if is_field { ".x" } else { "it" };
    format!(
        "leave such items out, and `??` has nothing to stand in for: `| where({of} != null) | {stage}({of} ?? {stand_in})`"
    )
}

/// The numbers of the items. A missing one is a fault: no number stands for it by itself.
pub(super) fn numbers<'a>(stage: &'static str, items: Items<'a>, args: &Args<'a>) -> Items<'a> {
    let of = args.per_item(&OF);
    Box::new(items.map(move |item| {
        let item = item?;
        let value = if let Some(of) = of { of(&item)? } else { item };
        match value.plainly() {
            Value::Null => Err(Fault::no_value(format!("`{stage}` meets an item without a number")).help(MISSING)),
            // In data it is an integer that is larger than an int.
            number if number.is_number() || matches!(number, Value::Data(_)) => Ok(number),
            other => Err(no_number(&other)),
        }
    }))
}

fn no_number(value: &Value) -> Fault {
    let fault = Fault::conversion(format!("a {} is no number: {value}", value.kind()));
    match value {
        Value::String(text) if types::is_number(text) => fault.help(types::IN_A_TEXT),
        _ => fault,
    }
}

/// The type of the numbers that a stage works on.
pub(super) fn number_type(stage: &str, does: &str, inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let given = inputs.given(OF.name());
    let param = if given.is_some() { "of" } else { "items" };
    let ty = given.clone().unwrap_or_else(|| inputs.item());
    match ty {
        Type::Unknown => Ok(ty),
        // A number in data is a float: nothing says more about it.
        Type::Data => Ok(Type::Float),
        ty if ty.is_number() => Ok(ty),
        Type::Optional(inner) if inner.is_number() => Err(Mismatch {
            param,
            message: format!("`{stage}` {does} numbers, and this one may be missing"),
            help: Some(without_missing(stage, given.is_some(), inner.stand_in())),
        }),
        other => Err(Mismatch {
            param,
            message: format!("`{stage}` {does} numbers, and this is `{other}`"),
            help: given.is_none().then(|| format!("name the number of an item: `{stage}(.size)`")),
        }),
    }
}

/// The type of a mean: half of 3 is no int.
pub(super) fn mean_type(numbers: Type) -> Type {
    if numbers == Type::Int { Type::Float } else { numbers }
}

/// A sum that remembers its unit and how many numbers it holds.
#[derive(Clone, Copy, Default)]
pub(super) struct Total {
    count: u32,
    sum: Option<Sum>,
}

#[derive(Clone, Copy)]
enum Sum {
    Int(i128),
    Size(i128),
    Nanoseconds(i128),
    Float(f64),
    Percent(f64),
    Cores(f64),
    Rate(f64, Counted),
}

impl Total {
    pub(super) fn add(&mut self, value: &Value) -> Result<(), Fault> {
        let more = Sum::of(value)?;
        self.sum = Some(match self.sum {
            None => more,
            Some(sum) => sum
                .plus(more)
                .ok_or_else(|| Fault::conversion(format!("a {} cannot be added to what is before it", value.kind())))?,
        });
        self.count = self.count.checked_add(1).ok_or_else(|| Fault::no_value("more numbers than can be counted"))?;
        Ok(())
    }

    /// The sum, `None` of nothing.
    pub(super) fn sum(&self) -> Option<Result<Value, Fault>> {
        self.sum.map(Sum::value)
    }

    /// The arithmetic mean, `None` of nothing. That of ints is a float, that of sizes and durations is rounded.
    pub(super) fn average(&self) -> Option<Result<Value, Fault>> {
        let count = f64::from(self.count);
        let rounded = |sum: i128| (2 * sum + i128::from(self.count)).div_euclid(2 * i128::from(self.count));
        let mean = match self.sum? {
            #[expect(clippy::cast_precision_loss, reason = "an average of ints is a float")]
            Sum::Int(sum) => Sum::Float(sum as f64 / count),
            Sum::Size(sum) => Sum::Size(rounded(sum)),
            Sum::Nanoseconds(sum) => Sum::Nanoseconds(rounded(sum)),
            Sum::Float(sum) => Sum::Float(sum / count),
            Sum::Percent(sum) => Sum::Percent(sum / count),
            Sum::Cores(sum) => Sum::Cores(sum / count),
            Sum::Rate(sum, counted) => Sum::Rate(sum / count, counted),
        };
        Some(mean.value())
    }
}

impl Sum {
    fn of(value: &Value) -> Result<Self, Fault> {
        Ok(match value {
            Value::Int(value) => Self::Int(i128::from(*value)),
            Value::Size(value) => Self::Size(i128::from(*value)),
            Value::Duration(value) => Self::Nanoseconds(value.as_nanos()),
            Value::Float(value) => Self::Float(*value),
            Value::Percent(value) => Self::Percent(*value),
            Value::Cores(value) => Self::Cores(*value),
            Value::Rate(value, counted) => Self::Rate(*value, *counted),
            Value::Data(data) if let Some(number) = data.as_number() => match Number::of_json(number) {
                Number::Whole(whole) => Self::Int(whole),
                Number::Real(real) => Self::Float(real),
            },
            other => return Err(no_number(other)),
        })
    }

    /// `None` where the dimensions differ. No sum of fewer than 2^32 numbers leaves an `i128`.
    fn plus(self, other: Self) -> Option<Self> {
        Some(match (self, other) {
            (Self::Int(a), Self::Int(b)) => Self::Int(a + b),
            (Self::Size(a), Self::Size(b)) => Self::Size(a + b),
            (Self::Nanoseconds(a), Self::Nanoseconds(b)) => Self::Nanoseconds(a + b),
            (Self::Percent(a), Self::Percent(b)) => Self::Percent(a + b),
            (Self::Cores(a), Self::Cores(b)) => Self::Cores(a + b),
            (Self::Rate(a, of), Self::Rate(b, also)) if of == also => Self::Rate(a + b, of),
            (a, b) => Self::Float(a.plain()? + b.plain()?),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "an int next to a float is taken as one")]
    const fn plain(self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(value as f64),
            Self::Float(value) | Self::Percent(value) => Some(value),
            _ => None,
        }
    }

    fn value(self) -> Result<Value, Fault> {
        let overflow = || Fault::no_value("the sum is larger than its type can hold");
        let finite = |value: f64| if value.is_finite() { Ok(value) } else { Err(overflow()) };
        Ok(match self {
            Self::Int(sum) => Value::Int(i64::try_from(sum).map_err(|_| overflow())?),
            Self::Size(sum) => Value::Size(i64::try_from(sum).map_err(|_| overflow())?),
            Self::Nanoseconds(sum) => {
                let ns = i64::try_from(sum).map_err(|_| overflow())?;
                Value::Duration(SignedDuration::from_nanos(ns))
            }
            Self::Float(sum) => Value::Float(finite(sum)?),
            Self::Percent(sum) => Value::percent(finite(sum)?),
            Self::Cores(sum) => Value::Cores(finite(sum)?),
            Self::Rate(sum, counted) => Value::Rate(finite(sum)?, counted),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::Total;
    use crate::types::Value;

    fn total(values: &[Value]) -> Total {
        let mut total = Total::default();
        for value in values {
            total.add(value).unwrap();
        }
        total
    }

    #[test]
    fn sums_keep_their_unit() {
        let sizes = total(&[Value::Size(1), Value::Size(2)]);
        assert!(sizes.sum().unwrap().unwrap().equals(&Value::Size(3)));
        assert!(sizes.average().unwrap().unwrap().equals(&Value::Size(2)), "1.5 bytes are rounded");
        let times =
            total(&[Value::Duration(SignedDuration::from_secs(1)), Value::Duration(SignedDuration::from_secs(2))]);
        assert!(times.average().unwrap().unwrap().equals(&Value::Duration(SignedDuration::from_millis(1500))));
        assert!(
            matches!(total(&[Value::Int(1), Value::Int(2)]).average(), Some(Ok(Value::Float(half))) if half.to_bits() == 1.5_f64.to_bits())
        );
    }

    #[test]
    fn an_overflow_is_a_fault_and_an_average_of_large_numbers_is_not() {
        let large = total(&[Value::Int(i64::MAX), Value::Int(i64::MAX)]);
        assert!(large.sum().unwrap().is_err());
        assert!(large.average().unwrap().is_ok());
        assert!(total(&[Value::Float(f64::MAX), Value::Float(f64::MAX)]).sum().unwrap().is_err());
    }

    #[test]
    fn units_do_not_mix() {
        let mut sizes = total(&[Value::Size(1)]);
        assert!(sizes.add(&Value::Int(1)).is_err());
        assert!(sizes.add(&Value::string("1")).is_err());
    }
}
