//! Where a statement runs: its names, its limits, the gates above it, and the way of its events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::consent::Consented;
use super::eval::{Eval, Evaluation};
use super::gate::Gate;
use super::known::{CLOSING, Known, Trail};
use super::limits::{self, Limit, Limits};
use super::memory::Epoch;
use super::outside::Outside;
use super::request::{Consent, Interrupt, Person, Proposal, Rules};
use super::resolve::{resolve, resolve_apart, takes_long};
use super::scope::{Cell, Scope, Tracked};
use super::tally::Out;
use crate::catalog::World;
use crate::check::program::{Block, Expr, Program, Statement, StatementId, StatementKind};
use crate::plan::Selection;
use crate::source::{Sources, Span};
use crate::store::event::{Event, Path, Place};
use crate::store::ledger::Exclusive;
use crate::types::{Fault, FaultKind, Value};

/// What is the same everywhere in a run.
pub(crate) struct Running {
    pub(crate) program: Arc<Program>,
    pub(crate) outside: Arc<Outside>,
    pub(crate) sources: Arc<Sources>,
    pub(crate) selection: Selection,
    pub(crate) proposal: Proposal,
    pub(crate) consent: Consent,
    pub(crate) rules: Option<Arc<dyn Rules>>,
    pub(crate) person: Option<Arc<dyn Person>>,
    pub(crate) interrupt: Interrupt,
    pub(crate) exclusive: Option<Arc<Exclusive>>,
    /// Why nothing more of the run is begun.
    pub(crate) halted: OnceLock<&'static str>,
    pub(crate) consented: Mutex<Consented>,
    /// What runs before have made.
    pub(crate) known: Known,
    /// The numbers of the changes among those of their block.
    pub(crate) numbers: HashMap<StatementId, u32>,
    /// How many changes have got a number.
    pub(crate) changes: AtomicU32,
    /// How often the run has waited for somebody or something: what was read before may no longer be so.
    pub(crate) waits: AtomicU32,
}

/// Where a statement runs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Context<'r> {
    pub(crate) run: &'r Running,
    pub(crate) scope: Arc<Scope>,
    pub(crate) epoch: Arc<Epoch>,
    pub(crate) limits: Limits,
    /// Closed by a guard that did not pass.
    pub(crate) gate: Arc<Gate<'r>>,
    /// Closed by a change that failed.
    pub(crate) section_gate: Arc<Gate<'r>>,
    pub(crate) out: Out,
    pub(crate) path: Path,
    pub(crate) trail: Arc<Trail>,
    /// The items of the loops around it, for people: `name=item`.
    pub(crate) items: Arc<Vec<Arc<str>>>,
    /// Where `return` puts its value.
    pub(crate) returns: Option<Arc<Cell>>,
    /// In `on failure` or `always`: goes on where the run was stopped.
    pub(crate) closing: bool,
    /// The section or the step, for whoever asks what the time goes to.
    pub(crate) part: tracing::Span,
}

impl<'r> Context<'r> {
    /// One level deeper: a statement of a block, a round of a loop.
    pub(crate) fn at(&self, index: usize) -> Self {
        let mut inner = self.clone();
        inner.path.push(u32::try_from(index).unwrap_or(u32::MAX));
        inner
    }

