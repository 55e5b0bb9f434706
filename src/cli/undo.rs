//! `runbook undo`: takes back one change of a run, as the change itself says how, with the values that it had.

use std::sync::Arc;

use clap::Args;
use sha2::{Digest, Sha256};

use super::alerting::Telling;
use super::console::{Console, Failure};
use super::request::{Asked, Format, Prepared, prepare};
use super::resume::{asked, taken};
use super::run::{Onward, Run, go};
use super::state::Kept;
use crate::check::program::ExprKind;
use crate::plan::{self, Plan, position};
use crate::report::definition::differences;
use crate::report::terminal::short;
use crate::run::known::{CLOSING, position_of};
use crate::run::{Proposal, Undo, definition};
use crate::shown::look::{clean, quoted};
use crate::store::definition::{Continues, Definition};
use crate::store::event::ProposedChange;
use crate::store::kept::Kept as KeptValue;
use crate::store::past::{Before, Made, Past, State};

/// Undo a change of a run, as its `undo` says: shown, agreed to and recorded like any other change.
#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    /// The beginning of the run's id, or `last`.
    run: String,
    /// The number of the change, which the end of the run and `runbook show RUN` print.
    change: u32,
    /// The runbook, where it is not where the run had it.
    file: Option<String>,
    /// Agree to it, by the hash that is printed without a terminal.
    #[arg(long, value_name = "HASH")]
    approve: Option<String>,
    /// Also where it was undone before, or may have been.
    #[arg(long)]
    again: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    state: Kept,
}

/// One change that is to be undone, and how.
pub(super) struct Undoing {
    pub(super) asked: Asked,
    /// With the plan of this one call.
    pub(super) prepared: Prepared,
    pub(super) proposal: Proposal,
    undo: Undo,
    past: Past,
    /// The run that made it.
    pub(super) run: Arc<str>,
}

pub(super) fn run(args: UndoArgs, console: &Arc<Console>) -> Result<u8, Failure> {
    let wanted = Wanted { run: &args.run, change: args.change, file: args.file, again: args.again };
    let Undoing { asked, prepared, proposal, undo, past, run } = match undoing(wanted, &args.state, console)? {
        Ok(undoing) => undoing,
        Err(exit) => return Ok(exit),
    };
    let continues = Some(Continues::Undoes { run, change: args.change });
    let onward =
        Onward { past: Some(past), continues, proposal: Some(proposal), undo: Some(undo), ..Onward::default() };
    go(&Run::onward(asked, args.approve, args.format, Telling::nobody(), args.state), prepared, onward, console)
}

/// What somebody wants to undo.
pub(super) struct Wanted<'a> {
    pub(super) run: &'a str,
    pub(super) change: u32,
    pub(super) file: Option<String>,
    pub(super) again: bool,
}

/// What is to be done to undo a change. Gives the exit code where its runbook is not to be run, which has been said then.
pub(super) fn undoing(
    wanted: Wanted<'_>,
    state: &Kept,
    console: &Arc<Console>,
) -> Result<Result<Undoing, u8>, Failure> {
    let past = taken(wanted.run, state)?;
    let Some(last) = past.last() else { return Err(Failure::new("there is no run")) };
    let made = made(last, wanted.change)?;
    can_be_undone(made, wanted.again)?;
    let asked = asked(last, wanted.file, &format!("undo {} {} FILE", last.run, wanted.change))?;
    let mut prepared = match prepare(&asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(Err(exit)),
    };
    let undo = undo(made, last, &prepared)?;
    let mut proposal = proposal(&undo, made, &prepared)?;
    let position = &undo.position;
    let planned = prepared.plan.changes.iter().find(|planned| planned.position == *position);
    let call = position::change(&prepared.program, &prepared.selection, position).and_then(|made| made.undo.as_ref());
    let (Some(planned), Some(call)) = (planned, call) else {
        return Err(Failure::new(format!("the runbook has no change {} of run {} any more", made.change, last.run)));
    };
    let text = proposal.changes.first().map_or_else(String::new, |change| change.change.to_string());
    let hash = proposal.hash.clone();
    let plan = plan::undoing(&prepared.program, &prepared.plan, planned, (call, &text), &prepared.typed, hash);
    (proposal.leads_to, proposal.roles) = (plan.leads_to.clone(), plan.roles());
    proposal.help = how(&plan, &asked, last, wanted.change, wanted.again);
    prepared.plan = plan;
    let run = Arc::clone(&last.run);
    Ok(Ok(Undoing { asked, prepared, proposal, undo, past, run }))
}

