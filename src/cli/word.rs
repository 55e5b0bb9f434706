//! What LANGUAGE.md says of a word of the language: the rows of its tables, and the paragraphs that it stands in.

use std::fmt::Write as _;

/// The page on the language, as it is for this version.
const LANGUAGE: &str = include_str!("../../LANGUAGE.md");
/// How many paragraphs are shown where no table has the word.
const PARAGRAPHS: usize = 4;

/// The page of a word; `None` where LANGUAGE.md does not have it.
pub(super) fn page(word: &str) -> Option<String> {
    let (mut rows, mut paragraphs) = (Vec::new(), Vec::new());
    let (mut heading, mut in_block) = ("", false);
    for paragraph in LANGUAGE.split("\n\n") {
        let begins_block = in_block;
        in_block ^= paragraph.matches("```").count() % 2 == 1;
        if begins_block || paragraph.starts_with("```") {
            continue;
        }
        if let Some(title) = paragraph.strip_prefix('#') {
            heading = title.trim_start_matches('#').trim();
            continue;
        }
        if paragraph.starts_with('|') {
            let own = paragraph.lines().filter(|row| row.split(" | ").next().is_some_and(|first| has(first, word)));
            rows.extend(own.map(|row| (heading, point(row))));
        } else if has(paragraph, word) {
            paragraphs.push((heading, paragraph.to_owned()));
        }
    }
    if !rows.is_empty() {
        paragraphs.truncate(PARAGRAPHS / 2);
    }
    paragraphs.truncate(PARAGRAPHS);
    let found: Vec<(&str, String)> = rows.into_iter().chain(paragraphs).collect();
    if found.is_empty() {
        return None;
    }
    let mut text = format!("# {word}\n\nA word of the language. LANGUAGE.md has all of it.\n");
    let mut under = None;
    for (heading, said) in found {
        if under != Some(heading) {
            let _ = write!(text, "\n## {heading}\n");
            under = Some(heading);
        }
        let _ = write!(text, "\n{said}\n");
    }
    Some(text)
}

/// Whether a word stands in what is written as code.
fn has(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.split('`').skip(1).step_by(2).any(|code| code.split(|c: char| !is_part(c)).any(|part| part == word))
}

/// A row of a table as a point of a list.
fn point(row: &str) -> String {
    let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
    match cells.split_first() {
        Some((first, rest)) => format!("- {first}: {}", rest.join(" ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use crate::syntax::words::KEYWORDS;

    #[test]
    fn every_word_of_the_language_is_on_its_page() {
        let missing: Vec<&str> = KEYWORDS.iter().copied().filter(|word| super::page(word).is_none()).collect();
        assert!(missing.is_empty(), "LANGUAGE.md says nothing of {missing:?}");
    }

    #[test]
    fn a_word_leads_to_its_forms() {
        let page = super::page("quiet").unwrap();
        assert!(page.contains("quiet while"), "{page}");
        assert!(super::page("nothing_of_this").is_none());
    }
}
