//! SQL as it is sent: one statement with bound parameters, and what it can be seen to do before it is.

use crate::types::{Fault, FaultKind, Piece, Template, Value};

/// A statement and its parameters.
#[derive(Debug)]
pub(super) struct Statement {
    /// With `$1`, `$2`, … for the values, and no `;` at its end.
    pub(super) text: String,
    pub(super) values: Vec<Value>,
    /// Its first word, in lowercase.
    pub(super) verb: String,
    /// What it calls: every name that stands before a bracket, as the server folds it.
    pub(super) calls: Vec<String>,
}

impl Statement {
    /// The one statement of a literal.
    ///
    /// # Errors
    /// Where it is none or several, where a text or comment is not closed, and where a value stands inside of one.
    pub(super) fn of(template: &Template) -> Result<Self, Fault> {
        let mut text = String::new();
        let mut values = Vec::new();
        for piece in &template.pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Value(value) => {
                    if !matches!(tokens(&text), Ok(..)) {
                        return Err(bad("a value stands inside a text or a comment of the SQL")
                            .help("take the quotes away: `WHERE name = {name}`; a value is bound, and quotes itself"));
                    }
                    values.push(value.clone());
                    // Apart from what it touches, so that it is no part of a longer word or number.
                    text.push_str(" $");
                    text.push_str(&values.len().to_string());
                    text.push(' ');
                }
            }
        }
        let tokens = tokens(&text).map_err(bad)?;
        let end = tokens.iter().position(|token| matches!(token, Token::End(_)));
        if let Some(end) = end
            && tokens.iter().skip(end).any(|token| !matches!(token, Token::End(_)))
        {
            return Err(bad("there are two statements").help("a call runs one; write a call for each"));
        }
        if let Some(Token::End(at)) = end.and_then(|end| tokens.get(end)) {
            text.truncate(*at);
        }
        let verb = tokens.iter().find_map(|token| match token {
            Token::Word(word) => Some(word.clone()),
            _ => None,
        });
        let verb = verb.ok_or_else(|| bad("there is no statement"))?;
        let calls = tokens.windows(2).filter_map(|pair| match pair {
            [Token::Word(name) | Token::Quoted(name), Token::Open] => Some(name.clone()),
            _ => None,
        });
        Ok(Self { calls: calls.collect(), text, values, verb })
    }
}

fn bad(message: &str) -> Fault {
    Fault::new(FaultKind::Setup, message.to_owned())
}

#[derive(Debug, PartialEq)]
enum Token {
    /// A word, folded to lowercase as the server does.
    Word(String),
    /// A name in quotes, as it is.
    Quoted(String),
    Open,
    /// The end of a statement, and where it is.
    End(usize),
    /// Whatever else: a text, a number, an operator.
    Other,
}

/// The tokens of SQL; why they cannot be told where something is not closed.
fn tokens(text: &str) -> Result<Vec<Token>, &'static str> {
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied().unwrap_or(0);
    let mut tokens = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let start = index;
        match at(index) {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c | 0x0b => index += 1,
            b'-' if at(index + 1) == b'-' => {
                index =
                    text.get(index..).and_then(|rest| rest.find(['\n', '\r'])).map_or(bytes.len(), |end| start + end);
                // Whatever follows would stand in the comment.
                if index == bytes.len() {
                    return Err("a comment goes on to the end");
                }
            }
            b'/' if at(index + 1) == b'*' => index = comment(bytes, index)?,
            b'\'' => {
                index = quoted(bytes, index, b'\'', false)?;
                tokens.push(Token::Other);
            }
            b'"' => {
                index = quoted(bytes, index, b'"', false)?;
                let inner = text.get(start + 1..index - 1).unwrap_or_default();
                tokens.push(Token::Quoted(inner.replace("\"\"", "\"")));
            }
            b'$' if !at(index + 1).is_ascii_digit() => {
                index = dollar(text, index)?;
                tokens.push(Token::Other);
            }
            b';' => {
                index += 1;
                tokens.push(Token::End(start));
            }
            b'(' => {
                index += 1;
                tokens.push(Token::Open);
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80 => {
                while at(index).is_ascii_alphanumeric() || matches!(at(index), b'_' | b'$') || at(index) >= 0x80 {
                    index += 1;
                }
                let word = text.get(start..index).unwrap_or_default().to_lowercase();
                match (word.as_str(), at(index)) {
                    // `E'…'` knows backslashes; the others are texts of another kind.
                    ("e", b'\'') => {
                        index = quoted(bytes, index, b'\'', true)?;
                        tokens.push(Token::Other);
                    }
                    ("b" | "x" | "n", b'\'') => {
                        index = quoted(bytes, index, b'\'', false)?;
                        tokens.push(Token::Other);
                    }
                    // A name or text whose characters are written as numbers: what it is called cannot be seen.
                    ("u", b'&') if matches!(at(index + 1), b'\'' | b'"') => {
                        return Err("a name or text with `U&` cannot be looked through: write it as it is");
                    }
                    _ => tokens.push(Token::Word(word)),
                }
            }
            _ => {
                index += 1;
                tokens.push(Token::Other);
            }
        }
    }
    Ok(tokens)
}

