//! The journal of a run: one file of JSON Lines, one event a line, written as it happens.
//!
//! The state folder holds `runs/<started>-<run>.jsonl`, readable by its owner alone: a runbook shows what it finds.
//! What a later reader must be able to rely on is on the disk before the run goes on ([`is_durable`]). The newest
//! [`KEPT`] runs are kept; older ones are removed when a run begins, but for those that never finished, since what
//! they changed may still be unknown.
//!
//! Each line carries the hash of the one before ([`super::seal`]), the first one that of the line of the chain of runs
//! that says that the run began ([`super::chain`]).

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::begun::{self, Begun, Noted};
use super::beside;
use super::chain::{Anchor, Chain, What};
use super::event::{Event, Record};
use super::history::{self, Entry};
use super::past;
use super::seal::{Hash, seal};
use crate::types::{Fault, FaultKind};

/// How many runs are kept.
pub const KEPT: usize = 1000;

/// The state folder.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

/// The journal of one run, while it runs.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    chain: Chain,
    run: String,
    anchor: Anchor,
    /// The hash of the last line, and how many there are.
    last: Hash,
    records: u64,
    /// Made by the first change.
    begun: Option<Begun>,
    /// Set when a write failed: what follows a torn line could not be read.
    broken: bool,
}

impl Store {
    /// Nothing is created until a run begins.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Begins the journal of a run. The folder is created where it is not there.
    ///
    /// # Errors
    /// Where the folder or the file cannot be written, and where a run of this id is there already.
    pub fn begin(&self, started: Timestamp, run: &str) -> Result<Journal, Fault> {
        let runs = self.runs();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&runs)
            .map_err(|error| self.not_writable(&runs, &error))?;
        let path = runs.join(format!("{}-{run}.jsonl", stamp(started)));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| self.not_writable(&path, &error))?;
        // Held as long as the run lives: nobody takes up a run that still goes on.
        file.try_lock().map_err(|error| self.not_writable(&path, &error.into()))?;
        // The name itself must outlive a power cut as well.
        File::open(&runs).and_then(|folder| folder.sync_all()).map_err(|error| self.not_writable(&runs, &error))?;
        // In this order: a run that the chain knows has a journal, whenever it was killed.
        let chain = self.chain();
        let anchor = chain.begin(started, run, &name(&path)).inspect_err(|_| {
            // An empty journal that the chain does not know is no run, so it does no harm if it stays.
            let _ = fs::remove_file(&path);
        })?;
        let run = run.to_owned();
        Ok(Journal { file, path, chain, run, anchor, last: anchor.sha256, records: 0, begun: None, broken: false })
    }

    /// Removes what is older than the newest [`KEPT`] runs and finished. Gives what could not be removed.
    ///
    /// # Errors
    /// Where the folder cannot be read, and where the chain of runs cannot say which are removed: they stay then.
    pub fn prune(&self, now: Timestamp) -> Result<Vec<Fault>, Fault> {
        let old = self.files()?.into_iter().rev().skip(KEPT);
        let finished = |path: &PathBuf| matches!(history::entry(path), Ok(Entry { finished: Some(_), .. }));
        let mut old: Vec<(PathBuf, Option<(String, Anchor)>)> =
            // One that cannot be read stays: the chain could not say that it was removed.
            old.filter(finished).filter_map(|path| history::anchor(&path).ok().map(|tied| (path, tied))).collect();
        if old.is_empty() {
            return Ok(Vec::new());
        }
        self.chain().append(|head| {
            // Whoever looks at the chain can tell that this many have begun since: with clocks that jump, names cannot.
            let newest = head.map_or(0, |head| head.runs);
            old.retain(|(_, tied)| tied.as_ref().is_none_or(|(_, anchor)| is_old(anchor.number, newest)));
            let tied = old.iter().filter_map(|(path, tied)| Some((path, &tied.as_ref()?.0)));
            tied.map(|(path, run)| (now, run.clone(), name(path), What::Pruned)).collect()
        })?;
        let mut faults = Vec::new();
        for (path, _) in old {
            if let Err(error) = fs::remove_file(&path) {
                faults.push(self.not_writable(&path, &error));
            }
            past::forget(&path).unwrap_or_else(|error| faults.push(self.not_writable(&path, &error)));
            begun::forget(&path).unwrap_or_else(|error| faults.push(self.not_writable(&path, &error)));
        }
        Ok(faults)
    }

    /// How many changes a run has begun of which its journal does not tell: its end is gone then.
    ///
    /// # Errors
    /// Where that cannot be read.
    pub fn untold(&self, journal: &str) -> Result<usize, Fault> {
        let path = self.runs().join(journal);
        let unreadable = |error: io::Error| {
            Fault::new(FaultKind::Setup, format!("cannot read the journal `{}`: {error}", path.display()))
        };
        let noted = Noted::read(&path).map_err(unreadable)?;
        Ok(noted.untold(&beside::bytes(&path).map_err(unreadable)?))
    }

    /// The journals, oldest first: their names begin with the time.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>, Fault> {
        let runs = self.runs();
        let unreadable = |error: &io::Error| {
            Fault::new(FaultKind::Setup, format!("cannot read the folder of runs `{}`: {error}", runs.display()))
        };
        let entries = match fs::read_dir(&runs) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(&error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| unreadable(&error))?.path();
            if path.extension().is_some_and(|extension| extension == "jsonl") {
                files.push(path);
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn runs(&self) -> PathBuf {
        self.root.join("runs")
    }

    pub(super) fn chain(&self) -> Chain {
        Chain::of(&self.root)
    }

    fn not_writable(&self, path: &Path, error: &io::Error) -> Fault {
        let message = format!("the run cannot be recorded: `{}`: {error}", path.display());
        let help = if self.root.as_os_str().is_empty() {
            "name a folder with `--state DIR`".to_owned()
        } else {
            format!("make `{}` writable, or name another folder with `--state DIR`", self.root.display())
        };
        Fault::new(FaultKind::Setup, message).help(help)
    }
}

