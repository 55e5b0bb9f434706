//! Words of a POSIX shell that mean themselves, whatever is in them.

use std::fmt::Write as _;

use crate::source::visible;

/// A part of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it is.
    Text(String),
    /// For the shell to put in, as it stands between double quotes: `$service`, `$(date +%F)`.
    Shell(String),
    /// For the person to put in: `<pod>`.
    Blank(String),
    /// For the shell to find files by: `*`.
    Glob(char),
    /// Begins a word: a variable that is set for the program behind it.
    Set(String),
}

/// What a shell reads as this one word.
pub(super) fn word(pieces: &[Piece]) -> String {
    if let [Piece::Set(name), value @ ..] = pieces {
        let value = if value.is_empty() { String::new() } else { word(value) };
        return format!("{name}={value}");
    }
    let mut parts: Vec<Piece> = Vec::new();
    for piece in pieces {
        let piece = if let Piece::Blank(name) = piece { Piece::Text(blank(name)) } else { piece.clone() };
        match (parts.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, piece) => parts.push(piece),
        }
    }
    if let [Piece::Text(text)] = parts.as_slice() {
        return quoted(text);
    }
    let simple = |text: &str| !text.contains(['"', '$', '`', '\\', '!']) && is_seen(text);
    let fits = |part: &Piece| match part {
        Piece::Text(text) => simple(text),
        Piece::Glob(_) => false,
        Piece::Shell(_) | Piece::Blank(_) | Piece::Set(_) => true,
    };
    if !parts.is_empty() && parts.iter().all(fits) {
        let inner: String = parts.iter().map(raw).collect();
        return format!("\"{inner}\"");
    }
    let written: String = parts
        .iter()
        .map(|part| match part {
            Piece::Text(text) => quoted(text),
            Piece::Glob(c) => c.to_string(),
            Piece::Shell(_) | Piece::Blank(_) | Piece::Set(_) => format!("\"{}\"", raw(part)),
        })
        .collect();
    if written.is_empty() { "''".to_owned() } else { written }
}

/// How what a person fills in looks.
pub(super) fn blank(name: &str) -> String {
    format!("<{name}>")
}

fn raw(piece: &Piece) -> &str {
    match piece {
        Piece::Text(text) | Piece::Shell(text) | Piece::Blank(text) | Piece::Set(text) => text,
        Piece::Glob(_) => "",
    }
}

/// Whether a shell takes it as the name of a variable.
pub(super) fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether nothing is in it that a page cannot show.
fn is_seen(text: &str) -> bool {
    text.split('\n').all(|line| visible(line) == line)
}

/// A text that a shell reads as one word.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+@:,=%".contains(c);
    if !text.is_empty() && text.chars().all(plain) && !text.starts_with(['=', '%']) {
        return text.to_owned();
    }
    if is_seen(text) {
        return if text.contains('\'') && !text.contains(['"', '$', '`', '\\', '!']) {
            format!("\"{text}\"")
        } else {
            format!("'{}'", text.replace('\'', "'\\''"))
        };
    }
    // What cannot be seen is spelled out. A shell takes the ends of lines from the end of what a command prints.
    let body = text.trim_end_matches('\n');
    let mut format = String::new();
    for c in body.chars() {
        let mut utf8 = [0; 4];
        match c {
            '%' => format.push_str("%%"),
            '\\' => format.push_str("\\\\"),
            '\'' => format.push_str("'\\''"),
            c if c != '\n' && visible(c.encode_utf8(&mut utf8)) != *c.encode_utf8(&mut [0; 4]) => {
                for byte in c.to_string().bytes() {
                    let _ = write!(format, "\\{byte:03o}");
                }
            }
            c => format.push(c),
        }
    }
    if let Some(rest) = format.strip_prefix('-') {
        format = format!("\\055{rest}");
    }
    let ends = "\n".repeat(text.len() - body.len());
    let ends = if ends.is_empty() { ends } else { format!("'{ends}'") };
    format!("\"$(printf '{format}')\"{ends}")
}

#[cfg(test)]
mod tests {
    use super::{Piece, quoted, word};

    #[test]
    fn a_word_means_itself() {
        assert_eq!(quoted("postgres-0"), "postgres-0");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "\"it's\"");
        assert_eq!(quoted("it's $(rm)"), r"'it'\''s $(rm)'");
        assert_eq!(quoted("<pod>"), "'<pod>'");
        assert_eq!(quoted("=ls"), "'=ls'");
        assert_eq!(quoted("a\u{1b}%'\\b"), r#""$(printf 'a\033%%'\''\\b')""#);
        assert_eq!(quoted("\u{1b}\n"), "\"$(printf '\\033')\"'\n'");
    }

    #[test]
    fn what_the_shell_puts_in_stays_one_word() {
        let text = |text: &str| Piece::Text(text.to_owned());
        let shell = |text: &str| Piece::Shell(text.to_owned());
        assert_eq!(word(&[text("s3://b/"), shell("$store"), text("/x")]), r#""s3://b/$store/x""#);
        assert_eq!(word(&[text("a$"), shell("$store")]), r#"'a$'"$store""#);
        assert_eq!(word(&[text("pod/"), Piece::Blank("pod".to_owned())]), "'pod/<pod>'");
        assert_eq!(word(&[]), "''");
        assert_eq!(word(&[text("/var/a b/"), Piece::Glob('*'), text(".gz")]), "'/var/a b/'*.gz");
    }
}
