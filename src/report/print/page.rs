//! A page for people: blocks of lines. Markdown and HTML are written from it, and nothing in it is either.

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub title: String,
    pub blocks: Vec<Block>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// From 2: the title is the first.
    Heading(u8, Line),
    Text(Line),
    /// To be typed.
    Commands(Vec<String>),
    /// To be ticked off.
    Boxes(Vec<Line>),
    Points(Vec<Line>),
    Table(Vec<&'static str>, Vec<Vec<Line>>),
    /// What must not be overlooked: a word in capitals, and what it is about.
    Sign(Sign, Line),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// From here on something is changed.
    Change,
    /// Go on only if.
    Stop,
    /// A person does it.
    Person,
    /// What follows is done under a condition, or several times.
    Begin,
    End,
}

pub type Line = Vec<Inline>;

/// A part of a line. All of it may come from a runbook; only who writes it knows what means something there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inline {
    Text(String),
    Strong(String),
    Code(String),
    Link { text: String, url: String },
}

pub(super) fn text(text: impl Into<String>) -> Inline {
    Inline::Text(text.into())
}

pub(super) fn strong(text: impl Into<String>) -> Inline {
    Inline::Strong(text.into())
}

pub(super) fn code(text: impl Into<String>) -> Inline {
    Inline::Code(text.into())
}

/// Text as people write it into comments, with code between backticks.
pub(super) fn prose(written: &str) -> Line {
    let mut line = Line::new();
    for (index, part) in written.split('`').enumerate() {
        if !part.is_empty() {
            line.push(if index % 2 == 0 { text(part) } else { code(part) });
        }
    }
    line
}

/// Parts with something between.
pub(super) fn joined(parts: impl IntoIterator<Item = Line>, between: &str) -> Line {
    let mut line = Line::new();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            line.push(text(between));
        }
        line.extend(part);
    }
    line
}

impl Sign {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Change => "CHANGE",
            Self::Stop => "STOP",
            Self::Person => "BY YOU",
            Self::Begin => "▼",
            Self::End => "▲",
        }
    }
}
