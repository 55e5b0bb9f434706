//! Files of this machine: where a path leads, which files a pattern means, and why one cannot be read.

use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::catalog::{Cx, Judge};
use crate::types::{Fault, FaultKind};

/// A wildcard means no name that begins with a dot, unless that is written.
const AS_A_SHELL: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The most files that one pattern may mean.
const MOST_FILES: usize = 10_000;

/// A path as it is meant in a runbook: relative ones start at the runbook's folder.
pub(super) fn locate(cx: &Cx, path: &str) -> Result<PathBuf, Fault> {
    some_path(path)?;
    Ok(cx.run.directory.join(path))
}

/// What is said of a path that is written.
pub(super) const PATH: Judge = Judge::Text(|path, _| some_path(path));

fn some_path(path: &str) -> Result<(), Fault> {
    if path.is_empty() || path.contains('\0') {
        return Err(Fault::new(FaultKind::NotFound, "an empty text is no path"));
    }
    Ok(())
}

/// Why a file could not be looked at.
pub(super) fn fault(doing: &str, path: &Path, error: &std::io::Error) -> Fault {
    let whole = path;
    let path = path.display();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            Fault::new(FaultKind::NotFound, format!("`{path}` does not exist"))
        }
        ErrorKind::PermissionDenied => {
            Fault::new(FaultKind::Denied, format!("`{path}`: no permission to {doing} it")).help(allowed(whole))
        }
        ErrorKind::IsADirectory => Fault::new(FaultKind::Setup, format!("`{path}` is a directory"))
            .help(format!("name a file in it: `{path}/NAME`")),
        _ => Fault::new(FaultKind::Failed, format!("`{path}`: cannot {doing} it: {error}")),
    }
}

/// How somebody is let at a path: the folder that is in the way comes before what is in it.
fn allowed(path: &Path) -> String {
    if path.starts_with("/proc") || path.starts_with("/sys") {
        return "run as root: nobody else is let at it".to_owned();
    }
    let mut folders: Vec<&Path> = path.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()).collect();
    folders.reverse();
    let is_closed =
        |below: &Path| std::fs::symlink_metadata(below).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied);
    let below = folders.iter().skip(1).copied().chain([path]);
    let closed = folders.iter().copied().zip(below).find(|(_, below)| is_closed(below)).map(|(folder, _)| folder);
    let (what, right) = match closed {
        Some(folder) => (folder, "x"),
        None if path.is_dir() => (path, "rx"),
        None => (path, "r"),
    };
    let what = what.display();
    format!("run as a user who may, or let this one: `ls -ld {what}`, `setfacl -m u:USER:{right} {what}`")
}

/// The path that a text is, where it has no wildcard in it. What stood in a value is none and has been written as a class
/// (`[*]`), which is that one character.
pub(super) fn literal(pattern: &str) -> Option<String> {
    let (mut path, mut rest) = (String::new(), pattern);
    while let Some(c) = rest.chars().next() {
        let escaped = ["[[]", "[*]", "[?]"].iter().find(|class| rest.starts_with(**class));
        let taken = match escaped {
            Some(class) => {
                path.extend(class.chars().nth(1));
                class.len()
            }
            None if matches!(c, '*' | '?' | '[') => return None,
            None => {
                path.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    Some(path)
}

/// The files that a pattern means, by name. That the folder in front of the first wildcard is not there, or cannot be read, is
/// a fault: nobody has looked into it.
pub(super) fn matching(pattern: &Path) -> Result<Vec<PathBuf>, Fault> {
    let text = pattern.to_str().ok_or_else(|| Fault::new(FaultKind::Unsupported, "a pattern must be UTF-8 text"))?;
    if let Some(path) = literal(text) {
        let pattern = Path::new(&path);
        // One file, where it is there: a path from elsewhere need not have a wildcard.
        let folder = pattern.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::read_dir(folder).map_err(|error| fault("list", folder, &error))?;
        return match std::fs::symlink_metadata(pattern) {
            Ok(_) => Ok(vec![pattern.to_path_buf()]),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(fault("look at", pattern, &error)),
        };
    }
    // The glob takes a directory that it may not look into for one that does not match.
    let folder = fixed_part(pattern);
    let entries = std::fs::read_dir(&folder).map_err(|error| fault("list", &folder, &error))?;
    let invalid = |error: glob::PatternError| invalid(text, &error);
    unreadable_name(entries, text).map_or(Ok(()), Err)?;
    let listed = listed(text);
    let meant = glob::Pattern::new(&listed).map_err(invalid)?;
    let mut paths = Vec::new();
    // Names that begin with a dot are left out here: the glob itself panics where it does that and a name is no text.
    for path in below(&listed)? {
        if !meant.matches_path_with(&path, AS_A_SHELL) {
            continue;
        }
        // `.*` means names that begin with a dot, not the folder and the one above it.
        if matches!(path.to_string_lossy().rsplit('/').next(), Some("." | "..")) {
            continue;
        }
        paths.push(path);
        if paths.len() > MOST_FILES {
            return Err(Fault::new(FaultKind::TooLarge, format!("`{text}` means more than {MOST_FILES} files")));
        }
    }
    Ok(paths)
}

fn invalid(text: &str, error: &glob::PatternError) -> Fault {
    Fault::new(FaultKind::Conversion, format!("`{text}` is no pattern for files: {}", error.msg))
        .help("`*` is any part of a name, `?` one character, `[abc]` one of some, `**` any folders")
}

/// What a pattern finds. `**` is every folder below, as in a shell not one that a symbolic link leads to: it may lead back,
/// and what is found by two names would be counted twice.
fn below(pattern: &str) -> Result<Vec<PathBuf>, Fault> {
    let Some((above, rest)) = any_folders(pattern) else {
        let found = glob::glob(pattern).map_err(|error| invalid(pattern, &error))?;
        return found.map(|path| path.map_err(|error| fault("list", error.path(), error.error()))).collect();
    };
    let starts = match literal(above) {
        Some(start) if start.is_empty() => vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "." })],
        Some(start) => vec![PathBuf::from(start)],
        None => below(above)?.into_iter().filter(|path| path.is_dir()).collect(),
    };
    let mut found = Vec::new();
    for start in starts {
        for folder in folders(&start)? {
            let Some(name) = folder.to_str() else {
                let message = format!("`{}` has a name that is no UTF-8 text", folder.display());
                return Err(Fault::new(FaultKind::Unsupported, message).help("give it another name"));
            };
            found.extend(below(&format!("{}/{rest}", glob::Pattern::escape(name.trim_end_matches('/'))))?);
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// What stands before and behind the first `**` of a pattern.
fn any_folders(pattern: &str) -> Option<(&str, &str)> {
    if let Some(rest) = pattern.strip_prefix("**/") {
        return Some(("", rest));
    }
    pattern.split_once("/**/")
}

/// A folder and all that are below it, but for those whose names begin with a dot and those that links lead to.
fn folders(start: &Path) -> Result<Vec<PathBuf>, Fault> {
    let (mut found, mut waiting) = (Vec::new(), vec![start.to_path_buf()]);
    while let Some(folder) = waiting.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound && folder != start => continue,
            entries => entries.map_err(|error| fault("list", &folder, &error))?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| fault("list", &folder, &error))?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && !entry.file_name().as_encoded_bytes().starts_with(b".") {
                waiting.push(entry.path());
            }
        }
        found.push(folder);
    }
    Ok(found)
}

