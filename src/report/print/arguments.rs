//! An argument in the form that its place takes: a word, several, a part of a URL, SQL, JSON.

use std::fmt::Write as _;
use std::sync::Arc;

use super::json;
use super::known::{Knowledge, Known, Part};
use super::sql::sql;
use super::word::{Piece, is_variable};
use crate::catalog::{Accepts, Inside, Landing, ParamInfo, Quoting};
use crate::types::Value;

/// What a slot is filled with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filled {
    /// A part of a word.
    Word(Vec<Piece>),
    Words(Vec<Vec<Piece>>),
}

/// What is known of an argument, in a form.
pub(super) fn filled<'p>(
    knowledge: &mut Knowledge<'p>,
    param: Option<&ParamInfo>,
    known: &Known<'p>,
    form: Option<&str>,
    place: &str,
) -> Option<Filled> {
    if matches!(known, Known::Value(Value::Null)) {
        return None;
    }
    if let Known::Blank(expr) = known
        && form != Some("json")
    {
        return Some(Filled::Word(vec![knowledge.blank(expr, Some(place))]));
    }
    let landing =
        param.and_then(|param| if let Accepts::Literal(landing) = param.accepts { Some(landing) } else { None });
    Some(match (form, landing) {
        (Some("json"), Some(Landing::Quoted(quoting))) => {
            let text = query(knowledge, known, quoting);
            Filled::Word(json::pieces(knowledge, &Known::Pieces(text)))
        }
        (Some("json"), _) => Filled::Word(json::pieces(knowledge, known)),
        (Some("url"), _) => Filled::Word(encoded(&knowledge.plain(known))),
        (Some("query"), _) => {
            let mut pieces = Vec::new();
            // Several values of one name are a list, and a missing one leaves the name out.
            let pairs = fields(known).into_iter().flat_map(|(name, value)| {
                items(&value).into_iter().map(move |item| (name.clone(), item)).collect::<Vec<_>>()
            });
            for (name, value) in pairs.filter(|(_, value)| !matches!(value, Known::Value(Value::Null))) {
                pieces.push(Piece::Text(if pieces.is_empty() { "?" } else { "&" }.to_owned()));
                pieces.extend(encoded(&[Piece::Text(name)]));
                pieces.push(Piece::Text("=".to_owned()));
                pieces.extend(encoded(&knowledge.plain(&value)));
            }
            Filled::Word(pieces)
        }
        (Some("headers"), _) => {
            let mut words = Vec::new();
            for (name, value) in fields(known) {
                words.push(vec![Piece::Text("-H".to_owned())]);
                let value = knowledge.plain(&value);
                words.push([Piece::Text(format!("{name}: "))].into_iter().chain(value).collect());
            }
            Filled::Words(words)
        }
        (Some("pairs"), _) => {
            let mut words = Vec::new();
            for (name, value) in fields(known) {
                let value = knowledge.plain(&value);
                words.push([Piece::Text(format!("{name}="))].into_iter().chain(value).collect());
            }
            Filled::Words(words)
        }
        (Some("env"), _) => Filled::Words(variables(knowledge, known)),
        (Some(unit @ ("seconds" | "milliseconds")), _) => match known {
            Known::Value(Value::Duration(duration)) if unit == "seconds" => {
                let seconds = duration.as_secs() + i64::from(duration.subsec_nanos() > 0);
                Filled::Word(vec![Piece::Text(seconds.to_string())])
            }
            Known::Value(Value::Duration(duration)) => {
                Filled::Word(vec![Piece::Text(duration.as_millis().to_string())])
            }
            _ => Filled::Word(knowledge.plain(known)),
        },
        (Some("glob"), _) => Filled::Word(knowledge.plain(known).into_iter().flat_map(globbed).collect()),
        (Some("https"), _) => {
            let mut pieces = knowledge.plain(known);
            if let [Piece::Text(address)] = pieces.as_mut_slice()
                && !address.rsplit(']').next().is_some_and(|rest| rest.contains(':'))
            {
                address.push_str(":443");
            }
            Filled::Word(pieces)
        }
        (Some("commas"), _) => {
            let mut pieces = Vec::new();
            for (index, item) in items(known).iter().enumerate() {
                if index > 0 {
                    pieces.push(Piece::Text(",".to_owned()));
                }
                pieces.extend(knowledge.plain(item));
            }
            Filled::Word(pieces)
        }
        (_, Some(Landing::Url)) => Filled::Word(url(knowledge, known)),
        (_, Some(Landing::Sql)) => Filled::Word(sql(knowledge, known)),
        (_, Some(Landing::Words)) => Filled::Words(words(knowledge, known)),
        (_, Some(Landing::Quoted(quoting))) => Filled::Word(query(knowledge, known, quoting)),
        _ => match known {
            Known::List(_) | Known::Value(Value::List(_)) => {
                let items = items(known);
                Filled::Words(items.iter().flat_map(|item| flat(knowledge, item)).collect())
            }
            _ => Filled::Word(knowledge.plain(known)),
        },
    })
}

