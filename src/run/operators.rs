//! What operators do with two values. Whatever has no result is a fault that names both sides.

use std::cmp::Ordering;

use jiff::SignedDuration;

use super::equality;
use crate::check::program::BinaryOp;
use crate::types::{Fault, Number, Type, Value};
use crate::units::Counted;

/// The value of `left op right` for everything but logic and `??`, which need not look at both sides.
pub(crate) fn binary(op: BinaryOp, left: Value, right: Value, ty: &Type) -> Result<Value, Fault> {
    let (left, right) = (left.read()?, right.read()?);
    match op {
        BinaryOp::Equal => equality::equal(&left, &right).map(Value::Bool),
        BinaryOp::NotEqual => equality::equal(&left, &right).map(|equal| Value::Bool(!equal)),
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => {
            let order = order(op, &left, &right)?;
            Ok(Value::Bool(match op {
                BinaryOp::Less => order == Ordering::Less,
                BinaryOp::LessOrEqual => order != Ordering::Greater,
                BinaryOp::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            }))
        }
        BinaryOp::Matches => matches(&left, &right),
        BinaryOp::In => is_in(&left, &right),
        BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply | BinaryOp::Divide => arithmetic(op, left, right, ty),
        BinaryOp::Or | BinaryOp::And | BinaryOp::Coalesce => Err(meaningless(op, &left, &right)),
    }
}

/// `-x`
pub(super) fn negate(value: &Value) -> Result<Value, Fault> {
    let negated = match value {
        Value::Int(value) => value.checked_neg().map(Value::Int),
        Value::Size(value) => value.checked_neg().map(Value::Size),
        Value::Duration(value) => value.checked_neg().map(Value::Duration),
        Value::Float(value) => Some(Value::Float(-value)),
        Value::Percent(value) => Some(Value::Percent(-value)),
        Value::Cores(value) => Some(Value::Cores(-value)),
        Value::Rate(value, counted) => Some(Value::Rate(-value, *counted)),
        Value::Data(data) if data.is_number() => None,
        other => return Err(Fault::conversion(format!("`-` is for numbers, and this is {}: {other}", other.kind()))),
    };
    negated.ok_or_else(|| Fault::no_value(format!("`-({value})` is out of range")))
}

fn order(op: BinaryOp, left: &Value, right: &Value) -> Result<Ordering, Fault> {
    for side in [left, right] {
        if matches!(side.clone().plainly(), Value::Null) {
            return Err(Fault::no_value(format!("`{left} {} {right}`: a side is missing", op.symbol())));
        }
    }
    if let (Value::Data(_) | Value::String(_), Value::Data(_) | Value::String(_)) = (left, right) {
        let (one, other) = (left.clone().ordered()?, right.clone().ordered()?);
        let (one, other) = (one.clone().beside_in_order(&other)?, other.beside_in_order(&one)?);
        // An instant in data beside a day that is written as a text.
        let is_instant = matches!(one, Value::Time(_)) || matches!(other, Value::Time(_));
        let order = one.order(&other).or_else(|| left.order(right).filter(|_| is_instant));
        return order.ok_or_else(|| meaningless(op, left, right));
    }
    left.order(right).ok_or_else(|| meaningless(op, left, right))
}

fn matches(text: &Value, pattern: &Value) -> Result<Value, Fault> {
    let Value::Regex(regex) = pattern else { return Err(meaningless(BinaryOp::Matches, text, pattern)) };
    match text.clone().plainly() {
        Value::String(text) => Ok(Value::Bool(regex.compiled()?.is_match(text.as_bytes()))),
        Value::Line(line) => Ok(Value::Bool(regex.compiled()?.is_match(line.text.as_bytes()))),
        other => Err(meaningless(BinaryOp::Matches, &other, pattern)),
    }
}

fn is_in(wanted: &Value, all: &Value) -> Result<Value, Fault> {
    match all {
        Value::List(items) => equality::one_of(wanted, items.iter().cloned()).map(Value::Bool),
        Value::Data(data) => match data.as_ref() {
            serde_json::Value::Array(items) => {
                let items = items.iter().map(|item| Value::Data(item.clone().into()));
                equality::one_of(wanted, items).map(Value::Bool)
            }
            _ => Err(meaningless(BinaryOp::In, wanted, all)),
        },
        Value::String(text) => match wanted.clone().plainly() {
            Value::String(part) => Ok(Value::Bool(text.contains(&**part))),
            other => Err(meaningless(BinaryOp::In, &other, all)),
        },
        _ => Err(meaningless(BinaryOp::In, wanted, all)),
    }
}

