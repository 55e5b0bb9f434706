//! The programs that lie beside a runbook: which they are, and what is in them.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use sha2::{Digest, Sha256};

/// Those of the programs that something starts which lie there, as their names say.
pub fn own(programs: &BTreeSet<String>) -> impl Iterator<Item = &String> {
    programs.iter().filter(|name| name.contains('/') && !name.starts_with('/') && !name.contains('*'))
}

/// The SHA-256 of a file, in hex.
///
/// # Errors
/// Where it cannot be read, or is no file.
pub fn content(path: &Path) -> io::Result<String> {
    let mut file = BufReader::new(opened(path)?);
    let mut hasher = Sha256::new();
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(bytes);
        let read = bytes.len();
        file.consume(read);
    }
}

/// All of a file that others may have put there.
///
/// # Errors
/// As for [`opened`].
pub(super) fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    opened(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A file, open: a pipe or a device in its place is not waited for.
///
/// # Errors
/// Where it cannot be opened, or is no file.
pub fn opened(path: &Path) -> io::Result<File> {
    let waits_not = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).map_err(io::Error::other)?;
    let file = OpenOptions::new().read(true).custom_flags(waits_not).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(file)
}
