//! Changes of which nobody knows whether they were made: a person is asked, with what `verify` says now.

use std::fmt::Write as _;
use std::io::BufRead;
use std::sync::Arc;

use super::alerting::{self, Telling};
use super::console::{Console, Failure};
use super::request::{Asked, Prepared};
use super::run::{facts, id, runtime};
use super::state::Kept;
use crate::catalog::World;
use crate::check::program::ExprKind;
use crate::plan::position;
use crate::run::known::{items_of, position_of};
use crate::run::{Looked, verify};
use crate::shown::look::{clean, quoted};
use crate::store::definition::Settled;
use crate::store::past::{Made, Past, State};

/// What was said on the command line, by numbers of changes.
pub(super) struct Said<'a> {
    pub(super) done: &'a [String],
    pub(super) not_done: &'a [String],
    /// Also of what is known.
    pub(super) correct: bool,
}

impl Said<'_> {
    pub(super) const fn is_empty(&self) -> bool {
        self.done.is_empty() && self.not_done.is_empty()
    }
}

/// Settles what nobody knows. `None` where it is not settled, which has been said then.
pub(super) fn settle(
    past: &mut Past,
    said: &Said<'_>,
    prepared: &Prepared,
    asked: &Asked,
    state: &Kept,
    by: &str,
    console: &Console,
) -> Result<Option<Vec<Settled>>, Failure> {
    let mut settled = told(past, said, by)?;
    let unknown: Vec<Made> =
        past.unknown().into_iter().filter(|made| !is_repeatable(made, prepared)).cloned().collect();
    if unknown.is_empty() {
        return Ok(Some(settled));
    }
    let now = look(&unknown, prepared, asked, state)?;
    if !console.can_ask() {
        refuse(past, &unknown, &now, said, console);
        return Ok(None);
    }
    for (made, now) in unknown.iter().zip(&now) {
        let Some(done) = ask(made, now.as_ref(), console) else {
            console.say("stopped: nothing was run\n");
            return Ok(None);
        };
        settled.push(settle_one(past, &made.run, made.change, done, by, false)?);
    }
    Ok(Some(settled))
}

/// Whether a change that failed half-way is made again without asking: made twice, it is as if made once.
pub(super) fn is_repeatable(made: &Made, prepared: &Prepared) -> bool {
    let position = made.key.as_deref().map(position_of).unwrap_or_default();
    let Some(change) = position::change(&prepared.program, &prepared.selection, &position) else { return false };
    let idempotent = match &change.call.kind {
        ExprKind::Call(call) => call.idempotent,
        ExprKind::Tool { tool, .. } => prepared.program.tools.get(tool.index()).is_some_and(|tool| tool.idempotent),
        _ => false,
    };
    idempotent && matches!(made.state, State::Broken { .. })
}

fn told(past: &mut Past, said: &Said<'_>, by: &str) -> Result<Vec<Settled>, Failure> {
    let mut settled: Vec<Settled> = Vec::new();
    for (texts, done, flag) in [(said.done, true, "done"), (said.not_done, false, "not-done")] {
        for text in texts {
            let (run, number) = match text.split_once(':') {
                Some((run, number)) => (run.to_owned(), number),
                None => (past.last().map(|last| last.run.to_string()).unwrap_or_default(), text.as_str()),
            };
            let number: u32 = number.parse().map_err(|_| {
                Failure::new(format!("`--{flag} {text}` is no number of a change")).help("write it as `--done 2`")
            })?;
            if settled.iter().any(|other| *other.run == *run && other.change == number) {
                return Err(Failure::new(format!("change {text} is named twice")).help("leave one of them out"));
            }
            settled.push(settle_one(past, &run, number, done, by, said.correct)?);
        }
    }
    Ok(settled)
}

fn settle_one(
    past: &mut Past,
    run: &str,
    change: u32,
    done: bool,
    by: &str,
    correct: bool,
) -> Result<Settled, Failure> {
    let is_last = past.last().is_some_and(|last| *last.run == *run);
    let Some(made) = past.made(run, change) else {
        return Err(Failure::new(format!("run {run} has begun no change {change}"))
            .help(format!("`runbook show {run} --format json` has the numbers of its changes")));
    };
    if made.parts {
        let message = format!("change {change} of run {run} is made of others, which are known by themselves");
        return Err(Failure::new(message).help("say it of those"));
    }
    let was = known(made);
    if let Some(was) = &was {
        let known = format!("change {change} of run {run}, `{}`, is known: {was}", clean(&made.title));
        if done && matches!(made.state, State::Done { .. }) {
            return Err(Failure::new(known).help("leave it out: it is not made again"));
        }
        if !correct {
            let number = if is_last { change.to_string() } else { format!("{run}:{change}") };
            let flag = if done { "done" } else { "not-done" };
            return Err(Failure::new(known)
                .help(format!("`--{flag} {number} --correct` puts your word in its place, and both are recorded")));
        }
    }
    made.settled(done, by);
    let (run, title) = (Arc::clone(&made.run), Arc::clone(&made.title));
    Ok(Settled { run, change, title, done, by: by.to_owned(), was })
}

