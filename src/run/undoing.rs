//! Undoing one change of a run before, with the values that its names had then.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::asking::Asking;
use super::changes;
use super::context::{Context, one_line};
use super::eval::truth;
use super::request::Request;
use super::resuming::{named, restored};
use super::scope::{Cell, Scope, Tracked};
use super::sink::EventSink;
use super::tally::Tally;
use super::{Running, begun, ended, root, watched};
use crate::catalog::{Builtin, Effect, RunFacts, World};
use crate::check::program::walk;
use crate::check::program::{Change, Expr, ExprKind, ParamId, Program, Statement, StatementId, StatementKind};
use crate::plan::{Selection, position};
use crate::source::Sources;
use crate::store::event::{Event, RunFinished};
use crate::store::kept::Kept;
use crate::types::{Fault, Value};

/// A change that was made, as its journal tells it.
#[derive(Clone, Debug)]
pub struct Undo {
    /// Where it stands: see [`position`].
    pub position: String,
    pub title: Arc<str>,
    /// What it is of, for the output.
    pub section: Arc<str>,
    /// What its names stood for.
    pub with: Vec<(Arc<str>, Kept)>,
    /// What it gave.
    pub value: Option<Kept>,
}

impl Undo {
    fn change<'p>(&self, program: &'p Program, selection: &Selection) -> Option<&'p Change> {
        position::change(program, selection, &self.position)
    }

    /// The change that undoes it; `None` where the runbook says none.
    #[must_use]
    pub fn made(&self, program: &Program, sources: &Sources, selection: &Selection) -> Option<Change> {
        let change = self.change(program, selection)?;
        let call = change.undo.as_ref()?;
        let source: Arc<str> = one_line(sources.text(call.span)).into();
        Some(Change {
            binding: None,
            call: call.clone(),
            title: None,
            source,
            // What is taken back may take as long as what was made.
            within: change.within.clone().filter(|_| !says_how_long(program, call) && self.knows_all(change)),
            // Whoever has to agree to a change has to agree to its undoing.
            approve_by: change.approve_by.clone(),
            verify: None,
            undo: None,
        })
    }

    /// Whether all names in the change's clauses are in its journal: versions before wrote down fewer.
    fn knows_all(&self, change: &Change) -> bool {
        named(change).len() == self.with.len()
    }

    /// The roles that have agreed to the change: its own, and those of the changes that it is a part of.
    #[must_use]
    pub fn roles(&self, program: &Program, selection: &Selection) -> BTreeSet<Arc<str>> {
        let mut roles = BTreeSet::new();
        let mut position = Some(self.position.as_str());
        while let Some(own) = position {
            roles.extend(position::change(program, selection, own).and_then(|change| change.approve_by.clone()));
            position = own.rsplit_once('.').map(|(outer, _)| outer);
        }
        roles
    }

    /// The names in the call, each with what it stood for; what `verify` alone names is left out.
    #[must_use]
    pub fn names(&self, program: &Program, selection: &Selection) -> Vec<(Arc<str>, Kept)> {
        let Some(change) = self.change(program, selection) else { return Vec::new() };
        let mut own = Vec::new();
        if let Some(undo) = &change.undo {
            walk::expr(undo, &mut |expr| {
                if let ExprKind::Local(local) = expr.kind {
                    own.push(local);
                }
            });
        }
        let mut names = Vec::new();
        for ((local, _), (name, kept)) in named(change).into_iter().zip(&self.with) {
            if own.contains(&local) {
                let kept = if change.binding == Some(local) { self.given() } else { kept.clone() };
                names.push((Arc::clone(name), kept));
            }
        }
        names
    }

    fn given(&self) -> Kept {
        self.value
            .clone()
            .unwrap_or_else(|| Kept::Lost("the run was stopped before the change had an answer".to_owned()))
    }
}

/// Whether a call says by itself how long it may take.
fn says_how_long(program: &Program, call: &Expr) -> bool {
    match &call.uncovered().kind {
        ExprKind::Call(call) => given(call.builtin, call.args.iter().map(Option::is_some)),
        ExprKind::Tool { tool, .. } => program
            .tools
            .get(tool.index())
            .is_some_and(|tool| given(tool.builtin, tool.args.iter().map(Option::is_some))),
        _ => false,
    }
}

