//! What a program printed, as a value.

use jiff::Timestamp;
use jiff::tz::TimeZone;

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

/// The rows below a header line. A row whose cells do not tell their columns is a fault, never a guess.
fn table(name: &str, text: &str) -> Result<Value, Fault> {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let Some((header, rows)) = lines.split_first() else {
        return Err(bad(name, "is empty, and was to begin with a line of column names"));
    };
    let columns = Columns::of(header, rows);
    let cells = columns.cells(header);
    if cells.len() == 1 && header.contains([',', ';', '|']) {
        return Err(bad(name, &format!("has one column, `{}`: columns stand apart by tabs or blanks", header.trim()))
            .help("let it print tabs, or JSON with `output: \"json\"`"));
    }
    let names = field_names(name, &cells)?;
    let mut records = Vec::with_capacity(rows.len());
    for (row, number) in rows.iter().zip(2..) {
        let cells = columns.cells(row);
        if cells.len() != names.len() {
            let what = format!("has {} columns in its header and {} in row {number}", names.len(), cells.len());
            return Err(bad(name, &what).help("separate the columns with tabs, or align them and use two spaces"));
        }
        records.push(Value::record(names.iter().zip(cells).map(|(name, cell)| (name.as_str(), Value::string(cell)))));
    }
    Ok(Value::list(records))
}

/// How the columns of a table are told apart.
enum Columns {
    Tabs,
    /// Each begins below its name: what `kubectl`, `docker` and `systemctl` print. The places are counted in characters.
    Places(Vec<usize>),
    Words,
}

impl Columns {
    fn of(header: &str, rows: &[&str]) -> Self {
        if header.contains('\t') {
            return Self::Tabs;
        }
        let places = places(header);
        let aligned = |row: &&str| {
            let row: Vec<char> = row.chars().collect();
            places.iter().filter(|place| **place > 0).all(|place| row.get(*place - 1).is_none_or(|c| *c == ' '))
        };
        if places.len() > 1 && rows.iter().all(aligned) { Self::Places(places) } else { Self::Words }
    }

    fn cells(&self, line: &str) -> Vec<String> {
        match self {
            Self::Tabs => line.split('\t').map(|cell| cell.trim().to_owned()).collect(),
            Self::Words => line.split_whitespace().map(str::to_owned).collect(),
            Self::Places(places) => {
                let ends = places.iter().skip(1).copied().chain([usize::MAX]);
                let cell = |(start, end): (&usize, usize)| {
                    let cell: String = line.chars().skip(*start).take(end.saturating_sub(*start)).collect();
                    cell.trim().to_owned()
                };
                places.iter().zip(ends).map(cell).collect()
            }
        }
    }
}

/// Where the names of a header begin, if two spaces or more stand between them.
fn places(header: &str) -> Vec<usize> {
    let mut places = Vec::new();
    let mut spaces = 2;
    for (place, c) in header.chars().enumerate() {
        if c == ' ' {
            spaces += 1;
        } else {
            if spaces >= 2 {
                places.push(place);
            }
            spaces = 0;
        }
    }
    places
}

/// `Use%` is the field `use`, `Mounted on` is `mounted_on`.
fn field_names(tool: &str, cells: &[String]) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = Vec::with_capacity(cells.len());
    for cell in cells {
        let word: String = cell.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect();
        let name = word.trim_matches('_').to_lowercase();
        if name.is_empty() || names.contains(&name) {
            return Err(bad(tool, &format!("has no name of its own for each column: `{}`", cells.join("`, `"))));
        }
        names.push(name);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::table;

    fn shown(text: &str) -> String {
        table("t", text).map_or_else(|fault| fault.to_string(), |value| value.to_json().to_string())
    }

    #[test]
    fn reads_aligned_columns_with_empty_cells() {
        let text = "NAME    STATUS     LAST SEEN\nweb-1              3m\nweb-2   Running    \n";
        assert_eq!(
            shown(text),
            r#"[{"name":"web-1","status":"","last_seen":"3m"},{"name":"web-2","status":"Running","last_seen":""}]"#
        );
    }

    #[test]
    fn reads_right_aligned_columns_by_their_words() {
        assert_eq!(shown("PID    RSS\n  1  12345\n"), r#"[{"pid":"1","rss":"12345"}]"#);
        assert_eq!(shown("Use% Size\n10% 5\n"), r#"[{"use":"10%","size":"5"}]"#);
    }

    #[test]
    fn guesses_no_column() {
        assert!(shown("A B\n1 2 3\n").contains("2 columns in its header and 3 in row 2"));
        assert!(shown("").contains("is empty"));
        assert!(shown("a,b\n1,2\n").contains("has one column, `a,b`"));
        assert!(shown("A  A\n1  2\n").contains("no name of its own"));
    }
}
