//! Quantities as people read them: short, with the unit that fits.

use std::fmt::Write as _;

use super::Counted;

/// A duration in nanoseconds: two parts at most (`1h 30m`), one with a decimal below a minute (`1.2s`).
#[must_use]
pub fn duration(nanoseconds: impl Into<i128>) -> String {
    let nanoseconds = nanoseconds.into();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let ns = nanoseconds.unsigned_abs();
    let (s, m, h, d) = (1_000_000_000_u128, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000);
    // Rounded first, so that 59.96s is 1m and never 60s.
    let text = match ns {
        0 => "0s".to_owned(),
        _ if ns < 1_000 => format!("{ns}ns"),
        _ if ns < 999_950 => scaled(ns, 1_000, "us"),
        _ if ns < 999_950_000 => scaled(ns, 1_000_000, "ms"),
        _ if ns < m - s / 20 => scaled(ns, s, "s"),
        _ if ns < h - s / 2 => two((ns + s / 2) / s, 60, "m", "s"),
        _ if ns < d - m / 2 => two((ns + m / 2) / m, 60, "h", "m"),
        _ => two((ns + h / 2) / h, 24, "d", "h"),
    };
    format!("{sign}{text}")
}

/// A duration with all its parts, as it could be written: `1h20s4ms`.
#[must_use]
pub fn whole_duration(nanoseconds: impl Into<i128>) -> String {
    let nanoseconds = nanoseconds.into();
    let mut rest = nanoseconds.unsigned_abs();
    let mut text = String::from(if nanoseconds < 0 { "-" } else { "" });
    for (unit, scale) in [
        ("d", 86_400_000_000_000),
        ("h", 3_600_000_000_000),
        ("m", 60_000_000_000),
        ("s", 1_000_000_000),
        ("ms", 1_000_000),
        ("us", 1_000),
        ("ns", 1),
    ] {
        if rest >= scale {
            let _ = write!(text, "{}{unit}", rest / scale);
            rest %= scale;
        }
    }
    if nanoseconds == 0 { "0s".to_owned() } else { text }
}

fn two(small: u128, per: u128, large_unit: &str, small_unit: &str) -> String {
    let (large, rest) = (small / per, small % per);
    if rest == 0 { format!("{large}{large_unit}") } else { format!("{large}{large_unit}{rest}{small_unit}") }
}

/// One decimal at most, rounded half up.
fn scaled(value: u128, scale: u128, unit: &str) -> String {
    let tenths = (value + scale / 20) / (scale / 10);
    if tenths.is_multiple_of(10) || tenths >= 1_000 {
        format!("{}{unit}", (tenths + if tenths.is_multiple_of(10) { 0 } else { 5 }) / 10)
    } else {
        format!("{}.{}{unit}", tenths / 10, tenths % 10)
    }
}

/// A size in bytes, in binary units with one decimal at most: `1.5GiB`.
#[must_use]
pub fn size(bytes: i64) -> String {
    size_to(bytes, 0)
}

/// A size with so many decimals more; where they would be many, in bytes.
#[must_use]
pub fn size_to(bytes: i64, more: usize) -> String {
    if more > 2 {
        return format!("{bytes}B");
    }
    let sign = if bytes < 0 { "-" } else { "" };
    #[expect(clippy::cast_precision_loss, reason = "some digits are shown")]
    let text = binary(bytes.unsigned_abs() as f64, more);
    format!("{sign}{text}")
}

fn binary(bytes: f64, more: usize) -> String {
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut value = bytes;
    let mut index = 0;
    // 1023.96 would round to 1024: it is 1 of the next unit.
    while value >= 1023.95 && index + 1 < units.len() {
        value /= 1024.0;
        index += 1;
    }
    let unit = units.get(index).copied().unwrap_or("EiB");
    if index == 0 && value.fract() == 0.0 {
        format!("{value:.0}{unit}")
    } else {
        format!("{}{unit}", decimals(value, more))
    }
}

