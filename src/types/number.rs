//! Numbers without a unit, exactly. Those of a program and those of JSON have one order and one equality, whichever way
//! they are written: 1 and 1.0 are one number, and two ids of 64 bits that differ are two.

use std::cmp::Ordering;

use super::Value;

/// A number without a unit. A whole one is never rounded to a double, which keeps 16 digits of it.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    /// `None` where the value is no number, or one with a unit.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Int(value) => Some(Self::Whole(i128::from(*value))),
            Value::Float(value) | Value::Percent(value) => Some(Self::Real(*value)),
            Value::Data(data) => data.as_number().map(Self::of_json),
            _ => None,
        }
    }

    #[must_use]
    pub fn of_json(number: &serde_json::Number) -> Self {
        let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
        whole.map_or_else(|| Self::Real(number.as_f64().unwrap_or(f64::NAN)), Self::Whole)
    }

    /// The nearest double.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "that is what is asked for")]
    pub const fn nearest(self) -> f64 {
        match self {
            Self::Whole(value) => value as f64,
            Self::Real(value) => value,
        }
    }

    /// The one form that equal numbers have: 3.0 is 3, and -0.0 is 0.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "what is out of range is told apart first")]
    pub fn plainest(self) -> Self {
        match self {
            Self::Real(value) if value.fract() == 0.0 && value.abs() < BOUND => Self::Whole(value as i128),
            other => other,
        }
    }

    /// The int that it is; `None` where it is none, or too large for one.
    #[must_use]
    pub fn int(self) -> Option<i64> {
        match self.plainest() {
            Self::Whole(whole) => i64::try_from(whole).ok(),
            Self::Real(_) => None,
        }
    }

    /// `None` where one of them is not a number.
    #[must_use]
    pub fn order(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Real(a), Self::Real(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Real(b)) => whole_and_real(a, b),
            (Self::Real(a), Self::Whole(b)) => whole_and_real(b, a).map(Ordering::reverse),
        }
    }
}

/// 2^127: where an `i128` ends.
const BOUND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

#[expect(clippy::cast_possible_truncation, reason = "what is out of range is told apart first")]
fn whole_and_real(whole: i128, real: f64) -> Option<Ordering> {
    if real.is_nan() {
        return None;
    }
    Some(if real >= BOUND {
        Ordering::Less
    } else if real < -BOUND {
        Ordering::Greater
    } else {
        whole.cmp(&(real.trunc() as i128)).then_with(|| 0.0_f64.total_cmp(&(real.fract() + 0.0)))
    })
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::Number::{self, Real, Whole};

    #[test]
    fn whole_and_other_numbers_have_one_exact_order() {
        for (a, b, order) in [
            (Whole(2), Real(2.5), Ordering::Less),
            (Whole(-2), Real(-2.5), Ordering::Greater),
            (Real(2.0), Whole(2), Ordering::Equal),
            (Real(-0.0), Whole(0), Ordering::Equal),
            (Whole(i128::from(u64::MAX)), Real(1e300), Ordering::Less),
            (Whole(i128::MIN), Real(-1e300), Ordering::Greater),
            (Whole(9_007_199_254_740_993), Real(9_007_199_254_740_992.0), Ordering::Greater),
        ] {
            assert_eq!(a.order(b), Some(order), "{a:?} and {b:?}");
        }
        assert_eq!(Whole(1).order(Real(f64::NAN)), None);
    }

    #[test]
    fn json_keeps_all_digits_of_64_bits() {
        let number = |text| Number::of_json(&serde_json::from_str(text).unwrap());
        assert!(matches!(number("18446744073709551615"), Whole(18_446_744_073_709_551_615)));
        assert!(matches!(number("-9223372036854775808"), Whole(-9_223_372_036_854_775_808)));
        assert!(matches!(number("1.0").plainest(), Whole(1)));
    }
}
