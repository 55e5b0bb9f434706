//! Text from outside as it is safe to show: nothing in it moves the cursor, changes a colour or hides a character.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with every control character and every character that reorders or hides others written as an escape.
///
/// A tab stays, since it only moves to the right; a line end does not, since what follows it could look like a line
/// of the tool's own.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|character| character != '\t' && is_hidden(character)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        push_visible(&mut shown, character);
    }
    Cow::Owned(shown)
}

/// The same for text of several lines, which stay lines.
#[must_use]
pub fn visible_lines(text: &str) -> String {
    let lines = text.split('\n').map(|line| visible(line.strip_suffix('\r').unwrap_or(line)));
    lines.collect::<Vec<_>>().join("\n")
}

/// One character of [`visible`].
pub fn push_visible(shown: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string never fails.
    let _ = match character {
        '\n' => shown.write_str("\\n"),
        '\r' => shown.write_str("\\r"),
        _ if character == '\t' || !is_hidden(character) => shown.write_char(character),
        _ if code < 0x100 => write!(shown, "\\x{code:02x}"),
        _ => write!(shown, "\\u{{{code:x}}}"),
    };
}

/// Whether a character of this kind is not seen, or moves what is around it.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{202A}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                | '\u{200B}'..='\u{200F}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2028}'
                | '\u{2029}'
                | '\u{061C}'
                | '\u{FEFF}'
                | '\u{180E}'
                | '\u{E0000}'..='\u{E007F}'
        )
}

#[cfg(test)]
mod tests {
    use super::{visible, visible_lines};

    #[test]
    fn leaves_text_alone_and_shows_what_hides() {
        assert_eq!(visible("häuser 家\t!"), "häuser 家\t!");
        assert_eq!(visible("a\x1b[2Jb\u{202e}c\r\n\u{9b}"), "a\\x1b[2Jb\\u{202e}c\\r\\n\\x9b");
        assert_eq!(visible_lines("a\tb\r\n\x07\rc\n"), "a\tb\n\\x07\\rc\n");
    }
}
