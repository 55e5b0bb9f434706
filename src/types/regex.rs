//! Patterns.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex::bytes::{Regex as Compiled, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};
use regex_syntax::utf8::Utf8Sequences;

use super::{Fault, FaultKind};

/// How large a compiled pattern may be, in bytes.
const LARGEST: usize = 1 << 20;
/// How deep a pattern may nest.
const DEEPEST: u32 = 100;
/// A pattern of at most so many states is smaller than that, and nothing else can be wrong with one that can be read.
const FEW: usize = 2_000;

/// A pattern. Matching is linear in the text, whatever the pattern. It is compiled where a text is matched: most are written
/// down many times more often to be checked than to be used.
#[derive(Clone)]
pub struct Regex(Arc<Pattern>);

struct Pattern {
    text: String,
    compiled: OnceLock<Result<Compiled, regex::Error>>,
}

impl Regex {
    /// What stands behind the pattern: `i` for any case, `m` for lines, `s` for a dot that is a line's end, too, `x` for
    /// blanks that mean nothing.
    pub const FLAGS: &str = "imsx";

    /// # Errors
    /// Where it is none, or too large.
    pub fn new(pattern: &str) -> Result<Self, regex::Error> {
        let parsed = ParserBuilder::new().utf8(false).nest_limit(DEEPEST).build().parse(pattern);
        let compiled = OnceLock::new();
        // What cannot be read is named as whoever compiles it names it.
        if parsed.map_or(true, |hir| states(&hir) > FEW) {
            let _ = compiled.set(Ok(compile(pattern)?));
        }
        Ok(Self(Arc::new(Pattern { text: pattern.to_owned(), compiled })))
    }

    /// As it was written, with the flags in front.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.text
    }

    /// What matches.
    ///
    /// # Errors
    /// Where it cannot be compiled.
    pub fn compiled(&self) -> Result<&Compiled, Fault> {
        let compiled = self.0.compiled.get_or_init(|| compile(&self.0.text));
        compiled
            .as_ref()
            .map_err(|error| Fault::new(FaultKind::Failed, format!("the pattern {self} cannot be compiled: {error}")))
    }
}

fn compile(pattern: &str) -> Result<Compiled, regex::Error> {
    RegexBuilder::new(pattern).size_limit(LARGEST).nest_limit(DEEPEST).build()
}

/// How many states there are at most.
fn states(hir: &Hir) -> usize {
    let sum = |parts: &[Hir]| parts.iter().fold(1, |sum: usize, part| sum.saturating_add(states(part)));
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Bytes(class)) => class.ranges().len(),
        HirKind::Class(Class::Unicode(class)) => class
            .ranges()
            .iter()
            .flat_map(|range| Utf8Sequences::new(range.start(), range.end()))
            .map(|bytes| bytes.len())
            .sum(),
        HirKind::Repetition(repeated) => {
            let most = repeated.max.unwrap_or_else(|| repeated.min.saturating_add(1)).max(1);
            let once = states(&repeated.sub).saturating_add(2);
            usize::try_from(most).unwrap_or(usize::MAX).saturating_mul(once)
        }
        HirKind::Capture(capture) => states(&capture.sub).saturating_add(2),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => sum(parts),
    }
}

/// As it is written: `/error/i`.
impl fmt::Display for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pattern = self.as_str();
        let flagged = pattern.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
        let flagged =
            flagged.filter(|(flags, _)| !flags.is_empty() && flags.chars().all(|flag| Self::FLAGS.contains(flag)));
        let (flags, pattern) = flagged.unwrap_or(("", pattern));
        write!(f, "/{pattern}/{flags}")
    }
}

impl fmt::Debug for Regex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::{FEW, LARGEST, Regex, compile, states};

    #[test]
    fn what_is_compiled_later_can_be_compiled() {
        for pattern in [
            "(?i)error|warn",
            "^a{3,}b?$",
            "(?i)remounting filesystem read-only|i/o error on [a-z]+|medium error",
            "\\d+ of \\d+",
            "(?i)straße [a-zé]+\\d{1,20}",
            "",
            "\\bOOM\\b",
            "(?x) a b # c",
        ] {
            let regex = Regex::new(pattern).unwrap();
            assert!(regex.0.compiled.get().is_none() || pattern.contains("{1,20}"), "{pattern} is compiled at once");
            assert!(regex.compiled().is_ok(), "{pattern}");
        }
    }

    /// The most states of each kind that are still few are far from too large.
    #[test]
    fn few_states_are_never_too_large() {
        let of = |pattern: &str| regex_syntax::ParserBuilder::new().utf8(false).build().parse(pattern).unwrap();
        for part in [
            "a",
            "[a-z]",
            "é",
            "(?i)k",
            "[Ā-ӿ]",
            ".",
            "(?s).",
            "(a|b)",
            "x{3}",
            "\\b",
            "[^a]",
            "(?-u)[^a]",
            "(?-u:\\xff)",
        ] {
            let most = FEW / states(&of(part)).max(1);
            for pattern in [part.repeat(most), format!("(?:{part}){{{most}}}"), vec![part; most].join("|")] {
                if states(&of(&pattern)) <= FEW {
                    assert!(compile(&pattern).is_ok(), "{part}: {} bytes are more than {LARGEST}", pattern.len());
                }
            }
        }
    }

    #[test]
    fn what_is_none_is_refused_at_once() {
        for pattern in ["(", "a{9999999999}", "\\p{Nothing}", "(?:\\w{100}){100}", &"(".repeat(200)] {
            assert!(Regex::new(pattern).is_err(), "{pattern}");
        }
    }
}
