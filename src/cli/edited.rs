//! What was edited since an approval: the piece, its line, and the commit that has changed it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;

use super::git::{Repository, Since};
use super::inputs;
use crate::plan::Plan;
use crate::shown::look::clean;
use crate::source::Sources;
use crate::store::approval::Part;

/// More edits than these are only counted.
const MOST: usize = 3;
/// More of a line makes nobody wiser.
const WIDEST: usize = 100;

/// What a plan covers, piece by piece, as it is kept.
pub(super) fn parts(plan: &Plan, sources: &Sources) -> Vec<Part> {
    kept(plan.parts(), sources)
}

pub(super) fn kept<'p>(parts: impl IntoIterator<Item = &'p crate::plan::Part>, sources: &Sources) -> Vec<Part> {
    let part = |part: &crate::plan::Part| {
        let file = sources.file(part.span.file);
        // With the beginning of its line, so that its first line can be found again.
        let line = file.position(part.span.start).line;
        let start = file.line_start(line) as usize;
        let text = file.text.get(start..part.span.end as usize).unwrap_or_default().trim_end();
        let rest = file.text.get(part.span.end as usize..).unwrap_or_default().lines().next().unwrap_or_default();
        Part {
            what: part.what.clone(),
            says: part.says.clone(),
            file: file.name.clone(),
            line,
            text: format!("{text}{}", if text.ends_with(rest) { "" } else { rest }),
        }
    };
    parts.into_iter().map(part).collect()
}

/// What is different between what was approved and what is there now, in words: at least one line.
pub(super) fn edits(approved: &[Part], now: &[Part]) -> Vec<String> {
    let (gone, new) = (without(approved, now), without(now, approved));
    let mut found = Vec::new();
    let mut left = new.clone();
    for old in gone {
        let twin = left.iter().position(|one| one.what == old.what).map(|at| left.remove(at));
        found.push(edit(Some(old), twin));
    }
    found.extend(left.into_iter().map(|one| edit(None, Some(one))));
    if found.is_empty() {
        let what = "what it covers stands in another order or in another place, or what decides when and for how long is another";
        found.push(what.to_owned());
    }
    let more = found.len().saturating_sub(MOST);
    found.truncate(MOST);
    if more > 0 {
        found.push(format!("and {more} more"));
    }
    found
}

/// Those that the others do not have, as often as they do not.
fn without<'p>(parts: &'p [Part], others: &[Part]) -> Vec<&'p Part> {
    let mut there: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for other in others {
        *there.entry((&other.what, &other.says)).or_default() += 1;
    }
    let mut left = Vec::new();
    for part in parts {
        match there.get_mut(&(&*part.what, &*part.says)) {
            Some(many @ 1..) => *many -= 1,
            _ => left.push(part),
        }
    }
    left
}

fn edit(old: Option<&Part>, new: Option<&Part>) -> String {
    match (old, new) {
        (Some(old), Some(new)) if old.text == new.text => {
            format!(
                "{}:{}: the {} stands for `{}` now, and was `{}`",
                new.file,
                new.line,
                new.what,
                brief(&new.says),
                brief(&old.says)
            )
        }
        (Some(old), Some(new)) => {
            let (line, text) = line_of(new, &old.text);
            let (_, was) = line_of(old, &new.text);
            let by = by(&new.file, text, false);
            format!("{}:{line}: the {} was `{}`, and is `{}`{by}", new.file, new.what, brief(was), brief(text))
        }
        (None, Some(new)) => {
            let (line, text) = line_of(new, "");
            format!("{}:{line}: the {} `{}` is new{}", new.file, new.what, brief(text), by(&new.file, text, false))
        }
        (Some(old), None) => {
            let (line, text) = line_of(old, "");
            format!("{}:{line}: the {} `{}` is gone{}", old.file, old.what, brief(text), by(&old.file, text, true))
        }
        (None, None) => String::new(),
    }
}

/// The first line of a piece that another text does not have, and its number.
fn line_of<'p>(part: &'p Part, other: &str) -> (u32, &'p str) {
    let known: Vec<&str> = other.lines().map(str::trim).collect();
    let mut lines = (part.line..).zip(part.text.lines().map(str::trim));
    let own = lines.find(|(_, line)| !line.is_empty() && !line.starts_with('#') && !known.contains(line));
    own.unwrap_or_else(|| (part.line, part.text.lines().next().unwrap_or_default().trim()))
}

fn brief(text: &str) -> String {
    let text = clean(text);
    if text.chars().count() <= WIDEST {
        return text;
    }
    text.chars().take(WIDEST).chain(['…']).collect()
}

/// By which commit a line is as it is; nothing where the file is in no repository.
fn by(file: &str, line: &str, gone: bool) -> String {
    let folder = inputs::folder(file);
    let Ok(repository) = Repository::of(&folder) else { return String::new() };
    let Some(name) = inside(&repository.root, &folder, file) else { return String::new() };
    match repository.since(&name, line, gone) {
        Ok(Since::Commit(made)) => {
            let at = made.at.map(|at| at.to_zoned(TimeZone::UTC).strftime(", %Y-%m-%d").to_string());
            let hash = made.hash.get(..10).unwrap_or(&made.hash);
            format!(
                " since commit {hash} ({}{}: {})",
                brief(&made.author),
                at.unwrap_or_default(),
                brief(&made.subject)
            )
        }
        Ok(Since::NotCommitted) => ", not committed yet".to_owned(),
        Ok(Since::LongAgo) => String::new(),
        Err(failure) => format!(" (git does not say by whom: {})", failure.message),
    }
}

/// The name of a file in its repository.
fn inside(root: &Path, folder: &Path, file: &str) -> Option<String> {
    let root = std::fs::canonicalize(root).ok()?;
    let path = std::fs::canonicalize(folder).ok()?.join(Path::new(file).file_name()?);
    path.strip_prefix(root).ok()?.to_str().map(str::to_owned)
}
