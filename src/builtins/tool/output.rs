//! What a program printed, as a value.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::table::{self, Table};
use crate::builtins::line_time::Reading;
use crate::builtins::spool::Spool;
use crate::types::{Fault, FaultKind, Value};

/// The words of `output:`.
pub(super) const FORMS: &[&str] = &["text", "lines", "json", "table"];

/// What a program prints.
#[derive(Clone, Copy)]
pub(super) enum Form {
    Text,
    Lines,
    Json,
    Table,
}

impl Form {
    /// The form by its word; the checker lets no other word through.
    pub(super) fn of(word: &str) -> Self {
        match word {
            "lines" => Self::Lines,
            "json" => Self::Json,
            "table" => Self::Table,
            _ => Self::Text,
        }
    }

    pub(super) fn read(self, name: &str, spool: Spool, run_began: Timestamp) -> Result<Value, Fault> {
        if let Self::Lines = self {
            let reading = Reading { zone: TimeZone::system(), read_at: run_began };
            return Ok(Value::from(spool.into_log(name, reading)));
        }
        let bytes = spool.into_bytes().map_err(|error| bad(name, &format!("could not be kept: {error}")))?;
        let text = String::from_utf8(bytes).map_err(|error| {
            bad(name, &format!("is not UTF-8, from byte {} on", error.utf8_error().valid_up_to()))
                .help(r#"`output: "lines"` takes any bytes"#)
        })?;
        let text = without_colours(text);
        match self {
            Self::Json => json(name, &text),
            Self::Table => table(name, &text),
            _ => Ok(Value::string(text.strip_suffix('\n').unwrap_or(&text))),
        }
    }
}

fn bad(name: &str, what: &str) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("what `{name}` printed {what}"))
}

fn json(name: &str, text: &str) -> Result<Value, Fault> {
    if text.trim().is_empty() {
        return Err(bad(name, "is empty, and was to be JSON"));
    }
    let data = serde_json::from_str(text).map_err(|error| {
        let fault = bad(name, &format!("is not JSON: {error}"));
        let mut several = serde_json::Deserializer::from_str(text).into_iter::<serde_json::Value>();
        if several.all(|document| document.is_ok()) {
            fault.help("it is one JSON a line: `-> list<line>`, and `| each(.text | parse_json)` where it is used")
        } else {
            fault
        }
    })?;
    Ok(Value::Data(std::sync::Arc::new(data)))
}

/// The rows below a header line, as records with its names.
fn table(name: &str, text: &str) -> Result<Value, Fault> {
    let Table { names, rows } = table::read(text).map_err(|unsure| bad(name, &unsure.what).help(unsure.help))?;
    let record = |row: Vec<String>| {
        Value::record(names.iter().zip(row).map(|(name, cell)| (name.as_str(), Value::string(cell))))
    };
    Ok(Value::list(rows.into_iter().map(record).collect()))
}

/// A text without what tells a terminal to show it in colours: nobody means that by a name or a cell.
fn without_colours(text: String) -> String {
    const ESCAPE: char = '\u{1b}';
    if !text.contains(ESCAPE) {
        return text;
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once(ESCAPE) {
        plain.push_str(before);
        let sequence = after.strip_prefix('[').and_then(|sequence| {
            let end = sequence.find(|c: char| !matches!(c, '0'..='9' | ';' | ':'))?;
            sequence.get(end..)?.strip_prefix(['m', 'K'])
        });
        rest = sequence.unwrap_or_else(|| {
            plain.push(ESCAPE);
            after
        });
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::{table, without_colours};

    #[test]
    fn a_table_is_a_list_of_records() {
        let table = table("t", "NAME   READY\nweb-1  1/1\n").map(|value| value.to_json().to_string());
        assert_eq!(table.expect("a table"), r#"[{"name":"web-1","ready":"1/1"}]"#);
    }

    #[test]
    fn colours_are_left_out_and_other_sequences_are_kept() {
        assert_eq!(without_colours("\u{1b}[1mNAME\u{1b}[0m \u{1b}[38;5;1mx\u{1b}[m\u{1b}[K".into()), "NAME x");
        assert_eq!(without_colours("a\u{1b}[2Jb\u{1b}c\u{1b}[".into()), "a\u{1b}[2Jb\u{1b}c\u{1b}[");
    }
}