fn arithmetic(op: BinaryOp, left: Value, right: Value, ty: &Type) -> Result<Value, Fault> {
    let (left, right) = (left.plainly(), right.plainly());
    let result = match op {
        BinaryOp::Add => sum(&left, &right, false),
        BinaryOp::Subtract => sum(&left, &right, true),
        BinaryOp::Multiply => product(&left, &right),
        _ => quotient(&left, &right)?,
    };
    match result {
        // What is whole on both sides is a number of data: it stays whole, since a float might not have all its digits.
        Computed::Value(value @ Value::Int(_)) if *ty == Type::Float => Ok(value),
        Computed::Value(value) if is_finite(&value) => Ok(as_number_of(value, ty)),
        Computed::Value(_) | Computed::OutOfRange => {
            Err(Fault::no_value(format!("`{left} {} {right}` is out of range", op.symbol())))
        }
        Computed::Meaningless => Err(meaningless(op, &left, &right)),
    }
}

/// What came of a computation.
enum Computed {
    Value(Value),
    OutOfRange,
    Meaningless,
}

impl Computed {
    fn or_out_of_range(value: Option<Value>) -> Self {
        value.map_or(Self::OutOfRange, Self::Value)
    }
}

fn sum(left: &Value, right: &Value, minus: bool) -> Computed {
    let ints = |a: i64, b: i64| if minus { a.checked_sub(b) } else { a.checked_add(b) };
    let wholes = |a: i128, b: i128| if minus { a.checked_sub(b) } else { a.checked_add(b) };
    let floats = |a: f64, b: f64| if minus { a - b } else { a + b };
    let spans = |a: i128, b: i128| if minus { a.checked_sub(b) } else { a.checked_add(b) };
    match (left, right) {
        (Value::Size(a), Value::Size(b)) => Computed::or_out_of_range(ints(*a, *b).map(Value::Size)),
        (Value::Duration(a), Value::Duration(b)) => {
            let nanoseconds = spans(a.as_nanos(), b.as_nanos());
            Computed::or_out_of_range(nanoseconds.and_then(Value::duration))
        }
        (Value::Cores(a), Value::Cores(b)) => Computed::Value(Value::Cores(floats(*a, *b))),
        (Value::Rate(a, counted), Value::Rate(b, other)) if counted == other => {
            Computed::Value(Value::Rate(floats(*a, *b), *counted))
        }
        (Value::Percent(a), Value::Percent(b)) => Computed::Value(Value::percent(floats(*a, *b))),
        (Value::Time(time), Value::Duration(by)) => {
            let moved = if minus { time.checked_sub(*by) } else { time.checked_add(*by) };
            Computed::or_out_of_range(moved.ok().map(Value::Time))
        }
        (Value::Duration(by), Value::Time(time)) if !minus => {
            Computed::or_out_of_range(time.checked_add(*by).ok().map(Value::Time))
        }
        (Value::Date(date), Value::Duration(by)) => {
            let moved = if minus { date.checked_sub(*by) } else { date.checked_add(*by) };
            Computed::or_out_of_range(moved.ok().map(Value::Date))
        }
        (Value::Duration(by), Value::Date(date)) if !minus => {
            Computed::or_out_of_range(date.checked_add(*by).ok().map(Value::Date))
        }
        (Value::Time(a), Value::Time(b)) if minus => Computed::Value(Value::Duration(a.duration_since(*b))),
        (Value::Date(a), Value::Date(b)) if minus => Computed::Value(Value::Duration(a.duration_since(*b))),
        (Value::String(a), Value::String(b)) if !minus => Computed::Value(Value::string(format!("{a}{b}"))),
        (a, b) => match (Number::of(a), Number::of(b)) {
            (Some(Number::Whole(a)), Some(Number::Whole(b))) => Computed::or_out_of_range(wholes(a, b).and_then(int)),
            (Some(a), Some(b)) => Computed::Value(Value::Float(floats(a.nearest(), b.nearest()))),
            _ => Computed::Meaningless,
        },
    }
}

fn int(whole: i128) -> Option<Value> {
    i64::try_from(whole).ok().map(Value::Int)
}

