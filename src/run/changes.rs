//! `change`: allowed, written down, made, verified, written down again. One at a time.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tracing::Instrument as _;

use super::block::block;
use super::branches::{called, tool_words};
use super::checks;
use super::consent;
use super::context::Context;
use super::convert::returned;
use super::exclusive::{self, keeping};
use super::gate::Gate;
use super::known::Look;
use super::limits::{self, Limit, race, to_std};
use super::outside::{asked_by, can_be_made};
use super::request::Consent;
use super::resolve::resolve;
use super::resuming;
use super::scope::{Cell, Tracked};
use super::shown::shown;
use super::waiting::poll;
use crate::catalog::Builtin;
use crate::catalog::timing::{self, BEGUN};
use crate::check::program::{Call, Change, CommandId, Expr, ExprKind, Statement, Tool};
use crate::shown::Shown;
use crate::shown::items::named;
use crate::store::event::{ChangeEnded, ChangeOutcome, Event, Withheld};
use crate::store::kept::Kept;
use crate::store::ledger::Hold;
use crate::types::{Connection, Fault, FaultKind, Value};

/// How long a change in flight is waited for after the run was stopped.
const GRACE: SignedDuration = SignedDuration::from_secs(30);
/// How long a call that was told the change's own limit may take to end in good order once that is over: a program is asked
/// to stop, a server takes back what it has begun, and says so.
const FAREWELL: SignedDuration = SignedDuration::from_secs(3);
/// How often `verify` is looked at, and how long where the change has no limit of its own.
const VERIFY_EVERY: SignedDuration = SignedDuration::from_secs(1);
pub const VERIFY_WITHIN: SignedDuration = SignedDuration::from_secs(30);

/// What is called, with all that it needs.
enum Prepared<'r> {
    Call {
        builtin: &'static Builtin,
        args: Vec<Option<Value>>,
        tool: Option<&'r Tool>,
    },
    Command(CommandId, &'r [Expr]),
    /// Written `?.`, on something that is missing: there is nothing to change.
    Nothing,
}

/// What may be made.
struct Allowed<'r> {
    prepared: Prepared<'r>,
    within: Option<SignedDuration>,
    /// The standing approvals that it is made by.
    approvals: Vec<Arc<str>>,
}

/// How a call ended.
struct Ended {
    outcome: ChangeOutcome,
    result: Result<Value, Fault>,
    /// All of it was made, although something is wrong with it.
    made: bool,
    /// What the other side said beside it, a line each.
    said: Vec<Arc<str>>,
}

impl Ended {
    const fn new(outcome: ChangeOutcome, result: Result<Value, Fault>) -> Self {
        Self { outcome, result, made: false, said: Vec::new() }
    }
}

pub(super) async fn change<'r>(context: &Context<'r>, statement: &'r Statement, change: &'r Change) {
    let title = match context.stopped() {
        Some(_) => Arc::clone(&change.source),
        None => context.title(change.title.as_ref(), &change.source).await,
    };
    let key: Arc<str> = context.key(statement).into();
    // What sets things right does so after each run that needs it.
    let known = if context.closing { Look::New } else { context.run.known.look(&key, &context.trail) };
    let allowed = match known {
        // It is done, also where nothing more of this run is begun.
        Look::Made(before) => return resuming::kept(context, statement, change, title, before).await,
        Look::Doubtful { made, is_named } if context.stopped().is_none() => Err(resuming::doubtful(&made, is_named)),
        Look::Doubtful { .. } | Look::New => allowed(context, statement, change, &title).await,
    };
    match allowed {
        Ok((allowed, hold)) => {
            keeping(context, hold, made(context, statement, change, (title, key), allowed)).await;
        }
        Err(reason) => {
            tracing::debug!(target: "runbook::run", line = context.place(statement.span).line, "change withheld");
            // A guard speaks for its own step: what other steps change was never its question.
            if !matches!(reason, Withheld::ReadOnly | Withheld::Guard { .. }) {
                context.section_gate.close(earlier(context, &title));
            }
            context.gate.not_made(named(&title, &context.trail.items()));
            bind(context, change, Err(not_done(&title)));
            let (place, change) = (context.place(statement.span), context.next_change());
            let items = context.trail.items();
            context.emit(Event::ChangeWithheld { place, change, title, items, reason });
        }
    }
}

