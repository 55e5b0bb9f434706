//! Evaluation: an expression, what its names stand for and what has been read, to a value.
//!
//! It is synchronous and touches nothing outside. Where it meets something that is not there yet (a read, a
//! connection, a `let` that is still computed) it notes the need, goes on with what stands beside it, and ends
//! [`Stop::Blocked`] with all needs of the expression; [`super::resolve`] fetches them side by side and evaluates again.

mod call;
mod command;
mod logic;
mod navigate;
mod scan;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use super::facts::Facts;
use super::group::Entered;
use super::memory::{Memory, Need, lock};
use super::scope::{Scope, Tracked};
use super::{convert, operators, text};
use crate::check::program::{BinaryOp, Expr, ExprKind, LocalId, MetricId, RunField, TextPart, UnaryOp};
use crate::types::{Fault, FaultKind, Partial, Piece, Template, Type, Value};

/// How deep calls and expressions nest before it is taken for a mistake. The stack holds this many, also unoptimised.
const MAX_DEPTH: u32 = 400;

/// Why there is no value.
#[derive(Debug)]
pub(crate) enum Stop {
    Fault(Fault),
    /// Not yet: the needs are noted.
    Blocked,
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

pub(crate) type Eval<T = Value> = Result<T, Stop>;

/// Results of pipelines by the place of their expression, so that a second pass does not scan a log again.
pub(crate) type Memo = HashMap<usize, (Result<Value, Fault>, Option<Arc<Partial>>)>;

/// What names stand for at a place.
#[derive(Clone, Copy)]
pub(crate) struct Env<'a> {
    frame: Option<&'a Frame<'a>>,
    scope: &'a Arc<Scope>,
    /// Whether an expression here has one value only for the whole statement.
    steady: bool,
}

impl<'a> Env<'a> {
    pub(crate) const fn of(scope: &'a Arc<Scope>) -> Self {
        Self { frame: None, scope, steady: true }
    }
}

/// The item of a per-item expression.
struct Frame<'a> {
    param: LocalId,
    item: &'a Value,
    parent: Option<&'a Self>,
}

