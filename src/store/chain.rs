//! The chain of runs: `chain.jsonl` in the state folder says which runs began, which ended with which hash, and which
//! were removed since they were old.
//!
//! Each of its lines carries the hash of the one before ([`super::seal`]), and the journal of a run begins with the hash
//! of the line that says that it began. It is only ever appended to, by one process at a time, and what was appended is
//! on the disk when the call returns. What a killed process left of a line stays where it is: the next line says so.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::beside;
use super::seal::{Hash, Torn, seal, walk};
use crate::types::{Fault, FaultKind};

/// Its name in the state folder.
pub(super) const FILE: &str = "chain.jsonl";

/// The version of the format, in each line.
pub(super) const VERSION: u32 = 1;

/// Much longer than hundreds of runs that begin at once take; whoever was stopped in between holds up nobody for good.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(2);

/// The last lines are in this many bytes: some twenty of them.
const TAIL: u64 = 8 * 1024;

/// A line of the chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Link {
    pub(super) chain: u32,
    /// From 0, without gaps.
    pub(super) seq: u64,
    pub(super) at: Timestamp,
    pub(super) run: String,
    /// The name of its journal, which no other run has.
    pub(super) journal: String,
    #[serde(flatten)]
    pub(super) what: What,
    /// How many runs have begun so far.
    pub(super) runs: u64,
    /// The journal of the one that began last.
    pub(super) newest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) torn: Option<Torn>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum What {
    Begun {
        /// The journal of the run that began before.
        after: Option<String>,
    },
    Ended {
        /// How many records its journal has.
        records: u64,
        /// The hash of the last of them.
        last: Hash,
    },
    /// Older than what is kept; said before it is removed.
    Pruned,
}

/// What a journal is tied to, in its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Anchor {
    /// The number of the line that says that it began.
    pub(super) seq: u64,
    /// How many runs had begun with it.
    pub(super) number: u64,
    pub(super) sha256: Hash,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    pub hash: Hash,
    /// The number of the last line, from 0.
    pub seq: u64,
    pub runs: u64,
    pub(super) newest: String,
}

/// All of a chain; `None` where there is none.
pub(super) type Bytes = io::Result<Option<Vec<u8>>>;

#[derive(Clone, Debug)]
pub(super) struct Chain {
    path: PathBuf,
}

impl Chain {
    pub(super) fn of(root: &Path) -> Self {
        Self { path: root.join(FILE) }
    }

    /// Appends that a run began, and gives what its journal is tied to.
    pub(super) fn begin(&self, at: Timestamp, run: &str, journal: &str) -> Result<Anchor, Fault> {
        let begun = |head: Option<&Head>| {
            let what = What::Begun { after: head.map(|head| head.newest.clone()) };
            vec![(at, run.to_owned(), journal.to_owned(), what)]
        };
        let head = self.append(begun)?.ok_or_else(|| self.fault("nothing was written"))?;
        Ok(Anchor { seq: head.seq, number: head.runs, sha256: head.hash })
    }

    pub(super) fn end(&self, at: Timestamp, run: &str, journal: &str, records: u64, last: Hash) -> Result<(), Fault> {
        let ended = |_: Option<&Head>| vec![(at, run.to_owned(), journal.to_owned(), What::Ended { records, last })];
        self.append(ended).map(|_| ())
    }

    /// Appends what `make` makes of the end that is there. Gives the new end.
    pub(super) fn append(
        &self,
        make: impl FnOnce(Option<&Head>) -> Vec<(Timestamp, String, String, What)>,
    ) -> Result<Option<Head>, Fault> {
        self.appended(make).map_err(|error| self.fault(error))
    }

