//! What is made for each item of a loop, by its title and its item.

use std::sync::Arc;

/// A change by its title, with the items of its loops that this does not say.
#[must_use]
pub fn named(title: &str, items: &[Arc<str>]) -> String {
    let unsaid: Vec<&str> = items.iter().map(|item| &**item).filter(|item| !says(title, item)).collect();
    if unsaid.is_empty() { title.to_owned() } else { format!("{title} for {}", unsaid.join(", ")) }
}

/// Whether an item is in a title, and not only in a word of it. In a call as it was written no item is meant by its words.
pub(crate) fn says(title: &str, item: &str) -> bool {
    let is_word = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '-');
    let mut before = title.match_indices('(').map(|(at, _)| title.get(..at).and_then(|text| text.chars().next_back()));
    let is_call = before.any(|letter| letter.is_some_and(is_word));
    let title = if is_call { title.rsplit_once(')').map_or(title, |(_, behind)| behind) } else { title };
    title.match_indices(item).any(|(at, _)| {
        let before = title.get(..at).and_then(|text| text.chars().next_back());
        let after = title.get(at + item.len()..).and_then(|text| text.chars().next());
        !before.into_iter().chain(after).any(is_word)
    })
}