/// What to type so that it is undone.
fn how(plan: &Plan, asked: &Asked, last: &Before, change: u32, again: bool) -> String {
    let mut command = format!("runbook undo {} {change}", last.run);
    if *asked.file != *last.started.file {
        command = format!("{command} {}", quoted(&asked.file));
    }
    if again {
        command.push_str(" --again");
    }
    let (file, run) = (quoted(&asked.file), &last.run);
    let approve = |role: &Arc<str>| {
        let again = if again { " --again" } else { "" };
        let approve = format!("runbook approve {file} --undo {run}:{change}{again} --as {}", quoted(role));
        format!("approve as {role}, by somebody else than whoever undoes it: {approve}")
    };
    let mut lines: Vec<String> = plan.roles().iter().map(approve).collect();
    lines.push(match &plan.hash {
        Some(hash) if lines.is_empty() => format!("approve: {command} --approve {}", short(hash)),
        _ => format!("then undo it: {command}"),
    });
    lines.join("\n")
}

fn made(last: &Before, number: u32) -> Result<&Made, Failure> {
    if let Some(made) = last.changes.iter().find(|made| made.change == number) {
        return Ok(made);
    }
    let run = &last.run;
    if let Some(kept) = last.kept.iter().find(|kept| kept.change == number) {
        let message = format!("change {number} was not made in run {run}, but before, in run {}", kept.run);
        return Err(Failure::new(message).help(format!("undo it there: `runbook undo {} {}`", kept.run, kept.of)));
    }
    Err(Failure::new(format!("run {run} has begun no change {number}"))
        .help(format!("`runbook show {run}` says which of its changes can be undone")))
}

fn can_be_undone(made: &Made, again: bool) -> Result<(), Failure> {
    let (run, number, title) = (&made.run, made.change, clean(&made.title));
    match &made.state {
        State::Done { .. } | State::Failed { made: true } => Ok(()),
        State::Failed { made: false } => {
            Err(Failure::new(format!("change {number} of run {run}, `{title}`, was not made: there is nothing to undo")))
        }
        State::Unknown { .. } => Err(Failure::new(format!(
            "nobody knows whether change {number} of run {run}, `{title}`, was made"
        ))
        .help(format!(
            "look, then say it with `runbook resume {run} --done {number}` or `--not-done {number}`; what was made can be undone"
        ))),
        State::Undone { .. } | State::MaybeUndone { .. } if again => Ok(()),
        State::Undone { run: by, at } => {
            let message = format!("change {number} of run {run}, `{title}`, was undone by run {by} at {at:.0}");
            Err(Failure::new(message).help("`--again` undoes it once more"))
        }
        State::MaybeUndone { run: by, at } => {
            let message = format!(
                "run {by} was to undo change {number} of run {run}, `{title}`, at {at:.0}, and nobody can say whether it did"
            );
            Err(Failure::new(message).help(format!("look at it with `runbook show {by}`; `--again` undoes it once more")))
        }
    }
}

