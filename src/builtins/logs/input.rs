//! Standard input as a log: it is read once, while it comes, and what was read is the same log for all that ask.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::sync::{Arc, Mutex, PoisonError};

use crate::builtins::lines::{Broken, Chunks};
use crate::source::input;
use crate::types::{Fault, FaultKind};
use crate::units;

/// How a runbook writes it.
pub(super) const NAME: &str = "-";

/// How much a pipe is asked to hold: the less often it is full, the less often two programs wait for each other.
const PIPE: usize = 1 << 20;

/// What was read, once somebody asked. It comes once for a whole process.
static READ: Mutex<Option<Result<Kept, Fault>>> = Mutex::new(None);

struct Kept {
    file: Arc<File>,
    /// How much of it was taken.
    taken: u64,
    /// Where there may be more.
    rest: Option<File>,
}

/// What is there of it by now.
pub(super) struct Begun {
    pub(super) file: Arc<File>,
    pub(super) comes: bool,
}

/// As much of standard input as is asked for, of the `most` that are taken.
pub(super) fn begun(wanted: u64, most: u64) -> Result<Begun, Fault> {
    let (begun, taken) = kept(|kept| {
        kept.take(wanted.min(most.saturating_add(1)))?;
        Ok((Begun { file: Arc::clone(&kept.file), comes: kept.rest.is_some() }, kept.taken))
    })?;
    within(taken, most).map(|()| begun)
}

/// Waits until all of it has come; more than `most` is a fault.
pub(super) fn all(most: u64) -> Result<(), Fault> {
    let taken = kept(|kept| {
        kept.take(most.saturating_add(1))?;
        Ok(kept.taken)
    })?;
    within(taken, most)
}

/// Whether no more was taken than may be.
pub(super) fn within(taken: u64, most: u64) -> Result<(), Fault> {
    if taken <= most {
        return Ok(());
    }
    let most = units::size(i64::try_from(most).unwrap_or(i64::MAX));
    Err(Fault::new(FaultKind::TooLarge, format!("standard input is more than the {most} that are taken"))
        .help("write how much is to be read: `at_most: 100GiB`"))
}

/// Does something with what was read. Where that fails, some of it may be lost, and nobody goes on behind a gap.
fn kept<T>(with: impl FnOnce(&mut Kept) -> io::Result<T>) -> Result<T, Fault> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = read.get_or_insert_with(open).as_mut().map_err(|fault| fault.clone())?;
    with(kept).map_err(|error| {
        let fault = failed(&error);
        *read = Some(Err(fault.clone()));
        fault
    })
}

fn failed(error: &io::Error) -> Fault {
    Fault::new(FaultKind::Failed, format!("standard input cannot be read: {error}"))
}

impl Kept {
    /// Takes until there is so much of it.
    fn take(&mut self, wanted: u64) -> io::Result<()> {
        let Some(rest) = self.rest.as_mut().filter(|_| self.taken < wanted) else { return Ok(()) };
        let more = wanted - self.taken;
        io::Seek::seek(&mut &*self.file, io::SeekFrom::Start(self.taken))?;
        // From a pipe the system copies without us.
        let taken = io::copy(&mut (&*rest).take(more), &mut &*self.file)?;
        self.taken += taken;
        if taken < more {
            self.rest = None;
        }
        Ok(())
    }

    /// The bytes from a place on, as many as there is room for; fewer only at the end.
    fn read(&mut self, into: &mut [u8], at: u64) -> io::Result<usize> {
        let known = usize::try_from(self.taken.saturating_sub(at)).unwrap_or(usize::MAX).min(into.len());
        if known > 0 {
            let into = into.get_mut(..known).unwrap_or_default();
            return self.file.read_exact_at(into, at).map(|()| known);
        }
        let mut read = 0;
        while let (Some(rest), Some(room)) = (&mut self.rest, into.get_mut(read..).filter(|room| !room.is_empty())) {
            match rest.read(room) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(0) => self.rest = None,
                Ok(more) => read += more,
            }
        }
        self.file.write_all_at(into.get(..read).unwrap_or_default(), self.taken)?;
        self.taken += read as u64;
        Ok(read)
    }
}

/// Its bytes from the beginning, those that are still to come as soon as they come.
pub(super) struct Coming {
    at: u64,
    most: u64,
}

impl Coming {
    pub(super) const fn new(most: u64) -> Self {
        Self { at: 0, most }
    }
}

impl Chunks for Coming {
    fn chunk(&mut self, into: &mut [u8]) -> Result<usize, Broken> {
        let read =
            kept(|kept| kept.read(into, self.at)).map_err(|fault| Broken::Io(io::Error::other(fault.to_string())))?;
        self.at += read as u64;
        if self.at > self.most { Err(Broken::TooMuch { most: self.most }) } else { Ok(read) }
    }
}

fn open() -> Result<Kept, Fault> {
    let stdin = io::stdin();
    let nothing = |what: &str| {
        Fault::new(FaultKind::Setup, format!("standard input is {what}, and no log comes from there"))
            .help("give it one: `zcat app.log.gz | runbook run FILE`, `runbook run FILE < app.log`")
    };
    match input::taken_by() {
        None => {}
        Some(input::Taker::Source) => {
            return Err(Fault::new(FaultKind::Setup, "standard input was read as the runbook, and is no log as well")
                .help("name the file of one of them: `runbook run FILE < app.log`"));
        }
        Some(input::Taker::Server) => {
            return Err(Fault::new(FaultKind::Setup, "a server has no standard input that comes to an end")
                .help("name a file: `logs(file: \"/var/log/app.log\")`"));
        }
    }
    if stdin.is_terminal() {
        return Err(nothing("a terminal"));
    }
    let failed = |error| failed(&error);
    let file = File::from(stdin.as_fd().try_clone_to_owned().map_err(failed)?);
    let kind = file.metadata().map_err(failed)?.file_type();
    if kind.is_file() {
        return Ok(Kept { file: Arc::new(file), taken: 0, rest: None });
    }
    if !kind.is_fifo() && !kind.is_socket() {
        return Err(nothing("no pipe and no file"));
    }
    if kind.is_fifo() {
        // One that may not hold more is only slower.
        let _ = rustix::pipe::fcntl_setpipe_size(&file, PIPE);
    }
    // Unnamed: nothing is left behind, however the process ends.
    let kept = tempfile::tempfile().map_err(failed)?;
    Ok(Kept { file: Arc::new(kept), taken: 0, rest: Some(file) })
}