/// Everything that can hold a change back, in the order in which it is asked: nobody is asked for consent to a change
/// that a guard holds back.
async fn allowed<'r>(
    context: &Context<'r>,
    statement: &'r Statement,
    change: &'r Change,
    title: &Arc<str>,
) -> Result<(Allowed<'r>, Option<Hold>), Withheld> {
    not_stopped(context)?;
    not_closed(context)?;
    if matches!(context.run.consent, Consent::ReadOnly | Consent::Plan) {
        return Err(Withheld::ReadOnly);
    }
    if let (Some(role), Consent::Rehearsed { roles }) = (&change.approve_by, &context.run.consent)
        && !roles.contains(role)
    {
        return Err(Withheld::NotApproved);
    }
    let prepared = prepared(context, change).await.map_err(|fault| withheld_by(context, fault))?;
    let within = match &change.within {
        Some(within) => Some(context.duration(within).await.map_err(|fault| withheld_by(context, fault))?),
        None => None,
    };
    let approvals = match consent::given(context, change).await {
        Ok(Some(approvals)) => approvals,
        Ok(None) => return Err(Withheld::NotApproved),
        Err(fault) => return Err(withheld_by(context, fault)),
    };
    let hold = exclusive::hold(context, statement, title, connection(&prepared)).await?;
    checks::guards_hold(context).await?;
    not_stopped(context)?;
    if let Some(rules) = &context.run.rules {
        rules.lets(change).map_err(|says| {
            context.run.outside.refused.store(true, Ordering::Relaxed);
            Withheld::Policy { says }
        })?;
    }
    Ok((Allowed { prepared, within, approvals }, hold))
}

fn not_stopped(context: &Context<'_>) -> Result<(), Withheld> {
    match context.stopped() {
        Some(_) if context.run.halted.get().is_some() => Err(Withheld::NotApproved),
        Some(fault) => Err(Withheld::Stopped { reason: fault.message.to_string() }),
        None => Ok(()),
    }
}

fn not_closed(context: &Context<'_>) -> Result<(), Withheld> {
    match context.gate.closed().or_else(|| context.section_gate.closed()) {
        Some(reason) => Err(reason),
        None => Ok(()),
    }
}

fn withheld_by(context: &Context<'_>, fault: Fault) -> Withheld {
    match context.stopped() {
        Some(_) => Withheld::Stopped { reason: fault.message.to_string() },
        None if fault.kind == FaultKind::Forbidden => {
            context.run.outside.refused.store(true, Ordering::Relaxed);
            Withheld::Policy { says: fault.message.to_string() }
        }
        None => Withheld::NotMeasured { fault },
    }
}

async fn prepared<'r>(context: &Context<'r>, change: &'r Change) -> Result<Prepared<'r>, Fault> {
    match &change.call.kind {
        ExprKind::Call(call) => {
            can_be_made(call.builtin)?;
            Ok(match arguments(context, call).await? {
                Some(args) => Prepared::Call { builtin: call.builtin, args, tool: None },
                None => Prepared::Nothing,
            })
        }
        ExprKind::Tool { tool, args } => {
            let Some(tool) = context.run.program.tools.get(tool.index()) else {
                return Err(Fault::no_value("a tool that is not there"));
            };
            can_be_made(tool.builtin)?;
            let args = tool_words(context, tool, args).await?;
            Ok(Prepared::Call { builtin: tool.builtin, args, tool: Some(tool) })
        }
        ExprKind::Command { command, args } => Ok(Prepared::Command(*command, args)),
        _ => Err(Fault::new(FaultKind::Unsupported, "only a call changes something")),
    }
}

