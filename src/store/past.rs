//! What runs before have done, for one that goes on with them: read from their journals, which must be as they were
//! written, and held meanwhile, so that nobody else goes on with them at the same time.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::begun::Noted;
use super::beside;
use super::definition::{Continues, Settled};
use super::event::{ChangeKept, ChangeOutcome, Event, LedTo, Place, Record, RunFinished, RunStarted};
use super::history::{self, Lookup};
use super::journal::{self, Store};
use super::kept::Kept;
use super::seal::{Sealed, event_of};
use crate::apart;
use crate::types::{Fault, FaultKind};

/// A run and those that it goes on with, the oldest first: the one that was named is the last.
#[derive(Debug)]
pub struct Past {
    pub runs: Vec<Before>,
    /// The run that went on with the last one, if one did.
    pub follower: Option<Follower>,
}

/// A run as its journal tells it, as far as a later one has to know.
#[derive(Debug)]
pub struct Before {
    pub run: Arc<str>,
    pub at: Timestamp,
    pub started: RunStarted,
    pub finished: Option<RunFinished>,
    /// In the order of their numbers.
    pub changes: Vec<Made>,
    /// Those that runs before it had made.
    pub kept: Vec<ChangeKept>,
    path: PathBuf,
    /// Nobody else goes on with it while this is open.
    held: Option<File>,
}

/// A run that went on with another one.
#[derive(Clone, Debug)]
pub struct Follower {
    pub run: Arc<str>,
    pub by: String,
    pub at: Timestamp,
}

/// A change that was begun.
#[derive(Clone, Debug)]
pub struct Made {
    pub run: Arc<str>,
    /// Its number in that run.
    pub change: u32,
    /// What it is known by; `None` in journals of versions that did not write it down.
    pub key: Option<Arc<str>>,
    pub title: Arc<str>,
    /// The items of the loops around it, as people call them.
    pub items: Vec<Arc<str>>,
    /// The system that it was made on; `None` where it needs no connection.
    pub led_to: Option<LedTo>,
    pub place: Place,
    /// Its own changes are written down one by one.
    pub parts: bool,
    pub with: Vec<(Arc<str>, Kept)>,
    pub state: State,
    /// What is known is a person's word, and not the run's own.
    pub is_said: bool,
    /// A person wants it made again, although it is known to be done.
    pub again: bool,
    /// What was wrong at its end.
    pub fault: Option<Arc<str>>,
    /// When it was over, or begun where nobody knows of an end.
    pub at: Timestamp,
    pub value: Option<Kept>,
}

/// What is known of a change that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// `by`: a person says so.
    Done { by: Option<String> },
    /// It was not made.
    Failed,
    /// It was made, and its `verify` or a check in it did not hold.
    Unverified,
    /// A part of it was made, and a part was not.
    Partly,
    /// Nobody can say. `ended`: the run had come to its end and could not tell; else it was stopped in the middle.
    Unknown { ended: bool },
    /// A later run has undone it.
    Undone { run: Arc<str>, at: Timestamp },
    /// A later run was to undo it, and nobody can say whether it did.
    MaybeUndone { run: Arc<str>, at: Timestamp },
}

impl Store {
    /// A run, all that it goes on with and what became of that since. All of them are held in the name of `who`, where
    /// somebody is to go on with them.
    ///
    /// # Errors
    /// Where a journal is damaged, was removed, or is held by somebody else.
    pub fn past(&self, journal: &Path, who: Option<&str>) -> Result<Past, Fault> {
        let mut runs = vec![self.before(journal, who)?];
        while let Some(Continues::Resumes { run, .. }) = runs.first().and_then(|run| run.started.continues.clone()) {
            let newer = runs.first().map(|run| run.path.clone()).unwrap_or_default();
            let Some(older) = self.journal_of(&run)?.filter(|older| *older < newer) else {
                let message = format!("run {run}, which it goes on with, is not kept any more");
                return Err(Fault::new(FaultKind::Setup, message)
                    .help("nobody can say any more what that one has changed: look, and run the runbook anew"));
            };
            runs.insert(0, self.before(&older, who)?);
        }
        let mut past = Past { runs, follower: None };
        past.settle();
        self.since(&mut past)?;
        Ok(past)
    }

