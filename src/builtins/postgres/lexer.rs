//! SQL cut into words and signs, with strings, comments and dollar quotes passed over as `PostgreSQL` does.
//!
//! It is no parser: it answers where a statement ends, what stands at its beginning and which names are called.

use std::str::Chars;

/// A part of a statement that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword or a name, folded to lower case.
    Word(String),
    /// A name in double quotes, as the server knows it.
    Quoted(String),
    /// `$1`, and where it begins.
    Param(usize),
    /// `;`, and where it is.
    End(usize),
    /// A string or a number.
    Literal,
    /// Any other character.
    Sign(char),
}

/// What ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    String,
    Name,
    Comment,
    DollarQuote,
}

impl Open {
    pub(super) const fn what(self) -> &'static str {
        match self {
            Self::String => "a string has no end: a `'` is missing",
            Self::Name => "a name has no end: a `\"` is missing",
            Self::Comment => "a comment has no end: a `*/` is missing",
            Self::DollarQuote => "a dollar quote has no end: its `$$` is missing",
        }
    }
}

/// The longest name that the server keeps; it cuts off the rest.
const NAME: usize = 63;

/// The tokens of a statement.
pub(super) fn tokens(sql: &str) -> Result<Vec<Token>, Open> {
    let mut lexer = Lexer { sql, rest: sql.chars() };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.token()? {
        tokens.push(token);
    }
    Ok(tokens)
}

/// The names that stand in front of a bracket, as the server knows them, and where: functions, and some keywords.
pub(super) fn calls(tokens: &[Token]) -> impl Iterator<Item = (usize, &str)> {
    let pairs = tokens.iter().zip(tokens.iter().skip(1)).enumerate();
    pairs.filter_map(|(at, (token, next))| match token {
        Token::Word(name) | Token::Quoted(name) if *next == Token::Sign('(') => Some((at, name.as_str())),
        _ => None,
    })
}

struct Lexer<'a> {
    sql: &'a str,
    rest: Chars<'a>,
}