fn product(left: &Value, right: &Value) -> Computed {
    match (left, right) {
        (Value::Rate(a, counted), Value::Duration(b)) | (Value::Duration(b), Value::Rate(a, counted)) => {
            let counted_up = a * b.as_secs_f64();
            match counted {
                Counted::Items => Computed::Value(Value::Float(counted_up)),
                Counted::Bytes => Computed::or_out_of_range(whole(counted_up).map(Value::Size)),
            }
        }
        (a, b) => match (Number::of(a), Number::of(b)) {
            (Some(Number::Whole(a)), Some(Number::Whole(b))) => {
                Computed::or_out_of_range(a.checked_mul(b).and_then(int))
            }
            (Some(a), Some(b)) => {
                let product = a.nearest() * b.nearest();
                let of_percent = matches!(left, Value::Percent(_)) || matches!(right, Value::Percent(_));
                Computed::Value(Value::Float(if of_percent { Value::ratio(product) } else { product }))
            }
            (None, Some(times)) => scaled(a, b, times.nearest()),
            (Some(times), None) => scaled(b, a, times.nearest()),
            (None, None) => Computed::Meaningless,
        },
    }
}

/// A quantity, so many times. `by` is the factor as it was written: a whole one loses nothing.
fn scaled(quantity: &Value, by: &Value, times: f64) -> Computed {
    match (quantity, by) {
        (Value::Size(size), Value::Int(times)) => Computed::or_out_of_range(size.checked_mul(*times).map(Value::Size)),
        (Value::Duration(span), Value::Int(times)) => {
            let nanoseconds = span.as_nanos().checked_mul(i128::from(*times));
            Computed::or_out_of_range(nanoseconds.and_then(Value::duration))
        }
        (Value::Size(size), _) => Computed::or_out_of_range(whole(as_float(*size) * times).map(Value::Size)),
        (Value::Duration(span), _) => Computed::or_out_of_range(from_seconds(span.as_secs_f64() * times)),
        (Value::Cores(cores), _) => Computed::Value(Value::Cores(cores * times)),
        (Value::Rate(rate, counted), _) => Computed::Value(Value::Rate(rate * times, *counted)),
        _ => Computed::Meaningless,
    }
}

fn quotient(left: &Value, right: &Value) -> Result<Computed, Fault> {
    let Some(divisor) = magnitude(right) else { return Ok(Computed::Meaningless) };
    if divisor == 0.0 {
        return Err(Fault::no_value(format!("division by zero: `{left} / {right}`")));
    }
    Ok(match (left, right) {
        (Value::Size(_), Value::Size(_))
        | (Value::Duration(_), Value::Duration(_))
        | (Value::Cores(_), Value::Cores(_))
        | (Value::Rate(..), Value::Rate(..)) => match magnitude(left) {
            Some(dividend) => Computed::Value(Value::Float(dividend / divisor)),
            None => Computed::Meaningless,
        },
        (Value::Size(size), Value::Duration(_)) => {
            Computed::Value(Value::Rate(as_float(*size) / divisor, Counted::Bytes))
        }
        (Value::Size(size), Value::Rate(_, Counted::Bytes)) => {
            Computed::or_out_of_range(from_seconds(as_float(*size) / divisor))
        }
        (a, Value::Duration(_)) if a.plain_number().is_some() => match a.plain_number() {
            Some(count) => Computed::Value(Value::Rate(count / divisor, Counted::Items)),
            None => Computed::Meaningless,
        },
        (a, Value::Rate(_, Counted::Items)) if a.plain_number().is_some() => match a.plain_number() {
            Some(count) => Computed::or_out_of_range(from_seconds(count / divisor)),
            None => Computed::Meaningless,
        },
        (Value::Size(size), b) if b.plain_number().is_some() => {
            Computed::or_out_of_range(whole(as_float(*size) / divisor).map(Value::Size))
        }
        (Value::Duration(span), b) if b.plain_number().is_some() => {
            Computed::or_out_of_range(from_seconds(span.as_secs_f64() / divisor))
        }
        (Value::Cores(cores), b) if b.plain_number().is_some() => Computed::Value(Value::Cores(cores / divisor)),
        (Value::Rate(rate, counted), b) if b.plain_number().is_some() => {
            Computed::Value(Value::Rate(rate / divisor, *counted))
        }
        (a, b) => match (a.plain_number(), b.plain_number()) {
            (Some(a), Some(b)) => Computed::Value(Value::Float(a / b)),
            _ => Computed::Meaningless,
        },
    })
}

/// A number in the base unit of its dimension.
fn magnitude(value: &Value) -> Option<f64> {
    match value {
        Value::Size(size) => Some(as_float(*size)),
        Value::Duration(span) => Some(span.as_secs_f64()),
        Value::Cores(value) | Value::Rate(value, _) => Some(*value),
        other => other.plain_number(),
    }
}