/// A ratio as a percent with one decimal at most, two near the ends, and there more where 99.996% would be 100%.
#[must_use]
pub fn percent(ratio: f64) -> String {
    percent_to(ratio, 0)
}

/// A ratio as a percent with so many decimals more.
#[must_use]
pub fn percent_to(ratio: f64, more: usize) -> String {
    /// How many decimals are tried until it is no end.
    const MOST: usize = 6;
    let value = ratio * 100.0;
    let near_an_end = (value > 99.0 && value < 100.0) || (value > 0.0 && value < 1.0);
    let written = |decimals: usize| trim(&fixed(value, decimals)).to_owned();
    let text = if near_an_end {
        let texts = (2 + more..=MOST.max(2 + more)).map(written);
        texts.reduce(|text, finer| if matches!(text.as_str(), "0" | "100") { finer } else { text }).unwrap_or_default()
    } else {
        written(1 + more)
    };
    format!("{text}%")
}

/// A ratio as a percent with all its digits. The point is moved in the text: 0.285 is 28.5%.
#[must_use]
pub fn whole_percent(ratio: f64) -> String {
    let text = (ratio.abs() + 0.0).to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let fraction = format!("{fraction:0<2}");
    let (moved, rest) = fraction.split_at(2);
    let whole = format!("{whole}{moved}");
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    let sign = if ratio < 0.0 { "-" } else { "" };
    if rest.is_empty() { format!("{sign}{whole}%") } else { format!("{sign}{whole}.{rest}%") }
}

/// A rate per second, in the time unit that makes it readable: `3/min`, `10MiB/s`.
#[must_use]
pub fn rate(per_second: f64, counted: Counted) -> String {
    rate_to(per_second, counted, 0)
}

