//! `for`, `if` and `do`.

use std::sync::Arc;

use super::apart::labels;
use super::block::block;
use super::context::{Context, has_barrier, whole};
use super::eval::truth;
use super::group::Group;
use super::known::identities;
use super::nothing;
use super::resolve::resolve;
use super::scope::{Cell, Scope, Tracked};
use crate::catalog::Effect;
use crate::check::program::{Block, Branch, CommandId, Expr, For, LocalId, Statement, StatementKind};
use crate::store::event::{Event, Withheld};
use crate::types::{Fault, FaultKind, Value};

/// The items of a list that is looped over, and what is to be said where it is not whole.
pub(super) struct Looped {
    pub(super) items: Arc<Vec<Value>>,
    pub(super) partial: Option<Fault>,
}

pub(super) async fn list(context: &Context<'_>, list: &Expr) -> Result<Looped, Fault> {
    let found = context.look(list, |evaluation, _, _, tracked| {
        let partial = whole(tracked.clone()).err();
        let items = super::items::collect(super::items::of(tracked.value, evaluation.unwanted())?)?;
        Ok((items, partial))
    });
    match found.await? {
        (Value::List(items), partial) => Ok(Looped { items, partial }),
        (other, _) => Err(Fault::conversion(format!("wanted a list, got {}", super::items::short(&other)))),
    }
}

pub(super) async fn each<'r>(context: &Context<'r>, statement: &'r Statement, each: &'r For) {
    let changes = statement.effect == Effect::Changes;
    let looped = match list(context, &each.list).await {
        // Changing what is left of a list that was cut short is no half of a job: it is another one.
        Ok(Looped { partial: Some(fault), .. }) if changes => Err(fault),
        looped => looped,
    };
    let looped = match looped {
        Ok(looped) => looped,
        Err(fault) => return not_looked(context, statement, fault),
    };
    let found = looped.items.len() as u64;
    if let Some(at_most) = each.at_most.filter(|at_most| found > u64::from(*at_most)) {
        too_many(context, statement, each, found, at_most);
        return;
    }
    if let Some(fault) = looped.partial {
        let (place, what) = (context.place(statement.span), context.written(statement.span));
        context.emit(Event::NotMeasured { place, what, fault });
    } else if looped.items.is_empty() {
        return nothing::told(context, (statement.span, ""), &each.list, &each.body);
    }
    let labels = labels(&looped.items);
    let rounds = looped.items.iter().zip(&labels);
    if has_barrier(&each.body) {
        let (known_by, all) = identities(&looped.items);
        for (round, ((item, label), own)) in rounds.zip(&known_by).enumerate() {
            if let Some(fault) = context.stopped().filter(|fault| fault.kind == FaultKind::Cancelled) {
                let (place, what) = (context.place(statement.span), context.written(statement.span));
                let what = format!("{what}: {} of {found} rounds", found - round as u64).into();
                context.emit(Event::NotReached { place, what, reason: fault.message.to_string() });
                return;
            }
            let trail = Arc::new(context.trail.item(own, &all));
            block(Context { trail, ..with(context.at(round), each.local, item, label) }, &each.body).await;
        }
    } else {
        let mut group = Group::default();
        for (round, (item, label)) in rounds.enumerate() {
            group.push(block(with(context.at(round), each.local, item, label), &each.body));
        }
        group.drain().await;
    }
}

/// A round, with its item and what that is called.
pub(super) fn with<'r>(context: Context<'r>, local: LocalId, item: &Value, label: &str) -> Context<'r> {
    let cell = Cell::holding(Ok(Tracked::whole(item.clone())));
    let name = context.run.program.locals.get(local.index()).map_or("", |local| &*local.name);
    let mut items = context.items.as_ref().clone();
    items.push(format!("{name}={label}").into());
    Context { scope: Scope::inside(&context.scope, vec![(local, cell)]), items: Arc::new(items), ..context }
}

fn too_many(context: &Context<'_>, statement: &Statement, each: &For, found: u64, at_most: u32) {
    if statement.effect == Effect::Changes {
        withhold_all(context, &each.body, &Withheld::TooMany { found, at_most });
        let name = context.run.program.locals.get(each.local.index()).map_or("", |local| &*local.name);
        let title = format!("for {name} in {}", context.written(each.list.span)).into();
        context.section_gate.close(Withheld::EarlierChange { title, items: context.trail.items() });
        return;
    }
    let fault = Fault::new(FaultKind::TooLarge, format!("the list has {found} items, and `at most` is {at_most}"));
    let (place, what) = (context.place(statement.span), context.written(statement.span));
    context.emit(Event::NotMeasured { place, what, fault });
}

