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
use crate::run::known::position_of;
use crate::run::{Looked, verify};
use crate::shown::look::{clean, quoted};
use crate::store::definition::Settled;
use crate::store::past::{Made, Past, State};

/// What was said on the command line, by numbers of changes.
pub(super) struct Said<'a> {
    pub(super) done: &'a [String],
    pub(super) not_done: &'a [String],
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
    let unknown: Vec<Made> = past.unknown().into_iter().cloned().collect();
    if unknown.is_empty() {
        return Ok(Some(settled));
    }
    let now = look(&unknown, prepared, asked, state)?;
    if !console.can_ask() {
        refuse(past, &unknown, &now, said, state, console);
        return Ok(None);
    }
    for (made, now) in unknown.iter().zip(&now) {
        let Some(done) = ask(made, now.as_ref(), console) else {
            console.say("stopped: nothing was run\n");
            return Ok(None);
        };
        settled.push(settle_one(past, &made.run, made.change, done, by)?);
    }
    Ok(Some(settled))
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
            settled.push(settle_one(past, &run, number, done, by)?);
        }
    }
    Ok(settled)
}

fn settle_one(past: &mut Past, run: &str, change: u32, done: bool, by: &str) -> Result<Settled, Failure> {
    // What a run did not make itself was made by one before, under another number.
    let kept = past.runs.iter().filter(|before| *before.run == *run).flat_map(|before| &before.kept);
    let kept = kept.filter(|kept| kept.change == change).map(|kept| (Arc::clone(&kept.run), kept.of)).next();
    let (run, change) = kept.unwrap_or_else(|| (Arc::from(run), change));
    let others: Vec<String> =
        past.runs.iter().filter(|before| before.run != run).map(|one| one.run.to_string()).collect();
    let Some(made) = past.made(&run, change) else {
        let help = match others.last() {
            Some(other) => format!(
                "of a run before it is said as `{other}:{change}`; `runbook show {other} --format json` has its numbers"
            ),
            None => format!("`runbook show {run} --format json` has the numbers of its changes"),
        };
        return Err(Failure::new(format!("run {run} has begun no change {change}")).help(help));
    };
    is_to_be_said(made, done)?;
    if made.parts {
        let message = format!("change {change} of run {run} is made of others, which are known by themselves");
        return Err(Failure::new(message).help("say it of those"));
    }
    made.settled(done, by);
    Ok(Settled { run: Arc::clone(&made.run), change, title: Arc::clone(&made.title), done, by: by.to_owned() })
}

/// A person is asked for what a run does not know. What it does know is not replaced by a word: a mistake in that would
/// make a change twice, or not at all.
fn is_to_be_said(made: &Made, done: bool) -> Result<(), Failure> {
    let (run, number, title, at) = (&made.run, made.change, clean(&made.title), made.at);
    let of = format!("change {number} of run {run}, `{title}`,");
    let (known, help) = match (&made.state, done) {
        _ if made.is_said || made.again => return Ok(()),
        (State::Done { .. }, true) => (
            format!("{of} is known to be done, at {at:.0}"),
            format!("leave it out; `--not-done {run}:{number}` makes it again"),
        ),
        (State::Failed, false) => {
            (format!("{of} is known not to have been made, at {at:.0}"), "leave it out: it is tried again".to_owned())
        }
        (State::Undone { run: by, at }, _) => {
            (format!("{of} was undone by run {by} at {at:.0}"), "leave it out: it is made again".to_owned())
        }
        _ => return Ok(()),
    };
    Err(Failure::new(known).help(help))
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
fn refuse(past: &Past, unknown: &[Made], now: &[Option<Looked>], said: &Said<'_>, state: &Kept, console: &Console) {
    let last = past.last().map(|last| last.run.to_string()).unwrap_or_default();
    let mut lines = vec![match unknown {
        [made] if made.state == State::Unverified => "a change was made, and its `verify` did not hold".to_owned(),
        [_] => "nobody knows whether a change was made".to_owned(),
        more if more.iter().any(|made| made.state == State::Unverified) => {
            format!("nobody knows whether {} changes are done", more.len())
        }
        more => format!("nobody knows whether {} changes were made", more.len()),
    }];
    for (made, now) in unknown.iter().zip(now) {
        lines.extend(described(made, now.as_ref()));
    }
    let number = |made: &Made| {
        if *made.run == *last { made.change.to_string() } else { format!("{}:{}", made.run, made.change) }
    };
    let mut command = format!("{} {}", state.again().command("resume"), quoted(&last));
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
    let items: Vec<String> = made.items.iter().map(|item| clean(item)).collect();
    let of = if items.is_empty() { String::new() } else { format!("   for {}", items.join(", ")) };
    let target = made.led_to.as_ref().map_or_else(String::new, |led_to| format!("   → {}", clean(&led_to.system)));
    let place = format!("{}:{}", clean(&made.place.file), made.place.line);
    let mut lines =
        vec![format!("  change {} of run {}: {}{of}{target}   {place}", made.change, made.run, clean(&made.title))];
    lines.push(match &made.state {
        State::MaybeUndone { run, at } => {
            format!("    run {run} was to undo it at {at:.0}, and nobody can say whether it did")
        }
        State::Unverified => {
            let why = made.fault.as_ref().map_or_else(String::new, |fault| format!(": {}", clean(fault)));
            format!("    it was made, and at {:.0} its `verify` did not hold{why}", made.at)
        }
        State::Unknown { ended: true } => {
            let why = made.fault.as_ref().map_or_else(String::new, |fault| format!(": {}", clean(fault)));
            format!("    at {:.0} its call ended without a clear answer{why}", made.at)
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
    let (what, done, not) = match made.state {
        State::Unverified => {
            ("This change was made, and its `verify` did not hold", "it is well", "it is to be made again")
        }
        _ => ("Nobody knows whether this change was made", "it was made", "it was not"),
    };
    let described = described(made, now).join("\n");
    let mut question = format!("\n{what}:\n{described}\nType done if {done}, not if {not}, anything else to stop: ");
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