/// A rate with so many decimals more.
#[must_use]
pub fn rate_to(per_second: f64, counted: Counted, more: usize) -> String {
    match counted {
        Counted::Bytes => {
            let sign = if per_second < 0.0 { "-" } else { "" };
            format!("{sign}{}/s", binary(per_second.abs(), more))
        }
        Counted::Items => {
            let (value, unit) = [(1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d")]
                .into_iter()
                .map(|(seconds, unit)| (per_second * seconds, unit))
                .find(|(value, _)| value.abs() >= 1.0)
                .unwrap_or((per_second * 86_400.0, "d"));
            let (value, unit) = if per_second == 0.0 { (0.0, "s") } else { (value, unit) };
            format!("{}/{unit}", number_to(value, more))
        }
    }
}

/// A number without noise: four significant decimals at most.
#[must_use]
pub fn number(value: f64) -> String {
    number_to(value, 0)
}

/// A number with so many decimals more, in the end with all of them.
#[must_use]
pub fn number_to(value: f64, more: usize) -> String {
    // -0 is 0.
    let value = value + 0.0;
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else if value.abs() >= 0.001 && value.abs() < 1e15 {
        if more >= MANY { value.to_string() } else { trim(&fixed(value, 4 + more)).to_owned() }
    } else {
        format!("{value:e}")
    }
}

/// A number with so many decimals, rounded half away from zero as it is written: 1.45 is 1.5, though the nearest double
/// is a little less.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = value.abs().to_string();
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if !value.is_finite() || fraction.len() <= decimals {
        return format!("{:.decimals$}", value + 0.0);
    }
    let (kept, rest) = fraction.split_at(decimals);
    let mut digits: Vec<u8> = whole.bytes().chain(kept.bytes()).collect();
    if rest.as_bytes().first().is_some_and(|next| *next >= b'5') {
        carry(&mut digits);
    }
    let mut written = String::from_utf8(digits).unwrap_or_default();
    let is_zero = written.bytes().all(|digit| digit == b'0');
    if decimals > 0 {
        written.insert(written.len() - decimals, '.');
    }
    if value < 0.0 && !is_zero { format!("-{written}") } else { written }
}

/// One more in the last place.
fn carry(digits: &mut Vec<u8>) {
    for digit in digits.iter_mut().rev() {
        if *digit < b'9' {
            *digit += 1;
            return;
        }
        *digit = b'0';
    }
    digits.insert(0, b'1');
}

/// As many decimals more as it takes to write every number as itself.
pub const MANY: usize = 14;

fn decimals(value: f64, more: usize) -> String {
    if value >= 99.95 && more == 0 { fixed(value, 0) } else { trim(&fixed(value, 1 + more)).to_owned() }
}

fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::{MANY, duration, fixed, number, number_to, percent, percent_to, rate, size, size_to, whole_duration};
    use crate::units::Counted;

    #[test]
    fn durations() {
        let cases: &[(i64, &str)] = &[
            (0, "0s"),
            (999, "999ns"),
            (1_500, "1.5us"),
            (12_340_000, "12.3ms"),
            (999_960_000, "1s"),
            (1_240_000_000, "1.2s"),
            (59_960_000_000, "1m"),
            (90_000_000_000, "1m30s"),
            (5_400_000_000_000, "1h30m"),
            (86_399_000_000_000, "1d"),
            (90_000_000_000_000, "1d1h"),
            (-90_000_000_000, "-1m30s"),
        ];
        for (nanoseconds, text) in cases {
            assert_eq!(duration(*nanoseconds), *text, "{nanoseconds}");
        }
        assert_eq!(duration(i128::from(i64::MAX) * 2), "213504d", "longer than one that can be written");
        assert_eq!(whole_duration(10_004_000_000_i64), "10s4ms");
        assert_eq!(whole_duration(-3_620_000_000_001_i64), "-1h20s1ns");
        assert_eq!(whole_duration(0), "0s");
    }

    #[test]
    fn sizes() {
        let cases: &[(i64, &str)] = &[
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1KiB"),
            (1536, "1.5KiB"),
            (1_048_575, "1MiB"),
            (80_000_000_000, "74.5GiB"),
            (-1536, "-1.5KiB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(size(*bytes), *text, "{bytes}");
        }
        assert_eq!(size_to(80_000_000_000, 1), "74.51GiB");
        assert_eq!(size_to(1_073_741_825, 3), "1073741825B");
    }

    #[test]
    fn a_half_is_rounded_away_from_zero() {
        let cases: &[(f64, usize, &str)] = &[
            (2.5, 0, "3"),
            (0.5, 0, "1"),
            (-0.5, 0, "-1"),
            (-0.4, 0, "0"),
            (1.45, 1, "1.5"),
            (9.995, 2, "10.00"),
            (0.05, 1, "0.1"),
            (12.3, 3, "12.300"),
            (-0.0, 0, "0"),
            (1e300, 0, &format!("{:.0}", 1e300)),
        ];
        for (value, decimals, text) in cases {
            assert_eq!(fixed(*value, *decimals), *text, "{value} to {decimals}");
        }
    }

    #[test]
    fn percents_rates_and_numbers() {
        assert_eq!(percent(0.05), "5%");
        assert_eq!(percent(0.9995), "99.95%");
        assert_eq!(percent(0.0004), "0.04%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(percent(0.999_96), "99.996%", "what is not all is not shown as all");
        assert_eq!(percent(0.000_004), "0.0004%");
        assert_eq!(percent_to(0.123_456, 2), "12.346%");
        assert_eq!(rate(0.05, Counted::Items), "3/min");
        assert_eq!(rate(0.0, Counted::Items), "0/s");
        assert_eq!(rate(10_485_760.0, Counted::Bytes), "10MiB/s");
        assert_eq!(number(1.0 / 3.0), "0.3333");
        assert_eq!(number(2.0), "2");
        assert_eq!(number(-0.0), "0");
        assert_eq!(number_to(0.1 + 0.2, MANY), "0.30000000000000004");
    }
}
