//! `wait until`, `retry` and `manual`: what takes its time.

use std::sync::Arc;

use jiff::SignedDuration;

use super::block::block;
use super::checks::decide;
use super::context::Context;
use super::gate::Gate;
use super::limits::{self, race, to_std};
use super::memory::Epoch;
use super::request::{Answer, Consent, ManualTask};
use super::tally::Out;
use crate::check::program::{Block, Expr, Statement};
use crate::shown::Shown;
use crate::store::event::{Event, ManualAnswer, Outcome, Status, Withheld};
use crate::types::Fault;

/// What polling came to.
pub(super) struct Polled {
    pub(super) polls: u32,
    /// Whether it holds, or why that could not be said, when it was last looked at.
    pub(super) last: Result<bool, Fault>,
    /// What decided it when it was last seen not to hold.
    pub(super) evidence: Vec<Shown>,
}

impl Polled {
    const fn never(last: Result<bool, Fault>) -> Self {
        Self { polls: 0, last, evidence: Vec::new() }
    }

    fn take(&mut self, seen: Result<(bool, Vec<Shown>), Fault>) {
        self.last = seen.map(|(holds, evidence)| {
            self.evidence = evidence;
            holds
        });
    }
}

/// Looks until a condition holds or the limit is reached, with fresh reads each time. A look that gives a fault is
/// repeated as well: what is waited for may be what makes it answer.
pub(super) async fn poll(
    context: &Context<'_>,
    condition: &Expr,
    every: SignedDuration,
    limit: limits::Limit,
) -> Polled {
    let mut polled = Polled::never(Ok(false));
    let ends = context.limits.and(limit);
    loop {
        let own = Context { epoch: Epoch::new(), limits: ends.clone(), ..context.clone() };
        let seen = decide(&own, condition).await;
        polled.polls += 1;
        let over = ends.reached().is_some();
        // A look that was cut off says nothing: the one before it counts, unless it was the only one.
        if !(over && seen.is_err() && polled.polls > 1) {
            polled.take(seen);
        }
        if over || polled.last == Ok(true) {
            return polled;
        }
        if ends.race(context.world().sleep(to_std(every))).await.is_err() {
            return polled;
        }
    }
}

/// What a change above was to bring about is not waited for where that change was not made: it is looked at once, and
/// that it is not so is no failure of what was not done.
async fn not_waited_for(context: &Context<'_>, condition: &Expr, unmade: &str) -> Polled {
    let mut polled = look_once(context, condition).await;
    if polled.last == Ok(false) {
        polled.last = Err(Fault::no_value(format!("`{unmade}` was not done, so this is not waited for")));
    }
    polled
}

async fn look_once(context: &Context<'_>, condition: &Expr) -> Polled {
    let own = Context { epoch: Epoch::new(), ..context.clone() };
    let mut polled = Polled::never(Ok(false));
    polled.take(decide(&own, condition).await);
    polled.polls = 1;
    polled
}

pub(super) async fn wait(
    context: &Context<'_>,
    statement: &Statement,
    condition: &Expr,
    every: &Expr,
    within: &Expr,
    source: &Arc<str>,
) {
    let started = context.now();
    let times = async { Ok((context.duration(every).await?, context.duration(within).await?)) };
    let polled = match times.await {
        Ok((every, within)) => {
            let limit = limits::within(context.world(), within, "`wait`");
            match context.gate.unmade() {
                Some(title) => not_waited_for(context, condition, &title).await,
                // What is waited for may come true only when somebody has done something, and nobody has.
                None if matches!(context.run.consent, Consent::Plan) => look_once(context, condition).await,
                None => poll(context, condition, every, limit).await,
            }
        }
        Err(fault) => Polled::never(Err(fault)),
    };
    context.waited();
    let (outcome, fault) = match polled.last {
        Ok(true) => (Outcome::Passed, None),
        Ok(false) => (Outcome::Failed, None),
        Err(fault) => (Outcome::NotMeasured, Some(fault)),
    };
    if outcome != Outcome::Passed {
        if let Some(fault) = context.stopped().filter(|fault| fault.kind == crate::types::FaultKind::Cancelled) {
            return context.not_reached(statement, &fault);
        }
        // Whoever writes a change below a wait means: when it has come true.
        context.gate.close(Withheld::Guard { title: Arc::clone(source), outcome });
    }
    context.emit(Event::Waited {
        place: context.place(statement.span),
        what: Arc::clone(source),
        outcome,
        polls: polled.polls,
        seconds: context.seconds_since(started),
        fault,
        evidence: polled.evidence,
    });
}