async fn arguments(context: &Context<'_>, call: &Call) -> Result<Option<Vec<Option<Value>>>, Fault> {
    let (outside, memory) = (&context.run.outside, context.epoch.memory());
    let work = resolve(outside, &memory, |evaluation| evaluation.whole_arguments(call, &context.scope));
    context.limits.race(work).await?
}

/// Makes it. From here on it has happened, or nobody knows: every way out writes down how it ended.
async fn made<'r>(
    context: &Context<'r>,
    statement: &'r Statement,
    change: &'r Change,
    (title, key): (Arc<str>, Arc<str>),
    allowed: Allowed<'r>,
) {
    let Allowed { prepared, within, approvals } = allowed;
    let with = resuming::with(context, change).await;
    let (place, number, started) = (context.place(statement.span), context.next_change(), context.now());
    let connection = connection(&prepared);
    let led_to = match connection {
        Some(connection) => context.run.outside.led_to(connection).await,
        None => None,
    };
    let intended = Event::ChangeIntended {
        place: place.clone(),
        change: number,
        title: Arc::clone(&title),
        items: context.trail.items(),
        target: connection.map(|connection| connection.target.to_string()),
        led_to,
        call: Arc::clone(&change.source),
        approvals,
        key: Some(key),
        parts: matches!(prepared, Prepared::Command(..)),
        with,
    };
    if let Err(fault) = context.run.outside.emitter.durable(intended).await {
        // What is not written down is not begun: after a crash nobody would know of it.
        let message = format!("its intent cannot be written down: {}", fault.message).into();
        let fault = Fault { message, ..fault };
        context.section_gate.close(earlier(context, &title));
        bind(context, change, Err(fault.clone()));
        let (items, reason) = (context.trail.items(), Withheld::NotMeasured { fault });
        context.emit(Event::ChangeWithheld { place, change: number, title, items, reason });
        return;
    }
    let mut ended = called_out(&context.calling(statement), prepared, within).await;
    let said = std::mem::take(&mut ended.said);
    let limit = within.unwrap_or(VERIFY_WITHIN);
    let (ended, verified, evidence) = verified(context, change, ended, limit, started, within.is_some()).await;
    if ended.outcome == ChangeOutcome::Failed && verified.is_none() {
        context.gate.not_made(named(&title, &context.trail.items()));
    }
    if ended.outcome != ChangeOutcome::Done {
        context.section_gate.close(earlier(context, &title));
    }
    let result = match &ended.result {
        Ok(Value::Null) | Err(_) => None,
        Ok(value) => shown(value, None, &std::sync::atomic::AtomicBool::new(false)).ok(),
    };
    let value = ended.result.as_ref().ok().filter(|_| change.binding.is_some()).map(Kept::of);
    let event = Event::ChangeEnded(ChangeEnded {
        place,
        change: number,
        title,
        items: context.trail.items(),
        outcome: ended.outcome,
        fault: ended.result.err(),
        result,
        verified,
        said,
        evidence,
        undo: change.undo.as_ref().map(|undo| context.written(undo.span)),
        seconds: context.seconds_since(started),
        value,
    });
    context.out.tally.add(&event);
    if let Err(fault) = context.run.outside.emitter.durable(event).await {
        // It is done and cannot be written down: the run goes no further than what must be said.
        let what = Arc::clone(&change.source);
        context.section_gate.close(earlier(context, &what));
        context.emit(Event::NotMeasured { place: context.place(statement.span), what, fault });
    }
}

