//! The log of a run: what it says, as plain text, in the folder that the runbook names by `log`.

use std::fs::{DirBuilder, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use crate::catalog::RunFacts;
use crate::report::terminal::Terminal;
use crate::shown::again::Again;
use crate::shown::look::Look;

/// A run, printed into a file.
pub(super) type RunLog = Terminal<File>;

/// Begins the log of a run in a folder, which is made where it is not there. It is called after what is run and when:
/// `health_check_2026-11-25_08-00-00.log`.
///
/// # Errors
/// Where it cannot be written, with the path.
pub(super) fn begin(folder: &Path, what: &str, facts: &RunFacts, again: Again) -> Result<RunLog, (PathBuf, io::Error)> {
    DirBuilder::new().recursive(true).create(folder).map_err(|error| (folder.to_owned(), error))?;
    let stem = format!("{}_{}", slug(what), stamp(facts, &facts.timezone));
    let create = |name: String| {
        let path = folder.join(name);
        File::create_new(&path).map_err(|error| (path, error))
    };
    let file = match create(format!("{stem}.log")) {
        // Two runs in one second.
        Err((_, error)) if error.kind() == ErrorKind::AlreadyExists => create(format!("{stem}_{}.log", facts.id)),
        made => made,
    }?;
    Ok(Terminal::new(file, Look { colour: false, width: None }, false, again))
}

fn stamp(facts: &RunFacts, zone: &TimeZone) -> String {
    facts.started_at.to_zoned(zone.clone()).strftime("%Y-%m-%d_%H-%M-%S").to_string()
}

/// A title as a file's name: `Health check` is `health_check`.
fn slug(title: &str) -> String {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_lowercase).collect::<Vec<_>>().join("_");
    // Names of files end at 255 bytes, and the time comes behind it.
    let mut end = slug.len().min(120);
    while !slug.is_char_boundary(end) {
        end -= 1;
    }
    match slug.get(..end) {
        Some(start) if !start.is_empty() => start.to_owned(),
        _ => "run".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn titles_become_names_of_files() {
        assert_eq!(slug("Health check"), "health_check");
        assert_eq!(slug("../../etc/passwd"), "etc_passwd");
        assert_eq!(slug("Größe: 5%"), "größe_5");
        assert_eq!(slug("/"), "run");
        assert_eq!(slug(&"ü".repeat(200)).len(), 120);
    }
}
