//! Files that a declaration names, such as a template: where they may be, and what is wrong with one.

use std::ops::Range;

/// Says what is wrong with a file, from its name and its text.
pub type JudgeFile = fn(&str, &str) -> Vec<Problem>;

/// Something that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which bytes of its text.
    pub at: Range<usize>,
    /// Lowercase, no final period.
    pub message: String,
    /// What to type.
    pub help: Option<String>,
}

/// Why a path does not lead to a file of the runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misplaced {
    /// It names nothing.
    Empty,
    /// It starts from the root, not from the runbook's folder.
    Absolute,
    /// It leads out of the runbook's folder.
    Above,
}

impl Misplaced {
    /// What is wrong with it, behind the path.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Empty => "names no file",
            Self::Absolute => "starts from the root, and a runbook's files are in its own folder or below",
            Self::Above => "leads out of the runbook's folder, and its files are in there or below",
        }
    }
}

/// A path without what says nothing (`./`), if it stays in the folder that it starts from.
///
/// # Errors
/// Where it does not.
pub fn in_folder(path: &str) -> Result<String, Misplaced> {
    if path.starts_with('/') || path.contains('\\') {
        return Err(Misplaced::Absolute);
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err(Misplaced::Above);
    }
    if parts.is_empty() { Err(Misplaced::Empty) } else { Ok(parts.join("/")) }
}

#[cfg(test)]
mod tests {
    use super::{Misplaced, in_folder};

    #[test]
    fn a_file_of_a_runbook_is_in_its_folder() {
        assert_eq!(in_folder("mail.html").as_deref(), Ok("mail.html"));
        assert_eq!(in_folder("./templates//mail.html").as_deref(), Ok("templates/mail.html"));
        for (path, wrong) in [
            ("", Misplaced::Empty),
            ("./", Misplaced::Empty),
            ("/etc/passwd", Misplaced::Absolute),
            ("c:\\mail.html", Misplaced::Absolute),
            ("../mail.html", Misplaced::Above),
            ("templates/../../mail.html", Misplaced::Above),
            ("templates/../mail.html", Misplaced::Above),
        ] {
            assert_eq!(in_folder(path), Err(wrong), "{path}");
        }
    }
}
