//! Zones by their short names. Most of them mean several zones, so a name is good only where the zone of the log has it.

/// The short name of a zone, as it stands behind a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::builtins) struct Name {
    letters: [u8; LONGEST],
    length: usize,
}

const LONGEST: usize = 4;

impl Name {
    /// The one that a text begins with. A level of severity or a verb in its place is none.
    pub(super) fn at(text: &[u8]) -> Option<Self> {
        let length = text.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let word = text.get(..length)?;
        let ends = !text.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
        (ends && is_known(word)).then(|| {
            let mut letters = [0; LONGEST];
            letters.iter_mut().zip(word).for_each(|(letter, byte)| *letter = *byte);
            Self { letters, length }
        })
    }

    pub(super) const fn length(self) -> usize {
        self.length
    }

    pub(super) fn is(self, name: &str) -> bool {
        self.letters.get(..self.length) == Some(name.as_bytes())
    }

    pub(super) fn is_utc(self) -> bool {
        ["UTC", "GMT", "Z"].iter().any(|utc| self.is(utc))
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&String::from_utf8_lossy(self.letters.get(..self.length).unwrap_or_default()))
    }
}

/// Those that the time zone database uses, and the two of Central Europe that it has given up.
fn is_known(word: &[u8]) -> bool {
    match word.len() {
        1 => word == b"Z",
        3 => matches!(
            word,
            b"UTC"
                | b"GMT"
                | b"ADT"
                | b"AST"
                | b"BST"
                | b"CAT"
                | b"CDT"
                | b"CET"
                | b"CST"
                | b"EAT"
                | b"EDT"
                | b"EET"
                | b"EST"
                | b"HDT"
                | b"HKT"
                | b"HST"
                | b"IDT"
                | b"IST"
                | b"JST"
                | b"KST"
                | b"MDT"
                | b"MET"
                | b"MSK"
                | b"MST"
                | b"NDT"
                | b"NST"
                | b"PDT"
                | b"PKT"
                | b"PST"
                | b"SST"
                | b"WAT"
                | b"WET"
                | b"WIB"
                | b"WIT"
        ),
        4 => matches!(
            word,
            b"ACDT"
                | b"ACST"
                | b"AEDT"
                | b"AEST"
                | b"AKDT"
                | b"AKST"
                | b"AWST"
                | b"CEST"
                | b"EEST"
                | b"MEST"
                | b"NZDT"
                | b"NZST"
                | b"SAST"
                | b"WEST"
                | b"WITA"
        ),
        _ => false,
    }
}