/// One pass over an expression.
///
/// Nothing in it is shared between threads; the locks are there because the contract of a per-item expression asks
/// for `Sync`.
pub(crate) struct Evaluation<'e> {
    facts: &'e Facts,
    memory: &'e Memory,
    /// Set when nobody waits for the result any more.
    unwanted: &'e AtomicBool,
    memo: &'e Mutex<Memo>,
    /// The samples that a threshold looks at. Elsewhere a metric stands for itself, for who asks for its history.
    measured: Option<&'e [(MetricId, Result<Value, Fault>)]>,
    needs: Mutex<Vec<Need>>,
    partial: Mutex<Option<Arc<Partial>>>,
    /// How often a per-item expression was blocked: a stage cannot say so by itself.
    blocked: AtomicU32,
    depth: AtomicU32,
    /// Held as long as it may still say what it needs.
    entered: Mutex<Option<Entered>>,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(facts: &'e Facts, memory: &'e Memory, unwanted: &'e AtomicBool, memo: &'e Mutex<Memo>) -> Self {
        Self {
            facts,
            memory,
            unwanted,
            memo,
            measured: None,
            needs: Mutex::default(),
            partial: Mutex::default(),
            blocked: AtomicU32::new(0),
            depth: AtomicU32::new(0),
            entered: Mutex::default(),
        }
    }

    /// Among those that may soon say what they need.
    pub(crate) fn entered(self, entered: Entered) -> Self {
        Self { entered: Mutex::new(Some(entered)), ..self }
    }

    /// No longer among them.
    fn leave(&self) {
        lock(&self.entered).take();
    }

    /// With the samples that a threshold looks at.
    pub(crate) fn measured(self, measured: &'e [(MetricId, Result<Value, Fault>)]) -> Self {
        Self { measured: Some(measured), ..self }
    }

    /// The value of an expression, with the reason where it is not whole.
    pub(crate) fn tracked(&self, expr: &Expr, scope: &Arc<Scope>) -> Eval<Tracked> {
        let (value, partial) = self.apart(|| self.eval(expr, Env::of(scope)));
        Ok(Tracked { value: value?, partial })
    }

    /// What a per-item expression, or a part of one, says of an item; `None` where it has no answer.
    pub(crate) fn answer(&self, param: LocalId, part: &Expr, item: &Value, scope: &Arc<Scope>) -> Option<Value> {
        let frame = Frame { param, item, parent: None };
        self.eval(part, Env { frame: Some(&frame), scope, steady: false }).ok()
    }

    /// What the expressions that were blocked wait for.
    pub(crate) fn into_needs(self) -> Vec<Need> {
        self.needs.into_inner().unwrap_or_default()
    }

    pub(crate) fn unwanted(&self) -> &AtomicBool {
        self.unwanted
    }

    fn eval(&self, expr: &Expr, env: Env<'_>) -> Eval {
        if self.depth.fetch_add(1, Ordering::Relaxed) >= MAX_DEPTH {
            self.depth.fetch_sub(1, Ordering::Relaxed);
            return Err(Fault::new(FaultKind::TooLarge, "expressions and commands are nested too deeply").into());
        }
        let value = if self.unwanted.load(Ordering::Relaxed) {
            Err(Fault::new(FaultKind::Cancelled, "the run was stopped").into())
        } else {
            self.kind(expr, env)
        };
        self.depth.fetch_sub(1, Ordering::Relaxed);
        value
    }

    fn kind(&self, expr: &Expr, env: Env<'_>) -> Eval {
        match &expr.kind {
            ExprKind::Literal(value) => Ok(value.clone()),
            ExprKind::Local(local) => self.local(*local, env),
            ExprKind::Param(_) | ExprKind::Secret(_) | ExprKind::Connection(_) | ExprKind::Run(_) => {
                self.declared(&expr.kind, env)
            }
            ExprKind::Metric(id) => self.metric(*id),
            ExprKind::Field { base, name, optional } => self.field(base, name, *optional, env),
            ExprKind::Index { base, index } => self.index(base, index, env),
            ExprKind::Unary { op, operand } => self.unary(*op, operand, env),
            ExprKind::Binary { op: op @ (BinaryOp::Or | BinaryOp::And), left, right } => {
                self.logic(*op, left, right, env)
            }
            ExprKind::Binary { op: BinaryOp::Coalesce, left, right } => {
                let value = self.eval(left, env)?;
                if value.is_missing() { self.eval(right, env) } else { Ok(value) }
            }
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right, expr, env),
            ExprKind::If { condition, then, otherwise } => {
                let branch = if truth(self.eval(condition, env)?)? { then } else { otherwise };
                self.eval(branch, env)
            }
            ExprKind::Try { value, on, otherwise } => self.attempt(value, on, otherwise, env),
            ExprKind::List(items) => Ok(Value::list(self.all(items, env)?)),
            ExprKind::Record(fields) => {
                let values = self.all(fields.iter().map(|(_, value)| value), env)?;
                Ok(Value::record(fields.iter().map(|(name, _)| name.clone()).zip(values)))
            }
            ExprKind::Text(parts) => self.text(parts, env),
            ExprKind::Template(parts) => self.template(parts, env),
            ExprKind::Call(call) => self.call(expr, call, env),
            ExprKind::Command { command, args } => self.command(*command, args, env),
            ExprKind::Tool { tool, args } => self.tool(*tool, args, env),
            ExprKind::Convert(inner) => self.converted(inner, &expr.ty, env, convert::convert),
            ExprKind::Broken => Err(unsupported("an expression that could not be checked is not run").into()),
        }
    }

    fn local(&self, local: LocalId, env: Env<'_>) -> Eval {
        let mut frame = env.frame;
        while let Some(own) = frame {
            if own.param == local {
                return Ok(own.item.clone());
            }
            frame = own.parent;
        }
        let Some(cell) = env.scope.cell(local) else {
            let name = self.facts.program.locals.get(local.index()).map_or("this name", |local| &*local.name);
            return Err(Fault::no_value(format!("`{name}` is given in a part that is not run")).into());
        };
        match cell.get() {
            Some(Ok(tracked)) => {
                self.note_partial(tracked.partial.as_ref());
                Ok(tracked.value.clone())
            }
            Some(Err(fault)) => Err(fault.clone().into()),
            None if cell.is_passing() => Err(Stop::Blocked),
            None => self.need(Need::Local(Arc::clone(cell))),
        }
    }

    fn metric(&self, id: MetricId) -> Eval {
        match self.measured {
            Some(measured) => match measured.iter().find(|(own, _)| *own == id) {
                Some((_, sample)) => Ok(sample.clone()?),
                None => Err(Fault::no_value("there is no sample of it yet").into()),
            },
            None => Ok(super::measuring::named(&self.facts.program, id)?),
        }
    }

    /// What is declared once for the whole runbook.
    fn declared(&self, kind: &ExprKind, env: Env<'_>) -> Eval {
        let program = &self.facts.program;
        match kind {
            ExprKind::Param(id) => match self.facts.set.get(id) {
                Some(value) => Ok(value.clone()),
                None => match program.params.get(id.index()).map(|param| (&param.name, param.default.as_ref())) {
                    Some((_, Some(default))) => self.eval(default, Env { frame: None, steady: false, ..env }),
                    Some((name, None)) => {
                        let message = format!("the param `{name}` has no default and was not set");
                        Err(Fault::new(FaultKind::Setup, message).help(format!("write `--set {name}=VALUE`")).into())
                    }
                    None => Err(unsupported("a param that is not there").into()),
                },
            },
            ExprKind::Secret(id) => match self.facts.secret(*id) {
                Some(secret) => Ok(Value::Secret(secret.clone())),
                None => self.remembered(&super::key::Key::secret(*id), || Need::Secret(*id)),
            },
            ExprKind::Connection(id) => match self.facts.connection(*id) {
                Some(ready) => Ok(Value::Connection(Arc::clone(&ready.connection))),
                None => self.remembered(&super::key::Key::connection(*id), || Need::Connection(*id)),
            },
            ExprKind::Run(field) => Ok(self.run_field(*field)),
            _ => Err(unsupported("not a declaration").into()),
        }
    }

    fn run_field(&self, field: RunField) -> Value {
        let run = &self.facts.run;
        match field {
            RunField::Id => Value::string(run.id.clone()),
            RunField::StartedAt => Value::Time(run.started_at),
            RunField::ScheduledAt => Value::Time(run.scheduled_at),
            RunField::Date => Value::Date(run.scheduled_at.to_zoned(run.timezone.clone()).date()),
        }
    }

    fn unary(&self, op: UnaryOp, operand: &Expr, env: Env<'_>) -> Eval {
        let value = self.operand(operand, env)?.plainly();
        match op {
            UnaryOp::Not => Ok(Value::Bool(!truth(value)?)),
            UnaryOp::Negate => Ok(operators::negate(&value)?),
        }
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr, whole: &Expr, env: Env<'_>) -> Eval {
        let (one, other) = both(self.operand(left, env), self.operand(right, env))?;
        // What a help writes of a text is about the side that is one.
        let is_text = |value: &Value| matches!(value, Value::Data(data) if data.is_string());
        let of_right = matches!(one, Value::Data(_)) && !is_text(&one);
        let written = if of_right && is_text(&other) { Some(right) } else { Some(left) };
        let written = written.filter(|_| !(of_right && op == BinaryOp::In));
        let value = operators::binary(op, self.in_memory(one)?, self.in_memory(other)?, &whole.ty);
        value.map_err(|fault| {
            Stop::Fault(match written {
                Some(written) => self.about(fault, written),
                None => fault.about("…", None),
            })
        })
    }

    /// A side of an operator. A number in data is taken as it was written: an integer is not rounded to a float before it
    /// is known what is done with it.
    fn operand(&self, expr: &Expr, env: Env<'_>) -> Eval {
        match &expr.kind {
            ExprKind::Convert(inner) if inner.ty == Type::Data && matches!(expr.ty, Type::Int | Type::Float) => {
                self.converted(inner, &expr.ty, env, convert::number)
            }
            _ => self.eval(expr, env),
        }
    }

    /// A value as a type; what is wrong with it names what was written.
    fn converted(
        &self,
        inner: &Expr,
        ty: &Type,
        env: Env<'_>,
        convert: fn(Value, &Type) -> Result<Value, Fault>,
    ) -> Eval {
        convert(self.eval(inner, env)?, ty).map_err(|fault| Stop::Fault(self.about(fault, inner)))
    }

    fn attempt(&self, value: &Expr, on: &[FaultKind], otherwise: &Expr, env: Env<'_>) -> Eval {
        let forgives = |kind| if on.is_empty() { kind != FaultKind::Cancelled } else { on.contains(&kind) };
        let (result, partial) = self.apart(|| self.eval(value, env));
        match result {
            Err(Stop::Fault(fault)) if forgives(fault.kind) => self.eval(otherwise, env),
            // What was cut short counts as the fault that a check on it would be.
            Ok(_) if partial.is_some() && forgives(FaultKind::Partial) => self.eval(otherwise, env),
            result => {
                self.note_partial(partial.as_ref());
                result
            }
        }
    }

    /// Every value, or the first fault; all are looked at, so that all needs are known.
    fn all<'x>(&self, exprs: impl IntoIterator<Item = &'x Expr>, env: Env<'_>) -> Eval<Vec<Value>> {
        let mut values = Vec::new();
        let mut stopped: Option<Stop> = None;
        for expr in exprs {
            match self.eval(expr, env) {
                Ok(value) => values.push(value),
                Err(Stop::Blocked) => stopped = Some(Stop::Blocked),
                Err(fault) => stopped = stopped.or(Some(fault)),
            }
        }
        stopped.map_or(Ok(values), Err)
    }

    fn text(&self, parts: &[TextPart], env: Env<'_>) -> Eval {
        let mut values = self.all(parts.iter().filter_map(in_text), env)?.into_iter();
        let mut joined = String::new();
        for part in parts {
            if joined.len() > text::MAX_BYTES {
                return Err(text::too_long().into());
            }
            match part {
                TextPart::Text(text) => joined.push_str(text),
                TextPart::Value { format, .. } => {
                    let value = values.next().unwrap_or(Value::Null);
                    joined.push_str(&text::written(&value, format.as_ref(), &self.facts.run.timezone)?);
                }
            }
        }
        Ok(Value::string(joined))
    }

    fn template(&self, parts: &[TextPart], env: Env<'_>) -> Eval {
        let mut values = self.all(parts.iter().filter_map(in_text), env)?.into_iter();
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            pieces.push(match part {
                TextPart::Text(text) => Piece::Text(text.clone()),
                TextPart::Value { format: None, .. } => Piece::Value(values.next().unwrap_or(Value::Null).read()?),
                TextPart::Value { format, .. } => {
                    let value = values.next().unwrap_or(Value::Null);
                    let written = text::written(&value, format.as_ref(), &self.facts.run.timezone)?;
                    Piece::Value(Value::string(written))
                }
            });
        }
        Ok(Value::Template(Arc::new(Template { pieces })))
    }

    /// What has been read, or the need for it.
    fn remembered(&self, key: &super::key::Key, need: impl FnOnce() -> Need) -> Eval {
        match self.memory.get(key) {
            Some(result) => Ok(result?),
            None => self.need(need()),
        }
    }

    fn need(&self, need: Need) -> Eval {
        lock(&self.needs).push(need);
        Err(Stop::Blocked)
    }

    fn note_partial(&self, partial: Option<&Arc<Partial>>) {
        if let Some(partial) = partial {
            lock(&self.partial).get_or_insert_with(|| Arc::clone(partial));
        }
    }

    /// Evaluates something and keeps apart what of it is not whole.
    fn apart<T>(&self, evaluate: impl FnOnce() -> T) -> (T, Option<Arc<Partial>>) {
        let before = lock(&self.partial).take();
        let result = evaluate();
        let own = std::mem::replace(&mut *lock(&self.partial), before);
        (result, own)
    }

    /// A log as a list, for what cannot take it line by line.
    fn in_memory(&self, value: Value) -> Eval {
        match value {
            Value::Log(log) => {
                self.note_partial(log.partial.as_ref());
                Ok(super::items::collect(super::items::of(Value::Log(log), self.unwanted)?)?)
            }
            value => Ok(value),
        }
    }
}

fn in_text(part: &TextPart) -> Option<&Expr> {
    match part {
        TextPart::Text(_) => None,
        TextPart::Value { value, .. } => Some(value),
    }
}

/// Both values; blocked if either is, else the first fault: the same one whichever read was quicker.
fn both<A, B>(left: Eval<A>, right: Eval<B>) -> Eval<(A, B)> {
    match (left, right) {
        (Ok(left), Ok(right)) => Ok((left, right)),
        (Err(Stop::Blocked), _) | (_, Err(Stop::Blocked)) => Err(Stop::Blocked),
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    }
}

/// A value as true or false: nothing else than a bool is.
pub(crate) fn truth(value: Value) -> Result<bool, Fault> {
    match value.read()?.plainly() {
        Value::Bool(value) => Ok(value),
        Value::Null => Err(Fault::no_value("wanted a bool, and it is missing")),
        other => Err(Fault::conversion(format!("wanted a bool, got {}", super::items::short(&other)))),
    }
}

fn unsupported(what: &str) -> Fault {
    Fault::new(FaultKind::Unsupported, format!("{what}, which this version does not have"))
}