fn given(builtin: &Builtin, args: impl Iterator<Item = bool>) -> bool {
    builtin.params.iter().zip(args).any(|(param, is_given)| is_given && param.name == "within")
}

/// Undoes a change: one change by itself, with consent and in a journal like any other.
///
/// # Errors
/// Where the program has no such change, or nothing undoes it.
pub async fn undo(
    request: Request,
    undo: &Undo,
    world: Arc<dyn World>,
    sink: Arc<dyn EventSink>,
) -> Result<RunFinished, Fault> {
    let (program, selection) = (Arc::clone(&request.program), request.selection.clone());
    let change = undo.change(&program, &selection);
    let made = undo.made(&program, &request.sources, &selection);
    let (Some(change), Some(made)) = (change, made) else {
        return Err(Fault::no_value(format!("nothing undoes `{}`", undo.title)));
    };
    let span = made.call.span;
    let statement = Statement {
        // No statement of the program: what is known of those is not known of this one.
        id: StatementId(u32::MAX),
        kind: StatementKind::Change(Box::new(made)),
        doc: "".into(),
        span,
        effect: Effect::Changes,
        barrier: true,
    };
    let (running, at) = begun(request, &world, sink).await;
    let tally = Tally::new(None);
    let work = work(&running, &tally, undo, change, &statement);
    watched(&running, work).await;
    Ok(ended(&running, &tally, &world, at))
}

/// Whether `verify` of a change holds, or why that cannot be said.
pub type Looked = Result<bool, Fault>;

/// What `verify` of the change at a position says now, with what its names stood for. `None` where it has none.
#[expect(clippy::implicit_hasher, reason = "it is a request's")]
pub async fn verify(
    program: Arc<Program>,
    set: HashMap<ParamId, Value>,
    facts: Arc<RunFacts>,
    world: Arc<dyn World>,
    selection: &Selection,
    position: &str,
    with: &[(Arc<str>, Kept)],
) -> Option<Looked> {
    let change = position::change(&program, selection, position)?;
    let condition = change.verify.as_ref()?;
    let asking = Asking::new(Arc::clone(&program), set, facts, world);
    let mut cells = Vec::new();
    for ((local, _), (_, kept)) in named(change).into_iter().zip(with) {
        let value = if change.binding == Some(local) {
            Err(Fault::no_value("the run was stopped before the change had an answer"))
        } else {
            restored(&asking.outside, kept).await
        };
        cells.push((local, Cell::holding(value.map(Tracked::whole))));
    }
    Some(asking.inside(condition, &Scope::inside(&Scope::root(), cells)).await.and_then(truth))
}

async fn work<'r>(running: &'r Running, tally: &Arc<Tally>, undo: &Undo, change: &Change, statement: &'r Statement) {
    let outer = root(running, tally).at(0);
    let (path, title) = (outer.path.clone(), Arc::clone(&undo.section));
    outer.emit(Event::SectionStarted { path: path.clone(), title: Arc::clone(&title), doc: "".into() });
    let step: Arc<str> = format!("undo: {}", undo.title).into();
    let context = outer.at(0);
    let (own, began) = (context.path.clone(), context.now());
    outer.emit(Event::StepStarted { path: own.clone(), title: Arc::clone(&step), doc: "".into(), label: None });
    let mut cells = Vec::new();
    for ((local, _), (_, kept)) in named(change).into_iter().zip(&undo.with) {
        let kept = if change.binding == Some(local) { undo.given() } else { kept.clone() };
        cells.push((local, Cell::holding(restored(&running.outside, &kept).await.map(Tracked::whole))));
    }
    let inner = Context { scope: Scope::inside(&Scope::root(), cells), out: outer.out.part(), ..context.at(0) };
    if let StatementKind::Change(call) = &statement.kind {
        changes::change(&inner, statement, call).await;
    }
    let sum = inner.out.tally.sum();
    let seconds = outer.seconds_since(began);
    outer.emit(Event::StepFinished {
        path: own,
        title: step,
        label: None,
        status: sum.status,
        seconds,
        counts: sum.counts,
    });
    outer.emit(Event::SectionFinished { path, title, status: sum.status, seconds });
}
