//! `runbook resume`: goes on with a run that was stopped, killed or that failed. What is known to be done is not done again.

use std::path::Path;
use std::sync::Arc;

use clap::Args;

use super::alerting::Telling;
use super::console::{Console, Failure};
use super::inputs::STDIN;
use super::places::as_before;
use super::request::{Asked, Format, Prepared, prepare};
use super::run::{Onward, Run, by, folder, go};
use super::settling::{self, Said};
use super::state::{Kept, found};
use crate::plan::{Agreed, Around, PlannedChange};
use crate::report::definition::differences;
use crate::run::known::{CLOSING, Known, MadeBefore, position_of};
use crate::run::{Proposal, definition};
use crate::shown::again::Again;
use crate::shown::look::{clean, counted};
use crate::store::definition::Continues;
use crate::store::event::{Counts, RunStarted, Status};
use crate::store::history::Entry;
use crate::store::journal::Store;
use crate::store::past::{Before, Made, Past, State};
use crate::system;

/// Go on with a run that was stopped, killed or that failed: what is known to be done is not done again.
#[derive(Debug, Args)]
pub(super) struct Resume {
    /// The beginning of the run's id, or `last`.
    run: String,
    /// The runbook, where it is not where the run had it.
    file: Option<String>,
    /// Agree to the changes that are left, by the hash that `runbook plan` prints.
    #[arg(long, value_name = "HASH", value_parser = Agreed::read)]
    approve: Option<Agreed>,
    /// This change of the run was made, by its number; can be given several times.
    #[arg(long, value_name = "CHANGE")]
    done: Vec<String>,
    /// This change of the run was not made; can be given several times.
    #[arg(long, value_name = "CHANGE")]
    not_done: Vec<String>,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    telling: Telling,
    #[command(flatten)]
    state: Kept,
}

pub(super) fn run(args: &Resume, console: &Arc<Console>) -> Result<u8, Failure> {
    let mut past = taken(&args.run, &args.state)?;
    let Some(last) = past.last() else { return Err(Failure::new("there is no run")) };
    can_go_on(&past, last, &args.state.again())?;
    let said = Said { done: &args.done, not_done: &args.not_done };
    if said.is_empty() && is_over(&past, last) {
        return nothing_left(&past, last, console);
    }
    let asked = asked(last, args.file.clone(), &format!("resume {}", last.run))?;
    let prepared = match prepare(&asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(exit),
    };
    unchanged(&prepared, last)?;
    let begun: Vec<&Made> = past.known().into_values().filter(|made| made.state != State::Failed).collect();
    as_before(&begun, &[], &prepared, &asked, &args.state)?;
    let (run, who) = (Arc::clone(&last.run), by());
    let Some(settled) = settling::settle(&mut past, &said, &prepared, &asked, &args.state, &who, console)? else {
        return Ok(5);
    };
    tell(&past, console);
    let onward = Onward {
        known: known(&past),
        proposal: Some(left(&prepared, &past)),
        continues: Some(Continues::Resumes { run, settled }),
        past: Some(Arc::new(past)),
        undoing: None,
    };
    go(
        &Run::onward(asked, args.approve.clone(), args.format, args.telling.clone(), args.state.clone()),
        prepared,
        onward,
        console,
    )
}

/// A run and those before it, held.
pub(super) fn taken(run: &str, state: &Kept) -> Result<Past, Failure> {
    past(run, state, Some(&format!("{}, since {:.0}, process {}", by(), system::now(), std::process::id())))
}

/// The same, held only where it is said for whom.
pub(super) fn past(run: &str, state: &Kept, who: Option<&str>) -> Result<Past, Failure> {
    let store = state.store()?;
    let run = meant(&store, run)?;
    let path = found(&store, &run, store.find(&run)?)?;
    Ok(store.past(&path, who)?)
}

/// What `last` means for whoever goes on with a run or undoes something of it: the last one that was not an undoing itself.
fn meant(store: &Store, run: &str) -> Result<String, Failure> {
    if run != "last" {
        return Ok(run.to_owned());
    }
    let (entries, faults) = store.history()?;
    if let Some(fault) = faults.into_iter().next() {
        return Err(Failure::from(fault).help("`last` may be that one: name the run, as `runbook history` lists it"));
    }
    let is_undoing = |entry: &Entry| matches!(entry.started.continues, Some(Continues::Undoes { .. }));
    let last = entries.iter().filter(|entry| !is_undoing(entry)).max_by_key(|entry| entry.at);
    Ok(last.map_or_else(|| run.to_owned(), |entry| entry.started.run.to_string()))
}