    /// With the names of a block, which are all there from the start.
    pub(crate) fn declaring<'s>(&self, statements: impl IntoIterator<Item = &'s Statement>) -> Self {
        let cells = statements.into_iter().filter_map(|statement| match &statement.kind {
            StatementKind::Let { local, .. } => Some((*local, Cell::empty())),
            StatementKind::Change(change) => change.binding.map(|local| (local, Cell::empty())),
            _ => None,
        });
        Self { scope: Scope::inside(&self.scope, cells.collect()), ..self.clone() }
    }

    pub(crate) fn world(&self) -> &'r Arc<dyn World> {
        &self.run.outside.cx.world
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.world().now()
    }

    /// Never below 0: a clock that was set back makes no time negative.
    pub(crate) fn seconds_since(&self, start: Timestamp) -> f64 {
        self.now().duration_since(start).as_secs_f64().max(0.0)
    }

    pub(crate) fn place(&self, span: Span) -> Place {
        let file = self.run.sources.file(span.file);
        let position = file.position(span.start);
        Place {
            path: self.path.clone(),
            file: file.name.as_str().into(),
            line: position.line,
            column: position.column,
            items: self.items.iter().map(|item| self.redacted(item)).collect(),
            called: self.trail.called_by(),
        }
    }

    /// A place goes to the journal with its event, so no secret is in it.
    fn redacted(&self, item: &str) -> Arc<str> {
        let mut item = item.to_owned();
        self.run.outside.emitter.redactor.string(&mut item);
        item.into()
    }

    /// What was written, on one line.
    pub(crate) fn written(&self, span: Span) -> Arc<str> {
        one_line(self.run.sources.text(span)).into()
    }

    /// Counts an event and hands it on.
    pub(crate) fn emit(&self, event: Event) {
        self.out.tally.add(&event);
        self.hand_on(event);
    }

    /// Hands on an event that was counted.
    pub(crate) fn hand_on(&self, event: Event) {
        if let Some(event) = self.out.pass(event) {
            self.run.outside.emitter.emit(event);
        }
    }

    /// Why this is not begun.
    pub(crate) fn stopped(&self) -> Option<Fault> {
        match self.run.halted.get() {
            Some(reason) if !self.closing => Some(Fault::new(FaultKind::Cancelled, *reason)),
            _ => self.limits.reached(),
        }
    }

    /// Says that a statement was not reached.
    pub(crate) fn not_reached(&self, statement: &Statement, fault: &Fault) {
        let (place, what) = (self.place(statement.span), self.written(statement.span));
        self.emit(Event::NotReached { place, what, reason: fault.message.to_string() });
    }

    /// Says that a statement came to nothing: not reached where the run was stopped, else what `event` makes of it.
    pub(crate) fn faulted(&self, statement: &Statement, fault: Fault, event: impl FnOnce(Place, Fault) -> Event) {
        if fault.kind == FaultKind::Cancelled {
            self.not_reached(statement, &fault);
        } else {
            self.emit(event(self.place(statement.span), fault));
        }
    }

    /// A value, whole or not.
    pub(crate) async fn value(&self, expr: &Expr) -> Result<Tracked, Fault> {
        self.look(expr, |_, _, _, tracked| Ok(tracked)).await
    }

    /// A value that must be whole.
    pub(crate) async fn whole(&self, expr: &Expr) -> Result<Value, Fault> {
        whole(self.value(expr).await?)
    }

    /// A value and what `finish` makes of it, from what has been read in this epoch and what is read now.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        expr: &Expr,
        finish: impl Fn(&Evaluation<'_>, &Expr, &Arc<Scope>, Tracked) -> Eval<T> + Send + Sync + 'static,
    ) -> Result<T, Fault> {
        if let Some(fault) = self.stopped() {
            return Err(fault);
        }
        let (outside, memory) = (&self.run.outside, self.epoch.memory());
        if takes_long(expr) {
            let (expr, scope) = (Arc::new(expr.clone()), Arc::clone(&self.scope));
            let work = move |evaluation: &Evaluation<'_>| {
                finish(evaluation, &expr, &scope, evaluation.tracked(&expr, &scope)?)
            };
            return self.limits.race(resolve_apart(outside, &memory, work)).await?;
        }
        let work =
            |evaluation: &Evaluation<'_>| finish(evaluation, expr, &self.scope, evaluation.tracked(expr, &self.scope)?);
        self.limits.race(resolve(outside, &memory, work)).await?
    }

    /// A text, or what was written where there is none or it could not be had.
    pub(crate) async fn title(&self, title: Option<&Expr>, source: &Arc<str>) -> Arc<str> {
        match title {
            Some(title) => self.text(title).await.unwrap_or_else(|_| Arc::clone(source)),
            None => Arc::clone(source),
        }
    }

    pub(crate) async fn text(&self, expr: &Expr) -> Result<Arc<str>, Fault> {
        match self.value(expr).await?.value {
            Value::String(text) => Ok(text.into_inner()),
            other => Ok(other.to_string().into()),
        }
    }

    pub(crate) async fn duration(&self, expr: &Expr) -> Result<SignedDuration, Fault> {
        match self.whole(expr).await? {
            Value::Duration(duration) => Ok(duration),
            other => Err(Fault::conversion(format!("wanted a duration, got {}", super::items::short(&other)))),
        }
    }

    /// The limit of `within`; one that is reached at once where it could not be had.
    pub(crate) async fn limit(&self, within: &Expr, what: &str) -> Limit {
        match self.duration(within).await {
            Ok(duration) => limits::within(self.world(), duration, what),
            Err(fault) => limits::unknown(fault),
        }
    }

    pub(crate) fn next_change(&self) -> u32 {
        self.run.changes.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// What a change is known by in a run that continues this one. It goes to the journal, so no secret is in it.
    pub(crate) fn key(&self, statement: &Statement) -> String {
        let closing = if self.closing { CLOSING } else { "" };
        let mut key = format!("{}{closing}", self.trail.key(self.number(statement)));
        self.run.outside.emitter.redactor.string(&mut key);
        key
    }

    fn number(&self, statement: &Statement) -> u32 {
        self.run.numbers.get(&statement.id).copied().unwrap_or(0)
    }

    /// Inside of what a statement calls.
    pub(crate) fn calling(&self, statement: &Statement) -> Self {
        Self { trail: Arc::new(self.trail.called(self.number(statement))), ..self.clone() }
    }

    /// Notes that time has passed in which anything may have happened.
    pub(crate) fn waited(&self) {
        self.run.waits.fetch_add(1, Ordering::Relaxed);
        self.epoch.renew();
    }
}

/// A value that is whole, or the fault that it is not.
pub(crate) fn whole(tracked: Tracked) -> Result<Value, Fault> {
    let own = match &tracked.value {
        Value::Log(log) => log.partial.clone(),
        _ => None,
    };
    match tracked.partial.or(own) {
        None => Ok(tracked.value),
        Some(partial) => Err(Fault::new(FaultKind::Partial, Arc::clone(&partial.reason))),
    }
}

/// What was written, on one line, and not too long.
pub(crate) fn one_line(text: &str) -> String {
    // A block says enough with its head.
    let head = text.split_once("{\n").map_or(text, |(head, _)| head);
    cut(crate::syntax::one_line(head))
}

/// The text of a value without its line breaks, and not too long.
pub(crate) fn on_one_line(text: &str) -> String {
    cut(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn cut(joined: String) -> String {
    const LONGEST: usize = 120;
    match joined.char_indices().nth(LONGEST).and_then(|(end, _)| joined.get(..end)) {
        Some(beginning) => format!("{beginning}…"),
        None => joined,
    }
}

/// Whether a statement waits for all above it and holds back all below it.
pub(crate) fn is_barrier(statement: &Statement) -> bool {
    statement.barrier || statement.effect == crate::catalog::Effect::Changes
}

pub(crate) fn has_barrier(block: &Block) -> bool {
    block.iter().any(is_barrier)
}
