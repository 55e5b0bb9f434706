//! Runs as the journal remembers them.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::beside;
use super::chain::Anchor;
use super::event::{Event, Record, RunFinished, RunStarted, VERSION};
use super::journal::{self, Store};
use crate::types::{Fault, FaultKind};

/// A run in a list: how it began and how it ended.
#[derive(Clone, Debug)]
pub struct Entry {
    pub started: RunStarted,
    pub at: jiff::Timestamp,
    /// `None` for a run that is still going on, or was killed.
    pub finished: Option<RunFinished>,
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The name of its journal.
    pub journal: String,
    pub records: Vec<Record>,
    /// Events that this version does not know.
    pub skipped: usize,
    /// The last line was not written to its end: the tool or the machine stopped right then.
    pub torn: bool,
}

/// Which run was meant.
#[derive(Clone, Debug)]
pub enum Lookup<T = Box<Recorded>> {
    Found(T),
    /// No run begins like this.
    None,
    /// The ids of all that do.
    Several(Vec<String>),
}

impl Store {
    /// All runs, oldest first, and the files that could not be read as one.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn history(&self) -> Result<(Vec<Entry>, Vec<Fault>), Fault> {
        let mut entries = Vec::new();
        let mut faults = Vec::new();
        for path in self.files()? {
            match entry(&path) {
                Ok(entry) => entries.push(entry),
                Err(fault) => faults.push(fault),
            }
        }
        Ok((entries, faults))
    }

    /// The run whose id begins with `prefix`; `last` is the newest one.
    ///
    /// # Errors
    /// Where its journal cannot be read or is damaged.
    pub fn load(&self, prefix: &str) -> Result<Lookup, Fault> {
        Ok(match self.find(prefix)? {
            Lookup::Found(path) => Lookup::Found(Box::new(read(&path)?)),
            Lookup::None => Lookup::None,
            Lookup::Several(ids) => Lookup::Several(ids),
        })
    }

    /// The journal of the run whose id begins with `prefix`; `last` is the newest one.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn find(&self, prefix: &str) -> Result<Lookup<PathBuf>, Fault> {
        let mut found: Vec<(String, PathBuf)> = Vec::new();
        for path in self.files()? {
            let Some(id) = id_of(&path) else { continue };
            if prefix == "last" || id.starts_with(prefix) {
                found.push((id, path));
            }
        }
        if prefix == "last" {
            found.drain(..found.len().saturating_sub(1));
        }
        Ok(match found.as_slice() {
            [] => Lookup::None,
            [(_, path)] => Lookup::Found(path.clone()),
            several => match several.iter().find(|(id, _)| id == prefix) {
                Some((_, path)) => Lookup::Found(path.clone()),
                None => Lookup::Several(several.iter().map(|(id, _)| id.clone()).collect()),
            },
        })
    }
}

/// The run of `<started>-<run>.jsonl`.
pub(super) fn id_of(path: &Path) -> Option<String> {
    let stem = path.file_stem()?.to_str()?;
    stem.split_once('-').map(|(_, id)| id.to_owned())
}

/// The first event and, where it is there, the last one. Nothing between them is read.
pub(super) fn entry(path: &Path) -> Result<Entry, Fault> {
    let unreadable = |error: io::Error| fault(path, error);
    let mut file = BufReader::new(beside::opened(path).map_err(unreadable)?);
    let mut first = String::new();
    file.read_line(&mut first).map_err(unreadable)?;
    let first = line(path, 1, &first)?.ok_or_else(|| fault(path, "line 1 is not the beginning of a run"))?;
    let Event::RunStarted(started) = first.event else {
        return Err(fault(path, "line 1 is not the beginning of a run"));
    };
    Ok(Entry { started, at: first.at, finished: last(file.into_inner()).map_err(unreadable)? })
}

/// The run of a journal and what it is tied to. `None` for one of a version without a chain.
pub(super) fn anchor(path: &Path) -> io::Result<Option<(String, Anchor)>> {
    let mut first = Vec::new();
    BufReader::new(beside::opened(path)?).read_until(b'\n', &mut first)?;
    Ok(id_of(path).zip(anchor_of(&first)))
}

/// What the first record is tied to.
pub(super) fn anchor_of(first: &[u8]) -> Option<Anchor> {
    #[derive(serde::Deserialize)]
    struct First {
        chain: Anchor,
    }
    serde_json::from_slice::<First>(first).ok().map(|first| first.chain)
}

/// The last event of a run is short: the end of the file holds it whole.
const TAIL: u64 = 8 * 1024;

fn last(mut file: File) -> io::Result<Option<RunFinished>> {
    let len = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let Some(line) = tail.strip_suffix(b"\n").and_then(|tail| tail.rsplit(|byte| *byte == b'\n').next()) else {
        return Ok(None);
    };
    Ok(match serde_json::from_slice::<Record>(line) {
        Ok(Record { event: Event::RunFinished(finished), .. }) => Some(finished),
        // Anything else, also half a line of an event that is longer than the tail, is not the end of a run.
        _ => None,
    })
}

fn read(path: &Path) -> Result<Recorded, Fault> {
    let text = beside::bytes(path).map_err(|error| fault(path, error))?;
    let text = String::from_utf8_lossy(&text);
    let mut recorded = Recorded { journal: journal::name(path), records: Vec::new(), skipped: 0, torn: false };
    let mut lines = text.split_inclusive('\n').enumerate().peekable();
    while let Some((index, text)) = lines.next() {
        match line(path, index + 1, text) {
            Ok(Some(record)) => recorded.records.push(record),
            Ok(None) => recorded.skipped += 1,
            Err(_) if index > 0 && lines.peek().is_none() && !text.ends_with('\n') => recorded.torn = true,
            Err(fault) => return Err(fault),
        }
    }
    match recorded.records.first().map(|record| &record.event) {
        Some(Event::RunStarted(_)) => Ok(recorded),
        _ => Err(fault(path, "line 1 is not the beginning of a run")),
    }
}

/// An event, or `None` for one that this version does not know.
fn line(path: &Path, number: usize, text: &str) -> Result<Option<Record>, Fault> {
    if number == 1 {
        check_version(path, text)?;
    }
    match serde_json::from_str(text) {
        Ok(record) => Ok(Some(record)),
        // A newer version of the tool may say more, in words that this one does not have.
        Err(error) if error.is_data() && error.to_string().contains("unknown variant") => Ok(None),
        Err(error) => Err(fault(path, format!("line {number}: {error}"))),
    }
}

fn check_version(path: &Path, text: &str) -> Result<(), Fault> {
    let value: serde_json::Value =
        serde_json::from_str(text).map_err(|error| fault(path, format!("line 1: {error}")))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version > u64::from(VERSION) => {
            let message = format!("its format is version {version}, this tool reads up to version {VERSION}");
            Err(fault(path, message).help("use the version of runbook that recorded it, or a newer one"))
        }
        Some(_) => Ok(()),
        None => Err(fault(path, "line 1 does not say the version of its format")),
    }
}

fn fault(path: &Path, why: impl std::fmt::Display) -> Fault {
    Fault::new(FaultKind::Setup, format!("cannot read the journal `{}`: {why}", path.display()))
}
