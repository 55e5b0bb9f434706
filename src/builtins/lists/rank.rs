//! Ranks: values of one dimension in their order.

use std::cmp::Ordering;
use std::mem::discriminant;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil};

use crate::types::{Counted, Fault, Number, Value};

/// A value's place in an order. A missing value comes last.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Bool(bool),
    Number(Plain),
    Duration(SignedDuration),
    Size(i64),
    Cores(Real),
    Items(Real),
    Bytes(Real),
    Text(Arc<str>),
    Time(Timestamp),
    Date(civil::Date),
    Clock(civil::Time),
    Missing,
}

impl Rank {
    /// # Errors
    /// Where the value has no place in any order.
    pub(super) fn of(value: Value) -> Result<Self, Fault> {
        if let Some(number) = Number::of(&value) {
            return Plain::new(number).map(Self::Number);
        }
        Ok(match value.ordered()? {
            Value::Null => Self::Missing,
            Value::Bool(value) => Self::Bool(value),
            Value::Duration(value) => Self::Duration(value),
            Value::Size(value) => Self::Size(value),
            Value::Cores(value) => Self::Cores(Real::new(value)?),
            Value::Rate(value, Counted::Items) => Self::Items(Real::new(value)?),
            Value::Rate(value, Counted::Bytes) => Self::Bytes(Real::new(value)?),
            Value::String(text) => Self::Text(text.into_inner()),
            Value::Time(time) => Self::Time(time),
            Value::Date(date) => Self::Date(date),
            Value::Clock(clock) => Self::Clock(clock),
            Value::Faulted(fault) => return Err(fault.as_ref().clone()),
            other => return Err(Fault::conversion(format!("a {} has no order", other.kind()))),
        })
    }

    /// The order of two ranks of one kind.
    ///
    /// # Errors
    /// Where they are of two kinds: data can hold a number here and a text there.
    pub(super) fn against(&self, other: &Self) -> Result<Ordering, Fault> {
        let comparable = discriminant(self) == discriminant(other) || *self == Self::Missing || *other == Self::Missing;
        if comparable {
            return Ok(self.cmp(other));
        }
        Err(Fault::conversion(format!("{} and {} have no order", self.kind(), other.kind())))
    }

    pub(super) const fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    const fn kind(&self) -> &'static str {
        match self {
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::Duration(_) => "a duration",
            Self::Size(_) => "a size",
            Self::Cores(_) => "cores",
            Self::Items(_) | Self::Bytes(_) => "a rate",
            Self::Text(_) => "a string",
            Self::Time(_) => "a time",
            Self::Date(_) => "a date",
            Self::Clock(_) => "a time of day",
            Self::Missing => "nothing",
        }
    }
}

/// Sees to it that all ranks are of one kind, so that they can be sorted.
#[derive(Default)]
pub(super) struct OneKind {
    first: Option<Rank>,
}

impl OneKind {
    pub(super) fn check(&mut self, rank: &Rank) -> Result<(), Fault> {
        if let Some(first) = &self.first {
            return first.against(rank).map(drop);
        }
        self.first = (!rank.is_missing()).then(|| rank.clone());
        Ok(())
    }
}

/// A double that is a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Real(f64);

impl Real {
    fn new(value: f64) -> Result<Self, Fault> {
        // Adding 0 turns -0 into 0, which is equal to it.
        if value.is_nan() { Err(Fault::no_value("not a number")) } else { Ok(Self(value + 0.0)) }
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Real {}

/// A number without a unit that is one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain(Number);

impl Plain {
    fn new(number: Number) -> Result<Self, Fault> {
        if number.nearest().is_nan() { Err(Fault::no_value("not a number")) } else { Ok(Self(number)) }
    }
}

impl Ord for Plain {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.order(other.0).unwrap_or(Ordering::Equal)
    }
}

impl PartialOrd for Plain {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Plain {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Plain {}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::Rank;
    use crate::types::Value;

    fn order(a: Value, b: Value) -> Ordering {
        Rank::of(a).unwrap().against(&Rank::of(b).unwrap()).unwrap()
    }

    #[test]
    fn ints_and_floats_have_one_exact_order() {
        let data = |number: u64| Value::Data(std::sync::Arc::new(serde_json::json!(number)));
        assert_eq!(order(data(u64::MAX), data(u64::MAX - 1)), Ordering::Greater);
        assert_eq!(order(Value::Int(2), Value::Float(2.5)), Ordering::Less);
        assert_eq!(order(Value::Float(2.0), Value::Int(2)), Ordering::Equal);
        assert_eq!(order(Value::Float(-0.0), Value::Int(0)), Ordering::Equal);
        assert_eq!(order(Value::Int(i64::MAX), Value::Float(1e300)), Ordering::Less);
        assert_eq!(order(Value::Int(i64::MIN), Value::Float(-9_223_372_036_854_775_808.0)), Ordering::Equal);
        assert_eq!(order(Value::Int(9_007_199_254_740_993), Value::Float(9_007_199_254_740_992.0)), Ordering::Greater);
    }

    #[test]
    fn two_kinds_have_no_order() {
        let (text, number) = (Rank::of(Value::string("a")).unwrap(), Rank::of(Value::Int(1)).unwrap());
        assert!(text.against(&number).is_err());
        assert!(Rank::of(Value::Float(f64::NAN)).is_err());
        assert_eq!(Rank::Missing.against(&text).unwrap(), Ordering::Greater);
    }
}
