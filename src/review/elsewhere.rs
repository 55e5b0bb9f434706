//! What is no part of a program that runs, and still means something: types, and what tests say.

use std::collections::BTreeSet;
use std::path::Path;

use similar::{ChangeTag, TextDiff};

use super::pairs::{Pair, pairs};
use super::{Chapter, Finding, Kind, Place, Row, Side};
use crate::check::program::TestKind;
use crate::source::Span;
use crate::syntax::ast::{Docs, Item, ItemKind};
use crate::syntax::dump;

/// How many different lines are shown of a test or of a file.
const SHOWN: usize = 12;

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (old, new) = (all(before), all(after));
    let mut findings = Vec::new();
    for pair in pairs(&old, &new, |one| (one.word, one.name.clone()), |a, b| a.word == b.word && a.says == b.says) {
        match pair {
            Pair::Both(a, b) if a.says != b.says => {
                let (expected, expects) = (expects(before, a), expects(after, b));
                let (kind, headline) = if expected.iter().any(|one| !expects.contains(one)) {
                    (Kind::Blind, "expects less, or something else")
                } else {
                    (Kind::Changed, "changed")
                };
                let mut finding = Finding::new(b.chapter(), kind, format!("{} {}", b.word, b.name), headline);
                finding.notes = different(before.sources.text(a.span), after.sources.text(b.span));
                findings.push(finding.at(Some(before.place(a.span)), Some(after.place(b.span))));
            }
            // Tests that come and go are said elsewhere, and a type that nothing uses is an error.
            _ => {}
        }
    }
    findings.extend(attached(before, after));
    findings
}

/// The lines that are on one side only, without what they are indented by.
fn different(old: &str, new: &str) -> Vec<String> {
    let plain = |text: &str| text.lines().map(str::trim).collect::<Vec<_>>().join("\n") + "\n";
    let (old, new) = (plain(old), plain(new));
    let diff = TextDiff::from_lines(&old, &new);
    let mut lines: Vec<String> = diff
        .iter_all_changes()
        .filter_map(|change| match change.tag() {
            ChangeTag::Equal => None,
            ChangeTag::Delete => Some(format!("- {}", change.value().trim_end())),
            ChangeTag::Insert => Some(format!("+ {}", change.value().trim_end())),
        })
        .collect();
    let more = lines.len().saturating_sub(SHOWN);
    if more > 0 {
        lines.truncate(SHOWN);
        lines.push(format!("and {more} more"));
    }
    lines
}

/// What a test expects, as it was written.
fn expects(side: Side<'_>, one: &Other) -> Vec<String> {
    let test = side.program.tests.iter().find(|test| one.word == "test" && one.name == format!("\"{}\"", test.title));
    let statements = test.into_iter().flat_map(|test| &test.statements);
    statements
        .filter(|statement| matches!(statement.kind, TestKind::Expect { .. }))
        .map(|statement| side.written(statement.span))
        .collect()
}

/// Files that declarations name, such as the template of a message. Who is on call is compared by what the file says.
fn attached(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let rosters = |side: Side<'_>| {
        let read = side.program.escalations.iter().filter(|one| one.roster.is_some());
        read.filter_map(|one| Some(one.roles.as_ref()?.0.to_string())).collect::<Vec<_>>()
    };
    let (was, is) = (rosters(before), rosters(after));
    let mut findings = Vec::new();
    for id in after.sources.ids() {
        let new = after.sources.file(id);
        let read =
            |paths: &[String]| paths.iter().any(|path| Path::new(&new.name).ends_with(path.trim_start_matches("./")));
        if new.name.ends_with(".runbook") || read(&was) && read(&is) {
            continue;
        }
        let mut others = before.sources.ids().map(|id| before.sources.file(id));
        if let Some(old) = others.find(|old| old.name == new.name && old.text != new.text) {
            let place = Place { file: new.name.clone(), line: 1 };
            let subject = format!("file {}", old.name);
            let mut finding = Finding::new(Chapter::Told, Kind::Changed, subject, "messages say something else");
            finding.notes = different(&old.text, &new.text);
            findings.push(finding.at(Some(place.clone()), Some(place)));
        }
    }
    findings
}

/// A file that a runbook names and that is no part of it: a program that it starts, a kubeconfig.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// Where the runbook looks for it.
    pub name: String,
    /// `None` where it is not there.
    pub content: Option<Vec<u8>>,
    pub is_program: bool,
}

/// What is different in a file that a runbook names; `None` where nothing is.
#[must_use]
pub fn named(before: &Named, after: &Named) -> Option<Finding> {
    let rows: Vec<Row> = Row::of("may be started", yes(before.is_program), yes(after.is_program)).into_iter().collect();
    let headline = match (&before.content, &after.content) {
        (None, None) => return None,
        (None, Some(_)) => "new",
        (Some(_), None) => "gone",
        (Some(old), Some(new)) if old != new => "says something else",
        (Some(_), Some(_)) if rows.is_empty() => return None,
        (Some(_), Some(_)) => "changed",
    };
    let mut finding =
        Finding::new(Chapter::Changes, Kind::Changed, format!("file {}", after.name), headline).rows(rows);
    let text = |side: &Named| side.content.as_deref().map_or(Ok(""), std::str::from_utf8).ok().map(str::to_owned);
    match (text(before), text(after)) {
        (Some(old), Some(new)) => finding.notes = different(&old, &new),
        _ => finding.notes.push("it is no text".to_owned()),
    }
    finding.notes.insert(0, "the runbook names it, and what it does is not looked at: read it".to_owned());
    if before.name != after.name {
        finding.notes.insert(0, format!("the runbook was moved, and found {} before", before.name));
    }
    let place = |side: &Named| side.content.as_ref().map(|_| Place { file: side.name.clone(), line: 1 });
    Some(finding.at(place(before), place(after)))
}

/// The policies that hold for a runbook in another folder.
#[must_use]
pub fn moved(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<Finding> {
    let finding =
        |name: &String, kind, headline| Finding::new(Chapter::Permissions, kind, format!("policy {name}"), headline);
    let gone = before.difference(after).map(|name| finding(name, Kind::Permissions, "holds for it no more"));
    let new = after.difference(before).map(|name| finding(name, Kind::Safer, "holds for it now"));
    gone.chain(new).collect()
}

fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
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
