//! Query languages in which a value stands between quotes: `PromQL`, the query strings of Elasticsearch.

/// How a language quotes.
#[derive(Debug, PartialEq, Eq)]
pub struct Quoting {
    /// `PromQL`
    pub language: &'static str,
    /// A text with a value in it, for help.
    pub example: &'static str,
    /// Quotes in which a backslash takes the meaning from what follows it.
    pub quotes: &'static [char],
    /// A quote in which nothing is taken for anything else.
    pub raw: Option<char>,
    /// What begins a comment that ends with its line.
    pub comment: Option<char>,
    /// Operators whose quoted text is a pattern: `=~`.
    pub patterns: &'static [&'static str],
    /// Whether durations are written outside of quotes: `[5m]`.
    pub durations: bool,
}

/// Where in a text one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inside {
    /// Outside of quotes.
    Nothing,
    /// Between quotes.
    Quotes {
        mark: char,
        pattern: bool,
    },
    Comment,
}

/// Reads a text piece by piece, and knows where in it a value would stand.
pub struct Reading {
    quoting: &'static Quoting,
    inside: Inside,
    /// Behind a backslash.
    escaped: bool,
    /// The last characters outside of quotes that are no blanks.
    last: [char; 2],
}

impl Quoting {
    /// What to write where a list does not fit.
    #[must_use]
    pub fn list_help(&self) -> String {
        match self.patterns.first() {
            Some(operator) => format!("a list stands between the quotes behind `{operator}`: one of its items matches"),
            None => "write a loop, or one value: `{xs | first}`".to_owned(),
        }
    }

    #[must_use]
    pub const fn read(&'static self) -> Reading {
        Reading { quoting: self, inside: Inside::Nothing, escaped: false, last: [' '; 2] }
    }
}

impl Reading {
    #[must_use]
    pub const fn quoting(&self) -> &'static Quoting {
        self.quoting
    }

    /// Where the text that was read so far ends.
    #[must_use]
    pub const fn inside(&self) -> Inside {
        self.inside
    }

    /// Reads on.
    pub fn piece(&mut self, text: &str) {
        text.chars().for_each(|c| self.character(c));
    }

    /// A value that was put in: it ends nothing and begins nothing, but it is something.
    pub const fn value(&mut self) {
        self.escaped = false;
        self.last = [' ', 'x'];
    }

    fn character(&mut self, c: char) {
        if self.escaped {
            self.escaped = false;
            return;
        }
        match self.inside {
            Inside::Comment => {
                if c == '\n' {
                    self.inside = Inside::Nothing;
                }
            }
            Inside::Quotes { mark, .. } if c == mark => {
                self.inside = Inside::Nothing;
                self.last = [' ', c];
            }
            Inside::Quotes { mark, .. } => self.escaped = c == '\\' && self.quoting.raw != Some(mark),
            Inside::Nothing if self.quoting.comment == Some(c) => self.inside = Inside::Comment,
            Inside::Nothing if self.quoting.quotes.contains(&c) || self.quoting.raw == Some(c) => {
                let before: String = self.last.iter().collect();
                let pattern = self.quoting.patterns.iter().any(|operator| before == *operator);
                self.inside = Inside::Quotes { mark: c, pattern };
            }
            Inside::Nothing => {
                self.escaped = c == '\\';
                if !c.is_whitespace() {
                    let [_, last] = self.last;
                    self.last = [last, c];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Inside, Quoting};

    static QUERY: Quoting = Quoting {
        language: "a language",
        example: "",
        quotes: &['"', '\''],
        raw: Some('`'),
        comment: Some('#'),
        patterns: &["=~", "!~"],
        durations: true,
    };

    #[test]
    fn knows_where_a_text_ends() {
        let inside = |text: &str| {
            let mut reading = QUERY.read();
            reading.piece(text);
            reading.inside()
        };
        let quotes = |mark, pattern| Inside::Quotes { mark, pattern };
        assert_eq!(inside("up"), Inside::Nothing);
        assert_eq!(inside("up{job=\""), quotes('"', false));
        assert_eq!(inside("up{job='a\"b"), quotes('\'', false));
        assert_eq!(inside(r#"up{job="a\""#), quotes('"', false));
        assert_eq!(inside(r#"up{job="a\\""#), Inside::Nothing);
        assert_eq!(inside("up{job=~ \""), quotes('"', true));
        assert_eq!(inside("up{job!~`a\\"), quotes('`', true));
        assert_eq!(inside("up{job!~`a\\`"), Inside::Nothing);
        assert_eq!(inside("up # \"a"), Inside::Comment);
        assert_eq!(inside("up # \"a\n{a=\""), quotes('"', false));
    }
}
