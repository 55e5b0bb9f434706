//! Changes that a run before has made: they are not made again, and what they gave comes from its journal.

use std::sync::Arc;

use super::changes::bind;
use super::context::Context;
use super::known::MadeBefore;
use super::memory::{Memory, Need};
use super::outside::Outside;
use crate::check::program::walk;
use crate::check::program::{Change, Expr, ExprKind, LocalId, Statement};
use crate::store::event::{ChangeKept, Event, Withheld};
use crate::store::kept::Kept;
use crate::types::{Fault, FaultKind, Value};

/// Says that a change was made before, and gives its name the value that it had then.
pub(super) async fn kept(
    context: &Context<'_>,
    statement: &Statement,
    change: &Change,
    title: Arc<str>,
    made: MadeBefore,
) {
    let stopped = context.stopped();
    // Without a look, a title with values in it is not to be had anew.
    let title = stopped.as_ref().map_or(title, |_| Arc::clone(&made.title));
    if let (Some(_), Some(fault)) = (change.binding, stopped) {
        bind(context, change, Err(fault));
    } else if change.binding.is_some() {
        let value = match &made.value {
            Some(value) => restored(&context.run.outside, value).await,
            None if made.by.is_some() => Err(Fault::no_value("the run was stopped before it had an answer")),
            None => Err(Fault::no_value("it is not in the journal")),
        };
        let about = |fault: Fault| {
            let message = format!("what `{title}` gave in run {}: {}", made.run, fault.message);
            let again =
                format!("a run that goes on with `--not-done {}:{} --correct` makes it again", made.run, made.change);
            Fault::new(fault.kind, message).help(again)
        };
        bind(context, change, value.map_err(about));
    }
    let (place, number) = (context.place(statement.span), context.next_change());
    context.emit(Event::ChangeKept(ChangeKept {
        place,
        change: number,
        title,
        items: context.trail.items(),
        run: made.run,
        of: made.change,
        done_at: made.at,
        by: made.by,
        undo: change.undo.as_ref().map(|undo| context.written(undo.span)),
    }));
}

/// A change that may have been made, for an item that cannot be told from this one.
pub(super) fn doubtful(made: &MadeBefore, is_named: bool) -> Withheld {
    let (why, apart) = if is_named {
        ("it shares its name with others, or did", "items of which each has another `name` are told apart")
    } else {
        ("it has no name", "items that have a `name`, or an `id`, are told apart")
    };
    let message = format!(
        "change {} of run {} was made for an item that may be this one: what it says is different now, and {why}",
        made.change, made.run
    );
    let help = format!("look what `runbook show {}` says of it; {apart}", made.run);
    Withheld::NotMeasured { fault: Fault::new(FaultKind::NoValue, message).help(help) }
}

/// What the names in `undo`, `verify` and `within` of a change stand for, for whoever has to undo it or to look later.
pub(super) async fn with(context: &Context<'_>, change: &Change) -> Vec<(Arc<str>, Kept)> {
    let mut with = Vec::new();
    for (local, expr) in named(change) {
        let name = context.run.program.locals.get(local.index()).map_or_else(|| Arc::from("?"), |one| one.name.clone());
        let kept = match context.scope.cell(local) {
            Some(_) if change.binding != Some(local) => match context.whole(expr).await {
                Ok(value) => Kept::of(&value),
                Err(fault) => Kept::Lost(fault.message.to_string()),
            },
            // What it gives itself is known when it is over; a name of an item inside has no value of its own.
            _ => Kept::Null,
        };
        with.push((name, kept));
    }
    with
}

/// The names in `undo`, `verify` and `within`, each once, always in the same order.
pub(super) fn named(change: &Change) -> Vec<(LocalId, &Expr)> {
    let mut found: Vec<(LocalId, &Expr)> = Vec::new();
    for root in change.undo.iter().chain(&change.verify).chain(&change.within) {
        walk::expr(root, &mut |expr| {
            if let ExprKind::Local(local) = expr.kind
                && found.iter().all(|(other, _)| *other != local)
            {
                found.push((local, expr));
            }
        });
    }
    found
}

/// A value from a journal. Connections in it are opened.
pub(super) async fn restored(outside: &Arc<Outside>, kept: &Kept) -> Result<Value, Fault> {
    let mut names = Vec::new();
    kept.connections(&mut names);
    for id in names.iter().filter_map(|name| outside.facts.connection_id(name)) {
        outside.fetch(Need::Connection(id), &Memory::new()).await;
    }
    kept.value(&|name| Some(Arc::clone(&outside.facts.connection_named(name)?.connection)))
}
