//! `runbook on-call`: who is behind the levels of an escalation.

use clap::Args;
use jiff::Timestamp;

use super::console::{Console, Failure};
use super::request::checked;
use crate::check::program::Roster;
use crate::shown::look::{clean, pad};
use crate::system;

/// Say who is on call for each level of the escalation, by its file of roles.
#[derive(Debug, Args)]
pub(super) struct OnCall {
    /// The runbook, or `-` for standard input.
    file: String,
    /// At this time, and not now: `2026-11-30T09:00:00+01:00`.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
}

pub(super) fn run(args: &OnCall, console: &Console) -> Result<u8, Failure> {
    let Some((program, _)) = checked(&args.file, console) else { return Ok(2) };
    let Some(escalation) = program.escalations.first() else {
        return Err(Failure::new(format!("`{}` has no escalation", args.file)));
    };
    let (Some((path, _)), Some(roster)) = (&escalation.roles, &escalation.roster) else {
        return Err(Failure::new(format!("the escalation {} names no file of roles", escalation.name))
            .help("write `roles \"on-call.toml\"` into it"));
    };
    let at = args.at.unwrap_or_else(system::now);
    let rows = escalation
        .levels
        .iter()
        .map(|level| [format!("level {}", level.number), clean(&level.role), who(roster, &level.role, path, at)]);
    let rows: Vec<[String; 3]> = rows.collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| crate::shown::look::columns(cell)).max().unwrap_or(0)
    };
    let widths = [width(0), width(1)];
    let lines: Vec<String> = rows
        .iter()
        .map(|[level, role, who]| format!("{}  {}  {who}", pad(level, widths[0]), pad(role, widths[1])))
        .collect();
    console.print_lines(&lines)?;
    Ok(0)
}

fn who(roster: &Roster, role: &str, path: &str, at: Timestamp) -> String {
    match roster.on_call(role, at) {
        Some(Some(person)) => clean(&person.to_string()),
        Some(None) => "nobody: the next level is told".to_owned(),
        None => format!("`{}` does not say", clean(path)),
    }
}
