//! `runbook undo`: takes back one change of a run, as the change itself says how, with the values that it had.

use std::sync::Arc;

use clap::Args;

use super::alerting::Telling;
use super::console::{Console, Failure};
use super::edited;
use super::places::as_before;
use super::request::{Asked, Format, Prepared, prepare};
use super::resume::{asked, past, taken};
use super::run::{Onward, Run, by, go};
use super::standing;
use super::state::Kept;
use crate::check::program::{Change, ExprKind};
use crate::plan::{self, Agreed, position};
use crate::report::definition::differences;
use crate::run::known::{CLOSING, position_of};
use crate::run::{Proposal, Undo, definition};
use crate::shown::again::Again;
use crate::shown::items::named;
use crate::shown::look::clean;
use crate::store::approval::Undoes;
use crate::store::definition::{Continues, Definition};
use crate::store::event::ProposedChange;
use crate::store::kept::Kept as KeptValue;
use crate::store::past::{Before, Made, State};
use crate::types::Fault;

/// Undo a change of a run, as its `undo` says: shown, agreed to and recorded like any other change.
#[derive(Debug, Args)]
pub(super) struct UndoArgs {
    /// The beginning of the run's id, or `last`.
    run: String,
    /// The number of the change, which the end of the run and `runbook show RUN` print.
    #[arg(value_parser = number)]
    change: u32,
    /// The runbook, where it is not where the run had it.
    file: Option<String>,
    /// Agree to it, by the hash that is printed without a terminal.
    #[arg(long, value_name = "HASH", value_parser = Agreed::read)]
    approve: Option<Agreed>,
    /// Also where it was undone before, or may have been.
    #[arg(long)]
    again: bool,
    /// It was made, or a part of it: somebody has looked, where the run could not tell.
    #[arg(long)]
    made: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    state: Kept,
}

fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "it is no number of a change; `runbook show RUN` prints them".to_owned())
}

pub(super) fn run(args: &UndoArgs, console: &Arc<Console>) -> Result<u8, Failure> {
    let past = taken(&args.run, &args.state)?;
    let Some(last) = past.last() else { return Err(Failure::new("there is no run")) };
    let begun = made(last, args.change, &args.state.again())?;
    can_be_undone(begun, args.again, args.made, &args.state.again())?;
    // What is known needs nobody's word.
    let said = matches!(begun.state, State::Unknown { .. }).then(by);
    let asked = asked(last, args.file.clone(), &format!("undo {} {}", last.run, args.change))?;
    let prepared = match prepare(&asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(exit),
    };
    let flags = [(args.again, " --again"), (said.is_some(), " --made")];
    let flags = flags.iter().filter(|(given, _)| *given).map(|(_, flag)| *flag).collect();
    let undoing = Undoing { flags, ..undoing(begun, last, (&asked, &prepared), &args.state)? };
    let continues = Some(Continues::Undoes { run: Arc::clone(&last.run), change: args.change, made: said });
    let onward = Onward { past: Some(Arc::new(past)), continues, undoing: Some(undoing), ..Onward::default() };
    go(
        &Run::onward(asked, args.approve.clone(), args.format, Telling::nobody(), args.state.clone()),
        prepared,
        onward,
        console,
    )
}

/// A change that is to be undone, with all that a consent to that covers.
pub(super) struct Undoing {
    pub(super) undo: Undo,
    /// The change that undoes it.
    pub(super) change: Change,
    pub(super) proposal: Proposal,
    /// What has to be typed with it: ` --again`
    pub(super) flags: String,
    /// Of which a standing approval may be.
    pub(super) agreed: standing::Asked,
}

/// What was asked of the run, what it is with the runbook as it is now, and which change of it.
pub(super) type ToBeUndone = (Asked, Prepared, Undoing, Undoes);

