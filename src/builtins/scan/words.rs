//! Words: texts of which one must stand in whatever a pattern matches, so that a fast search finds the few lines on which
//! the pattern itself is tried.

use memchr::memmem;
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

/// The most words of one pattern.
const MOST_WORDS: usize = 64;

/// One of them is in every match.
#[derive(Debug, PartialEq)]
pub(super) struct Words {
    pub(super) words: Vec<Word>,
    /// The pattern matches exactly where one of the words is.
    pub(super) exact: bool,
}

/// Bytes of which some may be letters in either case.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Word {
    /// Letters of either case are small here.
    pub(super) bytes: Vec<u8>,
    /// It has letters in either case.
    pub(super) folded: bool,
    /// It has letters in one case only.
    pub(super) cased: bool,
    /// It has a letter that other alphabets write in another way, too: `k` is the sign of kelvin.
    pub(super) beyond_ascii: bool,
}

/// The words of a pattern; none where it may match without any of them.
pub(super) fn of(pattern: &str) -> Option<Words> {
    let hir = ParserBuilder::new().utf8(false).build().parse(pattern).ok()?;
    let mut words = required(&hir)?;
    words.without_longer();
    // A line's end is in no line, and what stands before it may be taken for a part of the end.
    let in_a_line =
        |word: &Word| !word.bytes.is_empty() && !word.bytes.contains(&b'\n') && !word.bytes.contains(&b'\r');
    words.words.iter().all(in_a_line).then_some(words)
}

impl Words {
    /// Where a word has another one in it, that one is found there as well.
    fn without_longer(&mut self) {
        let all = self.words.clone();
        let has_shorter = |word: &Word| {
            let within = |other: &Word| {
                other.bytes.len() < word.bytes.len()
                    && other.is_written_like(word)
                    && memmem::find(&word.bytes, &other.bytes).is_some()
            };
            all.iter().any(within)
        };
        self.words.retain(|word| !has_shorter(word));
    }
}

fn required(hir: &Hir) -> Option<Words> {
    match hir.kind() {
        HirKind::Literal(_) | HirKind::Class(_) => Some(Words { words: vec![piece(hir)?], exact: true }),
        HirKind::Capture(capture) => required(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => {
            required(&repetition.sub).map(|words| Words { exact: false, ..words })
        }
        HirKind::Concat(parts) => in_a_row(parts),
        HirKind::Alternation(branches) => {
            let mut all = Words { words: Vec::new(), exact: true };
            for branch in branches {
                let own = required(branch)?;
                all.exact &= own.exact;
                all.words.extend(own.words);
            }
            (all.words.len() <= MOST_WORDS).then_some(all)
        }
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

/// The best words among parts that follow each other: what stands side by side is one word.
fn in_a_row(parts: &[Hir]) -> Option<Words> {
    let mut best: Option<Words> = None;
    let mut better = |words: Words| {
        if best.as_ref().is_none_or(|best| worth(&words) > worth(best)) {
            best = Some(words);
        }
    };
    let mut run = Word::default();
    let mut whole = true;
    for part in parts {
        if let Some(piece) = piece(part) {
            run.add(piece);
            continue;
        }
        whole = false;
        if !run.bytes.is_empty() {
            better(Words { words: vec![std::mem::take(&mut run)], exact: false });
        }
        if let Some(words) = required(part) {
            better(Words { exact: false, ..words });
        }
    }
    if !run.bytes.is_empty() {
        better(Words { words: vec![run], exact: whole });
    }
    best
}

/// Long words are rarer than short ones, and few are found faster than many.
fn worth(words: &Words) -> (usize, std::cmp::Reverse<usize>) {
    let shortest = words.words.iter().map(|word| word.bytes.len()).min().unwrap_or(0);
    (shortest.min(8), std::cmp::Reverse(words.words.len()))
}

/// A literal, or a letter in either case.
fn piece(hir: &Hir) -> Option<Word> {
    match hir.kind() {
        HirKind::Literal(literal) => {
            let bytes = literal.0.to_vec();
            let cased = bytes.iter().any(u8::is_ascii_alphabetic);
            Some(Word { bytes, cased, ..Word::default() })
        }
        HirKind::Class(class) => either_case(class),
        _ => None,
    }
}

fn either_case(class: &Class) -> Option<Word> {
    let ranges: Vec<(u32, u32)> = match class {
        Class::Unicode(class) => {
            class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect()
        }
        Class::Bytes(class) => class.ranges().iter().map(|range| (range.start().into(), range.end().into())).collect(),
    };
    if ranges.iter().any(|(start, end)| start != end) {
        return None;
    }
    let large = u8::try_from(ranges.first()?.0).ok().filter(u8::is_ascii_uppercase)?;
    let small = large.to_ascii_lowercase();
    if ranges.get(1)?.0 != u32::from(small) {
        return None;
    }
    let beyond_ascii = match (small, ranges.get(2), ranges.len()) {
        (_, None, 2) => false,
        (b'k', Some((0x212A, _)), 3) | (b's', Some((0x17F, _)), 3) => true,
        _ => return None,
    };
    Some(Word { bytes: vec![small], folded: true, cased: false, beyond_ascii })
}

impl Word {
    /// Whether the letters of both are of either case, or those of both are as they are written.
    const fn is_written_like(&self, other: &Self) -> bool {
        self.folded == other.folded && !(self.folded && (self.cased || other.cased))
    }

    fn add(&mut self, next: Self) {
        self.bytes.extend(next.bytes);
        self.folded |= next.folded;
        self.cased |= next.cased;
        self.beyond_ascii |= next.beyond_ascii;
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    fn words(pattern: &str) -> String {
        of(pattern).map_or_else(
            || "-".to_owned(),
            |found| {
                let words: Vec<_> = found.words.iter().map(|word| String::from_utf8_lossy(&word.bytes)).collect();
                format!("{}{}", words.join("|"), if found.exact { "" } else { "?" })
            },
        )
    }

    #[test]
    fn finds_what_a_match_cannot_be_without() {
        let cases = [
            ("error", "error"),
            ("(?i)error", "error"),
            ("(?i)security|auth|unauthorized", "security|auth"),
            (r"(?i)\b(?:error|critical|panic)\b", "error|critical|panic?"),
            (r"took \d+ms", "took ?"),
            (r"user=(\w+) failed", " failed?"),
            ("^ERROR", "ERROR?"),
            ("(?:abc)+d", "abc?"),
            ("(?i)auth|(?-i)unauthorized", "auth|unauthorized"),
            (r"\d+", "-"),
            ("x*", "-"),
            ("", "-"),
            ("a|", "-"),
            ("a\nb", "-"),
            ("a|[xy]", "-"),
        ];
        for (pattern, wanted) in cases {
            assert_eq!(words(pattern), wanted, "{pattern}");
        }
    }
}
