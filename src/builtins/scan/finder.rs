//! Finders: conditions as searches over a whole block of lines. A search finds bytes, and only then the line around them.

use memchr::{memchr_iter, memmem};
use regex::bytes::Regex;

use super::sweep::{Swept, Wanted};
use super::words;
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
pub(super) const fn offset(at: usize) -> u32 {
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
}

enum Search {
    /// By these words, of which one is in each line that is as asked.
    For(Wanted),
    /// By the sweep, as this one of its searches.
    Swept(usize),
    /// Every line has to be asked.
    No,
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

    /// Leaves to a sweep what it would look for in a whole block.
    pub(super) fn sweeps(&mut self, wanted: &mut Vec<Wanted>) {
        match self {
            Self::One(test) => {
                if let Search::For(own) = &mut test.search {
                    wanted.push(std::mem::take(own));
                    test.search = Search::Swept(wanted.len() - 1);
                }
            }
            Self::Not(inner) => inner.sweeps(wanted),
            // The others are asked about the lines that the first one finds.
            Self::All(inner) => inner.iter_mut().take(1).for_each(|first| first.sweeps(wanted)),
            Self::Any(inner) => inner.iter_mut().for_each(|each| each.sweeps(wanted)),
        }
    }

    /// The lines for which it is true, in their order. `swept` is what the sweeps have found.
    pub(super) fn select(&self, view: &View<'_>, swept: &Swept) -> Vec<Span> {
        match self {
            Self::One(test) => test.select(view, swept),
            Self::Not(inner) => without(view.lines(), &inner.select(view, swept)),
            Self::All(inner) => {
                let Some((first, rest)) = inner.split_first() else { return view.lines().collect() };
                let mut found = first.select(view, swept);
                found.retain(|span| rest.iter().all(|finder| finder.holds(view.text(*span))));
                found
            }
            Self::Any(inner) => {
                let mut found: Vec<Span> = inner.iter().flat_map(|finder| finder.select(view, swept)).collect();
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
        let Some(found) = words::of(regex.as_str()) else { return Self { search: Search::No, holds, exact: false } };
        let lowered = found.words.iter().any(|word| word.folded);
        let only_ascii = found.words.iter().any(|word| word.beyond_ascii);
        // In small letters a word with a letter in one case only is found too often.
        let exact = found.exact && !(lowered && found.words.iter().any(|word| word.cased));
        let mut words: Vec<Vec<u8>> = found.words.into_iter().map(|word| word.bytes).collect();
        if lowered {
            for word in &mut words {
                word.make_ascii_lowercase();
            }
        }
        Self { search: Search::For(Wanted { words, lowered, only_ascii }), holds, exact }
    }

    fn with(text: &str, holds: Holds, exact: bool) -> Self {
        if text.is_empty() || text.contains(['\n', '\r']) {
            return Self { search: Search::No, holds, exact: false };
        }
        let words = vec![text.as_bytes().to_vec()];
        Self { search: Search::For(Wanted { words, ..Wanted::default() }), holds, exact }
    }

    fn select(&self, view: &View<'_>, swept: &Swept) -> Vec<Span> {
        let swept = match self.search {
            Search::Swept(place) => swept.get(place).and_then(Option::as_ref),
            Search::For(_) | Search::No => None,
        };
        let is_as_asked = |span: &Span| self.holds(view.text(*span));
        match swept {
            Some(lines) if self.exact => lines.clone(),
            Some(lines) => lines.iter().copied().filter(is_as_asked).collect(),
            None => view.lines().filter(is_as_asked).collect(),
        }
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
