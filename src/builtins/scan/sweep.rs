//! Sweeps: the words that all searches of a pass look for, found together in as few looks at a block as pays.
//!
//! A search for one word is quick, and one for several words takes as long for three of them as for thirty. So where many
//! searches look at the same bytes, one search for the words of all of them finds a line, and only those are asked about it
//! whose word it has.

use aho_corasick::{AhoCorasick, Span as Range, packed};
use memchr::{memchr, memmem, memrchr};

use super::finder::{Span, View, offset};

/// The most words of one sweep: with more of them, more is found that is none of them.
const MOST_WORDS: usize = 32;
/// Shorter words are found too often to be looked for with others.
const SHORTEST: usize = 3;
/// What a search for several words takes, where one for one word takes 1.
const SEVERAL: usize = 3;

/// The words of which a search wants the lines.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// In small letters where it looks at small letters.
    pub(super) words: Vec<Vec<u8>>,
    /// It looks at the bytes in small letters.
    pub(super) lowered: bool,
    /// It finds all there is only where all bytes are ASCII.
    pub(super) only_ascii: bool,
}

impl Wanted {
    const fn takes(&self) -> usize {
        if self.words.len() == 1 { 1 } else { SEVERAL }
    }
}

/// One look at a block.
struct Sweep {
    needle: Needle,
    /// For each word of the needle, who wants it.
    wishes: Vec<Vec<Wish>>,
    lowered: bool,
    /// Whom it is for, and whether that is only where all bytes are ASCII.
    searches: Vec<(usize, bool)>,
}

/// That a search wants the lines with a word.
struct Wish {
    search: usize,
    /// What has to stand around the word that was found, where that is not all.
    around: Option<Around>,
}

struct Around {
    text: Vec<u8>,
    /// How much of it is before the word.
    before: usize,
    lowered: bool,
}

enum Needle {
    One(Box<memmem::Finder<'static>>),
    /// A few words at once, many bytes at a time.
    Few(packed::Searcher),
    Several(AhoCorasick),
}

/// The lines that have a word, for each search by its place, in their order; nothing where every line has to be asked.
pub(super) type Swept = [Option<Vec<Span>>];

/// All that is looked for.
pub(super) struct Sweeps {
    sweeps: Vec<Sweep>,
    searches: usize,
}

impl Sweeps {
    /// What some searches want, each by its place.
    pub(super) fn of(wanted: &[Wanted]) -> Self {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let (mut together, mut words) = (Vec::new(), 0);
        for (place, own) in wanted.iter().enumerate() {
            if own.words.len() > MOST_WORDS || own.words.iter().any(|word| word.len() < SHORTEST) {
                groups.push(vec![place]);
                continue;
            }
            if words + own.words.len() > MOST_WORDS {
                groups.push(std::mem::take(&mut together));
                words = 0;
            }
            together.push(place);
            words += own.words.len();
        }
        groups.push(together);
        let takes = |place: &usize| wanted.get(*place).map_or(0, Wanted::takes);
        let pays = |group: &[usize]| group.iter().map(takes).sum::<usize>() > SEVERAL;
        let groups = groups.into_iter().flat_map(|group| {
            if pays(&group) { vec![group] } else { group.into_iter().map(|place| vec![place]).collect() }
        });
        let sweeps = groups.filter_map(|group| Sweep::of(wanted, &group)).collect();
        Self { sweeps, searches: wanted.len() }
    }

    /// Whether one of them looks at small letters.
    pub(super) fn lowers(&self) -> bool {
        self.sweeps.iter().any(|sweep| sweep.lowered)
    }

    /// What a block has of it.
    pub(super) fn find(&self, view: &View<'_>) -> Vec<Option<Vec<Span>>> {
        let mut found = vec![None; self.searches];
        for sweep in &self.sweeps {
            sweep.find(view, &mut found);
        }
        found
    }
}

impl Sweep {
    fn of(wanted: &[Wanted], group: &[usize]) -> Option<Self> {
        let all = || group.iter().filter_map(|place| Some((*place, wanted.get(*place)?)));
        let lowered = all().any(|(_, own)| own.lowered);
        let seen = |word: &[u8]| if lowered { word.to_ascii_lowercase() } else { word.to_vec() };
        let mut words: Vec<Vec<u8>> = all().flat_map(|(_, own)| own.words.iter().map(|word| seen(word))).collect();
        // The shorter ones first: one that has another in it is found with that one.
        words.sort_unstable_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
        let mut needles: Vec<Vec<u8>> = Vec::new();
        for word in words {
            if !needles.iter().any(|known| memmem::find(&word, known).is_some()) {
                needles.push(word);
            }
        }
        let mut wishes: Vec<Vec<Wish>> = needles.iter().map(|_| Vec::new()).collect();
        for (search, own) in all() {
            for word in &own.words {
                let seen = seen(word);
                let place = |(at, known): (usize, &Vec<u8>)| Some((at, memmem::find(&seen, known)?, known.len()));
                let (at, before, length) = needles.iter().enumerate().find_map(place)?;
                let is_all = length == word.len() && own.lowered == lowered;
                let around = (!is_all).then(|| Around { text: word.clone(), before, lowered: own.lowered });
                wishes.get_mut(at)?.push(Wish { search, around });
            }
        }
        let needle = Needle::new(&needles)?;
        let searches = all().map(|(search, own)| (search, own.only_ascii)).collect();
        Some(Self { needle, wishes, lowered, searches })
    }

