//! One statement as it is sent: its text with `$1` for each interpolated value, and the values beside it.

use std::error::Error;
use std::fmt::Write as _;

use tokio_postgres::types::{Format, IsNull, ToSql, Type};
use tokio_util::bytes::BytesMut;

use super::compared::{self, Kind};
use super::lexer::{Token, tokens};
use crate::builtins::plain_text::plain_or_secret;
use crate::builtins::settings::setup;
use crate::types::{Fault, Piece, Template, Value};

/// A statement.
pub(super) struct Statement {
    /// Without a `;` at its end.
    pub(super) sql: String,
    pub(super) params: Vec<(Bound, Type)>,
    pub(super) tokens: Vec<Token>,
}

/// A value as text, which the server reads as the type that its place has; `None` is NULL.
#[derive(Debug)]
pub(super) struct Bound(pub(super) Option<String>);

impl ToSql for Bound {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(text) = &self.0 else { return Ok(IsNull::Yes) };
        out.extend_from_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    tokio_postgres::types::to_sql_checked!();
}

impl Statement {
    /// The statement of a literal text.
    ///
    /// # Errors
    /// Where it is none, is more than one, or a value stands where none can be bound, or where it would be compared in vain.
    pub(super) fn of(template: &Template) -> Result<Self, Fault> {
        let (mut sql, mut params, mut places, mut kinds) = (String::new(), Vec::new(), Vec::new(), Vec::new());
        for piece in &template.pieces {
            match piece {
                Piece::Text(text) => sql.push_str(text),
                Piece::Value(value) => {
                    params.push(bound(value)?);
                    kinds.push(Kind::of(value));
                    // The spaces keep it apart from a name or a number beside it.
                    places.push(sql.len() + 1);
                    _ = write!(sql, " ${} ", params.len());
                }
            }
        }
        if sql.contains('\0') {
            return Err(setup("the SQL has a zero byte in it"));
        }
        let tokens = tokens(&sql).map_err(|open| setup(format!("the SQL is not whole: {}", open.what())))?;
        let bound: Vec<usize> =
            tokens.iter().filter_map(|token| if let Token::Param(at) = token { Some(*at) } else { None }).collect();
        if let Some(own) = bound.iter().find(|at| !places.contains(at)) {
            let text: String = sql.get(*own..).unwrap_or_default().chars().take(3).collect();
            return Err(setup(format!("`{}` stands for no value", text.trim()))
                .help("write the value where it belongs: `WHERE id = {id}`"));
        }
        if bound.len() < places.len() {
            return Err(setup("a value stands in quotes or in a comment of the SQL, where it is none")
                .help("leave the quotes out: `WHERE name = {name}`; for a part of a text: `LIKE {name} || '%'`"));
        }
        let statement = single(Self { sql, params, tokens })?;
        compared::judge(&statement.tokens, &kinds)?;
        Ok(statement)
    }

    /// A statement of this family's own.
    pub(super) fn own(sql: &str, params: Vec<(Bound, Type)>) -> Self {
        Self { sql: sql.to_owned(), params, tokens: Vec::new() }
    }

    /// Whether it gives text and nothing else, and stands for itself only.
    pub(super) fn is_plain_text(&self) -> bool {
        matches!(self.keyword(), "show" | "explain")
    }

    /// The keyword that it begins with, in lower case; empty where there is none.
    pub(super) fn keyword(&self) -> &str {
        let first = self.tokens.iter().find(|token| **token != Token::Sign('('));
        if let Some(Token::Word(word)) = first { word } else { "" }
    }

    /// Whether a keyword or a name stands in it, in small letters.
    pub(super) fn has(&self, word: &str) -> bool {
        self.tokens.iter().any(|token| matches!(token, Token::Word(own) if own == word))
    }
}

