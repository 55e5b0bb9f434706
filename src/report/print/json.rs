//! What is known of a value as JSON.

use super::known::{Knowledge, Known, Part};
use super::word::Piece;
use crate::types::Value;

/// The pieces of the JSON that a value is.
pub(super) fn pieces<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    write(knowledge, known, &mut pieces);
    pieces
}

fn write<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>, out: &mut Vec<Piece>) {
    let text = |text: &str| Piece::Text(text.to_owned());
    match known {
        Known::Value(value) => out.push(Piece::Text(value.to_json().to_string())),
        Known::List(items) => {
            out.push(text("["));
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(text(", "));
                }
                write(knowledge, item, out);
            }
            out.push(text("]"));
        }
        Known::Record(fields) => {
            out.push(text("{"));
            for (index, (name, value)) in fields.iter().enumerate() {
                if index > 0 {
                    out.push(text(", "));
                }
                out.push(Piece::Text(format!("{}: ", serde_json::Value::from(&**name))));
                match value {
                    Known::Blank(expr) => out.push(knowledge.blank(expr, Some(name))),
                    value => write(knowledge, value, out),
                }
            }
            out.push(text("}"));
        }
        Known::Parts(parts) => {
            let inner: Vec<Piece> = parts
                .iter()
                .flat_map(|part| match part {
                    Part::Text(text) => vec![Piece::Text(text.to_string())],
                    Part::Value(known) => knowledge.plain(known),
                })
                .collect();
            string(&inner, out);
        }
        Known::Pieces(inner) => string(inner, out),
        Known::Number(inner) => out.extend(inner.iter().cloned()),
        Known::Moment { .. } => string(&knowledge.plain(known), out),
        // It may be a number or an object: whoever fills it in sees what it is.
        Known::Blank(_) => out.extend(knowledge.plain(known)),
    }
}

fn string(inner: &[Piece], out: &mut Vec<Piece>) {
    out.push(Piece::Text("\"".to_owned()));
    for piece in inner {
        out.push(match piece {
            Piece::Text(text) => Piece::Text(escaped(text)),
            other => other.clone(),
        });
    }
    out.push(Piece::Text("\"".to_owned()));
}

/// A text as it stands between the quotes of a JSON string.
fn escaped(text: &str) -> String {
    let quoted = Value::string(text).to_json().to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}