/// What is set for a program. What is no name to a shell needs a program that sets it.
fn variables<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>) -> Vec<Vec<Piece>> {
    let fields = fields(known);
    let by_shell = fields.iter().all(|(name, _)| is_variable(name));
    let mut words = Vec::new();
    words.extend((!by_shell).then(|| vec![Piece::Text("env".to_owned())]));
    for (name, value) in fields {
        let value = knowledge.plain(&value);
        let name = if by_shell { Piece::Set(name) } else { Piece::Text(format!("{name}=")) };
        words.push([name].into_iter().chain(value).collect());
    }
    words
}

/// A text in which stars, question marks and sets of letters find files.
fn globbed(piece: Piece) -> Vec<Piece> {
    let Piece::Text(text) = piece else { return vec![piece] };
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        // What stood in a value is no wildcard.
        if let Some((class, meant)) =
            [("[[]", '['), ("[*]", '*'), ("[?]", '?')].iter().find(|(class, _)| rest.starts_with(class))
        {
            plain.push(*meant);
            rest = rest.get(class.len()..).unwrap_or_default();
            continue;
        }
        let set = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')).filter(|(inner, _)| is_set(inner));
        let marks: Vec<char> = match set {
            Some((inner, _)) => format!("[{inner}]").chars().collect(),
            None if matches!(first, '*' | '?') => vec![first],
            None => Vec::new(),
        };
        let taken = marks.len().max(1);
        if marks.is_empty() {
            plain.push(first);
        } else {
            pieces.extend((!plain.is_empty()).then(|| Piece::Text(std::mem::take(&mut plain))));
            pieces.extend(marks.into_iter().map(Piece::Glob));
        }
        rest = rest.char_indices().nth(taken).and_then(|(at, _)| rest.get(at..)).unwrap_or_default();
    }
    pieces.extend((!plain.is_empty()).then_some(Piece::Text(plain)));
    pieces
}

/// What stands in brackets and means nothing else to a shell.
fn is_set(inner: &str) -> bool {
    !inner.is_empty() && inner.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '!' | '-' | '.' | '_'))
}

/// The words of a list, one that stands in another included.
fn flat<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>) -> Vec<Vec<Piece>> {
    match known {
        Known::List(_) | Known::Value(Value::List(_)) => {
            items(known).iter().flat_map(|item| flat(knowledge, item)).collect()
        }
        one => vec![knowledge.plain(one)],
    }
}

pub(super) fn items<'p>(known: &Known<'p>) -> Vec<Known<'p>> {
    match known {
        Known::List(items) => items.clone(),
        Known::Value(Value::List(items)) => items.iter().cloned().map(Known::Value).collect(),
        Known::Value(Value::Data(data)) => match data.as_array() {
            Some(items) => items.iter().map(|item| Known::Value(Value::Data(Arc::new(item.clone())))).collect(),
            None => vec![known.clone()],
        },
        one => vec![one.clone()],
    }
}

fn fields<'p>(known: &Known<'p>) -> Vec<(String, Known<'p>)> {
    match known {
        Known::Record(fields) => fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        Known::Value(Value::Record(record)) => {
            record.iter().map(|(name, value)| (name.to_string(), Known::Value(value.clone()))).collect()
        }
        Known::Value(Value::Data(data)) => data
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.clone(), Known::Value(Value::Data(Arc::new(value.clone())).plainly())))
            .collect(),
        _ => Vec::new(),
    }
}

pub(super) fn parts<'a, 'p>(known: &'a Known<'p>) -> Option<&'a [Part<'p>]> {
    if let Known::Parts(parts) = known { Some(parts) } else { None }
}

/// The text as it is, and values as parts of a URL that stay in their place.
fn url<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>) -> Vec<Piece> {
    let Some(parts) = parts(known) else { return knowledge.plain(known) };
    let mut pieces = Vec::new();
    let mut in_path = true;
    for part in parts {
        match part {
            Part::Text(text) => {
                in_path &= !text.contains('?');
                pieces.push(Piece::Text(text.to_string()));
            }
            Part::Value(value) => {
                let plain = match value {
                    Known::Value(value) if has_unit(value) => {
                        vec![knowledge.refused("value", "a number with a unit cannot stand in a URL")]
                    }
                    value => knowledge.plain(value),
                };
                let text = whole(&plain);
                // `/tasks/` lists, or deletes, more than `/tasks/7`.
                if in_path && text.as_deref() == Some("") {
                    pieces.push(knowledge.refused("empty", "an empty value cannot stand in a path"));
                } else {
                    pieces.extend(encoded(&plain));
                }
            }
        }
    }
    let path = whole(&pieces).unwrap_or_default();
    let climbs = |part: &str| matches!(part, "." | "..");
    if path.split('?').next().unwrap_or_default().split('/').any(climbs) {
        return vec![knowledge.refused("path", "it has a part that leads up, `.` or `..`")];
    }
    pieces
}