/// Makes the call and waits for its end, as far as its limits and the stop of the run allow.
async fn called_out<'r>(context: &Context<'r>, prepared: Prepared<'r>, within: Option<SignedDuration>) -> Ended {
    let mut farewell = SignedDuration::ZERO;
    let call: BoxFuture<'_, Ended> = match prepared {
        Prepared::Nothing => return Ended::new(ChangeOutcome::Done, Ok(Value::Null)),
        Prepared::Command(command, args) => command_made(context, command, args).boxed(),
        Prepared::Call { builtin, args, tool } => {
            let outside = &context.run.outside;
            let connection = asked_by(&args).to_owned();
            let span = timing::call(builtin.name, &connection);
            let mut call = outside.call(builtin, args);
            if within.is_some_and(|within| call.args.limit(within)) {
                farewell = FAREWELL;
            }
            let remark = call.cx.remark.clone();
            async move {
                let answer = async {
                    let _permits = outside.admission(&connection).await?;
                    timing::phase(BEGUN);
                    outside.asked(call).await
                };
                let ended = match answer.instrument(span).await {
                    Ok(value) => {
                        let result = match tool {
                            Some(tool) => returned(value, tool),
                            None => Ok(value),
                        };
                        Ended::new(ChangeOutcome::Done, result)
                    }
                    Err(fault) => Ended::new(outcome_of(&fault), Err(fault)),
                };
                let said = remark.take().unwrap_or_default().lines().map(Arc::from).collect();
                Ended { said, ..ended }
            }
            .boxed()
        }
    };
    let mut ends = context.limits.times();
    ends.extend(within.map(|within| limits::beyond(context.world(), within, farewell, "the change")));
    ends.push(given_up(context));
    race(call, ends).await.unwrap_or_else(|fault| Ended::new(ChangeOutcome::Unknown, Err(fault)))
}

/// When a change in flight is not waited for any more, after the run was stopped.
fn given_up(context: &Context<'_>) -> Limit {
    let (interrupt, world) = (context.run.interrupt.clone(), Arc::clone(context.world()));
    async move {
        let grace = async {
            interrupt.cancel.cancelled().await;
            world.sleep(to_std(GRACE)).await;
        };
        let why = Fault::new(FaultKind::Cancelled, "the run was stopped while the change was under way");
        let _ = futures_util::future::select(std::pin::pin!(grace), std::pin::pin!(interrupt.abort.cancelled())).await;
        why
    }
    .boxed()
    .shared()
}

/// What a fault says of a change: only where it can't have reached the other side, or that one refused it, has it
/// failed. Else nobody knows.
const fn outcome_of(fault: &Fault) -> ChangeOutcome {
    match fault.kind {
        _ if fault.partly => ChangeOutcome::Partly,
        // It went out and nobody answered, or a program was started and failed: done, half done or not, who knows.
        _ if fault.sent => ChangeOutcome::Unknown,
        FaultKind::Unreachable
        | FaultKind::Denied
        | FaultKind::Forbidden
        | FaultKind::NotFound
        | FaultKind::Failed
        | FaultKind::Conversion
        | FaultKind::NoValue
        | FaultKind::Unsupported
        | FaultKind::Setup => ChangeOutcome::Failed,
        FaultKind::Timeout | FaultKind::BadAnswer | FaultKind::TooLarge | FaultKind::Partial | FaultKind::Cancelled => {
            ChangeOutcome::Unknown
        }
    }
}

