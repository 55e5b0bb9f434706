//! Finders: conditions as searches over a whole block of lines. A search finds bytes, and only then the line around them.

use aho_corasick::{AhoCorasick, Span as Range, packed};
use memchr::{memchr, memchr_iter, memmem, memrchr};
use regex::bytes::Regex;

use super::words::{self, Word};
use crate::types::Condition;

/// A line of a block, without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// The bytes of a block as searches look at them.
pub(super) struct View<'a> {
    pub(super) bytes: &'a [u8],
    /// The same in small letters; empty where nobody looks at it.
    pub(super) lowered: &'a [u8],
    pub(super) is_ascii: bool,
}

impl<'a> View<'a> {
    /// The text of a line.
    pub(super) fn text(&self, span: Span) -> &'a [u8] {
        let line = self.bytes.get(span.start as usize..span.end as usize).unwrap_or_default();
        line.strip_suffix(b"\r").unwrap_or(line)
    }

    /// Each line.
    pub(super) fn lines(&self) -> impl Iterator<Item = Span> {
        let mut start = 0;
        let ends = memchr_iter(b'\n', self.bytes);
        let last = Some(self.bytes.len()).filter(|end| *end > 0 && self.bytes.last() != Some(&b'\n'));
        ends.chain(last).map(move |end| {
            let span = Span { start, end: offset(end) };
            start = span.end + 1;
            span
        })
    }

    /// How many lines there are.
    pub(super) fn count(&self) -> u64 {
        let open = self.bytes.last().is_some_and(|byte| *byte != b'\n');
        memchr_iter(b'\n', self.bytes).count() as u64 + u64::from(open)
    }
}

/// A place in a block, which is never as long as 4 GiB.
#[expect(clippy::cast_possible_truncation, reason = "a block holds a few MiB at most")]
const fn offset(at: usize) -> u32 {
    at as u32
}

/// What is looked for in a block.
pub(super) enum Finder {
    One(Box<Test>),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
}

/// One question of a line.
pub(super) struct Test {
    search: Search,
    holds: Holds,
    /// Whatever the search finds is as asked.
    exact: bool,
    /// The search finds all there is only where all bytes are ASCII.
    only_ascii: bool,
}

enum Search {
    Written(Needle),
    Lowered(Needle),
    /// Every line has to be asked.
    No,
}

enum Needle {
    One(Box<memmem::Finder<'static>>),
    /// A few words at once, many bytes at a time.
    Few(packed::Searcher),
    Several(AhoCorasick),
}

enum Holds {
    Matches(Regex),
    Contains(Box<memmem::Finder<'static>>),
    StartsWith(Box<[u8]>),
    EndsWith(Box<[u8]>),
}

impl Finder {
    pub(super) fn new(condition: &Condition) -> Self {
        match condition {
            Condition::Not(inner) => Self::Not(Box::new(Self::new(inner))),
            Condition::All(inner) => Self::All(inner.iter().map(Self::new).collect()),
            Condition::Any(inner) => Self::Any(inner.iter().map(Self::new).collect()),
            Condition::Matches(regex) => Self::One(Box::new(Test::matching(regex))),
            Condition::Contains(text) => {
                let holds = Holds::Contains(word(text.as_bytes()));
                Self::One(Box::new(Test::with(text, holds, true)))
            }
            Condition::StartsWith(text) => {
                Self::One(Box::new(Test::with(text, Holds::StartsWith(text.as_bytes().into()), false)))
            }
            Condition::EndsWith(text) => {
                Self::One(Box::new(Test::with(text, Holds::EndsWith(text.as_bytes().into()), false)))
            }
        }
    }

    /// Whether it looks at small letters.
    pub(super) fn lowers(&self) -> bool {
        match self {
            Self::One(test) => matches!(test.search, Search::Lowered(_)),
            Self::Not(inner) => inner.lowers(),
            Self::All(inner) | Self::Any(inner) => inner.iter().any(Self::lowers),
        }
    }

    /// The lines for which it is true, in their order.
    pub(super) fn select(&self, view: &View<'_>) -> Vec<Span> {
        match self {
            Self::One(test) => test.select(view),
            Self::Not(inner) => without(view.lines(), &inner.select(view)),
            Self::All(inner) => {
                let Some((first, rest)) = inner.split_first() else { return view.lines().collect() };
                let mut found = first.select(view);
                found.retain(|span| rest.iter().all(|finder| finder.holds(view.text(*span))));
                found
            }
            Self::Any(inner) => {
                let mut found: Vec<Span> = inner.iter().flat_map(|finder| finder.select(view)).collect();
                found.sort_unstable_by_key(|span| span.start);
                found.dedup();
                found
            }
        }
    }