    fn journal_of(&self, run: &str) -> Result<Option<PathBuf>, Fault> {
        match self.find(run)? {
            Lookup::Found(path) if history::id_of(&path).as_deref() == Some(run) => Ok(Some(path)),
            _ => Ok(None),
        }
    }

    /// What later runs have said and done of these.
    fn since(&self, past: &mut Past) -> Result<(), Fault> {
        let Some((oldest, last)) = past.runs.first().map(|run| run.path.clone()).zip(past.runs.last()) else {
            return Ok(());
        };
        let last = Arc::clone(&last.run);
        for path in self.files()?.into_iter().filter(|path| *path > oldest) {
            let Some((at, started)) = begun(&path)? else { continue };
            match started.continues {
                Some(Continues::Resumes { run, settled }) if run == last => {
                    past.follower = Some(Follower { run: started.run, by: started.by, at });
                    past.say(&settled);
                }
                Some(Continues::Undoes { run, change, .. }) => {
                    if let Some(made) = past.made(&run, change) {
                        let undoing = self.before(&path, None)?;
                        made.undone_by(&undoing);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// One run. `hold`: for whom.
    fn before(&self, path: &Path, hold: Option<&str>) -> Result<Before, Fault> {
        let held = hold.map(|who| held(path, who)).transpose()?;
        let name = journal::name(path);
        let noted = Noted::read(path).map_err(|error| unreadable(path, &error))?;
        let bytes = beside::bytes(path).map_err(|error| unreadable(path, &error))?;
        let report = self.judged(&name, &bytes)?;
        let help = "`runbook audit verify` looks at all runs; what is changed on the word of a journal needs one that is whole";
        if let Some(finding) = report.findings.first() {
            let line = finding.line.map_or_else(String::new, |line| format!(":{line}"));
            let message = format!("`{}{line}` is not as it was written: {}", finding.file, finding.message);
            return Err(Fault::new(FaultKind::Setup, message).help(help));
        }
        if let Some(unread) = report.unread.first() {
            let message = format!("nobody can say whether `{}` is as it was written: {}", unread.file, unread.why);
            return Err(Fault::new(FaultKind::Setup, message).help(help));
        }
        let untold = noted.untold(&bytes);
        if untold > 0 {
            let message =
                format!("the end of `{name}` is gone: changes were begun of which it does not tell ({untold})");
            return Err(Fault::new(FaultKind::Setup, message).help(
                "nobody can say which they were: look at what it changes, and make what is left in a run of its own, with `--only`",
            ));
        }
        let needed: Vec<(usize, &[u8])> = records(&bytes).enumerate().filter(|(_, line)| is_needed(line)).collect();
        let parts: Vec<&[(usize, &[u8])]> = needed.chunks(TOGETHER).collect();
        let read = apart::each(&parts, usize::MAX, |part| {
            part.iter().map(|(index, line)| (*index, serde_json::from_slice::<Record>(line))).collect::<Vec<_>>()
        });
        let mut before = None;
        for (index, record) in read.into_iter().flatten() {
            let record =
                record.map_err(|error| unreadable(path, &io::Error::other(format!("line {}: {error}", index + 1))))?;
            note(&mut before, record, path);
        }
        let mut before = before.ok_or_else(|| {
            let message = format!("`{name}` has no first record: the run was killed before it began");
            Fault::new(FaultKind::Setup, message).help("it changed nothing: run the runbook anew")
        })?;
        before.held = held;
        Ok(before)
    }
}

impl Past {
    /// The run that was named.
    #[must_use]
    pub fn last(&self) -> Option<&Before> {
        self.runs.last()
    }

    /// What is known of each change at last: a change that was begun again is as it ended then.
    #[must_use]
    pub fn known(&self) -> BTreeMap<Arc<str>, &Made> {
        let begun = self.runs.iter().flat_map(|run| &run.changes);
        begun.filter_map(|made| Some((Arc::clone(made.key.as_ref()?), made))).collect()
    }

    /// The changes of which nobody knows whether they were made, in their order. What a command makes is asked for part
    /// by part.
    #[must_use]
    pub fn unknown(&self) -> Vec<&Made> {
        let known = self.known();
        let latest = |made: &&Made| {
            let by_key = made.key.as_ref().and_then(|key| known.get(key));
            by_key.is_none_or(|known| known.run == made.run && known.change == made.change)
        };
        let begun = self.runs.iter().flat_map(|run| &run.changes).filter(latest);
        begun.filter(|made| made.has_to_be_said() && !made.parts).collect()
    }

    /// A change of one of the runs, by its number there.
    pub fn made(&mut self, run: &str, change: u32) -> Option<&mut Made> {
        let run = self.runs.iter_mut().find(|before| *before.run == *run)?;
        run.changes.iter_mut().find(|made| made.change == change)
    }

    /// What persons have said when the runs were gone on with.
    fn settle(&mut self) {
        let said: Vec<_> = self.runs.iter().filter_map(|run| run.started.continues.clone()).collect();
        for continues in said {
            if let Continues::Resumes { settled, .. } = continues {
                self.say(&settled);
            }
        }
    }

    fn say(&mut self, settled: &[Settled]) {
        for said in settled {
            if let Some(made) = self.made(&said.run, said.change) {
                made.settled(said.done, &said.by);
            }
        }
    }
}

impl Made {
    /// What a person says of it, which takes the place of what somebody has said before. What the run itself knows to be
    /// done stays so; it can be made again.
    pub fn settled(&mut self, done: bool, by: &str) {
        if !self.is_said && matches!(self.state, State::Done { .. }) {
            self.again = !done;
            return;
        }
        self.is_said = true;
        self.state = if done { State::Done { by: Some(by.to_owned()) } } else { State::Failed };
    }

    /// Whether it is done and not to be made again.
    #[must_use]
    pub const fn is_in_place(&self) -> bool {
        matches!(self.state, State::Done { .. }) && !self.again
    }

    /// Whether a person has to say if it is done. One that was made and whose `verify` did not hold may be well by now: it is
    /// not made twice without a word.
    #[must_use]
    pub const fn has_to_be_said(&self) -> bool {
        matches!(self.state, State::Unknown { .. } | State::MaybeUndone { .. } | State::Unverified)
    }

    fn undone_by(&mut self, undoing: &Before) {
        let (run, at) = (Arc::clone(&undoing.run), undoing.at);
        for change in &undoing.changes {
            match change.state {
                State::Done { .. } => self.state = State::Undone { run: Arc::clone(&run), at },
                State::Failed => {}
                _ => self.state = State::MaybeUndone { run: Arc::clone(&run), at },
            }
        }
    }
}

/// How many records of a journal are read one after another: less is not worth a thread.
const TOGETHER: usize = 512;

/// The first record of a run. `None` where it has none yet, so that it has done nothing, and for runs of versions that
/// went on with none.
fn begun(path: &Path) -> Result<Option<(Timestamp, RunStarted)>, Fault> {
    let mut first = Vec::new();
    let read = beside::opened(path).and_then(|file| BufReader::new(file).read_until(b'\n', &mut first));
    match read {
        // Removed since it was old: whoever went on with these is younger.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        read => read.map_err(|error| unreadable(path, &error))?,
    };
    let Some(line) = first.strip_suffix(b"\n") else { return Ok(None) };
    let sealed = Sealed::read(line).zip(history::anchor_of(line));
    let record = serde_json::from_slice::<Record>(line);
    match (sealed, record) {
        (Some((sealed, anchor)), Ok(Record { at, event: Event::RunStarted(started), .. }))
            if sealed.follows(anchor.sha256) =>
        {
            Ok(Some((at, started)))
        }
        (None, Ok(Record { event: Event::RunStarted(started), .. })) if started.continues.is_none() => Ok(None),
        _ => {
            let message = format!("the first record of `{}` is not as it was written", journal::name(path));
            Err(Fault::new(FaultKind::Setup, message)
                .help("it may have gone on with this run, so nobody can say what is left: see `runbook audit verify`"))
        }
    }
}

/// Whether a record says something that has to be known. Most do not, and are not read.
fn is_needed(line: &[u8]) -> bool {
    let needed: [&[u8]; 5] = [b"run_started", b"change_intended", b"change_ended", b"change_kept", b"run_finished"];
    event_of(line).is_some_and(|event| needed.contains(&event))
}

/// The records of a journal that is as it was written: its lines, and what stands behind the last line feed where only
/// that is missing.
fn records(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut stated = None;
    bytes.split_inclusive(|byte| *byte == b'\n').filter_map(move |piece| {
        let (line, ended) = piece.strip_suffix(b"\n").map_or((piece, false), |line| (line, true));
        let before = stated.or_else(|| history::anchor_of(line).map(|anchor| anchor.sha256));
        let sealed = Sealed::read(line);
        stated = sealed.map(|sealed| sealed.stated);
        let whole = ended || sealed.zip(before).is_some_and(|(sealed, before)| sealed.follows(before));
        whole.then_some(line)
    })
}

fn note(before: &mut Option<Before>, record: Record, path: &Path) {
    let at = record.at;
    match (before, record.event) {
        (before @ None, Event::RunStarted(started)) => {
            *before = Some(Before {
                run: Arc::clone(&started.run),
                at,
                started,
                finished: None,
                changes: Vec::new(),
                kept: Vec::new(),
                path: path.to_owned(),
                held: None,
            });
        }
        (Some(before), Event::ChangeIntended { place, change, title, items, led_to, key, parts, with, .. }) => {
            let (run, state) = (Arc::clone(&before.run), State::Unknown { ended: false });
            before.changes.push(Made {
                run,
                change,
                key,
                title,
                items,
                led_to,
                place,
                parts,
                with,
                state,
                is_said: false,
                again: false,
                fault: None,
                at,
                value: None,
            });
        }
        (Some(before), Event::ChangeEnded(ended)) => {
            // Numbers are given in the order of the intents, and one change may stand in another.
            if let Some(made) = before.changes.iter_mut().rev().find(|made| made.change == ended.change) {
                made.at = at;
                made.value = ended.value;
                made.fault = ended.fault.map(|fault| fault.message);
                made.state = match ended.outcome {
                    ChangeOutcome::Done => State::Done { by: None },
                    ChangeOutcome::Failed if ended.verified == Some(false) => State::Unverified,
                    ChangeOutcome::Failed => State::Failed,
                    ChangeOutcome::Partly => State::Partly,
                    ChangeOutcome::Unknown => State::Unknown { ended: true },
                };
            }
        }
        (Some(before), Event::ChangeKept(kept)) => before.kept.push(kept),
        (Some(before), Event::RunFinished(finished)) => before.finished = Some(finished),
        _ => {}
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(FaultKind::Setup, format!("cannot read the journal `{}`: {error}", path.display()))
}

/// Says who goes on with a run, beside its journal.
fn said(path: &Path) -> PathBuf {
    path.with_extension("held")
}

/// Removes what was said beside a journal that is removed.
pub(super) fn forget(path: &Path) -> io::Result<()> {
    match fs::remove_file(said(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// How often it is looked who holds a run: whoever got it has yet to say so.
const LOOKS: u32 = 10;
const BETWEEN: Duration = Duration::from_millis(20);

/// Holds a run until the file is closed. A killed process holds nothing.
fn held(path: &Path, who: &str) -> Result<File, Fault> {
    let cannot = |error: io::Error| unreadable(path, &error);
    let file = beside::opened(path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => {
            let mut beside = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(said(path));
            beside
                .as_mut()
                .map_err(|error| io::Error::new(error.kind(), error.to_string()))
                .and_then(|beside| beside.write_all(who.as_bytes()))
                .map_err(cannot)?;
            Ok(file)
        }
        Err(TryLockError::Error(error)) => Err(cannot(error)),
        Err(TryLockError::WouldBlock) => Err(somebody(path)),
    }
}

fn somebody(path: &Path) -> Fault {
    let run = history::id_of(path).unwrap_or_else(|| journal::name(path));
    for look in 0..LOOKS {
        if look > 0 {
            thread::sleep(BETWEEN);
        }
        let who = beside::bytes(&said(path)).unwrap_or_default();
        let who = String::from_utf8_lossy(&who);
        if !who.is_empty() {
            return Fault::new(FaultKind::Setup, format!("somebody goes on with run {run} right now: {who}"))
                .help("one at a time: wait until that run is over, then look at it with `runbook history`");
        }
    }
    let since = match history::entry(path) {
        Ok(entry) => format!(": begun by {} at {:.0}", entry.started.by, entry.at),
        Err(_) => String::new(),
    };
    Fault::new(FaultKind::Setup, format!("run {run} is still going on{since}"))
        .help("wait until it is over, or stop it with Ctrl-C where it runs")
}
