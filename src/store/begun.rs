//! Beside a journal: how far it has come with changes, so that one whose end is gone does not pass for one that was stopped
//! there.
//!
//! The hashes of a journal cannot tell a run that was killed from one whose last lines were lost together: both end with a
//! whole line. So the hash of each intent is written into a second file as well, before its call goes out. The journal is
//! what must outlive a power cut, and is synced for each: this file is there to miss what was taken out of a journal
//! later, and the system writes it to the disk in its own time.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::beside::bytes;
use super::seal::{Hash, Sealed, event_of};

/// The changes that were begun, while their run goes on.
#[derive(Debug)]
pub(super) struct Begun(File);

impl Begun {
    /// # Errors
    /// Where it cannot be written.
    pub(super) fn new(journal: &Path) -> io::Result<Self> {
        let path = beside(journal);
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        Ok(Self(file))
    }

    /// # Errors
    /// Where it cannot be written.
    pub(super) fn note(&mut self, intent: Hash) -> io::Result<()> {
        self.0.write_all(format!("{intent}\n").as_bytes())
    }
}

fn beside(journal: &Path) -> PathBuf {
    journal.with_extension("begun")
}

/// What stands beside a journal. Whoever looks at a run that goes on reads it before the journal: what is in it, was in the
/// journal before.
#[derive(Debug, Default)]
pub(super) struct Noted(Vec<u8>);

impl Noted {
    /// # Errors
    /// Where it cannot be read.
    pub(super) fn read(journal: &Path) -> io::Result<Self> {
        match bytes(&beside(journal)) {
            // Nothing was begun, or by a version that did not write it down.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            begun => begun.map(Self),
        }
    }

    /// How many changes were begun of which the journal does not tell.
    pub(super) fn untold(&self, journal: &[u8]) -> usize {
        // Of one that was not written to its end no call has gone out.
        let lines = self.0.split_inclusive(|byte| *byte == b'\n');
        let mut whole = lines.filter_map(|line| line.strip_suffix(b"\n")).peekable();
        if whole.peek().is_none() {
            return 0;
        }
        let lines = journal.split(|byte| *byte == b'\n');
        let intents = lines.filter(|line| event_of(line) == Some(b"change_intended"));
        let told: HashSet<Hash> = intents.filter_map(|line| Sealed::read(line).map(|sealed| sealed.stated)).collect();
        whole.filter(|line| Hash::read(line).is_none_or(|hash| !told.contains(&hash))).count()
    }
}

/// Removes it with its journal.
pub(super) fn forget(journal: &Path) -> io::Result<()> {
    match fs::remove_file(beside(journal)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
