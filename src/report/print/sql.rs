//! SQL as it is typed: each value is a literal of what a run binds.

use super::arguments::{items, parts};
use super::known::{Knowledge, Known, Part};
use super::word::Piece;
use crate::types::Value;

/// SQL with its values as literals.
pub(super) fn sql<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    match parts(known) {
        None => pieces = knowledge.plain(known),
        Some(parts) => {
            for part in parts {
                match part {
                    Part::Text(text) => {
                        apart(&mut pieces, text.chars().next());
                        pieces.push(Piece::Text(text.to_string()));
                    }
                    Part::Value(value) => {
                        apart(&mut pieces, Some('0'));
                        literal(knowledge, value, &mut pieces);
                    }
                }
            }
        }
    }
    if let Some(Piece::Text(first)) = pieces.first_mut() {
        *first = first.trim_start().to_owned();
        // psql takes what begins so for a command of its own.
        if first.starts_with('\\') {
            first.insert(0, ' ');
        }
    }
    pieces
}

/// A blank between a word and a number or a name, which would be one: a value that is bound has one, too.
fn apart(pieces: &mut Vec<Piece>, next: Option<char>) {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let before = match pieces.last() {
        Some(Piece::Text(text)) => text.chars().next_back().is_some_and(is_word),
        Some(_) => true,
        None => false,
    };
    if before && next.is_some_and(is_word) {
        pieces.push(Piece::Text(" ".to_owned()));
    }
}

fn literal<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>, out: &mut Vec<Piece>) {
    let text = |text: &str| Piece::Text(text.to_owned());
    match known {
        Known::Value(value @ (Value::Int(_) | Value::Float(_) | Value::Percent(_) | Value::Bool(_))) => {
            out.push(Piece::Text(value.to_json().to_string()));
        }
        Known::List(_) | Known::Value(Value::List(_)) => {
            out.push(text("'"));
            out.extend(array(knowledge, &items(known)).into_iter().map(within_quotes));
            out.push(text("'"));
        }
        known if is_missing(known) => out.push(text("NULL")),
        Known::Number(pieces) => out.extend(pieces.iter().cloned()),
        Known::Value(Value::Duration(duration)) if duration.subsec_nanos() != 0 => {
            out.push(Piece::Text(format!("'{} microseconds'::interval", duration.as_micros())));
        }
        known => {
            out.push(text("'"));
            out.extend(knowledge.plain(known).into_iter().map(within_quotes));
            out.push(text("'"));
            out.extend(kind(known).map(text));
        }
    }
}

/// What a value is sent as, where PostgreSQL could take its text for something else: `now() - '1h'` is no time.
fn kind(known: &Known<'_>) -> Option<&'static str> {
    match known {
        Known::Value(Value::Duration(_)) => Some("::interval"),
        Known::Value(Value::Time(_)) | Known::Moment { is_date: false, .. } => Some("::timestamptz"),
        Known::Value(Value::Date(_)) | Known::Moment { is_date: true, .. } => Some("::date"),
        _ => None,
    }
}

fn within_quotes(piece: Piece) -> Piece {
    match piece {
        Piece::Text(text) => Piece::Text(text.replace('\'', "''")),
        other => other,
    }
}

/// The items of an array as its text has them: `{"a","b"}`.
fn array<'p>(knowledge: &mut Knowledge<'p>, items: &[Known<'p>]) -> Vec<Piece> {
    let text = |text: &str| Piece::Text(text.to_owned());
    let mut pieces = vec![text("{")];
    for (index, item) in items.iter().enumerate() {
        pieces.extend((index > 0).then(|| text(",")));
        if is_missing(item) {
            pieces.push(text("NULL"));
            continue;
        }
        pieces.push(text("\""));
        pieces.extend(knowledge.plain(item).into_iter().map(|piece| match piece {
            Piece::Text(text) => Piece::Text(text.replace('\\', "\\\\").replace('"', "\\\"")),
            other => other,
        }));
        pieces.push(text("\""));
    }
    pieces.push(text("}"));
    pieces
}

fn is_missing(known: &Known<'_>) -> bool {
    match known {
        Known::Value(Value::Data(data)) => data.is_null(),
        Known::Value(value) => matches!(value, Value::Null),
        _ => false,
    }
}
