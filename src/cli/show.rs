//! `runbook show`: a run again, from its journal.

use std::io::Write;

use clap::Args;

use super::console::{Console, Failure};
use super::request::Format;
use super::state::State;
use crate::report::terminal::{self, Terminal};
use crate::report::{json, junit};
use crate::shown::again::Again;
use crate::store::audit::{State as Found, Wanted};
use crate::store::history::Recorded;

/// Print a run again, or all that it recorded of one line of its runbook.
#[derive(Debug, Args)]
pub(super) struct Show {
    /// The beginning of the run's id; the last run where it is left out.
    #[arg(default_value = "last")]
    run: String,
    /// A line of the runbook: everything that was recorded there, whole.
    line: Option<u32>,
    /// How the run is written.
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    state: State,
}

pub(super) fn run(args: &Show, console: &Console) -> Result<u8, Failure> {
    let recorded = args.state.load(&args.run)?;
    doubts(&recorded, &args.state, console)?;
    let written = match (args.line, args.format) {
        (Some(line), Format::Terminal) => {
            let lines = terminal::of_line(&recorded.records, line, console.look());
            if lines.is_empty() {
                return Err(Failure::new(format!("the run recorded nothing of line {line}")).help(format!(
                    "`{} {}` names the lines",
                    args.state.again().of_runs("show"),
                    args.run
                )));
            }
            return console.print_lines(&lines).map(|()| 0);
        }
        (Some(_), _) => return Err(Failure::new("one line is shown as text only").help("leave out `--format`")),
        (None, format) => whole(&recorded, format, args.state.again(), console),
    };
    written.map_err(|error| Failure::new(format!("cannot write: {error}")))?;
    notes(&recorded, console);
    Ok(0)
}

/// What was edited since is said before anybody reads it.
fn doubts(recorded: &Recorded, state: &State, console: &Console) -> Result<(), Failure> {
    let store = state.store()?;
    let report = store.material()?.verify(&Wanted::Journal(recorded.journal.clone()), None);
    let help = "`runbook audit verify` looks at all runs";
    for finding in &report.findings {
        let place = finding.line.map_or_else(|| finding.file.clone(), |line| format!("{}:{line}", finding.file));
        let what = if finding.run.is_some() {
            "THIS RUN IS NOT AS IT WAS WRITTEN"
        } else {
            "the chain of runs is not as it was written"
        };
        console.warn(&format!("{what}: {place}: {}", finding.message), Some(help));
    }
    for unread in &report.unread {
        console.warn(
            &format!("nobody can say whether it is as it was written: {}: {}", unread.file, unread.why),
            Some(help),
        );
    }
    let untold = store.untold(&recorded.journal)?;
    if untold > 0 {
        let message = format!("THE END OF THIS RUN IS GONE: it began changes of which it does not tell ({untold})");
        console.warn(&message, Some("look at what it changes: nobody can say which they were"));
    }
    if report.count(Found::NotChained) > 0 {
        tracing::debug!(journal = %recorded.journal, "a version without a chain recorded it");
    }
    Ok(())
}

fn whole(recorded: &Recorded, format: Format, again: Again, console: &Console) -> std::io::Result<()> {
    let mut out = console.writer();
    match format {
        Format::Terminal => {
            let mut terminal = Terminal::new(console.writer(), console.look(), false, again);
            recorded.records.iter().try_for_each(|record| terminal.record(record))?;
            terminal.finish()?;
        }
        Format::Json => recorded.records.iter().try_for_each(|record| json::write(&mut out, record))?,
        Format::Junit => junit::write(&mut out, &recorded.records)?,
    }
    out.flush()
}

/// What is not in the output, so that nobody takes it for the whole.
fn notes(recorded: &Recorded, console: &Console) {
    if recorded.torn {
        console.warn("the last event was not written to its end: the tool or the machine stopped right then", None);
    }
    if recorded.skipped > 0 {
        let message = format!("{} events of a newer version are left out", recorded.skipped);
        console.warn(&message, Some("use a newer version of runbook to see them"));
    }
}
