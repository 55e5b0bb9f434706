//! `runbook on-call`: who is behind the levels of an escalation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use clap::Args;
use jiff::Timestamp;

use super::alerting::aside;
use super::console::{Console, Failure};
use super::request::{checked, given};
use super::run::{facts, runtime};
use super::signals::{INTERRUPTED, Signals};
use super::state::Kept;
use crate::catalog::RunFacts;
use crate::check;
use crate::check::program::{Escalation, Level, ParamId, Program, Roster};
use crate::desk::Desk;
use crate::plan::text;
use crate::shown::look::{clean, pad};
use crate::store::ledger::Place;
use crate::system::{self, System};
use crate::types::{Fault, Value};

/// Exit code where nobody can say it now.
const NOT_KNOWN: u8 = 3;
/// What a signal leaves.
const NOBODY: &str = "nobody has said who is on call";

/// Say who is on call for each level of the escalation, by its file of roles or by the tool that says it.
#[derive(Debug, Args)]
pub(super) struct OnCall {
    /// The runbook, or `-` for standard input.
    file: String,
    /// At this time, and not now: `2026-11-30T09:00:00+01:00`.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// A value for a `param` that the tool is asked with; can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    state: Kept,
}

pub(super) fn run(args: &OnCall, console: &Console) -> Result<u8, Failure> {
    let Some((program, _)) = checked(&args.file, console) else { return Ok(2) };
    let program = Arc::new(program);
    let Some(escalation) = program.escalations.first() else {
        return Err(Failure::new(format!("`{}` has no escalation", args.file)));
    };
    let mut set = HashMap::new();
    given(&program, &args.set, &mut set, &mut BTreeMap::new())?;
    let (roster, path, exit) = match (&escalation.roles, &escalation.roster, &escalation.rota) {
        (Some((path, _)), Some(roster), _) => (Arc::clone(roster), path.to_string(), 0),
        (_, _, Some(call)) => {
            let runtime = runtime(None)?;
            let asked = runtime.block_on(asked(args, &program, set, escalation, console));
            // A ledger that does not answer must not keep the answer back.
            runtime.shutdown_background();
            let (roster, exit) = asked?;
            (roster, text::expr(&*program, call), exit)
        }
        _ => {
            return Err(Failure::new(format!(
                "the escalation {} names nothing that says who is on call",
                escalation.name
            ))
            .help("write `roles \"on-call.toml\"` into it, or a tool: `roles on_call()`"));
        }
    };
    let (roster, path) = (&*roster, path.as_str());
    let at = args.at.unwrap_or_else(system::now);
    let rows = escalation
        .levels
        .iter()
        .map(|level| [format!("level {}", level.number), clean(&level.role), who(roster, level, escalation, path, at)]);
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
    Ok(exit)
}

/// What the tool says now, or else what it said last, and that loudly.
async fn asked(
    args: &OnCall,
    program: &Arc<Program>,
    set: HashMap<ParamId, Value>,
    escalation: &Escalation,
    console: &Console,
) -> Result<(Arc<Roster>, u8), Failure> {
    let facts = facts("on-call".into(), program, &args.file)?;
    let world = Arc::new(System::new(facts.directory.clone()));
    let mut signals = Signals::new()?;
    let asking = async { Ok(Desk::ask(program, set.clone(), Arc::clone(&facts), world).await) };
    let answer = signals.or_stopped(asking, NOBODY).await?;
    let answer = answer.unwrap_or_else(|| Err(Fault::no_value("no tool says it")));
    let understood = answer.and_then(|answer| check::said(&answer, &program.header.timezone, escalation));
    let fault = match understood {
        Ok(roster) => return Ok((Arc::new(roster), 0)),
        Err(fault) => fault,
    };
    let failure = Failure { exit: NOT_KNOWN, ..Failure::from(fault) };
    let (place, own) = (args.state.ledger().cloned(), Arc::clone(program));
    let looking = aside(move || said_last(&place?, &own, set, facts));
    let (at, roster) = match signals.or_stopped(looking, NOBODY).await {
        Ok(Some(said)) => said,
        Ok(None) => return Err(failure),
        // Whoever looks at night has to know first that the tool is broken.
        Err(ledger) if ledger.exit != INTERRUPTED => {
            let why = format!("what was said last cannot be looked up either: {}", ledger.message);
            let help: Vec<String> = failure.help.into_iter().chain([why]).chain(ledger.help).collect();
            return Err(Failure { help: Some(help.join("\n")), ..failure });
        }
        Err(stopped) => return Err(stopped),
    };
    let at = at.to_zoned(program.header.timezone.clone()).strftime("%Y-%m-%d %H:%M %Z");
    console.warn(
        &format!("nobody can say who is on call now: {}. This was said at {at}", failure.message),
        failure.help.as_deref(),
    );
    Ok((roster, NOT_KNOWN))
}

/// What the tool said last, and when; `None` where it never did, or where that says nothing of this runbook any more.
fn said_last(
    place: &Place,
    program: &Arc<Program>,
    set: HashMap<ParamId, Value>,
    facts: Arc<RunFacts>,
) -> Result<Option<(Timestamp, Arc<Roster>)>, Failure> {
    let Some(ledger) = place.open_existing()? else { return Ok(None) };
    let rota = Desk::open(ledger, Arc::clone(program), set, facts)?.rota();
    Ok(rota.said.as_ref().map(|said| said.at).zip(rota.roster(program)))
}

fn who(roster: &Roster, level: &Level, escalation: &Escalation, path: &str, at: Timestamp) -> String {
    let has_one = |above: &&Level| above.number > level.number && roster.on_call(&above.role, at) != Some(None);
    match roster.on_call(&level.role, at) {
        Some(Some(person)) => clean(&person.to_string()),
        Some(None) if escalation.levels.iter().any(|above| has_one(&above)) => {
            "nobody: the next level is told".to_owned()
        }
        Some(None) => "nobody, nor at any level above: its channels are told all the same".to_owned(),
        None => format!("`{}` does not say", clean(path)),
    }
}
