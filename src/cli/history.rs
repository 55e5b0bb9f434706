//! `runbook history`: the runs that were recorded.

use clap::{Args, ValueEnum};

use super::console::{Console, Failure};
use super::state::State;
use crate::report::terminal;
use crate::shown::look::{clean, pad, seconds};
use crate::store::definition::Continues;
use crate::store::history::Entry;

/// List the runs that were recorded, the newest last.
#[derive(Debug, Args)]
pub(super) struct History {
    /// How many of the newest are listed; 0 for all.
    #[arg(short = 'n', long, default_value_t = 30, value_name = "N")]
    newest: usize,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Terminal,
    /// One object a line.
    Json,
}

pub(super) fn run(args: &History, console: &Console) -> Result<u8, Failure> {
    let store = args.state.store()?;
    let (entries, faults) = store.history()?;
    let all = entries.len();
    let skip = if args.newest == 0 { 0 } else { all.saturating_sub(args.newest) };
    for entry in entries.iter().skip(skip) {
        let text = match args.format {
            Format::Terminal => line(entry),
            Format::Json => json(entry).to_string(),
        };
        console.print(&(text + "\n"))?;
    }
    if all == 0 {
        console.say(&format!("no runs are recorded in {}\n", store.root().display()));
    } else if skip > 0 {
        console.say(&format!("{skip} older runs: runbook history -n 0\n"));
    }
    for fault in &faults {
        console.warn(&fault.message, fault.help.as_deref());
    }
    Ok(u8::from(!faults.is_empty()))
}

/// `2026-11-23T16:55:30Z  7f3a12  exit 4  14.2s  Daily operations  18 passed · 1 failed`
fn line(entry: &Entry) -> String {
    // A server runs one section at a time: its title says which.
    let mut title = vec![entry.started.runbook.to_string()];
    title.extend(entry.started.only.iter().cloned());
    let title = clean(&title.join(" › "));
    let (exit, took, counts) = match &entry.finished {
        Some(end) => (format!("exit {}", end.exit), seconds(end.seconds), terminal::counts(end.counts)),
        None => ("unfinished".to_owned(), "-".to_owned(), "still going on, or was killed".to_owned()),
    };
    let id = clean(&entry.started.run);
    let of = match &entry.started.continues {
        Some(Continues::Resumes { run, .. }) => format!(" · goes on with {}", clean(run)),
        Some(Continues::Undoes { run, change, .. }) => format!(" · undoes change {change} of {}", clean(run)),
        None => String::new(),
    };
    format!(
        "{:.0}  {}  {}  {}  {}  {counts}{of}",
        entry.at,
        pad(&id, 6),
        pad(&exit, 10),
        pad(&took, 7),
        pad(&title, 28)
    )
}

fn json(entry: &Entry) -> serde_json::Value {
    let (resumes, undoes) = match &entry.started.continues {
        Some(Continues::Resumes { run, .. }) => (Some(run), None),
        Some(Continues::Undoes { run, change, .. }) => {
            (None, Some(serde_json::json!({ "run": run, "change": change })))
        }
        None => (None, None),
    };
    serde_json::json!({
        "run": entry.started.run,
        "at": entry.at,
        "runbook": entry.started.runbook,
        "file": entry.started.file,
        "only": entry.started.only,
        "by": entry.started.by,
        "resumes": resumes,
        "undoes": undoes,
        "finished": entry.finished,
    })
}