/// Comments nest.
fn comment(bytes: &[u8], start: usize) -> Result<usize, &'static str> {
    let mut depth = 0;
    let mut index = start;
    while index < bytes.len() {
        match bytes.get(index..index + 2) {
            Some(b"/*") => {
                depth += 1;
                index += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                index += 2;
                if depth == 0 {
                    return Ok(index);
                }
            }
            _ => index += 1,
        }
    }
    Err("a comment is not closed")
}

/// From the opening quote to behind the closing one; a quote is doubled inside.
fn quoted(bytes: &[u8], start: usize, quote: u8, backslashes: bool) -> Result<usize, &'static str> {
    let mut index = start + 1;
    while let Some(byte) = bytes.get(index) {
        if *byte == b'\\' && backslashes {
            index += 2;
        } else if *byte != quote {
            index += 1;
        } else if bytes.get(index + 1) == Some(&quote) {
            index += 2;
        } else {
            return Ok(index + 1);
        }
    }
    Err("a text is not closed")
}

/// `$$…$$`, `$tag$…$tag$`.
fn dollar(text: &str, start: usize) -> Result<usize, &'static str> {
    let rest = text.get(start..).unwrap_or_default();
    let tag = rest.get(1..).and_then(|rest| rest.find('$')).map(|end| &rest[..end + 2]);
    let tag =
        tag.filter(|tag| tag.trim_matches('$').bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80));
    // A lone `$` is an operator or a mistake, which the server tells better.
    let Some(tag) = tag else { return Ok(start + 1) };
    let behind = start + tag.len();
    let end = text.get(behind..).and_then(|rest| rest.find(tag)).ok_or("a text in dollars is not closed")?;
    Ok(behind + end + tag.len())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Statement;
    use crate::types::{Piece, Template, Value};

    fn of(text: &str) -> Result<Statement, String> {
        let pieces = vec![Piece::Text(Arc::from(text))];
        Statement::of(&Template { pieces }).map_err(|fault| fault.message.to_string())
    }

    #[test]
    fn calls_are_seen_through_comments_quotes_and_case() {
        let calls = |text| of(text).unwrap().calls;
        assert_eq!(calls("SELECT PG_Terminate_Backend /* x */ (1)"), ["pg_terminate_backend"]);
        assert_eq!(calls("select \"Bump\" (1), pg_catalog . setval('s', 1)"), ["Bump", "setval"]);
        assert_eq!(
            calls("select 'nextval(1)', $$ setval(1) $$, $a$ x $$ y( $a$, E'\\'(', \"a\"\"(b\" -- now(\n"),
            Vec::<String>::new()
        );
        assert_eq!(calls("select 1 /* a /* b */ lo_unlink(1) */"), Vec::<String>::new());
        assert_eq!(calls("WITH x AS (SELECT now()) SELECT * FROM x"), ["as", "now"]);
    }

    #[test]
    fn one_statement_is_one() {
        assert_eq!(of(" SELECT 1 ; ; -- end\n ").unwrap().text, " SELECT 1 ");
        assert_eq!(of("/* x */ ExPlain SELECT ';'").unwrap().verb, "explain");
        assert!(of("SELECT 1; DROP TABLE t").unwrap_err().contains("two statements"));
        assert!(of("SELECT 1;-- a\nSELECT 2").unwrap_err().contains("two statements"));
        assert!(of("  -- nothing\n").unwrap_err().contains("no statement"));
        for open in ["SELECT 'a", "SELECT \"a", "SELECT /* /* */", "SELECT $a$ $$", "SELECT E'\\'", "SELECT 1 -- x"] {
            assert!(of(open).is_err(), "{open}");
        }
        assert!(of("SELECT U&'\\0041'").is_err());
    }

    #[test]
    fn values_are_bound_and_never_inside_a_text() {
        let with = |before: &str, after: &str| {
            let pieces = vec![
                Piece::Text(Arc::from(before)),
                Piece::Value(Value::string("x'; DROP TABLE t --")),
                Piece::Text(Arc::from(after)),
            ];
            Statement::of(&Template { pieces })
        };
        let bound = with("SELECT * FROM t WHERE a=", " AND b = 1").unwrap();
        assert_eq!((bound.text.as_str(), bound.values.len()), ("SELECT * FROM t WHERE a= $1  AND b = 1", 1));
        for (before, after) in
            [("SELECT '", "'"), ("SELECT \"", "\""), ("SELECT $$", "$$"), ("SELECT /*", "*/ 1"), ("SELECT 1 --", "\n")]
        {
            assert!(with(before, after).unwrap_err().message.contains("inside"), "{before}");
        }
    }
}