fn has_unit(value: &Value) -> bool {
    matches!(value, Value::Duration(_) | Value::Size(_) | Value::Cores(_) | Value::Rate(..))
}

/// A text that is known in full.
fn whole(pieces: &[Piece]) -> Option<String> {
    pieces.iter().map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None }).collect()
}

fn encoded(pieces: &[Piece]) -> Vec<Piece> {
    let encode = |text: &str| {
        let mut encoded = String::new();
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
        encoded
    };
    pieces
        .iter()
        .map(|piece| if let Piece::Text(text) = piece { Piece::Text(encode(text)) } else { piece.clone() })
        .collect()
}

/// A command's words: blanks part them, quotes hold them together, a value never leaves its word.
fn words<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>) -> Vec<Vec<Piece>> {
    let whole = [Part::Value(known.clone())];
    let given = match known {
        Known::Parts(parts) => parts.as_slice(),
        Known::Value(Value::String(text)) => &[Part::Text(Arc::clone(text))],
        _ => whole.as_slice(),
    };
    let mut done: Vec<Vec<Piece>> = Vec::new();
    let mut word: Option<Vec<Piece>> = None;
    let mut quote = None;
    for part in given {
        match part {
            Part::Text(text) => {
                for c in text.chars() {
                    match quote {
                        Some(open) if open == c => quote = None,
                        None if matches!(c, '\'' | '"') => {
                            quote = Some(c);
                            word.get_or_insert_default();
                        }
                        None if c.is_whitespace() => done.extend(word.take()),
                        _ => match word.get_or_insert_default() {
                            pieces if matches!(pieces.last(), Some(Piece::Text(_))) => {
                                if let Some(Piece::Text(text)) = pieces.last_mut() {
                                    text.push(c);
                                }
                            }
                            pieces => pieces.push(Piece::Text(c.to_string())),
                        },
                    }
                }
            }
            Part::Value(value @ (Known::List(_) | Known::Value(Value::List(_)))) if word.is_none() => {
                done.extend(flat(knowledge, value));
            }
            Part::Value(value) => {
                let pieces = knowledge.plain(value);
                word.get_or_insert_default().extend(pieces);
            }
        }
    }
    done.extend(word);
    done
}

/// A script of the shell with its values as arguments, as the built-in starts it.
pub(super) fn script<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>) -> Filled {
    let Some(parts) = parts(known) else { return Filled::Word(knowledge.plain(known)) };
    let mut script = String::new();
    let mut values = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => script.push_str(text),
            Part::Value(value) => {
                values.push(knowledge.plain(value));
                let _ = write!(script, "\"${{{}}}\"", values.len());
            }
        }
    }
    let script = vec![Piece::Text(script)];
    if values.is_empty() {
        return Filled::Word(script);
    }
    Filled::Words([script, vec![Piece::Text("sh".to_owned())]].into_iter().chain(values).collect())
}

/// A query in which a value stands between quotes that it cannot end.
fn query<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>, quoting: &'static Quoting) -> Vec<Piece> {
    let Some(parts) = parts(known) else { return knowledge.plain(known) };
    let mut reading = quoting.read();
    let mut pieces = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) => {
                reading.piece(text);
                pieces.push(Piece::Text(text.to_string()));
            }
            Part::Value(value) => {
                pieces.extend(match reading.inside() {
                    Inside::Quotes { mark, pattern: true } => one_of(knowledge, value, mark),
                    Inside::Quotes { mark, pattern: false } => between(&knowledge.plain(value), mark),
                    Inside::Nothing | Inside::Comment => knowledge.plain(value),
                });
                reading.value();
            }
        }
    }
    pieces
}

/// What a pattern matches that stands for a value: the value itself, or one of a list.
fn one_of<'p>(knowledge: &mut Knowledge<'p>, known: &Known<'p>, mark: char) -> Vec<Piece> {
    let is_list = matches!(known, Known::List(_) | Known::Value(Value::List(_)));
    let text = |text: &str| Piece::Text(text.to_owned());
    let mut pieces = Vec::new();
    for (index, item) in items(known).iter().enumerate() {
        pieces.extend((index > 0).then(|| text("|")));
        pieces.extend(knowledge.plain(item).into_iter().map(|piece| match piece {
            Piece::Text(text) => Piece::Text(regex::escape(&text)),
            other => other,
        }));
    }
    if is_list {
        pieces = [text("(?:")].into_iter().chain(pieces).chain([text(")")]).collect();
    }
    between(&pieces, mark)
}

/// A text between quotes that it cannot end.
fn between(pieces: &[Piece], mark: char) -> Vec<Piece> {
    let escape = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('\n', "\\n");
        text.replace(mark, &format!("\\{mark}"))
    };
    pieces
        .iter()
        .map(|piece| if let Piece::Text(text) = piece { Piece::Text(escape(text)) } else { piece.clone() })
        .collect()
}
