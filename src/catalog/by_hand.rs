//! What a person would type instead of a call: a line of shell with places for the arguments.
//!
//! | written | means |
//! |---|---|
//! | `{name}` | the argument, one word of the shell; of a list or of words, one each |
//! | `{connection}` | what the client is told to reach the connection, which its driver says |
//! | `{connection.bucket}` | an argument of the connection's declaration |
//! | `{namespace}` | of the call, else of the pod that it is about, else of the connection |
//! | `{way}` | of a connection: the port here that leads to it, where its URL names another host |
//! | `{name:url}` | in a certain form: [`FORMS`] |
//! | `[-l {selector}]` | only where all arguments in it are given |
//! | `[force? --force]`, `[!force? …]` | only where this argument is given and not `false`, or only where it is not |
//!
//! Brackets and braces that say none of this stand for themselves.

/// How the client of a driver is told where to go and as whom.
#[derive(Clone, Copy, Debug)]
pub struct ByHand {
    /// What stands for `{connection}`, with the arguments of the declaration as `{host}`.
    pub connection: &'static str,
    /// What is set for the client alone, in front of the line: `PGPASSWORD={password}`.
    pub environment: &'static str,
    /// The port that is meant where none is written.
    pub port: Option<u16>,
}

impl ByHand {
    /// Nobody types anything for it.
    pub const NONE: Self = Self { connection: "", environment: "", port: None };
}

/// The forms in which an argument can be asked for, besides as it is.
pub const FORMS: &[(&str, &str)] = &[
    ("url", "with `%41` for whatever means something in a URL"),
    ("json", "as JSON"),
    ("query", "a record as the query of a URL"),
    ("headers", "a record as options of curl"),
    ("pairs", "a record as `name=value`, a word each"),
    ("env", "a record as variables that are set for the program behind it"),
    ("seconds", "a length of time in seconds"),
    ("milliseconds", "the same in thousandths of them"),
    ("commas", "a list with commas between"),
    ("glob", "a pattern of file names: the shell finds the files"),
    ("https", "an address, with port 443 where it says none"),
];

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Slot(Slot),
    Group { when: When, parts: Vec<Part> },
}

/// A place for an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// `selector`, `connection`
    pub name: String,
    /// `bucket` of `connection.bucket`
    pub field: Option<String>,
    pub form: Option<String>,
}

/// When a part is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum When {
    /// All that is asked for in it is given.
    Given,
    /// This argument is given, and not `false`.
    Set(String),
    NotSet(String),
}

/// The parts of a line.
#[must_use]
pub fn parts(line: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        if first == '{'
            && !text.ends_with(['%', '$'])
            && let Some((slot, behind)) = slot(rest)
        {
            flush(&mut text, &mut parts);
            parts.push(Part::Slot(slot));
            rest = behind;
        } else if first == '['
            && let Some((group, behind)) = group(rest)
        {
            flush(&mut text, &mut parts);
            parts.push(group);
            rest = behind;
        } else {
            text.push(first);
            rest = rest.get(first.len_utf8()..).unwrap_or_default();
        }
    }
    flush(&mut text, &mut parts);
    parts
}

fn flush(text: &mut String, parts: &mut Vec<Part>) {
    if !text.is_empty() {
        parts.push(Part::Text(std::mem::take(text)));
    }
}

fn slot(text: &str) -> Option<(Slot, &str)> {
    let (inner, behind) = text.strip_prefix('{')?.split_once('}')?;
    let (path, form) = match inner.split_once(':') {
        Some((path, form)) => (path, Some(form)),
        None => (inner, None),
    };
    let (name, field) = match path.split_once('.') {
        Some((name, field)) => (name, Some(field)),
        None => (path, None),
    };
    let is_known_form = form.is_none_or(|form| FORMS.iter().any(|(known, _)| *known == form));
    (is_name(name) && field.is_none_or(is_path) && is_known_form).then(|| {
        let slot = Slot { name: name.to_owned(), field: field.map(str::to_owned), form: form.map(str::to_owned) };
        (slot, behind)
    })
}

fn group(text: &str) -> Option<(Part, &str)> {
    let (inner, behind) = text.strip_prefix('[')?.split_once(']')?;
    if let Some((condition, said)) = inner.split_once("? ") {
        let (negated, name) = condition.strip_prefix('!').map_or((false, condition), |name| (true, name));
        if is_path(name) {
            let when = if negated { When::NotSet(name.to_owned()) } else { When::Set(name.to_owned()) };
            return Some((Part::Group { when, parts: parts(said) }, behind));
        }
    }
    let parts = parts(inner);
    let asks = parts.iter().any(|part| matches!(part, Part::Slot(_)));
    asks.then_some((Part::Group { when: When::Given, parts }, behind))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// Names with dots between: `connection.bucket`, `metadata.name`.
fn is_path(text: &str) -> bool {
    text.split('.').all(|part| part.chars().all(|c| c.is_ascii_alphabetic() || c == '_') && !part.is_empty())
}

/// All names that a line asks for, those of conditions too: `selector`, `connection.bucket`.
#[must_use]
pub fn names(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    note(&parts(line), &mut found);
    found
}

fn note(parts: &[Part], found: &mut Vec<String>) {
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Slot(Slot { name, field: None, .. }) => found.push(name.clone()),
            Part::Slot(Slot { name, field: Some(field), .. }) => found.push(format!("{name}.{field}")),
            Part::Group { when, parts } => {
                if let When::Set(name) | When::NotSet(name) = when {
                    found.push(name.clone());
                }
                note(parts, found);
            }
        }
    }
}

/// The line as the reference shows it: without the forms.
#[must_use]
pub fn shown(line: &str) -> String {
    FORMS.iter().fold(line.to_owned(), |line, (form, _)| line.replace(&format!(":{form}}}"), "}"))
}

#[cfg(test)]
mod tests {
    use super::{Part, Slot, When, names, parts, shown};

    fn slot(name: &str, form: Option<&str>) -> Part {
        Part::Slot(Slot { name: name.to_owned(), field: None, form: form.map(str::to_owned) })
    }

    #[test]
    fn what_is_a_place_and_what_stands_for_itself() {
        assert_eq!(parts("df {path}"), [Part::Text("df ".to_owned()), slot("path", None)]);
        assert_eq!(parts("-d {json:json}"), [Part::Text("-d ".to_owned()), slot("json", Some("json"))]);
        for text in
            ["sed 's/[0-9]+/N/g'", "-w '%{http_code}'", "awk '{ print }'", "x[-1]", "'{\"a\": 1}'", "${x}", "[^]]"]
        {
            assert_eq!(parts(text), [Part::Text(text.to_owned())], "{text}");
        }
        let group =
            Part::Group { when: When::Given, parts: vec![Part::Text("-l ".to_owned()), slot("selector", None)] };
        assert_eq!(parts("[-l {selector}]"), [group]);
        let text = |text: &str| vec![Part::Text(text.to_owned())];
        assert_eq!(parts("[force? -f]"), [Part::Group { when: When::Set("force".to_owned()), parts: text("-f") }]);
        assert_eq!(parts("[!force? -f]"), [Part::Group { when: When::NotSet("force".to_owned()), parts: text("-f") }]);
    }

    #[test]
    fn names_and_forms() {
        assert_eq!(names("a {connection.bucket}/{key:url} [x? -n {n}]"), ["connection.bucket", "key", "x", "n"]);
        assert_eq!(shown("curl {connection}{path}[{query:query}]"), "curl {connection}{path}[{query}]");
    }
}