    /// Whether it is true of a line.
    pub(super) fn holds(&self, text: &[u8]) -> bool {
        match self {
            Self::One(test) => test.holds(text),
            Self::Not(inner) => !inner.holds(text),
            Self::All(inner) => inner.iter().all(|finder| finder.holds(text)),
            Self::Any(inner) => inner.iter().any(|finder| finder.holds(text)),
        }
    }
}

/// The spans that are not among others; both are in order.
fn without(all: impl Iterator<Item = Span>, others: &[Span]) -> Vec<Span> {
    let mut others = others.iter().peekable();
    all.filter(|span| others.next_if(|other| **other == *span).is_none()).collect()
}

impl Test {
    fn matching(regex: &Regex) -> Self {
        let holds = Holds::Matches(regex.clone());
        let each = |holds| Self { search: Search::No, holds, exact: false, only_ascii: false };
        let Some(found) = words::of(regex.as_str()) else { return each(holds) };
        let folded = found.words.iter().any(|word| word.folded);
        let only_ascii = found.words.iter().any(|word| word.beyond_ascii);
        // In small letters a word with a letter in one case only is found too often.
        let exact = found.exact && !(folded && found.words.iter().any(|word| word.cased));
        let Some(needle) = Needle::new(&found.words, folded) else { return each(holds) };
        let search = if folded { Search::Lowered(needle) } else { Search::Written(needle) };
        Self { search, holds, exact, only_ascii }
    }

    fn with(text: &str, holds: Holds, exact: bool) -> Self {
        let in_a_line = !text.is_empty() && !text.contains(['\n', '\r']);
        let needle = Needle::One(word(text.as_bytes()));
        let search = if in_a_line { Search::Written(needle) } else { Search::No };
        Self { exact: exact && in_a_line, search, holds, only_ascii: false }
    }

    fn select(&self, view: &View<'_>) -> Vec<Span> {
        let (needle, bytes) = match &self.search {
            Search::Written(needle) if view.is_ascii || !self.only_ascii => (needle, view.bytes),
            Search::Lowered(needle) if view.is_ascii || !self.only_ascii => (needle, view.lowered),
            _ => return view.lines().filter(|span| self.holds(view.text(*span))).collect(),
        };
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(hit) = needle.find(bytes, at) {
            let before = view.bytes.get(at..hit).and_then(|before| memrchr(b'\n', before));
            let start = before.map_or(at, |before| at + before + 1);
            let behind = view.bytes.get(hit..).and_then(|behind| memchr(b'\n', behind));
            let end = behind.map_or(view.bytes.len(), |behind| hit + behind);
            let span = Span { start: offset(start), end: offset(end) };
            if self.exact || self.holds(view.text(span)) {
                found.push(span);
            }
            at = end + 1;
        }
        found
    }

    fn holds(&self, text: &[u8]) -> bool {
        match &self.holds {
            Holds::Matches(regex) => regex.is_match(text),
            Holds::Contains(part) => part.find(text).is_some(),
            Holds::StartsWith(start) => text.starts_with(start),
            Holds::EndsWith(end) => text.ends_with(end),
        }
    }
}

/// The search for one text.
fn word(text: &[u8]) -> Box<memmem::Finder<'static>> {
    Box::new(memmem::Finder::new(text).into_owned())
}

impl Needle {
    fn new(words: &[Word], lowered: bool) -> Option<Self> {
        let mut texts: Vec<Vec<u8>> = words.iter().map(|word| word.bytes.clone()).collect();
        if lowered {
            for text in &mut texts {
                text.make_ascii_lowercase();
            }
        }
        texts.sort_unstable();
        texts.dedup();
        match texts.as_slice() {
            [one] => Some(Self::One(word(one))),
            several => match packed::Searcher::new(several) {
                Some(few) => Some(Self::Few(few)),
                None => AhoCorasick::new(several).ok().map(Self::Several),
            },
        }
    }

    /// Where the first one begins, from a place on.
    fn find(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        match self {
            Self::One(word) => word.find(rest).map(|at| from + at),
            Self::Few(words) => {
                words.find_in(bytes, Range { start: from, end: bytes.len() }).map(|found| found.start())
            }
            Self::Several(words) => words.find(rest).map(|found| from + found.start()),
        }
    }
}
