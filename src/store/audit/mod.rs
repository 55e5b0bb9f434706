//! Whether what was recorded is as it was written: journals against the chain of runs, here or from an export.
//!
//! What a killed process leaves is no accusation: a run without an end, a last line that was not written whole. What is
//! said to be wrong cannot come from there.

mod chain;
mod export;
mod journals;

use std::io::{self, Read};
use std::path::PathBuf;

pub use self::export::read as read_export;
use super::begun::Noted;
use super::beside;
pub use super::chain::Head;
use super::chain::{Bytes, Chain};
use super::history;
use super::journal::{self, Store};
pub use super::seal::Hash;
use crate::types::Fault;

/// Everything that there is to look at.
pub struct Material {
    chain: Bytes,
    journals: Vec<(String, Source)>,
    /// All runs are in it: one that is not was removed.
    all: bool,
    /// What is wrong with the export itself.
    broken: Option<String>,
    /// Where the chain is, for what is removed while it is looked at.
    place: Option<Chain>,
}

/// A journal.
enum Source {
    /// As long as it was when the chain was read, with what stood beside it.
    File(PathBuf, u64, io::Result<Noted>),
    Bytes(Vec<u8>),
}

/// Which runs are looked at.
#[derive(Clone, Debug)]
pub enum Wanted {
    All,
    /// The run whose id begins like this.
    Run(String),
    /// The run of this journal.
    Journal(String),
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    pub runs: Vec<Run>,
    pub findings: Vec<Finding>,
    pub unread: Vec<Unread>,
    /// The end of the chain.
    pub head: Option<Head>,
    /// How many lines the chain has.
    pub links: usize,
    /// Runs that were removed since they were old, as the chain says.
    pub pruned: usize,
    /// Runs that the chain knows and that are not in the export.
    pub left_out: usize,
    /// Lines of the chain that were not written whole, and were closed by whoever came next.
    pub mended: usize,
    /// The last line of the chain was not written whole.
    pub torn: bool,
    /// How many lines of the chain stand behind the head that was noted elsewhere.
    pub since_head: Option<usize>,
}

/// A run, as its journal is.
#[derive(Clone, Debug)]
pub struct Run {
    pub run: String,
    pub journal: String,
    pub state: State,
    pub records: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// As it was written, from its beginning to its end.
    Whole,
    /// As it was written so far: it is going on, or was killed. What was last in it may have been cut off.
    NotEnded,
    /// The same, and its last line was not written whole.
    Torn,
    /// It has its last record, and the chain does not say so: it was killed right then, or the chain was edited.
    EndNotChained,
    /// Nothing is in it: it was killed before it began.
    Empty,
    /// Recorded by a version without a chain: nobody can say.
    NotChained,
    Wrong,
    NotRead,
}

impl State {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::NotEnded => "not_ended",
            Self::Torn => "torn",
            Self::EndNotChained => "end_not_chained",
            Self::Empty => "empty",
            Self::NotChained => "not_chained",
            Self::Wrong => "wrong",
            Self::NotRead => "not_read",
        }
    }
}

/// Something that is not as it was written.
#[derive(Clone, Debug)]
pub struct Finding {
    /// `None` where it is about the chain.
    pub run: Option<String>,
    /// The file.
    pub file: String,
    /// From 1.
    pub line: Option<usize>,
    pub record: Option<u64>,
    pub kind: Kind,
    pub message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Edited,
    Missing,
    Moved,
    Cut,
    Added,
    Removed,
    /// The head that was noted elsewhere is not in the chain.
    Head,
}

impl Kind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edited => "edited",
            Self::Missing => "missing",
            Self::Moved => "moved",
            Self::Cut => "cut",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Head => "head",
        }
    }
}

/// Something that nobody can say anything of.
#[derive(Clone, Debug)]
pub struct Unread {
    pub file: String,
    pub why: String,
}