impl Journal {
    /// Appends an event. One that must be relied on is on the disk when this returns.
    ///
    /// # Errors
    /// Where it could not be written; from then on, always.
    pub fn append(&mut self, record: &Record) -> Result<(), Fault> {
        if self.broken {
            return Err(self.fault("an earlier event could not be written"));
        }
        let mut object = serde_json::to_string(record).map_err(|error| self.fault(error))?;
        if self.records == 0 {
            let anchor = serde_json::to_string(&self.anchor).map_err(|error| self.fault(error))?;
            object.pop();
            object = format!("{object},\"chain\":{anchor}}}");
        }
        let (line, hash) = seal(self.last, &object);
        self.write(record, &line, hash)?;
        self.last = hash;
        self.records += 1;
        match record.event {
            Event::RunFinished(_) => self.chain.end(record.at, &self.run, &name(&self.path), self.records, hash),
            _ => Ok(()),
        }
    }

    fn write(&mut self, record: &Record, line: &[u8], hash: Hash) -> Result<(), Fault> {
        let written = self.file.write_all(line).and_then(|()| match record.event {
            // Its call goes out after this, and not if it fails.
            Event::ChangeIntended { .. } => self.note_intent(hash),
            _ => Ok(()),
        });
        let synced = written.and_then(|()| if is_durable(&record.event) { self.file.sync_data() } else { Ok(()) });
        synced.map_err(|error| {
            self.broken = true;
            self.fault(error)
        })
    }

    fn note_intent(&mut self, hash: Hash) -> io::Result<()> {
        let mut begun = match self.begun.take() {
            Some(begun) => begun,
            None => Begun::new(&self.path)?,
        };
        begun.note(hash)?;
        self.begun = Some(begun);
        Ok(())
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn fault(&self, why: impl std::fmt::Display) -> Fault {
        Fault::new(FaultKind::Setup, format!("the run cannot be recorded: `{}`: {why}", self.path.display()))
    }
}

/// How the name of a journal begins. Finer than two runs of a script follow each other: by their names they are told in
/// order.
pub(super) fn stamp(started: Timestamp) -> String {
    started.strftime("%Y%m%dT%H%M%S.%6fZ").to_string()
}

/// What the chain of runs calls a journal.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Whether enough runs have begun since the one of this number.
pub(super) const fn is_old(number: u64, newest: u64) -> bool {
    number.saturating_add(KEPT as u64) <= newest
}

/// Whether an event must survive a power cut: what was going to be changed, by whose consent, and what came of it.
const fn is_durable(event: &Event) -> bool {
    matches!(
        event,
        Event::RunStarted(_)
            | Event::ChangeIntended { .. }
            | Event::ChangeEnded(_)
            | Event::ApprovalNeeded { .. }
            | Event::Approved { .. }
            | Event::Manual { .. }
            | Event::RunFinished(_)
    )
}