/// A command that changes: its own changes are written down one by one, and it is as they are.
async fn command_made<'r>(context: &Context<'r>, id: CommandId, args: &'r [Expr]) -> Ended {
    let Some(command) = context.run.program.commands.get(id.index()) else {
        let fault = Fault::no_value("a command that is not there");
        return Ended::new(ChangeOutcome::Failed, Err(fault));
    };
    let (returns, gate) = (Cell::empty(), Gate::new(None));
    let out = context.out.uncounted();
    let own = Context {
        returns: Some(Arc::clone(&returns)),
        gate: Arc::clone(&gate),
        section_gate: gate,
        out: out.clone(),
        ..called(context, id, args).await.at(0)
    };
    block(own, &command.body).await;
    let sum = out.tally.sum();
    let fault = |what: &str| Err(Fault::new(FaultKind::Failed, format!("`{}`: {what}", command.name)));
    if sum.counts.changes_unknown > 0 {
        return Ended::new(ChangeOutcome::Unknown, fault("nobody can say whether a change in it happened"));
    }
    if sum.failed || sum.unmeasured || sum.counts.changes_withheld > 0 || sum.counts.not_reached > 0 {
        return match (sum.changes.made, sum.changes.left) {
            (true, true) => Ended::new(ChangeOutcome::Partly, fault("a part of it was done, and a part was not")),
            (true, false) => Ended {
                made: true,
                ..Ended::new(ChangeOutcome::Failed, fault("all of it was made, and a check in it did not pass"))
            },
            (false, _) => Ended::new(ChangeOutcome::Failed, fault("nothing of it was done")),
        };
    }
    let result = match returns.get() {
        Some(Ok(tracked)) => Ok(tracked.value.clone()),
        Some(Err(fault)) => Err(fault.clone()),
        None => Ok(Value::Null),
    };
    Ended::new(ChangeOutcome::Done, result)
}

/// Binds the result, and looks whether the change did what it was for: whether it did, and what was seen if not.
async fn verified(
    context: &Context<'_>,
    change: &Change,
    ended: Ended,
    limit: SignedDuration,
    started: Timestamp,
    limited: bool,
) -> (Ended, Option<bool>, Vec<Shown>) {
    // What was read before the change is no answer to whether it worked.
    context.waited();
    let value = match (&ended.outcome, &ended.result) {
        (ChangeOutcome::Done, result) => result.clone(),
        (_, Err(fault)) => Err(fault.clone()),
        (_, Ok(_)) => Err(Fault::new(FaultKind::Failed, "the change failed")),
    };
    bind(context, change, value);
    let (Some(condition), ChangeOutcome::Done) = (&change.verify, ended.outcome) else {
        let verified = ended.made.then_some(false);
        return (ended, verified, Vec::new());
    };
    let left =
        if limited { limit.saturating_sub(context.now().duration_since(started)).max(VERIFY_EVERY) } else { limit };
    // It goes on after a stop of the run: a change that was made is looked after, within its limit.
    let ends = limits::within(context.world(), left, "`verify`");
    let own = Context { limits: super::closing::grace(context.run), closing: true, ..context.clone() };
    let polled = poll(&own, condition, VERIFY_EVERY, ends).await;
    let (ended, verified) = match polled.last {
        Ok(true) => (ended, Some(true)),
        Ok(false) => {
            let fault = Fault::new(FaultKind::Failed, "it was made, and `verify` does not hold");
            (Ended::new(ChangeOutcome::Failed, Err(fault)), Some(false))
        }
        Err(fault) => {
            let message = format!("it was done, and `verify` could not look: {}", fault.message).into();
            (Ended::new(ChangeOutcome::Unknown, Err(Fault { message, ..fault })), None)
        }
    };
    (ended, verified, polled.evidence)
}

/// What holds back all that is below a change.
fn earlier(context: &Context<'_>, title: &Arc<str>) -> Withheld {
    Withheld::EarlierChange { title: Arc::clone(title), items: context.trail.items() }
}

/// Why there is nothing that a change gave.
#[must_use]
pub fn not_done(title: &str) -> Fault {
    Fault::no_value(format!("`{title}` was not done"))
}

pub(super) fn bind(context: &Context<'_>, change: &Change, value: Result<Value, Fault>) {
    if let Some(cell) = change.binding.and_then(|local| context.scope.cell(local)) {
        cell.fill(value.map(Tracked::whole));
    }
}

fn connection<'p>(prepared: &'p Prepared<'_>) -> Option<&'p Arc<Connection>> {
    let Prepared::Call { args, .. } = prepared else { return None };
    args.iter().flatten().find_map(Value::connection)
}