    fn find(&self, view: &View<'_>, found: &mut Swept) {
        let mut wanted = false;
        for (search, only_ascii) in &self.searches {
            if (view.is_ascii || !only_ascii)
                && let Some(lines) = found.get_mut(*search)
            {
                *lines = Some(Vec::new());
                wanted = true;
            }
        }
        if !wanted {
            return;
        }
        // One search wants no line twice.
        let alone = self.searches.len() == 1;
        let bytes = if self.lowered { view.lowered } else { view.bytes };
        let (mut at, mut line) = (0, None::<Span>);
        while let Some((hit, word)) = self.needle.find(bytes, at) {
            let known = line.filter(|line| hit < line.end as usize);
            let span = known.unwrap_or_else(|| line_around(bytes, line.map_or(0, |line| line.end as usize + 1), hit));
            line = Some(span);
            for wish in self.wishes.get(word).into_iter().flatten() {
                if let Some(Some(lines)) = found.get_mut(wish.search)
                    && lines.last() != Some(&span)
                    && wish.around.as_ref().is_none_or(|around| around.is_at(hit, view))
                {
                    lines.push(span);
                }
            }
            at = if alone { span.end as usize + 1 } else { hit + 1 };
        }
    }
}

/// The line that has a place; it begins nowhere before `from`.
fn line_around(bytes: &[u8], from: usize, place: usize) -> Span {
    let before = bytes.get(from..place).and_then(|before| memrchr(b'\n', before));
    let start = before.map_or(from, |before| from + before + 1);
    let behind = bytes.get(place..).and_then(|behind| memchr(b'\n', behind));
    let end = behind.map_or(bytes.len(), |behind| place + behind);
    Span { start: offset(start), end: offset(end) }
}

impl Around {
    fn is_at(&self, hit: usize, view: &View<'_>) -> bool {
        let bytes = if self.lowered { view.lowered } else { view.bytes };
        let rest = hit.checked_sub(self.before).and_then(|start| bytes.get(start..));
        rest.is_some_and(|rest| rest.starts_with(&self.text))
    }
}

impl Needle {
    /// One that finds the words, of which none is in another one.
    fn new(words: &[Vec<u8>]) -> Option<Self> {
        match words {
            [one] => Some(Self::One(Box::new(memmem::Finder::new(one).into_owned()))),
            several => match packed::Searcher::new(several) {
                Some(few) => Some(Self::Few(few)),
                None => AhoCorasick::new(several).ok().map(Self::Several),
            },
        }
    }

    /// Where the first one begins, from a place on, and which it is.
    fn find(&self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        let rest = bytes.get(from..)?;
        match self {
            Self::One(word) => word.find(rest).map(|at| (from + at, 0)),
            Self::Few(words) => {
                let found = words.find_in(bytes, Range { start: from, end: bytes.len() })?;
                Some((found.start(), found.pattern().as_usize()))
            }
            Self::Several(words) => words.find(rest).map(|found| (from + found.start(), found.pattern().as_usize())),
        }
    }
}

#[cfg(test)]
mod tests {
    use memchr::memmem;
    use proptest::prelude::*;

    use super::{Sweeps, Wanted};
    use crate::builtins::scan::finder::View;

    fn wanted() -> impl Strategy<Value = Wanted> {
        let word = prop_oneof![1 => "[ab]{1,2}", 6 => "[abAB]{3,5}", 2 => "[abcdeABCDE]{4}"];
        (prop::collection::vec(word, 1..4), any::<bool>()).prop_map(|(words, lowered)| {
            let seen = |word: String| if lowered { word.to_ascii_lowercase() } else { word };
            let words = words.into_iter().map(|word| seen(word).into_bytes()).collect();
            Wanted { words, lowered, only_ascii: false }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// However words overlap, begin alike or are in one another: each search has the lines that have one of its own.
        #[test]
        fn each_search_has_its_lines(wanted in prop::collection::vec(wanted(), 1..30), text in "[abABcde\n]{0,200}") {
            let bytes = text.as_bytes();
            let lowered = bytes.to_ascii_lowercase();
            let view = View { bytes, lowered: &lowered, is_ascii: true };
            let found = Sweeps::of(&wanted).find(&view);
            prop_assert_eq!(found.len(), wanted.len());
            for (own, found) in wanted.iter().zip(found) {
                let seen = |at: std::ops::Range<u32>| {
                    let bytes = if own.lowered { &lowered } else { bytes };
                    &bytes[at.start as usize..at.end as usize]
                };
                let has = |line: &[u8]| own.words.iter().any(|word| memmem::find(line, word).is_some());
                let lines: Vec<_> = view.lines().filter(|span| has(seen(span.start..span.end))).collect();
                prop_assert_eq!(found, Some(lines), "{:?}", own.words);
            }
        }
    }
}
