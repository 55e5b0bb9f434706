//! The policy of the repository that a runbook is in: found, read, and held against the runbook.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inputs;
use crate::builtins;
use crate::catalog::Catalog;
use crate::check::program::Program;
use crate::diagnostics::{Code, Diagnostic, Level, has_errors};
use crate::policy::{self, FILE, Policy, Written};
use crate::source::{FileId, Sources, Span, decode};

/// Where the policies of a runbook and of all that it uses would be, the nearest first: in the folders of its files and above
/// them, up to the root of the repository. `first` is the runbook; what comes behind it in the sources belongs to it.
pub(super) fn places(sources: &Sources, first: Option<FileId>) -> io::Result<Vec<PathBuf>> {
    let mut places = Vec::new();
    for id in sources.ids().skip_while(|id| first.is_some_and(|first| *id != first)) {
        let name = &sources.file(id).name;
        let mut folders = vec![fs::canonicalize(inputs::folder(name))?];
        // A link leads out of a repository, or into one: both hold, the one that it lies in and the one that it leads to.
        if name != inputs::STDIN
            && let Ok(real) = fs::canonicalize(name)
        {
            folders.extend(real.parent().map(Path::to_owned));
        }
        for folder in folders {
            above(&folder, &mut places)?;
        }
    }
    Ok(places)
}

fn above(folder: &Path, places: &mut Vec<PathBuf>) -> io::Result<()> {
    for folder in folder.ancestors() {
        let place = folder.join(FILE);
        if !places.contains(&place) {
            places.push(place);
        }
        if is_root(folder)? {
            break;
        }
    }
    Ok(())
}

/// Whether a repository begins in a folder: its `.git` is a folder, or the file of a worktree that says where it is kept. A file
/// of that name alone ends nothing.
fn is_root(folder: &Path) -> io::Result<bool> {
    let git = folder.join(".git");
    let metadata = match fs::metadata(&git) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    if !metadata.is_file() {
        return Ok(metadata.is_dir());
    }
    let text = inputs::bytes_of_file(&git)?;
    let kept = std::str::from_utf8(&text).ok().and_then(|text| text.strip_prefix("gitdir:")).map(str::trim);
    Ok(kept.is_some_and(|kept| folder.join(kept).join("HEAD").is_file()))
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Reads the policies of a runbook into the sources, which all hold. `None` where there is none, or where one cannot be read:
/// that is among what was found then.
pub(super) fn read(
    sources: &mut Sources,
    first: Option<FileId>,
    catalog: &Catalog,
    found: &mut Vec<Diagnostic>,
) -> Option<Arc<Policy>> {
    match places(sources, first) {
        Ok(places) => of_places(&places, sources, catalog, found),
        Err(error) => {
            found.push(unreadable(sources, FILE, &error.to_string()));
            None
        }
    }
}

/// What the files at some places say together.
fn of_places(
    places: &[PathBuf],
    sources: &mut Sources,
    catalog: &Catalog,
    found: &mut Vec<Diagnostic>,
) -> Option<Arc<Policy>> {
    let before = found.len();
    let files: Vec<Written> = places.iter().filter_map(|path| written(path, sources, catalog, found)).collect();
    found.extend(policy::at_odds(&files));
    let broken = found.get(before..).is_some_and(has_errors);
    if broken { None } else { Policy::of(files).map(Arc::new) }
}

/// What one file says. One that is there and is of no use is one all the same.
fn written(path: &Path, sources: &mut Sources, catalog: &Catalog, found: &mut Vec<Diagnostic>) -> Option<Written> {
    let name = shown(path);
    let bytes = match is_there(path) {
        Ok(false) => return None,
        Ok(true) => inputs::bytes_of_file(path),
        Err(error) => Err(error),
    };
    let text = bytes.map_err(|error| error.to_string()).and_then(|bytes| {
        let text = decode(&bytes).map(str::to_owned);
        text.map_err(|_| "it is no plain UTF-8 text, or larger than a source file".to_owned())
    });
    match text {
        Ok(text) => {
            let id = sources.add(name, text);
            let (written, problems) = policy::read(sources, id, catalog);
            found.extend(problems);
            Some(written)
        }
        Err(why) => {
            found.push(unreadable(sources, &name, &why));
            None
        }
    }
}

fn unreadable(sources: &mut Sources, name: &str, why: &str) -> Diagnostic {
    let id = sources.add(name, "");
    Diagnostic::new(Code::PolicyMistake, Span::new(id, 0, 0), not_read(why))
}

fn not_read(why: &str) -> String {
    format!("the policy cannot be read, so nothing is known to be allowed: {why}")
}

/// What holds now for a runbook that was read before.
///
/// # Errors
/// Why nothing may be changed: a policy cannot be read any more, or it refuses the runbook by now.
pub(super) fn now(program: &Program, before: &Sources) -> Result<Option<Arc<Policy>>, String> {
    let (mut sources, mut found) = (Sources::new(), Vec::new());
    let places = places(before, None).map_err(|error| not_read(&error.to_string()))?;
    let policy = of_places(&places, &mut sources, &builtins::catalog(), &mut found);
    if let Some(mistake) = found.first() {
        let span = mistake.span();
        return Err(format!("{}:{} {}", sources.file(span.file).name, sources.position(span).line, mistake.message));
    }
    match judge(program, policy.as_deref()).first() {
        Some(refusal) => Err(refusal.message.clone()),
        None => Ok(policy),
    }
}

/// From here, where it is here or below.
fn shown(path: &Path) -> String {
    let here = fs::canonicalize(".").ok();
    let near = here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned));
    near.unwrap_or_else(|| path.to_owned()).display().to_string()
}

/// All that the policy has against a program that is else valid.
pub(super) fn judge(program: &Program, policy: Option<&Policy>) -> Vec<Diagnostic> {
    policy.map(|policy| policy::judge(program, policy)).unwrap_or_default()
}

/// The exit code of findings: 2 where the runbook is not valid, 6 where only the policy refuses it, 0 where nothing keeps it
/// from starting.
pub(super) fn exit(found: &[Diagnostic]) -> u8 {
    let invalid = |one: &&Diagnostic| one.level() == Level::Error && !policy::is_refusal(one.code);
    match found.iter().find(invalid) {
        Some(_) => 2,
        None if has_errors(found) => 6,
        None => 0,
    }
}
