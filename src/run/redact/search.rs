//! Finds many forms in a text in one pass.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// Shorter texts are in too many words to be looked for.
pub(super) const SHORTEST: usize = 4;
/// A beginning of a secret is looked for only where a text was cut, and is as long as this.
const SHORTEST_CUT: usize = 8;

pub(super) const REPLACEMENT: &str = "(secret)";

/// What is looked for.
pub(super) struct Search {
    /// `None` where there is too much to look for: nothing is said then rather than one of them.
    all: Option<AhoCorasick>,
    forms: Vec<String>,
    /// The forms by how they begin.
    heads: HashMap<[u8; SHORTEST_CUT], Vec<usize>>,
    longest: usize,
}

impl Search {
    pub(super) fn new(mut forms: Vec<String>) -> Self {
        forms.retain(|form| form.len() >= SHORTEST);
        forms.sort();
        forms.dedup();
        // Of two that begin at one place the longer one is found, so that no part of it is left.
        let mut builder = AhoCorasick::builder();
        // A table for each state is faster to search with, and takes longer to make than most runs search.
        builder.match_kind(MatchKind::LeftmostLongest).kind(Some(AhoCorasickKind::ContiguousNFA));
        let all = builder.build(&forms).ok();
        let mut heads: HashMap<_, Vec<usize>> = HashMap::new();
        for (index, form) in forms.iter().enumerate() {
            if let Some(head) = form.as_bytes().first_chunk() {
                heads.entry(*head).or_default().push(index);
            }
        }
        let longest = forms.iter().map(String::len).max().unwrap_or_default();
        Self { all, forms, heads, longest }
    }

    /// The text without what is looked for; `None` where there is nothing of it.
    pub(super) fn replaced(&self, text: &str) -> Option<String> {
        let Some(all) = &self.all else { return Some(REPLACEMENT.to_owned()) };
        let whole = all.is_match(text).then(|| {
            let mut clean = String::new();
            all.replace_all_with(text, &mut clean, |_, _, clean| {
                clean.push_str(REPLACEMENT);
                true
            });
            clean
        });
        self.without_cut_ends(whole.as_deref().unwrap_or(text)).or(whole)
    }

    /// The beginning of a secret, where a text was cut in the middle of it: before `…`, or at the end.
    fn without_cut_ends(&self, text: &str) -> Option<String> {
        let cut_at = text.match_indices('…').map(|(at, _)| at).chain([text.len()]);
        let found: Vec<(usize, usize)> = cut_at.filter_map(|end| Some((self.begun(text.get(..end)?)?, end))).collect();
        if found.is_empty() {
            return None;
        }
        let mut clean = String::new();
        let mut from = 0;
        for (start, end) in found.into_iter().filter(|(start, end)| start < end) {
            clean.push_str(text.get(from..start.max(from))?);
            clean.push_str(REPLACEMENT);
            from = end;
        }
        clean.push_str(text.get(from..)?);
        Some(clean)
    }

    /// Where a text's end begins that is a beginning of a form, long enough not to be chance.
    fn begun(&self, text: &str) -> Option<usize> {
        let bytes = text.as_bytes();
        let first = bytes.len().saturating_sub(self.longest);
        (first..bytes.len()).find(|start| {
            let end = bytes.get(*start..).unwrap_or_default();
            let Some(named) = end.first_chunk().and_then(|head| self.heads.get(head)) else { return false };
            named.iter().filter_map(|index| self.forms.get(*index)).any(|form| form.as_bytes().starts_with(end))
        })
    }
}
