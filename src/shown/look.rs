//! What the place that the text goes to can show, and how text is made fit for it.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::source::visible;

/// What the output can show.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub colour: bool,
    /// Columns of the terminal; `None` for a pipe or a file, where nothing is shortened.
    pub width: Option<usize>,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Good,
    Bad,
    Doubtful,
    Strong,
    Faint,
    Plain,
}

impl Look {
    /// For a pipe or a file.
    pub const PLAIN: Self = Self { colour: false, width: None };

    /// The text in its colour. The text has been [`clean`]ed.
    #[must_use]
    pub fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => "32",
            Tone::Bad => "1;31",
            Tone::Doubtful => "1;33",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Plain => "",
        };
        if self.colour && !code.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Text from outside on one line, with nothing in it that could move the cursor or forge a line of the tool.
#[must_use]
pub fn clean(text: &str) -> String {
    visible(text).replace('\t', " ")
}

/// Text as HTML and XML write it, so that nothing in it is a tag or ends an attribute.
#[must_use]
pub fn markup(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

/// How many columns it takes.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.width()
}

/// The text with blanks behind it.
#[must_use]
pub fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))))
}

/// The text cut to a width, with a sign that it was.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if columns(&kept) >= width {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

/// `1 check`, `3 checks`
#[must_use]
pub fn counted(n: u64, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Seconds as people read them.
#[must_use]
pub fn seconds(seconds: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of floats saturates")]
    let nanoseconds = (seconds * 1e9) as i64;
    crate::units::duration(nanoseconds)
}

/// A word for a shell, to be typed as it is.
#[must_use]
pub fn quoted(text: &str) -> String {
    if clean(text) != text {
        return escaped(text);
    }
    let text = text.to_owned();
    let plain = |character: char| character.is_alphanumeric() || "/._-+@:".contains(character);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else if text.contains(['"', '$', '`', '\\', '!']) {
        format!("'{}'", text.replace('\'', "'\\''"))
    } else {
        format!("\"{text}\"")
    }
}

/// The same of what cannot be seen as it is, or is more than one line: as bash, zsh and ksh read it.
fn escaped(text: &str) -> String {
    let mut word = String::new();
    for letter in text.chars() {
        match letter {
            '\\' | '\'' => word.extend(['\\', letter]),
            '\n' => word.push_str("\\n"),
            '\t' => word.push_str("\\t"),
            letter if clean(letter.encode_utf8(&mut [0; 4])).chars().eq([letter]) => word.push(letter),
            letter if letter.is_ascii() => _ = write!(word, "\\x{:02x}", u32::from(letter)),
            letter => _ = write!(word, "\\U{:08x}", u32::from(letter)),
        }
    }
    format!("$'{word}'")
}

#[cfg(test)]
mod tests {
    use super::{clean, columns, cut, pad, quoted};

    #[test]
    fn a_word_of_several_lines_is_typed_in_one() {
        assert_eq!(quoted("s=two\n  lines"), r"$'s=two\n  lines'");
        assert_eq!(quoted("it's\ta \\ \u{1b}"), r"$'it\'s\ta \\ \x1b'");
        assert_eq!(quoted("\u{202e}ü"), r"$'\U0000202eü'");
        assert_eq!(quoted("a b"), "\"a b\"");
        assert_eq!(quoted("a$b"), "'a$b'");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(columns("家x"), 3);
        assert_eq!(pad("家", 4), "家  ");
        assert_eq!(cut("家家家", 4), "家…");
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(clean("a\tb\n\x1b[2J"), "a b\\n\\x1b[2J");
    }
}