/// Without the `;` at its end, where that is the only one.
fn single(mut statement: Statement) -> Result<Statement, Fault> {
    let mut end = None;
    while let Some(Token::End(at)) = statement.tokens.last() {
        end = Some(*at);
        _ = statement.tokens.pop();
    }
    if statement.tokens.is_empty() {
        return Err(setup("there is no SQL in it").help("write a statement: `db.query(\"SELECT …\")`"));
    }
    // A function of the standard's form has `;` in its body.
    let body = statement.keyword() == "create" && statement.tokens.contains(&Token::Word("atomic".to_owned()));
    if statement.tokens.iter().any(|token| matches!(token, Token::End(_))) && !body {
        return Err(setup("there are two statements in it, and one is sent at a time").help("write two calls"));
    }
    if let Some(end) = end {
        // What stands behind it is a comment at most.
        statement.sql.truncate(end);
    }
    Ok(statement)
}

/// A value on its way to the server, with its type where the language is sure of it.
fn bound(value: &Value) -> Result<(Bound, Type), Fault> {
    const PLACE: &str = "the SQL";
    let (text, ty) = match value {
        Value::Null => (None, Type::UNKNOWN),
        Value::Data(data) if data.is_null() => (None, Type::UNKNOWN),
        Value::Data(data) if data.is_array() || data.is_object() => (Some(data.to_string()), Type::UNKNOWN),
        Value::Duration(duration) => (Some(format!("{} microseconds", duration.as_micros())), Type::INTERVAL),
        Value::Time(time) => (Some(time.to_string()), Type::TIMESTAMPTZ),
        Value::Date(date) => (Some(date.to_string()), Type::DATE),
        Value::List(items) => (Some(array(items)?), Type::UNKNOWN),
        other => (Some(plain_or_secret(other, PLACE)?), Type::UNKNOWN),
    };
    if text.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err(Fault::conversion("a text with a zero byte in it cannot be sent to PostgreSQL"));
    }
    Ok((Bound(text), ty))
}

/// `{"a","b"}`
pub(super) fn array(items: &[Value]) -> Result<String, Fault> {
    let mut text = String::from("{");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        match bound(item)?.0.0 {
            None => text.push_str("NULL"),
            Some(item) => {
                text.push('"');
                text.push_str(&item.replace('\\', "\\\\").replace('"', "\\\""));
                text.push('"');
            }
        }
    }
    text.push('}');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::Statement;
    use crate::types::{Fault, Piece, Template, Value};

    fn statement(text: &str) -> Result<Statement, Fault> {
        // `{}` stands for a value.
        let mut pieces = Vec::new();
        for (index, part) in text.split("{}").enumerate() {
            if index > 0 {
                pieces.push(Piece::Value(Value::string("O'Hara; DROP")));
            }
            pieces.push(Piece::Text(part.into()));
        }
        Statement::of(&Template { pieces })
    }

    #[test]
    fn values_are_bound_and_nothing_else_is() {
        let found = statement("SELECT * FROM t WHERE a={}AND b = {};  -- end;").expect("a statement");
        assert_eq!(found.sql, "SELECT * FROM t WHERE a= $1 AND b =  $2 ");
        assert_eq!(found.params.len(), 2);
        assert_eq!(found.keyword(), "select");
        for bad in ["SELECT '{}'", "SELECT 1 -- {}", "SELECT \"{}\"", "SELECT $${}$$", "SELECT $1", "SELECT {} + $2"] {
            assert!(statement(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn one_statement_is_one() {
        for good in
            ["SELECT ';'", "SELECT 1;", "SELECT 1 ; ; ", "(SELECT 1)", "CREATE FUNCTION f() BEGIN ATOMIC SELECT 1; END"]
        {
            assert!(statement(good).is_ok(), "{good}");
        }
        for bad in ["SELECT 1; SELECT 2", "", ";", "-- nothing", "SELECT 'a"] {
            assert!(statement(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arrays_keep_what_is_in_them() {
        let items = [Value::string(r#"a"b\c"#), Value::Null, Value::Int(3)];
        assert_eq!(super::array(&items).expect("an array"), r#"{"a\"b\\c",NULL,"3"}"#);
    }
}