/// That a file of a folder may be meant whose name the glob cannot read, and leaves out.
fn unreadable_name(entries: std::fs::ReadDir, pattern: &str) -> Option<Fault> {
    let pattern = glob::Pattern::new(pattern).ok()?;
    let unread = entries.flatten().map(|entry| entry.path()).filter(|path| path.to_str().is_none());
    let named = unread.map(|path| path.to_string_lossy().into_owned()).find(|path| pattern.matches(path))?;
    Some(
        Fault::new(FaultKind::Unsupported, format!("`{named}` has a name that is no UTF-8 text"))
            .help("give it another name, or name a pattern that leaves it out"),
    )
}

/// The pattern with every plain name behind a wildcard as a class of one letter: `*/a.log` as `*/[a].log`.
///
/// The glob then lists the folder instead of asking for the one file in it, and says where it may not.
fn listed(pattern: &str) -> String {
    let mut behind = false;
    let part = |part: &str| {
        let plain = literal(part).is_some();
        let first = part.chars().next().filter(|first| behind && plain && first.is_alphanumeric());
        behind |= !plain;
        match first {
            Some(first) => format!("[{first}]{}", part.strip_prefix(first).unwrap_or_default()),
            None => part.to_owned(),
        }
    };
    let listed = pattern.split('/').map(part).collect::<Vec<_>>().join("/");
    // `d/**` is all that is below, and not the folders alone.
    if listed.ends_with("/**") || listed == "**" { format!("{listed}/*") } else { listed }
}

/// The folder above the first part with a wildcard.
fn fixed_part(pattern: &Path) -> PathBuf {
    let fixed = |part: Component<'_>| match part.as_os_str().to_str() {
        Some(text) => literal(text).map(PathBuf::from),
        None => Some(PathBuf::from(part.as_os_str())),
    };
    let folder: PathBuf = pattern.components().map_while(fixed).collect();
    if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{fault, fixed_part, listed, literal};
    use crate::types::FaultKind;

    #[test]
    fn says_why_a_file_cannot_be_read() {
        let of = |kind: std::io::ErrorKind| fault("read", Path::new("/x"), &kind.into()).kind;
        assert_eq!(of(std::io::ErrorKind::PermissionDenied), FaultKind::Denied);
        assert_eq!(of(std::io::ErrorKind::NotFound), FaultKind::NotFound);
        assert_eq!(of(std::io::ErrorKind::Other), FaultKind::Failed);
    }

    #[test]
    fn names_behind_a_wildcard_are_listed() {
        assert_eq!(listed("/srv/*/log/a.log"), "/srv/*/[l]og/[a].log");
        assert_eq!(listed("/var/log/*.log"), "/var/log/*.log");
        assert_eq!(listed("**/a/../b"), "**/[a]/../[b]");
        assert_eq!(listed("/srv/**"), "/srv/**/*");
    }

    #[test]
    fn the_fixed_part_is_what_must_be_readable() {
        assert_eq!(fixed_part(Path::new("/var/log/*.log")), Path::new("/var/log"));
        assert_eq!(fixed_part(Path::new("/srv/*/log/x[12]")), Path::new("/srv"));
        assert_eq!(fixed_part(Path::new("*.log")), Path::new("."));
        assert_eq!(fixed_part(Path::new("/srv/x[[]1]/*.log")), Path::new("/srv/x[1]"));
    }

    #[test]
    fn a_value_is_itself() {
        assert_eq!(literal("/srv/x[[]1]/a[*][?].log").as_deref(), Some("/srv/x[1]/a*?.log"));
        assert_eq!(literal("/srv/x[1]"), None);
        assert_eq!(literal("a*"), None);
    }
}
