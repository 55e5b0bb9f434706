//! Blocks: statements side by side between barriers, barriers alone.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::context::{Context, is_barrier};
use super::group::Group;
use super::memory::Epoch;
use super::{branches, changes, checks, measuring, telling, values, waiting};
use crate::check::program::{Block, Statement, StatementKind};
use crate::store::event::Event;
use crate::types::FaultKind;

/// Runs a block with names of its own.
pub(crate) fn block<'r>(context: Context<'r>, block: &'r Block) -> BoxFuture<'r, ()> {
    async move {
        let context = context.declaring(block);
        let mut group = Group::default();
        for (index, one) in block.iter().enumerate() {
            let own = context.at(index);
            let returns = context.returns.is_some() && may_return(one);
            if is_barrier(one) || returns {
                group.drain().await;
                alone(own, one).await;
                // What is written below a `return` that was reached is not run.
                if returns && context.returns.as_ref().is_some_and(|cell| cell.get().is_some()) {
                    return;
                }
            } else {
                group.push(statement(own, one));
            }
        }
        group.drain().await;
        unseen_faults(&context, block.iter().enumerate());
    }
    .boxed()
}

/// Runs a barrier, and begins a new epoch if something may be different after it.
pub(crate) async fn alone<'r>(context: Context<'r>, one: &'r Statement) {
    let epoch = context.epoch.clone();
    statement(context, one).await;
    if is_barrier(one) && !matches!(one.kind, StatementKind::Require { .. }) {
        Epoch::renew(&epoch);
    }
}

/// Runs one statement. It ends in one event, whatever happens; a `let` in one where nobody else tells of its fault.
pub(crate) fn statement<'r>(context: Context<'r>, one: &'r Statement) -> BoxFuture<'r, ()> {
    async move {
        match &one.kind {
            StatementKind::Let { local, value } => values::bind(&context, *local, value).await,
            StatementKind::Return { value } => values::give(&context, value).await,
            StatementKind::Change(change) => changes::change(&context, one, change).await,
            _ => match context.stopped().filter(|fault| fault.kind == FaultKind::Cancelled) {
                Some(fault) => context.not_reached(one, &fault),
                None => begun(&context, one).await,
            },
        }
    }
    .boxed()
}

async fn begun<'r>(context: &Context<'r>, one: &'r Statement) {
    match &one.kind {
        StatementKind::Show { value, title, source } => {
            values::show(context, one, value, title.as_ref(), source).await;
        }
        StatementKind::Check { condition, title, source, otherwise } => {
            checks::check(context, one, condition, title.as_ref(), source, otherwise).await;
        }
        StatementKind::Require { condition, title, source } => {
            checks::require(context, one, condition, title.as_ref(), source).await;
        }
        StatementKind::Wait { condition, every, within, source } => {
            waiting::wait(context, one, condition, every, within, source).await;
        }
        StatementKind::Retry { times, every, body } => waiting::retry(context, one, *times, every, body).await,
        StatementKind::Manual { text, link, within } => {
            waiting::manual(context, one, text, link.as_ref(), *within).await;
        }
        StatementKind::For(each) => branches::each(context, one, each).await,
        StatementKind::If { branches, otherwise } => {
            branches::choose(context, one, branches, otherwise.as_ref()).await;
        }
        StatementKind::Do { command, args } => branches::fragment(context, one, *command, args).await,
        StatementKind::Measure { metrics } => measuring::measure(context, one, metrics).await,
        StatementKind::Notify { channels, message } => telling::notify(context, one, channels, message.as_ref()).await,
        StatementKind::Raise { threshold, message } => telling::raise(context, one, *threshold, message.as_ref()).await,
        StatementKind::Escalate { level, message } => telling::call(context, one, *level, message.as_ref()).await,
        StatementKind::Send { channels } => telling::send(context, one, channels),
        // Handled before: they say in their own way that they were not reached.
        StatementKind::Let { .. } | StatementKind::Return { .. } | StatementKind::Change(_) => {}
    }
}

/// Tells of names whose value could not be had and that nobody has looked at.
pub(crate) fn unseen_faults<'s>(context: &Context<'_>, statements: impl Iterator<Item = (usize, &'s Statement)>) {
    for (index, one) in statements {
        let StatementKind::Let { local, .. } = &one.kind else { continue };
        let Some(fault) = context.scope.cell(*local).and_then(|cell| cell.unseen_fault()) else { continue };
        if fault.kind != FaultKind::Cancelled {
            let own = context.at(index);
            let (place, what) = (own.place(one.span), own.written(one.span));
            own.emit(Event::NotMeasured { place, what, fault: fault.clone() });
        }
    }
}

fn may_return(one: &Statement) -> bool {
    match &one.kind {
        StatementKind::Return { .. } => true,
        StatementKind::If { branches, otherwise } => {
            let bodies = branches.iter().map(|branch| &branch.body).chain(otherwise);
            bodies.flatten().any(may_return)
        }
        StatementKind::For(each) => each.body.iter().any(may_return),
        StatementKind::Retry { body, .. } => body.iter().any(may_return),
        _ => false,
    }
}