    fn appended(
        &self,
        make: impl FnOnce(Option<&Head>) -> Vec<(Timestamp, String, String, What)>,
    ) -> io::Result<Option<Head>> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(&self.path)?;
        locked(|| file.try_lock())?;
        let len = file.seek(SeekFrom::End(0))?;
        let (mut head, open) = end(&mut file, len)?;
        let mut bytes = Vec::new();
        let mut torn = None;
        if let Some(piece) = open {
            bytes.push(b'\n');
            torn = (!piece.is_empty()).then(|| Torn::of(&piece));
        }
        let made = make(head.as_ref());
        if made.is_empty() {
            return Ok(head);
        }
        for (at, run, journal, what) in made {
            let (begun, newest) = head.as_ref().map_or((0, ""), |head| (head.runs, head.newest.as_str()));
            let is_new = matches!(what, What::Begun { .. });
            let (runs, newest) = if is_new { (begun + 1, journal.clone()) } else { (begun, newest.to_owned()) };
            let (seq, before) = head.as_ref().map_or((0, Hash::NONE), |head| (head.seq + 1, head.hash));
            let torn = torn.take();
            let link = Link { chain: VERSION, seq, at, run, journal, what, runs, newest: newest.clone(), torn };
            let (line, hash) = seal(before, &serde_json::to_string(&link)?);
            bytes.extend(line);
            head = Some(Head { hash, seq, runs, newest });
        }
        let written = file.write_all(&bytes).and_then(|()| file.sync_data());
        if let Err(error) = written {
            // Half a line on a full disk is taken back; where even that fails, the next writer finds it torn and says so.
            let _ = file.set_len(len).and_then(|()| file.sync_data());
            return Err(error);
        }
        if len == 0 {
            // The name itself must outlive a power cut as well.
            File::open(folder)?.sync_all()?;
        }
        Ok(head)
    }

    /// All of it, as it is between two writes, and what `beside` sees then. `None` where there is no chain.
    pub(super) fn read<T>(&self, beside: impl FnOnce() -> Result<T, Fault>) -> Result<(Bytes, T), Fault> {
        let mut file = match beside::opened(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Ok(None), beside()?)),
            Err(error) => return Ok((Err(error), beside()?)),
        };
        let mut bytes = Vec::new();
        let read = locked(|| file.try_lock_shared()).and_then(|()| file.read_to_end(&mut bytes));
        Ok((read.map(|_| Some(bytes)), beside()?))
    }

    /// Its end. `None` where there is no chain.
    pub(super) fn head(&self) -> Result<Option<Head>, Fault> {
        let unreadable =
            |error: io::Error| Fault::new(FaultKind::Setup, format!("cannot read `{}`: {error}", self.path.display()));
        let mut file = match beside::opened(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        locked(|| file.try_lock_shared()).map_err(unreadable)?;
        let len = file.seek(SeekFrom::End(0)).map_err(unreadable)?;
        end(&mut file, len).map(|(head, _)| head).map_err(|error| unreadable(error).help(HELP))
    }

    fn fault(&self, error: impl std::fmt::Display) -> Fault {
        let message = format!("the run cannot be recorded: `{}`: {error}", self.path.display());
        Fault::new(FaultKind::Setup, message)
            .help(format!("{HELP}; it has to be writable and to have room, or name another folder with `--state DIR`"))
    }
}

const HELP: &str = "`runbook audit verify` looks whether the chain of runs is whole";

/// Waits for a lock, which is given back when the file is closed.
fn locked(lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
    let begun = Instant::now();
    loop {
        match lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if begun.elapsed() < PATIENCE => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(
                    io::ErrorKind::TimedOut,
                    format!("another process has held it for {} s", PATIENCE.as_secs()),
                ));
            }
        }
    }
}

/// The last line, and what stands behind the last line feed: nothing in it where only the line feed is missing.
fn end(file: &mut File, len: u64) -> io::Result<(Option<Head>, Option<Vec<u8>>)> {
    let start = len.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    let mut tail = bytes.as_slice();
    if start > 0 {
        let first = tail.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("its end is no line"))?;
        tail = tail.get(first + 1..).unwrap_or_default();
    }
    let before = (start == 0).then_some(Hash::NONE);
    let walk = walk(tail, before);
    if let Some((number, _, _)) = walk.wrong.first() {
        let line = if start == 0 { format!("line {number}") } else { "one of its last lines".to_owned() };
        return Err(damaged(&format!("{line} is not as it was written")));
    }
    // What no write that was cut short leaves must not be closed as if one had.
    if walk.overlong {
        return Err(damaged("more stands behind its last line than was written"));
    }
    let open = (walk.unended || !walk.rest.is_empty()).then(|| walk.rest.to_owned());
    let Some((_, line, hash)) = walk.records.last() else {
        return if start == 0 { Ok((None, open)) } else { Err(damaged("its end is no line")) };
    };
    let link: Link = serde_json::from_slice(line)?;
    if link.chain > VERSION {
        return Err(damaged(&format!("its format is version {}, this tool writes version {VERSION}", link.chain)));
    }
    Ok((Some(Head { hash: *hash, seq: link.seq, runs: link.runs, newest: link.newest }), open))
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
