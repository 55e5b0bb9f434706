//! Standard input as a log: it is read once, and what was read is the same log for all that ask.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::snapshot::Part;
use crate::source::input;
use crate::types::{Fault, FaultKind};
use crate::units;

/// How a runbook writes it.
pub(super) const NAME: &str = "-";

/// How much a pipe holds while whoever writes it and we take turns: the most that Linux gives a process without rights.
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

/// All of standard input, up to so many bytes.
pub(super) fn part(most: u64) -> Result<Part, Fault> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = read.get_or_insert_with(open).as_mut().map_err(|fault| fault.clone())?;
    kept.take(most)?;
    let part = Part::of(Path::new(NAME), "standard input", Arc::clone(&kept.file))?;
    if kept.taken > most || (!part.is_packed() && part.size > most) {
        let most = units::size(i64::try_from(most).unwrap_or(i64::MAX));
        return Err(Fault::new(FaultKind::TooLarge, format!("standard input is more than the {most} that are taken"))
            .help("write how much is to be read: `at_most: 100GiB`"));
    }
    Ok(part)
}

fn failed(error: &io::Error) -> Fault {
    Fault::new(FaultKind::Failed, format!("standard input cannot be read: {error}"))
}

impl Kept {
    /// Takes so much of it, and a byte that says whether there is more.
    fn take(&mut self, most: u64) -> Result<(), Fault> {
        let Some(rest) = self.rest.as_mut().filter(|_| self.taken <= most) else { return Ok(()) };
        let wanted = most.saturating_add(1).saturating_sub(self.taken);
        // From a pipe the system copies without us.
        let taken = io::copy(&mut (&*rest).take(wanted), &mut &*self.file).map_err(|error| failed(&error))?;
        self.taken = self.taken.saturating_add(taken);
        if taken < wanted {
            self.rest = None;
        }
        Ok(())
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
    if kind.is_fifo()
        && let Err(error) = rustix::pipe::fcntl_setpipe_size(&file, PIPE)
    {
        tracing::debug!(%error, "the pipe stays as large as it is");
    }
    // Unnamed: nothing is left behind, however the process ends.
    let kept = tempfile::tempfile().map_err(failed)?;
    Ok(Kept { file: Arc::new(kept), taken: 0, rest: Some(file) })
}
