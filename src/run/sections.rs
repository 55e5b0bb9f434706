//! Sections and steps: the whole selection is one sequence. What stands between two barriers runs side by side, across
//! steps and sections.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tracing::Instrument as _;

use super::apart::labels;
use super::block::{alone, statement, unseen_faults};
use super::branches::{list, with};
use super::closing::close;
use super::context::{Context, has_barrier, is_barrier};
use super::gate::Gate;
use super::group::{Entered, Group, Latch};
use super::known::identities;
use super::{measuring, nothing};
use crate::catalog::timing;
use crate::check::program::{Block, Member, Section, Statement, Step};
use crate::store::event::{Event, Status};
use crate::types::Fault;

/// Runs all that was selected.
pub(super) async fn sections(context: Context<'_>) {
    let run = context.run;
    measuring::due(&context, run.selection.sampled()).await;
    let mut group = Group::default();
    for (index, section) in run.program.sections.iter().enumerate() {
        if run.selection.runs(index, section) {
            self::section(context.at(index), section, index, &mut group).await;
        }
    }
    group.drain().await;
}

async fn section<'r>(outer: Context<'r>, section: &'r Section, number: usize, group: &mut Group<'r>) {
    let started = outer.now();
    let (path, title, doc) = (outer.path.clone(), section.title.clone(), section.doc.clone());
    outer.emit(Event::SectionStarted { path, title, doc });
    let gate = Gate::new(None);
    let part = timing::part(&outer.part, &section.title);
    let (out, own_gate) = (outer.out.part(), Arc::clone(&gate));
    let mut context = Context { out, gate: own_gate, section_gate: gate, part, ..outer.clone() };
    if let Some(within) = &section.within {
        let what = format!("section \"{}\"", section.title);
        let limit = group.drive(context.limit(within, &what)).await;
        context.limits = context.limits.and(limit);
    }
    let run = outer.run;
    let members = || run.selection.members(number, section);
    let own = || {
        members().filter_map(|(index, member)| match member {
            Member::Statement(one) => Some((index, one)),
            Member::Step(_) => None,
        })
    };
    let context = context.declaring(own().map(|(_, one)| one));
    let latch = Latch::new();
    for (index, member) in members() {
        match member {
            Member::Statement(one) => {
                let part = context.at(index);
                let path = part.path.clone();
                part.emit(Event::PartStarted { path: path.clone() });
                unit(part, one, Some(Event::PartFinished { path }), &latch, group).await;
            }
            Member::Step(one) => match &one.each {
                None => step(context.at(index).at(0), one, None, latch.enter(), group).await,
                Some((local, items)) => {
                    let part = context.at(index);
                    let path = part.path.clone();
                    part.emit(Event::PartStarted { path: path.clone() });
                    let rounds = each_step(part.clone(), one, *local, items, latch.enter());
                    let all = async move {
                        rounds.await;
                        part.emit(Event::PartFinished { path });
                    };
                    finish(all.boxed(), is_sequential(one), &context, group).await;
                }
            },
        }
    }
    let statements: Vec<(usize, &Statement)> = own().collect();
    // The blocks that close the whole do not belong to a part of it.
    let (on_failure, always) =
        if run.selection.whole(number) { (section.on_failure.as_ref(), section.always.as_ref()) } else { (None, None) };
    let sequential = on_failure.is_some_and(has_barrier) || always.is_some_and(has_barrier);
    let epoch_owner = context.clone();
    let end = async move {
        latch.opened().await;
        unseen_faults(&context, statements.into_iter());
        close(&context, section.members.len(), on_failure, always).await;
        let (path, title) = (outer.path.clone(), section.title.clone());
        let (status, seconds) = (context.out.tally.sum().status, outer.seconds_since(started));
        outer.emit(Event::SectionFinished { path, title, status, seconds });
    };
    finish(end.boxed(), sequential, &epoch_owner, group).await;
}

/// One statement of a section or a step, and what is told when it is over.
async fn unit<'r>(context: Context<'r>, one: &'r Statement, over: Option<Event>, latch: &Latch, group: &mut Group<'r>) {
    let inside = latch.enter();
    if is_barrier(one) {
        group.drain().await;
        alone(context.clone(), one).instrument(context.part.clone()).await;
        if let Some(over) = over {
            context.emit(over);
        }
        drop(inside);
    } else {
        group.push(
            async move {
                statement(context.clone(), one).instrument(context.part.clone()).await;
                if let Some(over) = over {
                    context.emit(over);
                }
                drop(inside);
            }
            .boxed(),
        );
    }
}

/// Something that runs with the others, or, where a barrier is in it, after them and alone.
async fn finish<'r>(future: BoxFuture<'r, ()>, sequential: bool, context: &Context<'r>, group: &mut Group<'r>) {
    if sequential {
        group.drain().await;
        future.await;
        context.epoch.renew();
    } else {
        group.push(future);
    }
}