/// What `RUN:CHANGE` says is to be undone, for whoever agrees to that: what was asked of its run, and what it is with the
/// runbook as it is now. The journals are not held, so that nobody waits for an answer.
pub(super) fn to_be_undone(
    text: &str,
    file: &str,
    state: &Kept,
    console: &Console,
) -> Result<Result<ToBeUndone, u8>, Failure> {
    let named = text.split_once(':').and_then(|(run, change)| Some((run, change.parse::<u32>().ok()?)));
    let Some((run, number)) = named else {
        return Err(Failure::new(format!("`--undo {}` names no change of a run", clean(text)))
            .help("write the run and the number of the change, as `runbook show RUN` prints them: `--undo 7f3a12:2`"));
    };
    let past = past(run, state, None)?;
    let Some(last) = past.last() else { return Err(Failure::new("there is no run")) };
    let begun = made(last, number, &state.again())?;
    // Whether it is undone once more is said by whoever does it.
    can_be_undone(begun, true, true, &state.again())?;
    let asked = asked(last, Some(file.to_owned()), "")?;
    let prepared = match prepare(&asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(Err(exit)),
    };
    let undoing = undoing(begun, last, (&asked, &prepared), state)?;
    let undoes = Undoes { run: last.run.to_string(), change: number };
    Ok(Ok((asked, prepared, undoing, undoes)))
}

fn undoing(
    made: &Made,
    last: &Before,
    (asked, prepared): (&Asked, &Prepared),
    state: &Kept,
) -> Result<Undoing, Failure> {
    let undo = undo(made, last, prepared)?;
    let Prepared { program, sources, selection, typed, policy, .. } = prepared;
    let Some(change) = undo.made(program, sources, selection) else {
        return Err(Failure::new(format!("nothing undoes `{}`", clean(&undo.title))));
    };
    let reached = plan::reached(program, &change.call, typed);
    let mut roles = undo.roles(program, selection);
    if let Some(policy) = policy {
        roles.extend(policy.roles(&plan::called(program, &change)));
    }
    let now = as_before(&[made], &reached.leads_to, prepared, asked, state)?;
    let now: Vec<(Arc<str>, Arc<str>)> =
        now.into_iter().map(|(name, place)| Ok((name, place?))).collect::<Result<_, Fault>>()?;
    let hash = hash(&undo, &change, made, &now, prepared)?;
    let agreed = standing::Asked {
        hash: hash.clone(),
        only: last.started.only.clone(),
        parts: edited::kept(&reached.parts, sources),
        programs: reached.programs,
    };
    let proposal = Proposal {
        hash,
        changes: vec![proposed(&undo, &change, made, &now, prepared)],
        help: String::new(),
        leads_to: reached.leads_to,
        roles,
    };
    Ok(Undoing { undo, change, proposal, flags: String::new(), agreed })
}

fn made<'p>(last: &'p Before, number: u32, flags: &Again) -> Result<&'p Made, Failure> {
    if let Some(made) = last.changes.iter().find(|made| made.change == number) {
        return Ok(made);
    }
    let run = &last.run;
    if let Some(kept) = last.kept.iter().find(|kept| kept.change == number) {
        let message = format!("change {number} was not made in run {run}, but before, in run {}", kept.run);
        return Err(Failure::new(message).help(format!(
            "undo it there: `{} {} {}`",
            flags.command("undo"),
            kept.run,
            kept.of
        )));
    }
    Err(Failure::new(format!("run {run} has begun no change {number}"))
        .help(format!("`{} {run}` says which of its changes can be undone", flags.of_runs("show"))))
}

