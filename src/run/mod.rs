//! Running: a checked program, step by step, as a stream of typed events.
//!
//! An expression is evaluated by a synchronous, pure evaluator (`eval`) that notes what it needs from outside;
//! `resolve` fetches all needs of an expression side by side and evaluates again. Statements are futures: between two
//! barriers they run side by side, `sections` and `block` say which. A whole run is one future, without tasks of its
//! own: dropping it drops everything, and on a virtual clock it is deterministic.
//!
//! `tally` knows what an event weighs; statuses, counts and the exit code are made from events and nothing else.

mod apart;
mod asking;
mod block;
mod branches;
mod changes;
mod channels;
mod checks;
mod closing;
mod consent;
mod context;
mod convert;
mod equality;
mod eval;
mod evidence;
mod exclusive;
mod facts;
mod gate;
mod group;
mod items;
mod judge;
mod key;
pub mod known;
mod labels;
mod limits;
mod measuring;
mod memory;
mod nothing;
mod operators;
mod outside;
mod passes;
mod redact;
mod request;
mod resolve;
mod resuming;
mod scope;
mod sections;
mod shown;
mod sink;
mod tally;
mod telling;
mod text;
mod told;
mod undoing;
mod values;
mod waiting;

use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use futures_util::future::{Either, select};
use jiff::Timestamp;
use tokio::sync::Mutex;

pub use self::asking::{Asked, Asking, is_same};
pub use self::changes::{VERIFY_WITHIN, not_done};
pub use self::channels::open_channel;
use self::context::{Context, Running};
pub(crate) use self::convert::convert;
use self::facts::Facts;
use self::gate::Gate;
pub use self::judge::{Judge, Samples, Taken, Verdict};
use self::limits::Limits;
use self::memory::Epoch;
pub(crate) use self::operators::binary;
use self::outside::Outside;
pub use self::request::{
    Answer, AskConsent, Consent, Interrupt, ManualTask, Person, Proposal, Request, Rules, Standing, StandingApproval,
    definition, started,
};
use self::scope::Scope;
use self::sink::Emitter;
pub use self::sink::EventSink;
use self::tally::{Out, Sum, Tally};
pub(crate) use self::text::written;
pub use self::undoing::{Looked, Undo, undo, verify};
use crate::catalog::{Cx, Remark, World};
use crate::plan::position;
use crate::store::event::{Event, RunFinished, Status};

/// Runs a program and gives its events to `sink`, the first of them [`Event::RunStarted`] and the last
/// [`Event::RunFinished`].
///
/// The future is one task: whoever polls it runs the run. It ends after [`Interrupt::cancel`] as soon as a change in
/// flight and the closing blocks allow.
pub async fn run(request: Request, world: Arc<dyn World>, sink: Arc<dyn EventSink>) -> RunFinished {
    let (running, at) = begun(request, &world, sink).await;
    let tally = Tally::new(None);
    watched(&running, sections::sections(root(&running, &tally))).await;
    ended(&running, &tally, &world, at)
}

/// What a run has everywhere, its first event told, and when it began.
async fn begun(request: Request, world: &Arc<dyn World>, sink: Arc<dyn EventSink>) -> (Running, Timestamp) {
    let Request {
        program,
        sources,
        started,
        facts,
        selection,
        set,
        proposal,
        consent,
        rules,
        person,
        interrupt,
        exclusive,
        known,
    } = request;
    let at = world.now();
    let own = Arc::new(Facts::new(Arc::clone(&program), set, Arc::clone(&facts)));
    let cx = Cx { world: Arc::clone(world), run: facts, remark: Remark::default() };
    let outside = Outside::new(own, cx, Emitter::new(sink));
    let too_short = outside.know_secrets().await;
    outside.emitter.emit(Event::RunStarted(started));
    for name in too_short {
        outside.emitter.emit(Event::SecretTooShort { name });
    }
    let running = Running {
        numbers: position::numbers(&program, &selection),
        program,
        outside,
        sources,
        selection,
        proposal,
        consent,
        rules,
        person,
        interrupt,
        exclusive,
        known,
        halted: OnceLock::new(),
        consented: Mutex::default(),
        changes: AtomicU32::new(0),
        waits: AtomicU32::new(0),
    };
    (running, at)
}

/// The last event of a run, which is told.
fn ended(running: &Running, tally: &Tally, world: &Arc<dyn World>, at: Timestamp) -> RunFinished {
    let sum = tally.sum();
    let (status, exit) = verdict(running, &sum);
    let seconds = world.now().duration_since(at).as_secs_f64().max(0.0);
    let finished = RunFinished { status, counts: sum.counts, exit, seconds };
    running.outside.emitter.emit(Event::RunFinished(finished.clone()));
    finished
}

/// Runs to the end, and says when the run is stopped from outside.
async fn watched(running: &Running, work: impl Future<Output = ()>) {
    let work = pin!(work);
    let stopped = pin!(running.interrupt.cancel.cancelled());
    let tell = || {
        let signal = running.interrupt.signal.get().cloned().unwrap_or_else(|| "SIGINT".to_owned());
        running.outside.emitter.emit(Event::Interrupted { signal });
    };
    // The stop first: it is told before what came of it.
    match select(stopped, work).await {
        Either::Left(((), work)) => {
            tell();
            work.await;
        }
        // It came from another thread while the work was looking, and the work saw it first.
        Either::Right(((), _)) if running.interrupt.cancel.is_cancelled() => tell(),
        Either::Right(_) => {}
    }
}

fn root<'r>(running: &'r Running, tally: &Arc<Tally>) -> Context<'r> {
    let gate = Gate::new(None);
    Context {
        run: running,
        scope: Scope::root(),
        epoch: Epoch::new(),
        limits: Limits::until(running.interrupt.cancel.clone(), "the run was stopped"),
        gate: Arc::clone(&gate),
        section_gate: gate,
        out: Out::new(Arc::clone(tally)),
        path: Vec::new(),
        trail: Arc::default(),
        items: Arc::default(),
        returns: None,
        closing: false,
        part: tracing::Span::none(),
    }
}

/// How the run went, as a status and as language.md's exit code.
fn verdict(running: &Running, sum: &Sum) -> (Status, u8) {
    if running.interrupt.cancel.is_cancelled() {
        return (Status::Stopped, 130);
    }
    if running.halted.get().is_some() {
        return (Status::Stopped, 5);
    }
    if running.outside.refused.load(Ordering::Relaxed) {
        return (sum.status, 6);
    }
    match sum.status {
        _ if sum.failed => (sum.status, 4),
        _ if sum.unmeasured => (sum.status, 3),
        // A time limit kept something from being begun.
        Status::Stopped => (Status::Stopped, 3),
        status => (status, 0),
    }
}
