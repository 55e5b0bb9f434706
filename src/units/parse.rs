//! From the written text of a number to a quantity, exactly: decimals are scaled as integers where the base unit is one.

use super::{Counted, Quantity};

/// Why a number with a unit says nothing. The strings are the part of the text that is at fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuantityFault {
    UnknownUnit(String),
    /// It does not fit: 292 years in nanoseconds, 8 EiB in bytes.
    Overflow,
    /// `1h10GiB`: the parts measure different things, or are no parts (`1GiB5MiB` is written `1.005GiB`).
    Mixed,
    /// `30m1h`, `1h2h`: parts of a duration go from large to small, each once.
    Order,
    /// `1.5ns`, `0.5B`: less than the base unit.
    Fraction,
}

enum Unit {
    Nanoseconds(i64),
    Bytes(i64),
    Cores,
}

fn unit(word: &str) -> Option<Unit> {
    Some(match word {
        "ns" => Unit::Nanoseconds(1),
        "us" => Unit::Nanoseconds(1_000),
        "ms" => Unit::Nanoseconds(1_000_000),
        "s" => Unit::Nanoseconds(1_000_000_000),
        "m" | "min" => Unit::Nanoseconds(60_000_000_000),
        "h" => Unit::Nanoseconds(3_600_000_000_000),
        "d" => Unit::Nanoseconds(86_400_000_000_000),
        "w" => Unit::Nanoseconds(604_800_000_000_000),
        "B" => Unit::Bytes(1),
        "kB" => Unit::Bytes(1_000),
        "MB" => Unit::Bytes(1_000_000),
        "GB" => Unit::Bytes(1_000_000_000),
        "TB" => Unit::Bytes(1_000_000_000_000),
        "PB" => Unit::Bytes(1_000_000_000_000_000),
        "KiB" => Unit::Bytes(1 << 10),
        "MiB" => Unit::Bytes(1 << 20),
        "GiB" => Unit::Bytes(1 << 30),
        "TiB" => Unit::Bytes(1 << 40),
        "PiB" => Unit::Bytes(1 << 50),
        "core" | "cores" => Unit::Cores,
        _ => return None,
    })
}

/// `15m`, `1h30m`, `10GiB`, `0.5cores`. The grammar has seen to it that numbers and letters take turns.
///
/// # Errors
/// What the text means nothing for.
pub fn parse_quantity(text: &str) -> Result<Quantity, QuantityFault> {
    let parts = parts(text);
    let mut total: Option<Quantity> = None;
    let mut last_scale = i64::MAX;
    for (number, word) in &parts {
        let unit = unit(word).ok_or_else(|| QuantityFault::UnknownUnit((*word).to_owned()))?;
        total = Some(match (total, unit) {
            (None, Unit::Bytes(scale)) => Quantity::Size(scaled(number, scale)?),
            (None, Unit::Cores) => Quantity::Cores(decimal(number)?),
            (None, Unit::Nanoseconds(scale)) => {
                last_scale = scale;
                Quantity::Duration(scaled(number, scale)?)
            }
            (Some(Quantity::Duration(sum)), Unit::Nanoseconds(scale)) => {
                if scale >= last_scale {
                    return Err(QuantityFault::Order);
                }
                last_scale = scale;
                Quantity::Duration(sum.checked_add(scaled(number, scale)?).ok_or(QuantityFault::Overflow)?)
            }
            _ => return Err(QuantityFault::Mixed),
        });
    }
    total.ok_or_else(|| QuantityFault::UnknownUnit(text.to_owned()))
}

/// `3/min`, `10MiB/s`.
///
/// # Errors
/// What the text means nothing for.
pub fn parse_rate(text: &str) -> Result<Quantity, QuantityFault> {
    let unknown = |word: &str| QuantityFault::UnknownUnit(word.to_owned());
    let (amount, per) = text.split_once('/').ok_or_else(|| unknown(text))?;
    let Some(Unit::Nanoseconds(nanoseconds)) = unit(per) else {
        return Err(unknown(per));
    };
    #[expect(clippy::cast_precision_loss, reason = "a week in nanoseconds is far below 2^53")]
    let seconds = nanoseconds as f64 / 1e9;
    let split = amount.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(amount.len());
    let (number, word) = amount.split_at(split);
    if word.is_empty() {
        return Ok(Quantity::Rate(decimal(number)? / seconds, Counted::Items));
    }
    match unit(word) {
        Some(Unit::Bytes(scale)) => {
            #[expect(clippy::cast_precision_loss, reason = "a power of two or ten is exact")]
            let scale = scale as f64;
            Ok(Quantity::Rate(decimal(number)? * scale / seconds, Counted::Bytes))
        }
        Some(_) => Err(QuantityFault::Mixed),
        None => Err(unknown(word)),
    }
}

