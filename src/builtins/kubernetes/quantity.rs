//! Quantities as the API writes them: `299986882n` processors, `5932Mi` of memory. The units are decimal (`n u m k M G T P E`) or
//! binary (`Ki Mi Gi Ti Pi Ei`), or an exponent: `1e3`.

use crate::types::{Cores, Fault, FaultKind, Size};

/// Processors.
///
/// # Errors
/// Where the text is no quantity.
pub(super) fn cores(text: &str) -> Result<Cores, Fault> {
    number(text).map(Cores).ok_or_else(|| fault(text))
}

/// Bytes, to the nearest whole one.
///
/// # Errors
/// Where the text is no quantity, or beyond what a size holds.
pub(super) fn size(text: &str) -> Result<Size, Fault> {
    // Whole bytes, which is nearly all of them, are exact beyond what a double holds.
    if let Ok(bytes) = text.parse() {
        return Ok(Size(bytes));
    }
    let bytes = number(text).filter(|bytes| bytes.abs() < 9.2e18).ok_or_else(|| fault(text))?;
    #[expect(clippy::cast_possible_truncation, reason = "bounded right above")]
    Ok(Size(bytes.round() as i64))
}

fn fault(text: &str) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("`{text}` is no quantity of Kubernetes"))
}

fn number(text: &str) -> Option<f64> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..)?;
    let factor = match unit {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        _ => return None,
    };
    let plain = !digits.is_empty() && digits.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    digits.parse::<f64>().ok().filter(|number| plain && number.is_finite()).map(|number| number * factor)
}

#[cfg(test)]
mod tests {
    use super::{cores, size};

    #[test]
    fn quantities_are_read_as_they_are_written() {
        for (text, wanted) in
            [("299986882n", 0.299_986_882), ("250m", 0.25), ("2", 2.0), ("1k", 1000.0), ("0", 0.0), ("1e3", 1000.0)]
        {
            assert!((cores(text).unwrap().0 - wanted).abs() < 1e-12, "{text}");
        }
        for (text, wanted) in [
            ("5932Mi", 5932 << 20),
            ("2Gi", 2 << 30),
            ("128974848", 128_974_848),
            ("129e6", 129_000_000),
            ("123M", 123_000_000),
            ("1500m", 2),
            ("9007199254740993", 9_007_199_254_740_993),
        ] {
            assert_eq!(size(text).unwrap().0, wanted, "{text}");
        }
        for text in ["", "Mi", "x", "1Zi", "1 Mi", "inf", "NaN", "1e400", "9Ei9"] {
            assert!(cores(text).is_err() && size(text).is_err(), "{text}");
        }
    }
}