fn can_be_undone(made: &Made, again: bool, said: bool, flags: &Again) -> Result<(), Failure> {
    let (run, number, title) = (&made.run, made.change, clean(&named(&made.title, &made.items)));
    match &made.state {
        State::Done { .. } | State::Unverified | State::Partly => Ok(()),
        State::Unknown { .. } if said => Ok(()),
        State::Failed => Err(Failure::new(format!(
            "change {number} of run {run}, `{title}`, was not made: there is nothing to undo"
        ))),
        State::Unknown { .. } => {
            let why = made.fault.as_ref().map_or_else(String::new, |fault| format!(": {}", clean(fault)));
            let message = format!("nobody knows whether change {number} of run {run}, `{title}`, was made{why}");
            Err(Failure::new(message).help(format!(
                "look; if it was made, or a part of it: `{} {run} {number} --made`",
                flags.command("undo")
            )))
        }
        State::Undone { .. } | State::MaybeUndone { .. } if again => Ok(()),
        State::Undone { run: by, at } => {
            let message = format!("change {number} of run {run}, `{title}`, was undone by run {by} at {at:.0}");
            Err(Failure::new(message).help("`--again` undoes it once more"))
        }
        State::MaybeUndone { run: by, at } => {
            let message = format!(
                "run {by} was to undo change {number} of run {run}, `{title}`, at {at:.0}, and nobody can say whether it did"
            );
            Err(Failure::new(message)
                .help(format!("look at it with `{} {by}`; `--again` undoes it once more", flags.of_runs("show"))))
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
    if let Some(Continues::Undoes { run: other, change, .. }) = &last.started.continues {
        let message = format!("run {run} has undone change {change} of run {other}, and an undoing has no `undo`");
        return Err(Failure::new(message).help(format!("`runbook resume {other}` makes that change again")));
    }
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
        let failure = Failure::new(format!(
            "change {number} of run {run}, `{}`, has no `undo`",
            clean(&named(&made.title, &made.items))
        ));
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

/// What a consent covers: this call, with these values, on these systems, once: where it was undone before, it is another one.
fn hash(
    undo: &Undo,
    change: &Change,
    made: &Made,
    now: &[(Arc<str>, Arc<str>)],
    prepared: &Prepared,
) -> Result<String, Failure> {
    let Prepared { program, selection, plan, .. } = prepared;
    let names = undo.names(program, selection);
    let values =
        serde_json::to_string(&names).map_err(|error| Failure::new(format!("cannot say what is undone: {error}")))?;
    let number = made.change.to_string();
    let plan = plan.hash.as_deref().unwrap_or_default();
    let undone = match &made.state {
        State::Undone { run, .. } | State::MaybeUndone { run, .. } => run,
        _ => "",
    };
    let covered = ["runbook undo 2", plan, &made.run, &number, &change.source, &values, undone];
    let systems = now.iter().flat_map(|(name, place)| [&**name, &**place]);
    Ok(plan::hash_of(covered.into_iter().chain(systems)))
}

fn proposed(
    undo: &Undo,
    change: &Change,
    made: &Made,
    now: &[(Arc<str>, Arc<str>)],
    prepared: &Prepared,
) -> ProposedChange {
    let names = undo.names(&prepared.program, &prepared.selection);
    ProposedChange {
        section: Arc::clone(&undo.section),
        step: None,
        file: Arc::clone(&made.place.file),
        line: made.place.line,
        change: Arc::clone(&change.source),
        around: Vec::new(),
        given: names.iter().map(|(name, kept)| (Arc::clone(name), said(kept))).collect(),
        on: Vec::new(),
        target: (!now.is_empty()).then(|| now.iter().map(|(_, place)| &**place).collect::<Vec<_>>().join(", ")),
        before: vec![format!("undoes `{}` of run {}, {}", named(&made.title, &made.items), made.run, came_of(made))],
    }
}

/// What is known of a change that is to be undone.
fn came_of(made: &Made) -> String {
    let at = made.at;
    match &made.state {
        State::Unknown { ended: true } => format!("which could not tell at {at:.0} whether it was made"),
        State::Unknown { ended: false } => {
            format!("in which it was begun at {at:.0}, and nobody knows whether it was made")
        }
        State::Done { by: Some(by) } => format!("made as {by} says"),
        State::Partly => format!("made in part at {at:.0}"),
        _ => format!("made at {at:.0}"),
    }
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
