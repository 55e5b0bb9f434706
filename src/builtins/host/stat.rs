//! What there is to know of a file without reading it.

use std::fs::{FileType, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::users::Users;
use crate::builtins::files;
use crate::types::{EnumType, Fault, FaultKind, Size, Word, Words, records};

/// What a path leads to.
#[derive(Clone, Debug)]
pub struct FileKind;

impl Words for FileKind {
    const ENUM: &'static EnumType = &EnumType {
        name: "file_kind",
        values: &["file", "directory", "symlink", "pipe", "socket", "device"],
        open: false,
    };
}

records! {
    /// A file, or where one is not. Where there is none, everything but its path is the fault that says so.
    struct FileFacts "file" {
        /// Where it is.
        path: Arc<str>,
        /// Whether it is there.
        exists: bool,
        /// What it is; `symlink` only where it leads nowhere, else what it leads to.
        kind: Result<Word<FileKind>, Fault>,
        /// What it holds.
        size: Result<Size, Fault>,
        /// When its contents last changed.
        modified: Result<Timestamp, Fault>,
        /// How long ago that was when the run began.
        age: Result<SignedDuration, Fault>,
        /// Who may do what with it, as `chmod` takes it: `0644`.
        mode: Result<Arc<str>, Fault>,
        /// Whose it is.
        owner: Result<Arc<str>, Fault>,
    }
}

/// Looks at a path.
pub(super) fn look(path: &Path, users: &Users, run_began: Timestamp) -> Result<FileFacts, Fault> {
    let metadata = match std::fs::metadata(path) {
        Err(error) if is_missing(&error) || is_circle(&error) => std::fs::symlink_metadata(path),
        other => other,
    };
    match metadata {
        Ok(metadata) => there(path, &metadata, users, run_began),
        Err(error) if is_missing(&error) => Ok(missing(path)),
        Err(error) => Err(files::fault("look at", path, &error)),
    }
}

/// Links that lead to each other lead nowhere.
fn is_circle(error: &std::io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn is_missing(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn there(path: &Path, metadata: &Metadata, users: &Users, run_began: Timestamp) -> Result<FileFacts, Fault> {
    let modified = metadata.modified().map_err(|error| files::fault("look at", path, &error))?;
    let modified = Timestamp::try_from(modified)
        .map_err(|_| Fault::conversion(format!("`{}` was changed at no time that there is", path.display())))?;
    Ok(FileFacts {
        path: path.to_string_lossy().into(),
        exists: true,
        kind: Ok(Word::new(kind(metadata.file_type()))),
        size: Ok(Size(i64::try_from(metadata.len()).unwrap_or(i64::MAX))),
        modified: Ok(modified),
        age: Ok(run_began.duration_since(modified)),
        mode: Ok(format!("{:04o}", metadata.mode() & 0o7777).into()),
        owner: Ok(users.name(metadata.uid())),
    })
}

fn missing(path: &Path) -> FileFacts {
    let fault = Fault::new(FaultKind::NotFound, format!("`{}` does not exist", path.display()));
    FileFacts {
        path: path.to_string_lossy().into(),
        exists: false,
        kind: Err(fault.clone()),
        size: Err(fault.clone()),
        modified: Err(fault.clone()),
        age: Err(fault.clone()),
        mode: Err(fault.clone()),
        owner: Err(fault),
    }
}

fn kind(file: FileType) -> &'static str {
    if file.is_file() {
        "file"
    } else if file.is_dir() {
        "directory"
    } else if file.is_symlink() {
        "symlink"
    } else if file.is_fifo() {
        "pipe"
    } else if file.is_socket() {
        "socket"
    } else {
        "device"
    }
}