pub(super) async fn retry<'r>(
    context: &Context<'r>,
    statement: &'r Statement,
    times: u32,
    every: &'r Expr,
    body: &'r Block,
) {
    let every = match context.duration(every).await {
        Ok(every) => every,
        Err(fault) => {
            let what = context.written(statement.span);
            return context.faulted(statement, fault, |place, fault| Event::NotMeasured { place, what, fault });
        }
    };
    for round in 1..=times.max(1) {
        // Gates and counts of its own: what a round closed or counted is forgotten with it.
        let gate = Gate::new(Some(Arc::clone(&context.gate)));
        let own = Context {
            epoch: Epoch::new(),
            gate: Arc::clone(&gate),
            section_gate: Arc::clone(&gate),
            out: Out::apart(),
            ..context.at(round as usize)
        };
        let out = own.out.clone();
        block(own, body).await;
        let sum = out.tally.sum();
        let stopped = context.stopped();
        if sum.status < Status::Warned || round >= times || stopped.is_some() {
            context.out.tally.merge(&sum);
            out.take().into_iter().for_each(|event| context.hand_on(event));
            if let Some(reason) = gate.closed_itself() {
                context.gate.close(reason);
            }
            break;
        }
        let fault = out.take().into_iter().find_map(fault_of);
        let place = context.place(statement.span);
        context.emit(Event::Retried { place, round, of: times, fault });
        // Reached limits are seen by the next round, which then is the last one.
        let _ = context.limits.race(context.world().sleep(to_std(every))).await;
    }
    context.waited();
}

fn fault_of(event: Event) -> Option<Fault> {
    match event {
        Event::Checked(checked) => checked.fault,
        Event::NotShown { fault, .. } | Event::NotMeasured { fault, .. } => Some(fault),
        Event::ChangeEnded(ended) => ended.fault,
        _ => None,
    }
}

pub(super) async fn manual(
    context: &Context<'_>,
    statement: &Statement,
    text: &Expr,
    link: Option<&Expr>,
    within: Option<SignedDuration>,
) {
    let asked = async {
        let text = context.text(text).await?;
        let link = match link {
            Some(link) => Some(context.text(link).await?.to_string()),
            None => None,
        };
        Ok::<_, Fault>((text, link))
    };
    let (text, link) = match asked.await {
        Ok(asked) => asked,
        Err(fault) => {
            let what = context.written(statement.span);
            context.gate.close(Withheld::NotMeasured { fault: fault.clone() });
            return context.faulted(statement, fault, |place, fault| Event::NotMeasured { place, what, fault });
        }
    };
    let answer = match ask(context, &text, link.as_ref(), within).await {
        Ok(answer) => answer,
        Err(fault) if fault.kind == crate::types::FaultKind::Cancelled => {
            return context.not_reached(statement, &fault);
        }
        Err(fault) => Answer { answer: ManualAnswer::NotAnswered, note: Some(fault.message.to_string()) },
    };
    context.waited();
    let outcome = match answer.answer {
        ManualAnswer::Done | ManualAnswer::Skipped => Outcome::Passed,
        ManualAnswer::Problem => Outcome::Failed,
        ManualAnswer::NotAnswered => Outcome::NotMeasured,
    };
    if outcome != Outcome::Passed {
        context.gate.close(Withheld::Guard { title: Arc::clone(&text), outcome });
    }
    let Answer { answer, note } = answer;
    context.emit(Event::Manual { place: context.place(statement.span), text, link, answer, note });
}

async fn ask(
    context: &Context<'_>,
    text: &Arc<str>,
    link: Option<&String>,
    within: Option<SignedDuration>,
) -> Result<Answer, Fault> {
    let Some(person) = &context.run.person else {
        let note = Some("there is no terminal to ask at".to_owned());
        return Ok(Answer { answer: ManualAnswer::NotAnswered, note });
    };
    let task = ManualTask { text: Arc::clone(text), link: link.cloned(), within: within.map(to_std) };
    let limit = within.map(|within| limits::within(context.world(), within, "an answer"));
    context.limits.race(race(person.ask(task), limit.into_iter().collect())).await?
}
