//! `check` and `require`: passed, failed, or not measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::context::{Context, whole};
use super::eval::truth;
use super::evidence::evidence;
use super::gate::Guard;
use super::memory::Epoch;
use crate::check::program::{CheckElse, Expr, Statement};
use crate::shown::Shown;
use crate::store::event::{CheckKind, Checked, Event, Outcome, Severity, Withheld};
use crate::types::Fault;

pub(super) async fn check(
    context: &Context<'_>,
    statement: &Statement,
    condition: &Expr,
    title: Option<&Expr>,
    source: &Arc<str>,
    otherwise: &CheckElse,
) {
    let started = context.now();
    let found = decide(context, condition).await;
    let title = context.title(title, source).await;
    let (severity, message, raises) = weight(context, otherwise);
    let message = match (&found, message) {
        (Ok((false, _)), Some(message)) => context.text(message).await.ok().map(|text| text.to_string()),
        _ => None,
    };
    let outcome = outcome(&found);
    let checked = Checked {
        kind: CheckKind::Check,
        severity,
        message,
        raises,
        seconds: context.seconds_since(started),
        ..checked(context, statement, title, source, outcome)
    };
    report(context, statement, checked, found);
}

pub(super) async fn require<'r>(
    context: &Context<'r>,
    statement: &'r Statement,
    condition: &'r Expr,
    title: Option<&Expr>,
    source: &'r Arc<str>,
) {
    let started = context.now();
    let waits = context.run.waits.load(Ordering::Relaxed);
    let found = decide(context, condition).await;
    let title = context.title(title, source).await;
    let outcome = outcome(&found);
    if outcome == Outcome::Passed {
        let (scope, title, read_at) = (Arc::clone(&context.scope), title.clone(), AtomicU32::new(waits));
        context.gate.passed(Guard { statement, source, condition, scope, title, read_at });
    } else {
        context.gate.close(Withheld::Guard { title: title.clone(), outcome });
    }
    let seconds = context.seconds_since(started);
    let checked = Checked { kind: CheckKind::Require, seconds, ..checked(context, statement, title, source, outcome) };
    report(context, statement, checked, found);
}

/// Reads the guards again that were read before the run last waited for somebody. One that does not hold any more has not
/// passed: it is said and counted like any other.
pub(super) async fn guards_hold(context: &Context<'_>) -> Result<(), Withheld> {
    let waits = context.run.waits.load(Ordering::Relaxed);
    for guard in context.gate.stale(waits) {
        let own = Context { scope: Arc::clone(&guard.scope), epoch: Epoch::new(), ..context.clone() };
        let started = own.now();
        let found = decide(&own, guard.condition).await;
        let outcome = outcome(&found);
        if outcome == Outcome::Passed {
            guard.read_at.store(waits, Ordering::Relaxed);
            continue;
        }
        let (title, seconds) = (Arc::clone(&guard.title), own.seconds_since(started));
        let reason = Withheld::Guard { title: Arc::clone(&title), outcome };
        let checked = checked(&own, guard.statement, title, guard.source, outcome);
        report(&own, guard.statement, Checked { kind: CheckKind::Require, seconds, ..checked }, found);
        context.gate.close(reason.clone());
        return Err(reason);
    }
    Ok(())
}

/// Whether it holds, and what decides it where it does not.
pub(super) async fn decide(context: &Context<'_>, condition: &Expr) -> Result<(bool, Vec<Shown>), Fault> {
    let sources = Arc::clone(&context.run.sources);
    let found = context.look(condition, move |evaluation, condition, scope, tracked| {
        let holds = truth(whole(tracked)?)?;
        let found = if holds { Vec::new() } else { evidence(evaluation, &sources, condition, scope) };
        Ok((holds, found))
    });
    found.await
}

const fn outcome(found: &Result<(bool, Vec<Shown>), Fault>) -> Outcome {
    match found {
        Ok((true, _)) => Outcome::Passed,
        Ok((false, _)) => Outcome::Failed,
        Err(_) => Outcome::NotMeasured,
    }
}

fn checked(
    context: &Context<'_>,
    statement: &Statement,
    title: Arc<str>,
    source: &Arc<str>,
    outcome: Outcome,
) -> Checked {
    Checked {
        place: context.place(statement.span),
        kind: CheckKind::Check,
        title,
        source: Arc::clone(source),
        severity: Severity::Critical,
        outcome,
        message: None,
        doc: Arc::clone(&statement.doc),
        fault: None,
        evidence: Vec::new(),
        raises: None,
        seconds: 0.0,
    }
}

fn report(context: &Context<'_>, statement: &Statement, checked: Checked, found: Result<(bool, Vec<Shown>), Fault>) {
    match found {
        Ok((_, evidence)) => context.emit(Event::Checked(Checked { evidence, ..checked })),
        Err(fault) => {
            context.faulted(statement, fault, |_, fault| Event::Checked(Checked { fault: Some(fault), ..checked }));
        }
    }
}

/// How severe it is when it fails, what is said then, and the threshold that it raises.
fn weight<'e>(context: &Context<'_>, otherwise: &'e CheckElse) -> (Severity, Option<&'e Expr>, Option<Arc<str>>) {
    match otherwise {
        CheckElse::Severity { severity, message } => (*severity, message.as_ref(), None),
        CheckElse::Raise { threshold, message } => match context.run.program.thresholds.get(threshold.index()) {
            Some(threshold) => (threshold.severity, message.as_ref(), Some(threshold.title.clone())),
            None => (Severity::Critical, message.as_ref(), None),
        },
    }
}
