//! A value beside those that it was compared with: rounded as it is everywhere else it may look like the limit that it is
//! beyond.

use super::{Number, Value};
use crate::units::{self, Counted, MANY, Quantity, QuantityFault};

impl Value {
    /// The value as a person reads it, with as many digits as it takes to be told from each of the others. A number that
    /// was compared with a percent is one.
    #[must_use]
    pub fn beside(&self, others: &[Self]) -> String {
        let is_percent = |value: &Self| matches!(value, Self::Percent(_));
        let as_percent = is_percent(self) || others.iter().any(is_percent);
        let alike = |value: &Self| match Number::of(value) {
            Some(number) if as_percent => Self::Percent(number.nearest()),
            _ => value.clone().plainly(),
        };
        let own = alike(self);
        let others: Vec<Self> = others.iter().filter(|other| !self.equals(other)).map(alike).collect();
        let with_digits = |more| {
            let text = own.with_more_digits(more);
            others.iter().all(|other| other.with_more_digits(more) != text).then_some(text)
        };
        (0..=MANY).find_map(with_digits).unwrap_or_else(|| own.with_more_digits(MANY))
    }

    /// The value with all its digits, for a text that goes outside: short where that says the same, `10GiB`, and else in
    /// a unit in which it is whole.
    #[must_use]
    pub fn whole(&self) -> String {
        let joined = |texts: &mut dyn Iterator<Item = String>| texts.collect::<Vec<_>>().join(", ");
        let short = self.to_string();
        match self {
            Self::Bool(_) | Self::Float(_) => self.to_json().to_string(),
            Self::Clock(clock) if clock.second() != 0 || clock.subsec_nanosecond() != 0 => clock.to_string(),
            Self::Percent(ratio) => units::whole_percent(*ratio),
            Self::Duration(value) if units::parse_quantity(&short) != quantity(value.as_nanos()) => {
                units::whole_duration(value.as_nanos())
            }
            Self::Size(bytes) if units::parse_quantity(&short) != Ok(Quantity::Size(*bytes)) => format!("{bytes}B"),
            Self::Cores(cores) => format!("{cores} cores"),
            Self::Rate(rate, counted) if units::parse_rate(&short) != Ok(Quantity::Rate(*rate, *counted)) => {
                format!("{rate}{}/s", if *counted == Counted::Bytes { "B" } else { "" })
            }
            Self::List(items) => joined(&mut items.iter().map(Self::whole)),
            Self::Record(fields) => {
                joined(&mut Self::plain_fields(fields).map(|(name, value)| format!("{name}: {}", value.whole())))
            }
            _ => short,
        }
    }

    fn with_more_digits(&self, more: usize) -> String {
        match self {
            _ if more == 0 => self.to_string(),
            Self::Float(value) => units::number_to(*value, more),
            Self::Percent(value) => units::percent_to(*value, more),
            Self::Duration(value) => units::whole_duration(value.as_nanos()),
            Self::Size(value) => units::size_to(*value, more),
            Self::Cores(value) => format!("{} cores", units::number_to(*value, more)),
            Self::Rate(value, counted) => units::rate_to(*value, *counted, more),
            Self::Time(time) => time.to_string(),
            Self::Clock(clock) => clock.to_string(),
            other => other.to_string(),
        }
    }
}

fn quantity(nanoseconds: i128) -> Result<Quantity, QuantityFault> {
    i64::try_from(nanoseconds).map(Quantity::Duration).map_err(|_| QuantityFault::Overflow)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use crate::types::Value;
    use crate::units::Counted;

    #[test]
    fn has_as_many_digits_as_it_takes() {
        let beside = |value: Value, other: Value| value.beside(&[other]);
        let seconds = |millis| Value::Duration(SignedDuration::from_millis(millis));
        assert_eq!(beside(seconds(10_004), seconds(10_000)), "10s4ms");
        assert_eq!(beside(seconds(10_004), seconds(20_000)), "10s");
        assert_eq!(beside(Value::Size((1 << 30) + 1), Value::Size(1 << 30)), "1073741825B");
        assert_eq!(beside(Value::Float(0.1 + 0.2), Value::Float(0.3)), "0.30000000000000004");
        assert_eq!(beside(Value::Percent(0.8001), Value::Percent(0.8)), "80.01%");
        assert_eq!(beside(Value::Float(0.942_25), Value::Percent(0.99)), "94.2%", "a ratio beside a percent");
        assert_eq!(beside(Value::Int(3), Value::Float(3.000_000_1)), "3");
        assert_eq!(beside(Value::Float(3.000_000_1), Value::Int(3)), "3.0000001");
        assert_eq!(beside(Value::Int(3), Value::Int(3)), "3", "what is equal looks equal");
        assert_eq!(beside(Value::string("a"), Value::string("b")), "a");
    }

    #[test]
    fn is_whole_where_it_goes_outside() {
        let seconds = |seconds| Value::Duration(SignedDuration::from_secs(seconds));
        for (value, whole) in [
            (Value::Size(1_234_567_890), "1234567890B"),
            (Value::Size(10 << 30), "10GiB"),
            (Value::Size((3 << 30) / 2), "1.5GiB"),
            (Value::Size(-(1 << 30)), "-1GiB"),
            (seconds(100 * 3600 + 50 * 60 + 30), "4d4h50m30s"),
            (seconds(7 * 86_400), "7d"),
            (seconds(90), "1m30s"),
            (Value::Duration(SignedDuration::from_millis(1_500)), "1.5s"),
            (Value::Float(0.123_456), "0.123456"),
            (Value::Float(3.0), "3"),
            (Value::Percent(0.123_456), "12.3456%"),
            (Value::Percent(0.285), "28.5%"),
            (Value::Percent(0.85), "85%"),
            (Value::Percent(-0.000_012), "-0.0012%"),
            (Value::Percent(1.0 / 3.0), "33.33333333333333%"),
            (Value::Rate(1.0 / 3.0, Counted::Items), "20/min"),
            (Value::Rate(0.123_456, Counted::Items), "0.123456/s"),
            (Value::Rate(0.05, Counted::Items), "3/min"),
            (Value::Cores(0.123_456), "0.123456 cores"),
            (Value::list(vec![Value::Float(0.123_456), Value::string("a")]), "0.123456, a"),
        ] {
            assert_eq!(value.whole(), whole);
        }
    }
}
