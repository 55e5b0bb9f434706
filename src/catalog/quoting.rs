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
    /// Brackets that are closed in the order in which they were opened, if they are.
    pub brackets: &'static [(char, char)],
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
    /// What closes the brackets that are open.
    open: Vec<char>,
    /// A bracket that closes nothing.
    stray: Option<char>,
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
        Reading {
            quoting: self,
            inside: Inside::Nothing,
            escaped: false,
            open: Vec::new(),
            stray: None,
            last: [' '; 2],
        }
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

    /// What is wrong with a text that ends here.
    #[must_use]
    pub fn unfinished(&self) -> Option<String> {
        if let Inside::Quotes { mark, .. } = self.inside {
            return Some(format!("a `{mark}` is not closed"));
        }
        let opens = |end: &char| self.quoting.brackets.iter().find(|(_, close)| close == end).map(|(open, _)| *open);
        match (self.stray, self.open.last().and_then(opens)) {
            (Some(stray), _) => Some(format!("a `{stray}` closes nothing")),
            (None, Some(open)) => Some(format!("a `{open}` is not closed")),
            (None, None) => None,
        }
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
                self.bracket(c);
                if !c.is_whitespace() {
                    let [_, last] = self.last;
                    self.last = [last, c];
                }
            }
        }
    }
}

impl Reading {
    fn bracket(&mut self, c: char) {
        for (open, close) in self.quoting.brackets {
            if c == *open {
                self.open.push(*close);
            } else if c == *close && self.open.pop() != Some(c) {
                self.stray.get_or_insert(c);
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
        brackets: &[('(', ')'), ('{', '}')],
        durations: true,
    };

    #[test]
    fn knows_what_is_open() {
        let unfinished = |text: &str| {
            let mut reading = QUERY.read();
            reading.piece(text);
            reading.unfinished()
        };
        for text in ["sum(up{a=\"(\"})", "up # (", ""] {
            assert_eq!(unfinished(text), None, "{text}");
        }
        assert_eq!(unfinished("sum(up{a='}'}").unwrap(), "a `(` is not closed");
        assert_eq!(unfinished("sum(up))").unwrap(), "a `)` closes nothing");
        assert_eq!(unfinished("sum(up{)").unwrap(), "a `)` closes nothing");
        assert_eq!(unfinished("up{a='").unwrap(), "a `'` is not closed");
    }

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
