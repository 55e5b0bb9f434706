//! Quantities as people read them: short, with the unit that fits.

use super::Counted;

/// A duration in nanoseconds: two parts at most (`1h 30m`), one with a decimal below a minute (`1.2s`).
#[must_use]
pub fn duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let ns = nanoseconds.unsigned_abs();
    let (s, m, h, d) = (1_000_000_000_u64, 60_000_000_000, 3_600_000_000_000, 86_400_000_000_000);
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

fn two(small: u64, per: u64, large_unit: &str, small_unit: &str) -> String {
    let (large, rest) = (small / per, small % per);
    if rest == 0 { format!("{large}{large_unit}") } else { format!("{large}{large_unit}{rest}{small_unit}") }
}

/// One decimal at most, rounded half up.
fn scaled(value: u64, scale: u64, unit: &str) -> String {
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
    let sign = if bytes < 0 { "-" } else { "" };
    #[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
    let text = binary(bytes.unsigned_abs() as f64);
    format!("{sign}{text}")
}

fn binary(bytes: f64) -> String {
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
        format!("{}{unit}", one_decimal(value))
    }
}

/// A ratio as a percent with one decimal at most, two near the ends so that 99.95% is not 100%.
#[must_use]
pub fn percent(ratio: f64) -> String {
    let value = ratio * 100.0;
    let near_an_end = (value > 99.0 && value < 100.0) || (value > 0.0 && value < 1.0);
    let text = if near_an_end { format!("{value:.2}") } else { format!("{value:.1}") };
    format!("{}%", trim(&text))
}

/// A rate per second, in the time unit that makes it readable: `3/min`, `10MiB/s`.
#[must_use]
pub fn rate(per_second: f64, counted: Counted) -> String {
    match counted {
        Counted::Bytes => {
            let sign = if per_second < 0.0 { "-" } else { "" };
            format!("{sign}{}/s", binary(per_second.abs()))
        }
        Counted::Items => {
            let (value, unit) = [(1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d")]
                .into_iter()
                .map(|(seconds, unit)| (per_second * seconds, unit))
                .find(|(value, _)| value.abs() >= 1.0)
                .unwrap_or((per_second * 86_400.0, "d"));
            let (value, unit) = if per_second == 0.0 { (0.0, "s") } else { (value, unit) };
            format!("{}/{unit}", number(value))
        }
    }
}

/// A number without noise: four significant decimals at most.
#[must_use]
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else if value.abs() >= 0.001 && value.abs() < 1e15 {
        trim(&format!("{value:.4}")).to_owned()
    } else {
        format!("{value:e}")
    }
}

fn one_decimal(value: f64) -> String {
    if value >= 99.95 { format!("{value:.0}") } else { trim(&format!("{value:.1}")).to_owned() }
}

fn trim(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::{duration, number, percent, rate, size};
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
    }

    #[test]
    fn percents_rates_and_numbers() {
        assert_eq!(percent(0.05), "5%");
        assert_eq!(percent(0.9995), "99.95%");
        assert_eq!(percent(0.0004), "0.04%");
        assert_eq!(percent(1.0), "100%");
        assert_eq!(rate(0.05, Counted::Items), "3/min");
        assert_eq!(rate(0.0, Counted::Items), "0/s");
        assert_eq!(rate(10_485_760.0, Counted::Bytes), "10MiB/s");
        assert_eq!(number(1.0 / 3.0), "0.3333");
        assert_eq!(number(2.0), "2");
    }
}