/// Says of every change that is written in a block that it was not begun.
fn withhold_all(context: &Context<'_>, block: &Block, reason: &Withheld) {
    for (index, one) in block.iter().enumerate() {
        let own = context.at(0).at(index);
        match &one.kind {
            StatementKind::Change(change) => own.emit(Event::ChangeWithheld {
                place: own.place(one.span),
                change: own.next_change(),
                title: Arc::clone(&change.source),
                items: own.trail.items(),
                reason: reason.clone(),
            }),
            StatementKind::For(inner) => withhold_all(&own, &inner.body, reason),
            StatementKind::Retry { body, .. } => withhold_all(&own, body, reason),
            StatementKind::If { branches, otherwise } => {
                for body in branches.iter().map(|branch| &branch.body).chain(otherwise) {
                    withhold_all(&own, body, reason);
                }
            }
            StatementKind::Do { command, .. } => {
                if let Some(command) = context.run.program.commands.get(command.index()) {
                    withhold_all(&own.calling(one), &command.body, reason);
                }
            }
            _ => {}
        }
    }
}

pub(super) async fn choose<'r>(
    context: &Context<'r>,
    statement: &'r Statement,
    branches: &'r [Branch],
    otherwise: Option<&'r Block>,
) {
    let mut chosen = otherwise.map(|body| (branches.len(), body));
    for (index, branch) in branches.iter().enumerate() {
        match context.whole(&branch.condition).await.and_then(truth) {
            Ok(true) => {
                chosen = Some((index, &branch.body));
                break;
            }
            Ok(false) => {}
            Err(fault) => return not_looked(context, statement, fault),
        }
    }
    if let Some((index, body)) = chosen {
        block(context.at(index), body).await;
    }
}

/// A statement whose list or condition could not be had: what is in it is not run, and what it would have changed
/// holds back what is written below it.
fn not_looked(context: &Context<'_>, statement: &Statement, fault: Fault) {
    if statement.effect == Effect::Changes {
        context.section_gate.close(Withheld::NotMeasured { fault: fault.clone() });
    }
    let what = context.written(statement.span);
    context.faulted(statement, fault, |place, fault| Event::NotMeasured { place, what, fault });
}

pub(super) async fn fragment<'r>(context: &Context<'r>, statement: &'r Statement, id: CommandId, args: &'r [Expr]) {
    let Some(command) = context.run.program.commands.get(id.index()) else { return };
    let own = Context { returns: None, ..called(&context.calling(statement), id, args).await.at(0) };
    if let Some(fault) = context.stopped() {
        return not_looked(context, statement, fault);
    }
    block(own, &command.body).await;
}

/// Inside a command: it sees its parameters and what is declared for the whole runbook, and nothing of its caller.
pub(super) async fn called<'r>(context: &Context<'r>, id: CommandId, args: &'r [Expr]) -> Context<'r> {
    let params = context.run.program.commands.get(id.index()).map(|command| command.params.as_slice());
    let mut cells = Vec::with_capacity(args.len());
    for (param, arg) in params.unwrap_or_default().iter().zip(args) {
        cells.push((param.local, Cell::holding(context.value(arg).await)));
    }
    Context { scope: Scope::inside(&Scope::root(), cells), ..context.clone() }
}

/// The values of the arguments of a tool's program.
pub(super) async fn tool_words(
    context: &Context<'_>,
    tool: &crate::check::program::Tool,
    args: &[Expr],
) -> Result<Vec<Option<Value>>, Fault> {
    let (outside, memory) = (&context.run.outside, context.epoch.memory());
    let mut cells = Vec::with_capacity(args.len());
    for (param, arg) in tool.params.iter().zip(args) {
        // A change is not begun with a value that is not whole.
        cells.push((param.local, Cell::holding(Ok(Tracked::whole(context.whole(arg).await?)))));
    }
    let scope = Scope::inside(&Scope::root(), cells);
    context.limits.race(resolve(outside, &memory, |evaluation| evaluation.words(&tool.args, &scope))).await?
}
