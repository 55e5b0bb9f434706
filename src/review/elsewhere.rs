//! What is no part of a program that runs, and still means something: types, and what tests say.

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Side};
use crate::source::Span;
use crate::syntax::ast::{Docs, Item, ItemKind};
use crate::syntax::dump;

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (old, new) = (all(before), all(after));
    let mut findings = Vec::new();
    for pair in pairs(&old, &new, |one| (one.word, one.name.clone()), |a, b| a.word == b.word && a.says == b.says) {
        match pair {
            Pair::Both(a, b) if a.says != b.says => {
                let headline = "changed";
                let finding = Finding::new(b.chapter(), Kind::Changed, format!("{} {}", b.word, b.name), headline);
                findings.push(finding.at(Some(before.place(a.span)), Some(after.place(b.span))));
            }
            // Tests that come and go are said elsewhere, and a type that nothing uses is an error.
            _ => {}
        }
    }
    findings.extend(attached(before, after));
    findings
}

/// What an edited file means.
fn what(name: &str) -> &'static str {
    let is_roles = std::path::Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("toml"));
    if is_roles { "other people are on call, or at other times" } else { "messages say something else" }
}

/// Files that declarations name, such as the template of a message.
fn attached(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for id in after.sources.ids() {
        let new = after.sources.file(id);
        if new.name.ends_with(".runbook") {
            continue;
        }
        let mut others = before.sources.ids().map(|id| before.sources.file(id));
        if let Some(old) = others.find(|old| old.name == new.name && old.text != new.text) {
            let place = super::Place { file: new.name.clone(), line: 1 };
            let finding = Finding::new(Chapter::Told, Kind::Changed, format!("file {}", old.name), what(&new.name));
            findings.push(finding.at(Some(place.clone()), Some(place)));
        }
    }
    findings
}

struct Other {
    word: &'static str,
    name: String,
    says: String,
    span: Span,
}

impl Other {
    fn chapter(&self) -> Chapter {
        if self.word == "test" { Chapter::Blindness } else { Chapter::Reads }
    }
}

fn all(side: Side<'_>) -> Vec<Other> {
    let items = side.files.iter().flat_map(|file| &file.items);
    let named = items.filter_map(|item| {
        let name = match &item.kind {
            ItemKind::Type(one) => one.name.as_str().to_owned(),
            ItemKind::Test(one) => format!("\"{}\"", one.title.as_str()),
            _ => return None,
        };
        let plain = Item { docs: Docs::default(), ..item.clone() };
        Some(Other { word: item.kind.keyword(), name, says: dump::item(&plain), span: item.span })
    });
    named.collect()
}