impl Store {
    /// What this folder has, as it is at one moment: runs may go on and begin meanwhile.
    ///
    /// # Errors
    /// Where the folder of runs cannot be read.
    pub fn material(&self) -> Result<Material, Fault> {
        let chain = self.chain();
        let (bytes, journals) = chain.read(|| {
            let files = self.files()?.into_iter().map(|path| {
                let noted = Noted::read(&path);
                // One that is not there any more, or cannot be looked at, says so when it is read.
                let len = path.metadata().map_or(u64::MAX, |metadata| metadata.len());
                (journal::name(&path), Source::File(path, len, noted))
            });
            Ok(files.collect())
        })?;
        Ok(Material { chain: bytes, journals, all: true, broken: None, place: Some(chain) })
    }

    /// What is to be said of these bytes of a journal, and of the chain of runs.
    pub(super) fn judged(&self, name: &str, bytes: &[u8]) -> Result<Report, Fault> {
        let chain = self.chain();
        let (read, ()) = chain.read(|| Ok(()))?;
        let journals = vec![(name.to_owned(), Source::Bytes(bytes.to_owned()))];
        let material = Material { chain: read, journals, all: false, broken: None, place: Some(chain) };
        Ok(material.verify(&Wanted::Journal(name.to_owned()), None))
    }

    /// The end of the chain, to be noted elsewhere. `None` where no run was recorded so far.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn head(&self) -> Result<Option<Head>, Fault> {
        self.chain().head()
    }
}

impl Source {
    fn bytes(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::File(path, len, _) => {
                let mut bytes = Vec::new();
                beside::opened(path)?.take(*len).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
            Self::Bytes(bytes) => Ok(bytes.clone()),
        }
    }

    /// How many changes were begun of which these bytes of it do not tell, as what stands beside it knows.
    fn untold(&self, bytes: &[u8]) -> Result<usize, &io::Error> {
        match self {
            Self::File(_, _, noted) => noted.as_ref().map(|noted| noted.untold(bytes)),
            Self::Bytes(_) => Ok(0),
        }
    }
}

impl Wanted {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Run(prefix) => run_of(name).starts_with(prefix.as_str()),
            Self::Journal(own) => own == name,
        }
    }
}

/// The run of a journal; the whole name where it does not say one.
fn run_of(name: &str) -> String {
    history::id_of(name.as_ref()).unwrap_or_else(|| name.to_owned())
}

impl Material {
    /// The run of which `last` speaks.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.journals.iter().map(|(name, _)| name.as_str()).max()
    }

    /// Looks at all of it. `head` is the end of the chain as it was noted elsewhere, or the beginning of it.
    #[must_use]
    pub fn verify(&self, wanted: &Wanted, head: Option<&str>) -> Report {
        let mut report = Report::default();
        if let Some(why) = &self.broken {
            report.findings.push(Finding {
                run: None,
                file: "the export".to_owned(),
                line: None,
                record: None,
                kind: Kind::Cut,
                message: why.clone(),
            });
        }
        let known = chain::look(&self.chain, head, &mut report);
        for (name, source) in self.journals.iter().filter(|(name, _)| wanted.has(name)) {
            match source.bytes() {
                Ok(bytes) => {
                    let untold = source.untold(&bytes);
                    journals::judge(name, &bytes, *untold.as_ref().unwrap_or(&0), &known, &mut report);
                    report.unread.extend(untold.err().map(|error| Unread {
                        file: name.clone(),
                        why: format!("what stands beside it cannot be read: {error}"),
                    }));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && self.pruned_meanwhile(name) => {
                    report.pruned += 1;
                }
                Err(error) => {
                    report.unread.push(Unread { file: name.clone(), why: error.to_string() });
                    report.add(name, State::NotRead, 0);
                }
            }
        }
        chain::absent(&known, self, wanted, &mut report);
        report
    }

    fn pruned_meanwhile(&self, name: &str) -> bool {
        let Some(Ok((chain, ()))) = self.place.as_ref().map(|chain| chain.read(|| Ok(()))) else { return false };
        chain::look(&chain, None, &mut Report::default()).is_pruned(name)
    }
}

impl Report {
    fn add(&mut self, name: &str, state: State, records: usize) {
        self.runs.push(Run { run: run_of(name), journal: name.to_owned(), state, records });
    }

    /// How many runs are so.
    #[must_use]
    pub fn count(&self, state: State) -> usize {
        self.runs.iter().filter(|run| run.state == state).count()
    }
}