/// What is known of a change; `None` where nobody knows.
fn known(made: &Made) -> Option<String> {
    let at = format!("{:.0}", made.at);
    Some(match &made.state {
        State::Unknown { .. } | State::Broken { .. } | State::MaybeUndone { .. } => return None,
        State::Done { by: None } => format!("done at {at}"),
        State::Done { by: Some(by) } => format!("done, says {}", clean(by)),
        State::Failed { made: false, by: Some(by) } => format!("not done, says {}", clean(by)),
        State::Failed { made: false, by: None } => format!("not made at {at}"),
        State::Failed { made: true, .. } => format!("made at {at}, and its `verify` did not hold"),
        State::Undone { run, at } => format!("undone by run {run} at {at:.0}"),
    })
}

/// What `verify` of each says now; `None` where it has none.
fn look(unknown: &[Made], prepared: &Prepared, asked: &Asked, state: &Kept) -> Result<Vec<Option<Looked>>, Failure> {
    let facts = facts(id().into(), &prepared.program, &asked.file)?;
    let runtime = runtime(None)?;
    let looked = runtime.block_on(async {
        let (world, _) = alerting::open(&Telling::nobody(), state, prepared, &facts).await?;
        let mut looked = Vec::new();
        for made in unknown {
            let position = made.key.as_deref().map(position_of).unwrap_or_default();
            let (program, set) = (Arc::clone(&prepared.program), prepared.set.clone());
            let outside = Arc::clone(&world) as Arc<dyn World>;
            looked.push(
                verify(program, set, Arc::clone(&facts), outside, &prepared.selection, &position, &made.with).await,
            );
        }
        Ok(looked)
    });
    runtime.shutdown_background();
    looked
}

/// Without a terminal: what is unknown, and what to type.
fn refuse(past: &Past, unknown: &[Made], now: &[Option<Looked>], said: &Said<'_>, console: &Console) {
    let last = past.last().map(|last| last.run.to_string()).unwrap_or_default();
    let mut lines = vec![match unknown {
        [_] => "nobody knows whether a change was made".to_owned(),
        more => format!("nobody knows whether {} changes were made", more.len()),
    }];
    for (made, now) in unknown.iter().zip(now) {
        lines.extend(described(made, now.as_ref()));
    }
    let number = |made: &Made| {
        if *made.run == *last { made.change.to_string() } else { format!("{}:{}", made.run, made.change) }
    };
    let mut command = format!("runbook resume {}", quoted(&last));
    if said.correct {
        command.push_str(" --correct");
    }
    for (flag, texts) in [("done", said.done), ("not-done", said.not_done)] {
        for text in texts {
            // Writing to a string never fails.
            let _ = write!(command, " --{flag} {}", quoted(text));
        }
    }
    let flags: Vec<String> = unknown.iter().map(|made| format!("--done {0} or --not-done {0}", number(made))).collect();
    let help = format!("look, then say it: `{command}` with {}; nothing was run", flags.join(", "));
    console.complain(&Failure { exit: 5, message: lines.join("\n"), help: Some(help) });
}

/// A change for whoever has to say whether it was made.
fn described(made: &Made, now: Option<&Looked>) -> Vec<String> {
    let key = made.key.as_deref().unwrap_or_default();
    let items: Vec<String> = items_of(key).map(clean).collect();
    let of = if items.is_empty() { String::new() } else { format!("   for {}", items.join(", ")) };
    let target = made.target.as_ref().map_or_else(String::new, |target| format!("   → {}", clean(target)));
    let place = format!("{}:{}", clean(&made.place.file), made.place.line);
    let mut lines =
        vec![format!("  change {} of run {}: {}{of}{target}   {place}", made.change, made.run, clean(&made.title))];
    lines.push(match &made.state {
        State::MaybeUndone { run, at } => {
            format!("    run {run} was to undo it at {at:.0}, and nobody can say whether it did")
        }
        State::Unknown { ended: true } => format!("    its call had no clear answer at {:.0}", made.at),
        State::Broken { why } => {
            format!("    it failed at {:.0}, and nobody knows what it did until then: {}", made.at, clean(why))
        }
        _ => format!("    begun at {:.0}, and the run was stopped before it was over", made.at),
    });
    lines.push(match now {
        None => "    it has no `verify` that could be asked".to_owned(),
        Some(Ok(true)) => "    `verify` holds now".to_owned(),
        Some(Ok(false)) => "    `verify` does not hold now".to_owned(),
        Some(Err(fault)) => format!("    `verify` could not look: {}", clean(&fault.message)),
    });
    lines
}

/// Asks at the terminal. `None` where the run is not to go on.
fn ask(made: &Made, now: Option<&Looked>, console: &Console) -> Option<bool> {
    let mut question = format!(
        "\nNobody knows whether this change was made:\n{}\nType done if it was made, not if it was not, anything else to stop: ",
        described(made, now).join("\n")
    );
    loop {
        console.say(&question);
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        match (read, line.trim().to_ascii_lowercase().as_str()) {
            (Err(_) | Ok(0), _) => return None,
            (_, "done") => return Some(true),
            (_, "not" | "not done" | "not-done") => return Some(false),
            // An empty line is a slip; whatever else somebody types is no yes.
            (_, "") => "Type done, not, or stop: ".clone_into(&mut question),
            _ => return None,
        }
    }
}
