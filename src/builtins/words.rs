//! The words of a command that is written as one text: no shell reads it, and what is interpolated never leaves its word.
//! A program's on some machine, or a server's own.

use super::plain_text::plain_text;
use crate::types::{Fault, FaultKind, Piece, Template, Value};

const PLACE: &str = "a word of a command";

/// What only a shell understands.
const OF_A_SHELL: &[&str] = &["|", "||", "&&", "&", ";", ">", ">>", "<", "2>", "2>&1"];

/// The words of a program's template: spaces part them, quotes hold them together, and a value is a word or a part of one,
/// whatever is in it. A list that stands alone is as many words as it has items.
///
/// # Errors
/// Where there is no word, a quote is not closed, a value has no plain text, or a shell was meant.
pub(super) fn of_template(template: &Template) -> Result<Vec<String>, Fault> {
    joined(template, Words::default())
}

/// The words of a server's own command: the same, but that `>` and `|` are words as any other.
///
/// # Errors
/// Where there is no word, a quote is not closed, or a value has no plain text.
pub(super) fn of_command(template: &Template) -> Result<Vec<String>, Fault> {
    joined(template, Words { of_a_server: true, ..Words::default() })
}

fn joined(template: &Template, mut words: Words) -> Result<Vec<String>, Fault> {
    for (index, piece) in template.pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => text.chars().try_for_each(|c| words.push(c))?,
            Piece::Value(Value::List(items)) if words.word.is_none() && ends_here(template.pieces.get(index + 1)) => {
                for item in items.iter() {
                    words.value(&plain_text(item, PLACE)?)?;
                    words.finish()?;
                }
            }
            Piece::Value(value) => words.value(&plain_text(value, PLACE)?)?,
        }
    }
    words.end()
}

/// Whether what stands before this piece is a whole word.
fn ends_here(next: Option<&Piece>) -> bool {
    match next {
        None => true,
        Some(Piece::Text(text)) => text.starts_with(char::is_whitespace),
        Some(Piece::Value(_)) => false,
    }
}

/// The words of a text.
///
/// # Errors
/// As [`of_template`].
pub(super) fn of_text(text: &str) -> Result<Vec<String>, Fault> {
    let mut words = Words::default();
    text.chars().try_for_each(|c| words.push(c))?;
    words.end()
}

/// The words of a server's own command as it is written, with what stands for its values in their places.
///
/// # Errors
/// As [`of_command`].
pub(super) fn of_written(text: &str) -> Result<Vec<String>, Fault> {
    let mut words = Words { of_a_server: true, ..Words::default() };
    text.chars().try_for_each(|c| words.push(c))?;
    words.end()
}

#[derive(Default)]
struct Words {
    done: Vec<String>,
    word: Option<String>,
    quote: Option<char>,
    /// Something in the word was quoted or interpolated.
    given: bool,
    /// No machine starts it, and nobody would think of a shell.
    of_a_server: bool,
}

impl Words {
    fn push(&mut self, c: char) -> Result<(), Fault> {
        match (self.quote, c) {
            (Some(quote), c) if c == quote => self.quote = None,
            (None, '"' | '\'') => {
                self.quote = Some(c);
                self.given = true;
                self.word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => return self.finish(),
            _ => self.word.get_or_insert_default().push(c),
        }
        Ok(())
    }

    fn value(&mut self, text: &str) -> Result<(), Fault> {
        if text.contains('\0') {
            return Err(Fault::conversion("a word of a command cannot hold a NUL character"));
        }
        self.given = true;
        self.word.get_or_insert_default().push_str(text);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Fault> {
        let Some(word) = self.word.take() else { return Ok(()) };
        if !std::mem::take(&mut self.given) && !self.of_a_server && OF_A_SHELL.contains(&word.as_str()) {
            return Err(Fault::new(
                FaultKind::Setup,
                format!("no shell reads the command, so `{word}` would be a word of it"),
            )
            .help("read the output in the runbook; or say that a shell runs: `sh -c '…'`"));
        }
        self.done.push(word);
        Ok(())
    }

    fn end(mut self) -> Result<Vec<String>, Fault> {
        if let Some(quote) = self.quote {
            return Err(Fault::new(FaultKind::Setup, format!("a `{quote}` in the command is not closed")));
        }
        self.finish()?;
        if self.done.first().is_none_or(String::is_empty) {
            let what =
                if self.of_a_server { "there is no command to send" } else { "a command needs a program to start" };
            return Err(Fault::new(FaultKind::Setup, what));
        }
        Ok(self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::{of_command, of_template, of_text};
    use crate::types::{Piece, Template, Value};

    #[test]
    fn words_as_they_are_written() {
        let words = |text: &str| of_text(text).map_err(|fault| fault.to_string());
        assert_eq!(words("df  -P\n-k").unwrap(), ["df", "-P", "-k"]);
        assert_eq!(
            words(r#"psql -c 'select 1; select "x"' --a="b c" ''"#).unwrap(),
            ["psql", "-c", r#"select 1; select "x""#, "--a=b c", ""]
        );
        assert!(words("ls | wc").unwrap_err().contains("`|`"));
        assert_eq!(words("echo '|'").unwrap(), ["echo", "|"]);
        assert!(words("echo 'x").unwrap_err().contains("not closed"));
        assert!(words("  ").unwrap_err().contains("a program to start"));
    }

    #[test]
    fn a_value_stays_in_its_word() {
        let pieces = vec![
            Piece::Text("cat --n=".into()),
            Piece::Value(Value::Int(3)),
            Piece::Text(" ".into()),
            Piece::Value(Value::string("a b'; rm -rf /")),
            Piece::Text(" 'x ".into()),
            Piece::Value(Value::string("y'")),
            Piece::Text("'".into()),
        ];
        assert_eq!(of_template(&Template { pieces }).unwrap(), ["cat", "--n=3", "a b'; rm -rf /", "x y'"]);
        let missing = Template { pieces: vec![Piece::Text("cat ".into()), Piece::Value(Value::Null)] };
        assert!(of_template(&missing).is_err());
    }

    #[test]
    fn a_list_that_stands_alone_is_as_many_words() {
        let list = Piece::Value(Value::list(vec![Value::string("a b"), Value::Int(2)]));
        let of = |pieces: &[Piece]| of_command(&Template { pieces: pieces.to_vec() });
        assert_eq!(of(&[Piece::Text("DEL ".into()), list.clone()]).unwrap(), ["DEL", "a b", "2"]);
        assert_eq!(of(&[Piece::Text("XREAD ".into()), list.clone(), Piece::Text(" >".into())]).unwrap()[3], ">");
        assert!(of(&[Piece::Text("DEL k:".into()), list.clone()]).is_err());
        assert!(of(&[Piece::Text("DEL ".into()), list, Piece::Text("x".into())]).is_err());
        assert!(of(&[]).unwrap_err().message.contains("no command to send"));
    }
}