/// What is to be done, as long as the change is still what it was.
fn undo(made: &Made, last: &Before, prepared: &Prepared) -> Result<Undo, Failure> {
    let (run, number) = (&made.run, made.change);
    let Some(key) = &made.key else {
        let message = format!("a version of runbook recorded run {run} that did not write down what an undo needs");
        return Err(
            Failure::new(message).help(format!("look at the change with `runbook show {run}`, and undo it by hand"))
        );
    };
    let position = position_of(key.trim_end_matches(CLOSING));
    let now = definition(&prepared.plan);
    let (was, is) = (last.started.definition.at(&position), now.at(&position));
    let is_same = prepared.plan.hash == last.started.plan
        || was.zip(is).is_some_and(|(was, is)| last.started.definition.says_the_same(was, &now, is));
    if !is_same {
        let mut lines = vec![format!("change {number} of run {run} is defined in another way now")];
        let only = |definition: &Definition, own: Option<&_>| Definition {
            changes: own.cloned().into_iter().collect(),
            facts: definition.facts.clone(),
        };
        lines.extend(differences(&only(&last.started.definition, was), &only(&now, is)));
        return Err(
            Failure::new(lines.join("\n")).help("nothing was run; bring it back to what it was, or undo it by hand")
        );
    }
    let section = is.map_or_else(|| Arc::from("undo"), |defined| Arc::clone(&defined.section));
    let undo =
        Undo { position, title: Arc::clone(&made.title), section, with: made.with.clone(), value: made.value.clone() };
    let Some(change) = position::change(&prepared.program, &prepared.selection, &undo.position) else {
        return Err(Failure::new(format!("the runbook has no change {number} of run {run} any more")));
    };
    if change.undo.is_none() {
        let failure = Failure::new(format!("change {number} of run {run}, `{}`, has no `undo`", clean(&made.title)));
        return Err(match &change.call.kind {
            ExprKind::Call(call) if !call.builtin.by_hand.is_empty() => {
                let by_hand = call.builtin.by_hand;
                failure.help(format!(
                    "by hand it is made with `{by_hand}`: what takes that back, the runbook does not say"
                ))
            }
            _ => failure.help("what takes it back, the runbook does not say: `undo CALL` behind a change does"),
        });
    }
    if let Some((name, why)) = undo
        .names(&prepared.program, &prepared.selection)
        .iter()
        .find_map(|(name, kept)| Some((name.clone(), kept.lost()?.to_owned())))
    {
        let message = format!("the value that `{name}` had in run {run} is not in its journal: {why}");
        return Err(Failure::new(message).help("undo it by hand: a value is never guessed"));
    }
    Ok(undo)
}

/// What a consent covers: this call, with these values, once.
fn proposal(undo: &Undo, made: &Made, prepared: &Prepared) -> Result<Proposal, Failure> {
    let Prepared { program, sources, selection, plan, .. } = prepared;
    let call = undo.call(program, sources, selection).unwrap_or_default();
    let names = undo.names(program, selection);
    let values =
        serde_json::to_string(&names).map_err(|error| Failure::new(format!("cannot say what is undone: {error}")))?;
    let mut hasher = Sha256::new();
    let number = made.change.to_string();
    for part in ["runbook undo 1", plan.hash.as_deref().unwrap_or_default(), &made.run, &number, &call, &values] {
        hasher.update(format!("{}:{part}\n", part.len()));
    }
    let change = ProposedChange {
        section: Arc::clone(&undo.section),
        step: None,
        file: Arc::clone(&made.place.file),
        line: made.place.line,
        change: call.into(),
        given: names.iter().map(|(name, kept)| (Arc::clone(name), said(kept))).collect(),
        target: made.target.clone(),
        before: vec![format!("undoes `{}` of run {}, made at {:.0}", made.title, made.run, made.at)],
    };
    Ok(Proposal { hash: hex::encode(hasher.finalize()), changes: vec![change], ..Proposal::default() })
}

/// How much of a value is shown.
const SHOWN: usize = 100;

fn said(kept: &KeptValue) -> String {
    match kept.value(&|_| None) {
        Ok(value) => {
            let text = value.to_string();
            let mut shown: String = text.chars().take(SHOWN).collect();
            if shown.len() < text.len() {
                shown.push('…');
            }
            shown
        }
        Err(fault) => fault.message.to_string(),
    }
}