fn can_go_on(past: &Past, last: &Before, again: &Again) -> Result<(), Failure> {
    let run = &last.run;
    if let Some(follower) = &past.follower {
        let message = format!(
            "run {run} was gone on with already: run {} by {} at {:.0}",
            follower.run, follower.by, follower.at
        );
        return Err(Failure::new(message).help(format!(
            "go on with that one: `{} {}`",
            again.command("resume"),
            follower.run
        )));
    }
    if let Some(Continues::Undoes { run: other, change, .. }) = &last.started.continues {
        return Err(Failure::new(format!("run {run} was to undo change {change} of run {other}"))
            .help(format!("do that with `{} {other} {change}`", again.command("undo"))));
    }
    if last.started.read_only {
        return Err(Failure::new(format!("run {run} was to look only, so nothing is left to be gone on with"))
            .help("look again with `runbook run --read-only`"));
    }
    let unnamed = past.runs.iter().flat_map(|run| &run.changes).find(|made| made.key.is_none());
    if let Some(made) = unnamed {
        let message = format!(
            "run {} made changes, and a version of runbook recorded it that did not write down which is which",
            made.run
        );
        return Err(Failure::new(message).help(format!(
            "look at them with `{} {}`, and run what is left with `--only`",
            again.of_runs("show"),
            made.run
        )));
    }
    Ok(())
}

/// Whether a run came to its end, and nothing of it is left to be done.
fn is_over(past: &Past, last: &Before) -> bool {
    let Some(finished) = &last.finished else { return false };
    let Counts { not_measured, changes_failed, changes_partly, changes_unknown, changes_withheld, not_reached, .. } =
        finished.counts;
    let left = [not_measured, changes_failed, changes_partly, changes_unknown, changes_withheld, not_reached];
    let in_place = |made: &&Made| made.is_in_place() || made.parts;
    finished.status != Status::Stopped && left == [0; 6] && past.known().values().all(in_place)
}

fn nothing_left(past: &Past, last: &Before, console: &Console) -> Result<u8, Failure> {
    let done = past.known().values().filter(|made| !made.parts).count();
    let exit = last.finished.as_ref().map_or(0, |finished| finished.exit);
    console.print(&format!(
        "nothing is left to be done of run {}: it came to its end (exit {exit}, {} done)\n",
        last.run,
        counted(done as u64, "change")
    ))?;
    Ok(0)
}

/// What was asked of the run. `verb`: what was typed, to be typed again with a file.
pub(super) fn asked(last: &Before, file: Option<String>, verb: &str) -> Result<Asked, Failure> {
    let file = match file {
        Some(file) => file,
        None if &*last.started.file == STDIN => {
            let message = format!("run {} had its runbook from standard input, and it is not kept", last.run);
            return Err(Failure::new(message).help(format!("name the file that it was: `runbook {verb} FILE`")));
        }
        None => where_it_was(&last.started, verb)?,
    };
    let set = last.started.set.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(Asked { file, only: last.started.only.clone(), set })
}

/// The file of a run, also where that was typed in another folder.
fn where_it_was(started: &RunStarted, verb: &str) -> Result<String, Failure> {
    let file = started.file.to_string();
    let known = started.folder.as_ref().map(|known| Path::new(&**known));
    let is_here = known.is_none_or(|known| folder(&file).is_ok_and(|here| here == known));
    let there = known.zip(Path::new(&file).file_name()).filter(|_| !is_here).map(|(known, name)| known.join(name));
    let there = there.and_then(|path| path.to_str().map(str::to_owned)).unwrap_or_else(|| file.clone());
    // Another machine may have it elsewhere, by the same name from here.
    let found = [&there, &file].into_iter().find(|path| Path::new(path).exists()).cloned();
    found.ok_or_else(|| {
        Failure::new(format!("the runbook of run {} was `{}`, and it is not there", started.run, clean(&there)))
            .help(format!("name the file where it is now: `runbook {verb} FILE`"))
    })
}

/// Refuses a runbook whose changes are others now, and says which.
fn unchanged(prepared: &Prepared, last: &Before) -> Result<(), Failure> {
    if prepared.plan.hash == last.started.plan {
        return Ok(());
    }
    let mut lines = vec![format!("the changes of the runbook are not those that run {} began with", last.run)];
    lines.extend(differences(&last.started.definition, &definition(&prepared.plan)));
    let help =
        "bring it back to what it was, or make what is left in a run of its own: `runbook plan`, `runbook run --only`";
    Err(Failure::new(lines.join("\n")).help(format!("nothing was run; {help}")))
}

