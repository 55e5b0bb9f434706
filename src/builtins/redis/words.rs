//! A command as it is written: words between blanks, one of them in quotes if it has blanks, and each value a word.

use super::connection::setup;
use crate::builtins::plain_text::plain_text;
use crate::types::{Fault, Piece, Template, Value};

const PLACE: &str = "a word of a command";

/// The words. What is interpolated is never split; a list that stands alone is as many words as it has items.
///
/// # Errors
/// Where there is none, or a quote is not closed.
pub(super) fn words(template: &Template) -> Result<Vec<String>, Fault> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for (index, piece) in template.pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => {
                for letter in text.chars() {
                    match (quote, letter) {
                        (Some(open), letter) if letter == open => quote = None,
                        (None, '"' | '\'') => {
                            quote = Some(letter);
                            word.get_or_insert_default();
                        }
                        (None, letter) if letter.is_whitespace() => words.extend(word.take()),
                        (_, letter) => word.get_or_insert_default().push(letter),
                    }
                }
            }
            Piece::Value(Value::List(items)) if word.is_none() && ends_here(template.pieces.get(index + 1)) => {
                words.extend(items.iter().map(|item| plain_text(item, PLACE)).collect::<Result<Vec<_>, _>>()?);
            }
            Piece::Value(value) => word.get_or_insert_default().push_str(&plain_text(value, PLACE)?),
        }
    }
    if quote.is_some() {
        return Err(setup("a quote in the command is not closed"));
    }
    words.extend(word);
    match words.first() {
        Some(first) if !first.is_empty() => Ok(words),
        _ => Err(setup("there is no command to send").help("such as `\"MEMORY PURGE\"`")),
    }
}

/// Whether a value that stands before this stands alone.
fn ends_here(next: Option<&Piece>) -> bool {
    match next {
        None => true,
        Some(Piece::Text(text)) => text.starts_with(char::is_whitespace),
        Some(Piece::Value(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::words;
    use crate::types::{Piece, Template, Value};

    fn of(pieces: &[Piece]) -> Vec<String> {
        words(&Template { pieces: pieces.to_vec() }).expect("words")
    }

    fn text(text: &str) -> Piece {
        Piece::Text(Arc::from(text))
    }

    #[test]
    fn a_value_is_one_word_whatever_is_in_it() {
        let evil = Piece::Value(Value::string("a b' \"c\nFLUSHALL"));
        assert_eq!(of(&[text(" SET  key "), evil.clone()]), ["SET", "key", "a b' \"c\nFLUSHALL"]);
        assert_eq!(of(&[text("GET session:"), evil, text(":x")]), ["GET", "session:a b' \"c\nFLUSHALL:x"]);
        assert_eq!(of(&[text("SET k "), Piece::Value(Value::string(""))]), ["SET", "k", ""]);
        let list = Piece::Value(Value::list(vec![Value::string("a b"), Value::Int(2)]));
        assert_eq!(of(&[text("DEL "), list.clone()]), ["DEL", "a b", "2"]);
        assert!(words(&Template { pieces: vec![text("DEL k:"), list] }).is_err());
    }

    #[test]
    fn quotes_hold_blanks() {
        assert_eq!(of(&[text("SET k 'hello  world' \"it's\" ''")]), ["SET", "k", "hello  world", "it's", ""]);
        for bad in ["", "  ", "SET k 'x", "''"] {
            assert!(words(&Template { pieces: vec![text(bad)] }).is_err(), "{bad}");
        }
        let missing = Template { pieces: vec![text("DEL "), Piece::Value(Value::Null)] };
        assert!(words(&missing).is_err());
    }
}