const fn begins_word(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

impl Lexer<'_> {
    fn token(&mut self) -> Result<Option<Token>, Open> {
        {
            self.blanks()?;
            let at = self.sql.len() - self.rest.as_str().len();
            let Some(c) = self.rest.next() else { return Ok(None) };
            let token = match c {
                '\'' => self.string(false)?,
                '"' => Token::Quoted(cut(self.name()?)),
                '$' => self.dollar(at)?,
                'e' | 'E' if self.take("'") => self.string(true)?,
                'b' | 'B' | 'x' | 'X' | 'n' | 'N' if self.take("'") => self.string(false)?,
                'u' | 'U' if self.take("&'") => self.string(false)?,
                // What the escapes in it stand for is not worked out: a name that nobody is looked up by.
                'u' | 'U' if self.take("&\"") => Token::Quoted(format!("U&\"{}\"", self.name()?)),
                c if begins_word(c) => self.word(c),
                // A letter behind it begins a word, as it does for servers before 15: `1e'…'` is a number and an `E'…'`.
                '0'..='9' => {
                    self.skip_while(|c| c.is_ascii_digit() || c == '.');
                    Token::Literal
                }
                ';' => Token::End(at),
                sign => Token::Sign(sign),
            };
            Ok(Some(token))
        }
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.as_str().strip_prefix(text);
        if let Some(rest) = rest {
            self.rest = rest.chars();
        }
        rest.is_some()
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        self.rest = self.rest.as_str().trim_start_matches(wanted).chars();
    }

    /// Comments nest.
    fn comment(&mut self) -> Result<(), Open> {
        let mut depth = 1;
        while depth > 0 {
            if self.take("*/") {
                depth -= 1;
            } else if self.take("/*") {
                depth += 1;
            } else if self.rest.next().is_none() {
                return Err(Open::Comment);
            }
        }
        Ok(())
    }

    /// A string goes on in the next line: `E'a'` and then `'b'` are one, with backslashes in both.
    fn string(&mut self, escapes: bool) -> Result<Token, Open> {
        loop {
            match self.rest.next() {
                None => return Err(Open::String),
                Some('\\') if escapes => _ = self.rest.next(),
                Some('\'') if !self.take("'") => {
                    let behind = self.rest.clone();
                    self.blanks()?;
                    if !self.take("'") {
                        self.rest = behind;
                        return Ok(Token::Literal);
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// Space and comments.
    fn blanks(&mut self) -> Result<(), Open> {
        loop {
            let before = self.rest.as_str().len();
            self.skip_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}'));
            if self.take("--") {
                self.skip_while(|c| c != '\n' && c != '\r');
            } else if self.take("/*") {
                self.comment()?;
            }
            if self.rest.as_str().len() == before {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Result<String, Open> {
        let mut name = String::new();
        loop {
            match self.rest.next() {
                None => return Err(Open::Name),
                Some('"') if !self.take("\"") => return Ok(name),
                Some(c) => name.push(c),
            }
        }
    }

    fn word(&mut self, first: char) -> Token {
        let mut word = String::from(first.to_ascii_lowercase());
        while let Some(c) = self.rest.clone().next().filter(|c| begins_word(*c) || c.is_ascii_digit() || *c == '$') {
            word.push(c.to_ascii_lowercase());
            _ = self.rest.next();
        }
        Token::Word(cut(word))
    }

    /// `$1`, `$$ text $$`, `$tag$ text $tag$`.
    fn dollar(&mut self, at: usize) -> Result<Token, Open> {
        let rest = self.rest.as_str();
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            self.skip_while(|c| c.is_ascii_digit());
            return Ok(Token::Param(at));
        }
        let Some((tag, _)) = rest.split_once('$') else { return Ok(Token::Sign('$')) };
        let is_tag = tag.chars().all(|c| begins_word(c) || c.is_ascii_digit());
        if !is_tag {
            return Ok(Token::Sign('$'));
        }
        let quote = format!("${tag}$");
        let text = rest.get(tag.len() + 1..).unwrap_or_default();
        let (_, rest) = text.split_once(quote.as_str()).ok_or(Open::DollarQuote)?;
        let length = rest.len();
        self.rest = self.sql.get(self.sql.len() - length..).unwrap_or_default().chars();
        Ok(Token::Literal)
    }
}

fn cut(mut name: String) -> String {
    name.truncate(name.floor_char_boundary(NAME));
    name
}

#[cfg(test)]
mod tests {
    use super::{Open, Token, tokens};

    fn words(sql: &str) -> Vec<String> {
        let tokens = tokens(sql).expect("tokens");
        let text = |token| match token {
            Token::Word(word) => word,
            Token::Quoted(name) => format!("\"{name}\""),
            Token::Param(at) => format!("${at}"),
            Token::Literal => "'".to_owned(),
            Token::End(_) => ";".to_owned(),
            Token::Sign(sign) => sign.to_string(),
        };
        tokens.into_iter().map(text).collect()
    }

    #[test]
    fn strings_comments_and_dollar_quotes_hide_what_is_in_them() {
        for hidden in [
            "'; DROP f('",
            "'it''s; f('",
            "E'\\'; f('",
            "e'\\\\'",
            "$$; f( ' $$",
            "$a$ $$ ; $b$ $a$",
            "$größe$;$größe$",
            "U&'\\0041;'",
            "x'1F'",
            "E'a' \n '\\'' ",
            "E'a' /* x */ -- y\n '\\';' -- f(\n '; f('",
        ] {
            assert_eq!(words(&format!("select {hidden} x")), ["select", "'", "x"], "{hidden}");
        }
        for hidden in ["-- ; f(\n", "/* ; /* nested */ f( */", "--\r"] {
            assert_eq!(words(&format!("select {hidden} x")), ["select", "x"], "{hidden}");
        }
        // A backslash is one in a plain string, and a name may have a dollar in it.
        assert_eq!(words(r"select '\' ; x"), ["select", "'", ";", "x"]);
        assert_eq!(words("a$1 b"), ["a$1", "b"]);
        // Where a string ends and another begins, the backslash is none; where it goes on, it is one as before.
        assert_eq!(words("E'a', '\\' || f('')"), ["'", ",", "'", "|", "|", "f", "(", "'", ")"]);
        assert_eq!(words("E'a'\n'\\'' || f() || ''"), ["'", "|", "|", "f", "(", ")", "|", "|", "'"]);
        assert_eq!(words("1e'\\'' f"), ["'", "'", "f"]);
        assert_eq!(words("1.5e10 7or f(1)"), ["'", "e10", "'", "or", "f", "(", "'", ")"]);
    }

    #[test]
    fn names_are_what_the_server_takes_them_for() {
        assert_eq!(words("PG_Catalog . \"Weird\"\"Name\" ("), ["pg_catalog", ".", "\"Weird\"Name\"", "("]);
        assert_eq!(words("U&\"\\0070\"(1)"), ["\"U&\"\\0070\"\"", "(", "'", ")"]);
        assert_eq!(words(&"ä".repeat(40)), ["ä".repeat(31)]);
        assert_eq!(words("x::int + $1"), ["x", ":", ":", "int", "+", "$9"]);
    }

    #[test]
    fn what_has_no_end_is_said() {
        assert_eq!(tokens("select 'a"), Err(Open::String));
        assert_eq!(tokens("select \"a"), Err(Open::Name));
        assert_eq!(tokens("select /* /* */"), Err(Open::Comment));
        assert_eq!(tokens("select $x$ $$"), Err(Open::DollarQuote));
    }
}
