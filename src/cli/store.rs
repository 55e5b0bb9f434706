//! `runbook store`: looks after the ledger, which keeps what outlives a run.

use std::io::{BufWriter, Write};

use clap::{Args, Subcommand};

use super::console::{Console, Failure};
use super::state::Kept;
use crate::shown::look::{counted, pad};
use crate::store::ledger::{Place, Retention};
use crate::system;
use crate::units::size;

/// Look after what outlives a run: alerts, messages to tell, samples.
#[derive(Debug, Args)]
pub(super) struct Store {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Look whether the ledger is whole. Nothing of it changes.
    Check {
        #[command(flatten)]
        state: Kept,
    },
    /// Put old samples together by the hour, remove what is older than is kept, and give the room back to the disk.
    ///
    /// Samples are kept for 14 days as they are and for 400 days by the hour; what was closed, told or happened for 400
    /// days.
    Compact {
        #[command(flatten)]
        state: Kept,
    },
    /// Write everything in the ledger as JSON Lines.
    ///
    /// The first line is {"record":"ledger","version":1}. Each other line says in `record` what it is: runbook, document,
    /// happening, message, sample, hour, lease, due or approval. Records and fields may be added within a version.
    Export {
        #[command(flatten)]
        state: Kept,
    },
}

pub(super) fn run(args: &Store, console: &Console) -> Result<u8, Failure> {
    match &args.action {
        Action::Check { state } => check(state.ledger()?, console),
        Action::Compact { state } => compact(state.ledger()?, console),
        Action::Export { state } => export(state.ledger()?, console),
    }
}

fn check(place: &Place, console: &Console) -> Result<u8, Failure> {
    let Some(checked) = place.check()? else { return Ok(nothing(place, console)) };
    let (name, bytes) = (place, human(checked.bytes));
    if checked.problems.is_empty() {
        let mut lines = vec![format!("{name}: whole, {bytes}")];
        lines.extend(checked.counts.iter().map(|(what, count)| format!("  {}  {count}", pad(what, 20))));
        return console.print_lines(&lines).map(|()| 0);
    }
    console.print_lines(&checked.problems)?;
    let problems = counted(checked.problems.len() as u64, "problem");
    let help = match place {
        Place::File(_) => format!(
            "keep a copy of it, with its `-wal` and `-shm`; then put a backup in its place, or save what can be read with \
             `sqlite3 {name} .recover`, or move it away to begin anew"
        ),
        Place::Shared(_) => "keep a copy of it with `pg_dump`; then put a backup in its place".to_owned(),
    };
    Err(Failure::new(format!("{name} is not as it should be: {problems}, {bytes}")).help(help))
}

fn compact(place: &Place, console: &Console) -> Result<u8, Failure> {
    let Some(mut ledger) = place.open_existing()? else { return Ok(nothing(place, console)) };
    let compacted = ledger.compact(system::now(), &Retention::default())?;
    let tidied = compacted.tidied;
    let mut lines = vec![format!("{place}: {} before, {} after", human(compacted.before), human(compacted.after))];
    for (count, what, done) in [
        (tidied.samples, "sample", "put together by the hour"),
        (tidied.hours, "hour", "of samples removed"),
        (tidied.documents, "closed document", "removed"),
        (tidied.messages, "message", "removed that ended long ago"),
        (tidied.happenings, "happening", "removed"),
        (tidied.due, "due time", "removed"),
    ] {
        if count > 0 {
            lines.push(format!("  {} {done}", counted(count, what)));
        }
    }
    console.print_lines(&lines).map(|()| 0)
}

fn export(place: &Place, console: &Console) -> Result<u8, Failure> {
    let Some(ledger) = place.open_existing()? else { return Ok(nothing(place, console)) };
    let mut out = BufWriter::new(console.writer());
    ledger.export(&mut out)?;
    out.flush().map_err(|error| Failure::new(format!("cannot write: {error}")))?;
    Ok(0)
}

/// Says that there is no ledger, which is no error: nothing had to be kept so far.
fn nothing(place: &Place, console: &Console) -> u8 {
    console.say(&format!("there is no ledger {place}: nothing was kept so far\n"));
    0
}

fn human(bytes: u64) -> String {
    size(i64::try_from(bytes).unwrap_or(i64::MAX))
}