/// One step, or one round of a step that is made for each item.
async fn step<'r>(outer: Context<'r>, step: &'r Step, label: Option<String>, inside: Entered, group: &mut Group<'r>) {
    let started = begin(&outer, step, label.clone());
    let name = label.as_ref().map(|label| format!("{} {label}", step.title));
    let part = timing::part(&outer.part, name.as_deref().unwrap_or(&step.title));
    let gate = Gate::new(Some(Arc::clone(&outer.section_gate)));
    let mut context = Context { out: outer.out.part(), gate, part, ..outer.clone() };
    if let Some(within) = &step.within {
        let limit = group.drive(context.limit(within, &format!("step \"{}\"", step.title))).await;
        context.limits = context.limits.and(limit);
    }
    let context = context.declaring(&step.body);
    let latch = Latch::new();
    for (index, one) in step.body.iter().enumerate() {
        unit(context.at(index), one, None, &latch, group).await;
    }
    let sequential = closes_with_barrier(step);
    let epoch_owner = context.clone();
    let end = async move {
        latch.opened().await;
        unseen_faults(&context, step.body.iter().enumerate());
        close(&context, step.body.len(), step.on_failure.as_ref(), step.always.as_ref()).await;
        end(&outer, &context, step, label, started);
        drop(inside);
    };
    finish(end.boxed(), sequential, &epoch_owner, group).await;
}

/// A step for each item of a list: side by side where it only reads, else one after the other.
async fn each_step<'r>(
    context: Context<'r>,
    one: &'r Step,
    local: crate::check::program::LocalId,
    items: &'r crate::check::program::Expr,
    inside: Entered,
) {
    let looped = match list(&context, items).await {
        Ok(looped) => looped,
        Err(fault) => return without_items(&context, one, |context| unlooked(context, one, fault)),
    };
    if let Some(fault) = looped.partial {
        without_items(&context, one, |context| unlooked(context, one, fault));
    } else if looped.items.is_empty() {
        without_items(&context, one, |context| nothing::told(context, (one.span, "step "), items, &one.body));
    }
    let name = context.run.program.locals.get(local.index()).map_or("", |local| &*local.name).to_owned();
    let latch = Latch::new();
    let mut group = Group::default();
    let (known_by, all) = if is_sequential(one) { identities(&looped.items) } else { Default::default() };
    for (round, (item, called)) in looped.items.iter().zip(&labels(&looped.items)).enumerate() {
        let label = Some(format!("{name}={called}"));
        let trail = known_by.get(round).map(|own| Arc::new(context.trail.item(own, &all)));
        let trail = trail.unwrap_or_else(|| Arc::clone(&context.trail));
        step(Context { trail, ..with(context.at(round), local, item, called) }, one, label, latch.enter(), &mut group)
            .await;
        if is_sequential(one) {
            group.drain().await;
        }
    }
    group.drain().await;
    drop(inside);
}

/// A step whose list could not be had, or not whole, or has nothing in it.
fn without_items(outer: &Context<'_>, one: &Step, told: impl FnOnce(&Context<'_>)) {
    let started = begin(outer, one, None);
    let context = Context { out: outer.out.part(), ..outer.clone() };
    told(&context);
    end(outer, &context, one, None, started);
}

fn unlooked(context: &Context<'_>, one: &Step, fault: Fault) {
    let (place, what) = (context.place(one.span), context.written(one.span));
    context.emit(if fault.kind == crate::types::FaultKind::Cancelled {
        Event::NotReached { place, what, reason: fault.message.to_string() }
    } else {
        Event::NotMeasured { place, what, fault }
    });
}

fn begin(outer: &Context<'_>, step: &Step, label: Option<String>) -> Timestamp {
    let (path, title, doc) = (outer.path.clone(), step.title.clone(), step.doc.clone());
    outer.emit(Event::StepStarted { path, title, doc, label });
    outer.now()
}

fn end(outer: &Context<'_>, context: &Context<'_>, step: &Step, label: Option<String>, started: Timestamp) {
    let sum = context.out.tally.sum();
    let (path, title, seconds) = (outer.path.clone(), step.title.clone(), outer.seconds_since(started));
    let status: Status = sum.status;
    outer.emit(Event::StepFinished { path, title, label, status, seconds, counts: sum.counts });
}

fn is_sequential(step: &Step) -> bool {
    has_barrier(&step.body) || closes_with_barrier(step)
}

fn closes_with_barrier(step: &Step) -> bool {
    let holds = |block: &Option<Block>| block.as_ref().is_some_and(has_barrier);
    holds(&step.on_failure) || holds(&step.always)
}
