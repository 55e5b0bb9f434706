//! From bytes to text: what a source file may contain before the language has a say.

/// The largest source file, in bytes. A runbook is a page that a person reviews; a file beyond this is something else.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Why bytes are no source text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextFault {
    /// Byte offset of the first offender in the bytes that were given.
    pub offset: usize,
    /// How many bytes it takes.
    pub len: usize,
    pub problem: TextProblem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextProblem {
    /// More than [`MAX_BYTES`].
    TooLarge(usize),
    NotUtf8,
    /// A NUL byte or another control character that no editor shows.
    Control(char),
    /// A character that reorders the text around it, so that a reviewer reads another file than the machine.
    Bidirectional(char),
    /// A character of no width, which makes two names look alike.
    Invisible(char),
}

/// Text that a person sees as the machine reads it, or every reason why not.
///
/// A byte order mark at the very start is kept as it is: the grammar skips it and the formatter drops it.
///
/// # Errors
/// All faults in the order of the text; only the first one if the bytes are too many or not UTF-8.
pub fn decode(bytes: &[u8]) -> Result<&str, Vec<TextFault>> {
    if bytes.len() > MAX_BYTES {
        return Err(vec![TextFault { offset: 0, len: 0, problem: TextProblem::TooLarge(bytes.len()) }]);
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        vec![TextFault {
            offset: error.valid_up_to(),
            len: error.error_len().unwrap_or(1),
            problem: TextProblem::NotUtf8,
        }]
    })?;
    // Nearly all of a text is plain, and a plain byte is told by itself.
    let unusual = bytes.iter().enumerate().filter(|(_, byte)| !matches!(byte, b' '..=b'~' | b'\n' | 0x80..=0xBF));
    let faults: Vec<TextFault> = unusual
        .filter_map(|(offset, _)| Some((offset, text.get(offset..)?.chars().next()?)))
        .filter(|(offset, character)| !(*offset == 0 && *character == '\u{FEFF}'))
        .filter_map(|(offset, character)| {
            let problem = problem(character)?;
            Some(TextFault { offset, len: character.len_utf8(), problem })
        })
        .collect();
    if faults.is_empty() { Ok(text) } else { Err(faults) }
}

fn problem(character: char) -> Option<TextProblem> {
    match character {
        '\n' | '\r' | '\t' => None,
        // Unicode TR 36 and CVE-2021-42574: embeddings, overrides, isolates and marks.
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{200E}' | '\u{200F}' | '\u{061C}' => {
            Some(TextProblem::Bidirectional(character))
        }
        // The last three are other line ends: they would move every line number that an editor shows.
        '\u{200B}'..='\u{200D}'
        | '\u{2060}'..='\u{2064}'
        | '\u{FEFF}'
        | '\u{00AD}'
        | '\u{180E}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{3164}'
        | '\u{FFA0}'
        | '\u{E0000}'..='\u{E007F}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{0085}' => Some(TextProblem::Invisible(character)),
        _ if character.is_control() => Some(TextProblem::Control(character)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, TextProblem, decode};

    fn problems(bytes: &[u8]) -> Vec<(usize, TextProblem)> {
        decode(bytes)
            .map_or_else(|faults| faults.iter().map(|fault| (fault.offset, fault.problem)).collect(), |_| vec![])
    }

    #[test]
    fn says_where_the_first_bad_byte_is() {
        assert_eq!(problems(b"ab\xffcd"), [(2, TextProblem::NotUtf8)]);
    }

    #[test]
    fn finds_every_character_that_hides_something() {
        let text = "a\u{202E}b\u{200B}c\0";
        assert_eq!(
            problems(text.as_bytes()),
            [
                (1, TextProblem::Bidirectional('\u{202E}')),
                (5, TextProblem::Invisible('\u{200B}')),
                (9, TextProblem::Control('\0')),
            ]
        );
    }

    #[test]
    fn takes_a_byte_order_mark_at_the_start_only() {
        assert_eq!(problems("\u{FEFF}a".as_bytes()), []);
        assert_eq!(problems("a\u{FEFF}".as_bytes()), [(1, TextProblem::Invisible('\u{FEFF}'))]);
    }

    #[test]
    fn refuses_what_is_too_large_before_looking_at_it() {
        assert_eq!(problems(&vec![0xff; MAX_BYTES + 1]), [(0, TextProblem::TooLarge(MAX_BYTES + 1))]);
    }
}