/// What is not made again, by what it is known by.
fn known(past: &Past) -> Known {
    let known = past.known();
    let done = |key: &str| known.get(key).is_some_and(|made| made.is_in_place());
    let in_place = |key: &str| {
        // A command is done if nothing that it made was taken back.
        let inner = format!("{key}.");
        let parts = known.range::<str, _>((std::ops::Bound::Excluded(inner.as_str()), std::ops::Bound::Unbounded));
        done(key) && parts.take_while(|(other, _)| other.starts_with(&inner)).all(|(other, _)| done(other))
    };
    Known::new(known.iter().filter(|(key, _)| !key.ends_with(CLOSING) && in_place(key)).map(|(key, made)| {
        let by = match &made.state {
            State::Done { by } => by.clone(),
            _ => None,
        };
        let (run, title, value) = (Arc::clone(&made.run), Arc::clone(&made.title), made.value.clone());
        (key.to_string(), MadeBefore { run, change: made.change, title, at: made.at, by, value })
    }))
}

/// The changes that are left, with what became of them before.
fn left(prepared: &Prepared, past: &Past) -> Proposal {
    let Prepared { plan, sources, .. } = prepared;
    let whole = Proposal::of(plan, sources, String::new());
    let mut changes = Vec::new();
    for (planned, mut proposed) in plan.changes.iter().zip(whole.changes) {
        let (before, is_done) = before(planned, past);
        if !is_done {
            proposed.before = before;
            changes.push(proposed);
        }
    }
    Proposal { changes, ..whole }
}

/// What runs before did of a change, and whether nothing of it is left.
fn before(planned: &PlannedChange, past: &Past) -> (Vec<String>, bool) {
    let known = past.known();
    let inner = format!("{}.", planned.position);
    let is_own = |key: &str| position_of(key) == planned.position;
    let is_part = |key: &str| position_of(key).starts_with(&inner);
    let own =
        known.iter().filter(|(key, made)| !key.ends_with(CLOSING) && !made.parts && (is_own(key) || is_part(key)));
    let repeated = planned.around.iter().any(|around| matches!(around, Around::Each { .. } | Around::Retry { .. }));
    let closing = planned.around.iter().any(|around| matches!(around, Around::OnFailure | Around::Always));
    let outer = known.iter().find(|(key, _)| is_own(key));
    let is_done = !repeated && !closing && outer.is_some_and(|(_, made)| made.is_in_place());
    (own.map(|(_, made)| became(made)).collect(), is_done)
}

fn became(made: &Made) -> String {
    let items: Vec<String> = made.items.iter().map(|item| clean(item)).collect();
    let of = if items.is_empty() { String::new() } else { format!(" for {}", items.join(", ")) };
    // By this number somebody says of it whether it was made.
    let (run, at) = (format!("{} (change {})", clean(&made.run), made.change), format!("{:.0}", made.at));
    match &made.state {
        State::Done { .. } if made.again => format!("done{of} in run {run} at {at}: made again, as somebody says"),
        State::Done { .. } => format!("done{of} in run {run} at {at}: not made again"),
        State::Unverified => format!("made{of} in run {run} at {at}, and something was wrong with it: made again"),
        State::Partly => format!("partly made{of} in run {run} at {at}: made again"),
        State::Failed => format!("not made{of} in run {run} at {at}: tried again"),
        State::Undone { run, at } => format!("undone{of} in run {} at {at:.0}: made again", clean(run)),
        State::Unknown { .. } | State::MaybeUndone { .. } => format!("unknown{of} in run {run} at {at}"),
    }
}

/// What was set right after a failure may have taken back what is not made again.
fn tell(past: &Past, console: &Console) {
    let closing = past.runs.iter().flat_map(|run| &run.changes).filter(|made| {
        made.key.as_ref().is_some_and(|key| key.ends_with(CLOSING)) && matches!(made.state, State::Done { .. })
    });
    let titles: Vec<String> = closing.map(|made| format!("`{}`", clean(&made.title))).collect();
    if !titles.is_empty() {
        let message =
            format!("`on failure` or `always` made changes at the end of what is gone on with: {}", titles.join(", "));
        console.warn(&message, Some("a change that this took back is made again with `--not-done CHANGE`"));
    }
}
