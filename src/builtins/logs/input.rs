//! Standard input as a log: it is read once, and what was read is the same log for all that ask.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::snapshot::Part;
use crate::types::{Fault, FaultKind};
use crate::units;

/// How a runbook writes it.
pub(super) const NAME: &str = "-";

/// What was read, once somebody asked. It comes once for a whole process.
static READ: Mutex<Option<Result<Kept, Fault>>> = Mutex::new(None);

#[derive(Clone)]
struct Kept {
    file: Arc<File>,
    /// There was more than was to be taken, which nobody has read.
    more: bool,
}

/// All of standard input, up to so many bytes.
pub(super) fn part(most: u64) -> Result<Part, Fault> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let kept = read.get_or_insert_with(|| take(most)).clone()?;
    let part = Part::of(Path::new(NAME), "standard input", kept.file)?;
    if kept.more || (!part.is_packed() && part.size > most) {
        let most = units::size(i64::try_from(most).unwrap_or(i64::MAX));
        return Err(Fault::new(FaultKind::TooLarge, format!("standard input is more than the {most} that are taken"))
            .help("write how much is to be read: `at_most: 100GiB`"));
    }
    Ok(part)
}

fn take(most: u64) -> Result<Kept, Fault> {
    let failed = |error: io::Error| Fault::new(FaultKind::Failed, format!("standard input cannot be read: {error}"));
    let input = io::stdin();
    let nothing = |what: &str| {
        Fault::new(FaultKind::Setup, format!("standard input is {what}, and no log comes from there"))
            .help("give it one: `zcat app.log.gz | runbook run FILE`, `runbook run FILE < app.log`")
    };
    if crate::source::input::is_taken() {
        return Err(Fault::new(FaultKind::Setup, "standard input was read as the runbook, and is no log as well")
            .help("name the file of one of them: `runbook run FILE < app.log`"));
    }
    if input.is_terminal() {
        return Err(nothing("a terminal"));
    }
    let file = File::from(input.as_fd().try_clone_to_owned().map_err(failed)?);
    let kind = file.metadata().map_err(failed)?.file_type();
    if kind.is_file() {
        return Ok(Kept { file: Arc::new(file), more: false });
    }
    if !kind.is_fifo() && !kind.is_socket() {
        return Err(nothing("no pipe and no file"));
    }
    // Unnamed: nothing is left behind, however the process ends. From a pipe the system copies without us.
    let mut kept = tempfile::tempfile().map_err(failed)?;
    let taken = io::copy(&mut (&file).take(most.saturating_add(1)), &mut kept).map_err(failed)?;
    Ok(Kept { file: Arc::new(kept), more: taken > most })
}
