//! What a text of data spells. JSON and the cells of a table have texts for numbers and times, and those have another order
//! than texts have.

use jiff::Timestamp;
use serde_json::Value as Json;

use super::{Fault, Value};
use crate::units;

impl Value {
    /// The value as it is put in order: data as what it plainly is, and a text of it that spells an instant as that.
    ///
    /// # Errors
    /// Where a text of data, or one that was taken out of a longer one, spells a number. In the order of texts 10 comes
    /// before 9, and nobody has said which is meant.
    pub fn ordered(self) -> Result<Self, Fault> {
        if let Self::String(text) = &self {
            return match spelled(text).filter(|_| text.is_part()) {
                Some(unit) => Err(unordered(text).help(as_number(text, unit))),
                None => Ok(self),
            };
        }
        let Self::Data(data) = &self else { return Ok(self) };
        let Json::String(text) = data.as_ref() else { return Ok(self.plainly()) };
        if let Ok(time) = text.parse::<Timestamp>() {
            return Ok(Self::Time(time));
        }
        match spelled(text) {
            Some("") if is_number(text) => Err(unordered(text)
                .help(format!("{}; a tool says in its type what a column is: `…: int`", as_number(text, "")))),
            Some(unit) => Err(unordered(text).help(as_number(text, unit))),
            None => Ok(self.plainly()),
        }
    }
}

fn unordered(text: &str) -> Fault {
    Fault::conversion(format!(
        "the text \"{text}\" spells a number, and the order of texts is another one: \"10\" is before \"9\""
    ))
}

/// How the number is read that a text spells. `.…` is the field: [`Fault::about`].
fn as_number(text: &str, unit: &str) -> String {
    let mut read = String::from(".…");
    for letters in [unit, ","].into_iter().filter(|letters| !letters.is_empty() && text.contains(letters)) {
        read.push_str(" | replace(\"");
        read.push_str(letters);
        read.push_str("\", \"\")");
    }
    format!("`{read} | parse_json` is the number, and `\"{{.…}}\"` the text")
}

/// The unit of the number that a text spells, empty where it has none; `None` where it spells no number.
fn spelled(text: &str) -> Option<&str> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    if digits.parse::<f64>().is_ok() {
        return Some("");
    }
    let end = digits.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',' | '_')).unwrap_or(digits.len());
    let (number, unit) = digits.split_at(end);
    let is_number = number.chars().filter(|c| *c == '.').count() <= 1;
    let is_unit = unit.is_empty() || unit.trim() == "%" || units::meant(unit.trim()).is_some();
    (is_number && is_unit).then_some(unit)
}

/// What to do where a number is wanted and a text spells one. `.…` is the field: [`Fault::about`].
pub const IN_A_TEXT: &str =
    "`.… | parse_json` reads the number in a text; a tool says in its type what a column is: `…: int`";

/// Whether a text is one JSON number, which `parse_json` reads.
#[must_use]
pub fn is_number(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Json::Number(_)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::spelled;
    use crate::types::Value;

    #[test]
    fn what_spells_a_number_is_told_apart_from_names() {
        for (text, unit) in [
            ("10", ""),
            ("-3.5", ""),
            (" 7 ", ""),
            ("1e3", ""),
            ("1,204", ""),
            ("45%", "%"),
            ("10G", "G"),
            ("5 MB", " MB"),
        ] {
            assert_eq!(spelled(text), Some(unit), "{text}");
        }
        for text in ["", "-", "a", "10.0.0.1", "1.2.3", "2026-11-27", "08:00", "3rd", "a10", "10-20", "inf", "nan"] {
            assert_eq!(spelled(text), None, "{text}");
        }
    }

    #[test]
    fn an_instant_is_one_however_its_zone_is_written() {
        let time = |text: &str| Value::Data(Arc::new(serde_json::json!(text))).ordered().unwrap();
        assert!(matches!(time("2026-11-27T23:00:00+01:00"), Value::Time(_)));
        assert!(matches!(time("2026-11-27"), Value::String(_)));
        assert!(
            matches!(Value::string("10").ordered().unwrap(), Value::String(_)),
            "what is a text by its type is one"
        );
    }

    #[test]
    fn what_was_taken_out_of_a_text_is_a_number_where_it_spells_one() {
        let help = |text: &str| Value::part(text).ordered().unwrap_err().help.unwrap_or_default().to_string();
        assert_eq!(help("10"), "`.… | parse_json` is the number, and `\"{.…}\"` the text");
        assert!(help("1,204%").starts_with("`.… | replace(\"%\", \"\") | replace(\",\", \"\") | parse_json`"));
        assert!(matches!(Value::part("web-1").ordered().unwrap(), Value::String(_)));
    }
}
