//! The policy of the repository that a runbook is in: found, read, and held against the runbook.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inputs;
use crate::catalog::Catalog;
use crate::check::program::Program;
use crate::diagnostics::{Code, Diagnostic, Level, has_errors};
use crate::policy::{self, FILE, Policy};
use crate::source::{Sources, Span, decode};

/// Where the policy of a folder would be looked for, the nearest first: up to the folder that holds `.git`, or to the root.
pub(super) fn places(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut places = Vec::new();
    for folder in fs::canonicalize(folder)?.ancestors() {
        places.push(folder.join(FILE));
        if is_there(&folder.join(".git"))? {
            break;
        }
    }
    Ok(places)
}

fn is_there(path: &Path) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The nearest policy file; `None` where there is none. One that is there and is of no use is one all the same.
fn find(folder: &Path) -> io::Result<Option<PathBuf>> {
    for path in places(folder)? {
        if is_there(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Reads the policy of a folder into the sources. `None` where there is none, or where it cannot be read: that is among what
/// was found then.
pub(super) fn read(
    folder: &Path,
    sources: &mut Sources,
    catalog: &Catalog,
    found: &mut Vec<Diagnostic>,
) -> Option<Arc<Policy>> {
    let mut unreadable = |sources: &mut Sources, name: &str, why: &str| {
        let id = sources.add(name, "");
        let message = format!("the policy cannot be read, so nothing is known to be allowed: {why}");
        found.push(Diagnostic::new(Code::PolicyMistake, Span::new(id, 0, 0), message));
        None
    };
    let path = match find(folder) {
        Ok(path) => path?,
        Err(error) => return unreadable(sources, &folder.join(FILE).display().to_string(), &error.to_string()),
    };
    let name = shown(&path);
    let bytes = match inputs::bytes(&path.to_string_lossy()) {
        Ok(bytes) => bytes,
        Err(error) => return unreadable(sources, &name, &error.to_string()),
    };
    let Ok(text) = decode(&bytes) else {
        return unreadable(sources, &name, "it is no plain UTF-8 text, or larger than a source file");
    };
    let id = sources.add(name, text);
    let (policy, problems) = policy::read(sources, id, catalog);
    let broken = has_errors(&problems);
    found.extend(problems);
    (!broken).then(|| Arc::new(policy))
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