/// A number without a unit as the kind of number that the checker said it is.
pub(super) fn as_number_of(value: Value, ty: &Type) -> Value {
    match (&value, ty.present()) {
        (Value::Int(_) | Value::Percent(_), Type::Float) => value.plain_number().map_or(value, Value::Float),
        (Value::Int(_) | Value::Float(_), Type::Percent) => value.plain_number().map_or(value, Value::percent),
        _ => value,
    }
}

#[expect(clippy::cast_precision_loss, reason = "beyond 2^53 bytes the nearest double is near enough for a ratio")]
const fn as_float(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
fn whole(value: f64) -> Option<i64> {
    let rounded = value.round();
    // 2^63 itself is no i64, and is the nearest double to its largest.
    (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&rounded).then_some(rounded as i64)
}

fn from_seconds(seconds: f64) -> Option<Value> {
    SignedDuration::try_from_secs_f64(seconds).ok().and_then(|span| Value::duration(span.as_nanos()))
}

fn is_finite(value: &Value) -> bool {
    match value {
        Value::Float(value) | Value::Percent(value) | Value::Cores(value) | Value::Rate(value, _) => value.is_finite(),
        _ => true,
    }
}

fn meaningless(op: BinaryOp, left: &Value, right: &Value) -> Fault {
    let (one, other) = (left.kind(), right.kind());
    Fault::conversion(format!("`{}` has no meaning between {one} ({left}) and {other} ({right})", op.symbol()))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::binary;
    use crate::check::program::BinaryOp::{self, Add, Divide, In, Less, Multiply, Subtract};
    use crate::types::{Fault, FaultKind, Type, Value};
    use crate::units::Counted;

    fn computed(op: BinaryOp, left: Value, right: Value) -> Result<String, Fault> {
        binary(op, left, right, &Type::Unknown).map(|value| format!("{value:?}"))
    }

    #[test]
    fn keeps_units_apart_and_together() {
        let hour = Value::Duration(SignedDuration::from_hours(1));
        assert_eq!(computed(Divide, Value::Size(512), Value::Size(1024)).unwrap(), "float(0.5)");
        assert_eq!(computed(Multiply, Value::Percent(0.8), Value::Size(1000)).unwrap(), "size(800B)");
        assert_eq!(computed(Multiply, hour.clone(), Value::Int(2)).unwrap(), "duration(2h)");
        assert_eq!(computed(Divide, Value::Int(7200), hour.clone()).unwrap(), "rate(2/s)");
        assert_eq!(computed(Multiply, Value::Rate(0.5, Counted::Items), hour).unwrap(), "float(1800)");
    }

    #[test]
    fn has_no_result_out_of_range_or_by_zero() {
        for (op, left, right) in [
            (Add, Value::Int(i64::MAX), Value::Int(1)),
            (Multiply, Value::Size(i64::MAX), Value::Float(2.0)),
            (Subtract, Value::Int(i64::MIN), Value::Int(1)),
            (Divide, Value::Int(0), Value::Int(0)),
            (Multiply, Value::Float(f64::MAX), Value::Float(10.0)),
            (Multiply, Value::Duration(SignedDuration::MAX), Value::Int(2)),
            (Multiply, Value::Duration(SignedDuration::from_hours(24 * 100_000)), Value::Int(2)),
            (
                Add,
                Value::Duration(SignedDuration::from_hours(24 * 100_000)),
                Value::Duration(SignedDuration::from_hours(24 * 100_000)),
            ),
            (Add, Value::Data(serde_json::json!(u64::MAX).into()), Value::Int(1)),
        ] {
            assert_eq!(computed(op, left, right).unwrap_err().kind, FaultKind::NoValue);
        }
        let fault = computed(Divide, Value::Size(1024), Value::Size(0)).unwrap_err();
        assert_eq!(&*fault.message, "division by zero: `1KiB / 0B`");
    }

    #[test]
    fn is_not_true_of_what_is_missing() {
        assert_eq!(computed(Less, Value::Null, Value::Int(1)).unwrap_err().kind, FaultKind::NoValue);
        assert_eq!(computed(Less, Value::string("a"), Value::Int(1)).unwrap_err().kind, FaultKind::Conversion);
        let faulted = Value::Faulted(Fault::no_value("gone").into());
        let list = Value::list(vec![faulted, Value::Int(1)]);
        assert_eq!(computed(In, Value::Int(1), list.clone()).unwrap(), "bool(yes)");
        assert_eq!(&*computed(In, Value::Int(2), list).unwrap_err().message, "gone");
    }
}
