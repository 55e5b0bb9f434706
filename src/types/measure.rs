//! What a metric measures: numbers with their unit, as they are kept.

use jiff::SignedDuration;

use super::{Type, Value};
use crate::units::Counted;

/// The type of a metric: what a sample's number stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// 1 is true, 0 is false.
    Bool,
    Int,
    Float,
    /// A ratio: 0.05 is 5%.
    Percent,
    /// Seconds.
    Duration,
    /// Bytes.
    Size,
    Cores,
    /// Per second.
    Rate(Counted),
}

impl Measure {
    const ALL: [Self; 9] = [
        Self::Bool,
        Self::Int,
        Self::Float,
        Self::Percent,
        Self::Duration,
        Self::Size,
        Self::Cores,
        Self::Rate(Counted::Items),
        Self::Rate(Counted::Bytes),
    ];

    /// `None` where a metric cannot be of that type.
    #[must_use]
    pub const fn of(ty: &Type) -> Option<Self> {
        match ty {
            Type::Bool => Some(Self::Bool),
            Type::Int => Some(Self::Int),
            Type::Float => Some(Self::Float),
            Type::Percent => Some(Self::Percent),
            Type::Duration => Some(Self::Duration),
            Type::Size => Some(Self::Size),
            Type::Cores => Some(Self::Cores),
            Type::Rate(counted) => Some(Self::Rate(*counted)),
            _ => None,
        }
    }

    /// What a value is of.
    #[must_use]
    pub const fn of_value(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(_) => Some(Self::Bool),
            Value::Int(_) => Some(Self::Int),
            Value::Float(_) => Some(Self::Float),
            Value::Percent(_) => Some(Self::Percent),
            Value::Duration(_) => Some(Self::Duration),
            Value::Size(_) => Some(Self::Size),
            Value::Cores(_) => Some(Self::Cores),
            Value::Rate(_, counted) => Some(Self::Rate(*counted)),
            _ => None,
        }
    }

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Percent => "percent",
            Self::Duration => "duration",
            Self::Size => "size",
            Self::Cores => "cores",
            Self::Rate(Counted::Items) => "rate",
            Self::Rate(Counted::Bytes) => "byte_rate",
        }
    }

    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// The number that is kept for a value. `None` where the value is of another type.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "bytes and counts beyond 2^53 are kept to the nearest double")]
    pub fn number(self, value: &Value) -> Option<f64> {
        let number = match (self, value) {
            (Self::Bool, Value::Bool(value)) => f64::from(u8::from(*value)),
            (Self::Int, Value::Int(value)) | (Self::Size, Value::Size(value)) => *value as f64,
            (Self::Percent, Value::Percent(value))
            | (Self::Cores, Value::Cores(value))
            | (Self::Rate(_), Value::Rate(value, _)) => *value,
            (Self::Float, value @ (Value::Int(_) | Value::Float(_) | Value::Data(_))) => value.plain_number()?,
            (Self::Duration, Value::Duration(value)) => value.as_secs_f64(),
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    /// The value that a kept number stands for.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "`as` stays at the ends of the range")]
    pub fn value(self, number: f64) -> Value {
        match self {
            Self::Bool => Value::Bool(number != 0.0),
            Self::Int => Value::Int(number.round() as i64),
            Self::Float => Value::Float(number),
            Self::Percent => Value::Percent(number),
            Self::Duration => Value::Duration(SignedDuration::try_from_secs_f64(number).unwrap_or(if number < 0.0 {
                SignedDuration::MIN
            } else {
                SignedDuration::MAX
            })),
            Self::Size => Value::Size(number.round() as i64),
            Self::Cores => Value::Cores(number),
            Self::Rate(counted) => Value::Rate(number, counted),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::Measure;
    use crate::types::Value;

    #[test]
    fn a_number_and_its_name_come_back() {
        for measure in Measure::ALL {
            assert_eq!(Measure::named(measure.name()), Some(measure));
            assert_eq!(measure.number(&measure.value(1.0)), Some(1.0), "{}", measure.name());
        }
        assert_eq!(Measure::Percent.number(&Value::Percent(f64::NAN)), None);
        assert_eq!(Measure::Percent.number(&Value::Bool(true)), None);
        assert!(matches!(Measure::Duration.value(1e300), Value::Duration(SignedDuration::MAX)));
    }
}