/// `5%` as the ratio 0.05.
///
/// # Errors
/// A number that does not fit.
pub fn parse_percent(text: &str) -> Result<f64, QuantityFault> {
    // Moving the point in the text keeps 99.95% the nearest double of 0.9995.
    let digits = text.trim_end_matches('%').replace('_', "");
    format!("{digits}e-2").parse().map_err(|_| QuantityFault::Overflow)
}

/// `1h30m` as `[("1", "h"), ("30", "m")]`.
fn parts(text: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let word = rest.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(word);
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        parts.push((number, unit));
        rest = next;
    }
    parts
}

fn decimal(number: &str) -> Result<f64, QuantityFault> {
    let value: f64 = number.replace('_', "").parse().map_err(|_| QuantityFault::Overflow)?;
    if value.is_finite() { Ok(value) } else { Err(QuantityFault::Overflow) }
}

/// A decimal number times an integer scale, exactly.
fn scaled(number: &str, scale: i64) -> Result<i64, QuantityFault> {
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let fraction = fraction.trim_end_matches('0');
    let overflow = |_| QuantityFault::Overflow;
    let whole: i128 = whole.parse().map_err(overflow)?;
    let scale = i128::from(scale);
    let mut total = whole.checked_mul(scale).ok_or(QuantityFault::Overflow)?;
    if !fraction.is_empty() {
        let digits = u32::try_from(fraction.len()).map_err(|_| QuantityFault::Fraction)?;
        let power = 10_i128.checked_pow(digits).ok_or(QuantityFault::Fraction)?;
        let fraction: i128 = fraction.parse().map_err(overflow)?;
        let scaled = fraction.checked_mul(scale).ok_or(QuantityFault::Fraction)?;
        // A part of a byte is nothing that a disk has: 1.5GiB is fine, 0.1B is not, and 0.3KiB is rounded.
        if scaled < power {
            return Err(QuantityFault::Fraction);
        }
        total = total.checked_add((scaled + power / 2) / power).ok_or(QuantityFault::Overflow)?;
    }
    i64::try_from(total).map_err(|_| QuantityFault::Overflow)
}

#[cfg(test)]
mod tests {
    use super::{QuantityFault, parse_percent, parse_quantity, parse_rate};
    use crate::units::{Counted, Quantity};

    #[test]
    fn reads_quantities_exactly() {
        assert_eq!(parse_quantity("1h30m"), Ok(Quantity::Duration(5_400_000_000_000)));
        assert_eq!(parse_quantity("1.5h"), Ok(Quantity::Duration(5_400_000_000_000)));
        assert_eq!(parse_quantity("10GiB"), Ok(Quantity::Size(10 << 30)));
        assert_eq!(parse_quantity("0.1GB"), Ok(Quantity::Size(100_000_000)));
        assert_eq!(parse_quantity("0.5cores"), Ok(Quantity::Cores(0.5)));
        assert_eq!(parse_quantity("1_000ms"), Ok(Quantity::Duration(1_000_000_000)));
    }

    #[test]
    fn says_what_is_wrong_with_a_quantity() {
        assert_eq!(parse_quantity("10Gib"), Err(QuantityFault::UnknownUnit("Gib".into())));
        assert_eq!(parse_quantity("120EUR"), Err(QuantityFault::UnknownUnit("EUR".into())));
        assert_eq!(parse_quantity("30m1h"), Err(QuantityFault::Order));
        assert_eq!(parse_quantity("1h1h"), Err(QuantityFault::Order));
        assert_eq!(parse_quantity("1h10GiB"), Err(QuantityFault::Mixed));
        assert_eq!(parse_quantity("0.5B"), Err(QuantityFault::Fraction));
        assert_eq!(parse_quantity("99999999999999d"), Err(QuantityFault::Overflow));
    }

    #[test]
    fn reads_rates_per_second() {
        assert_eq!(parse_rate("3/min"), Ok(Quantity::Rate(0.05, Counted::Items)));
        assert_eq!(parse_rate("10MiB/s"), Ok(Quantity::Rate(10.0 * 1_048_576.0, Counted::Bytes)));
        assert_eq!(parse_rate("3/GiB"), Err(QuantityFault::UnknownUnit("GiB".into())));
        assert_eq!(parse_rate("3s/min"), Err(QuantityFault::Mixed));
    }

    #[test]
    fn reads_a_percent_as_the_nearest_ratio() {
        assert_eq!(parse_percent("99.95%"), Ok(0.9995));
        assert_eq!(parse_percent("5%"), Ok(0.05));
    }
}
