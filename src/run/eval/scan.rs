//! Pipelines over a log that one pass over its bytes answers: what of them is recognised, and as which query.
//!
//! All that is wanted of one snapshot at the same time is answered by the same pass ([`crate::run::passes`]). Whatever is
//! not recognised goes item by item, with the same result.

use std::sync::Arc;

use super::{Env, Eval, Evaluation, Stop};
use crate::catalog::{Body, Effect, Operation};
use crate::check::program::{BinaryOp, Call, CallArg, Expr, ExprKind, Lambda, TextPart};
use crate::run::key::Key;
use crate::run::memory::{Need, ScanCall};
use crate::run::resolve::is_lines;
use crate::types::{Answer, Condition, End, Part, Query, Value};

/// The most lines that `take` takes of a pass.
const MOST_TAKEN: i64 = 10_000;

/// How deep conditions nest that are looked at.
const MOST_DEPTH: u32 = 32;

/// Something that is not recognised is no fault: it goes item by item.
type Recognised<T> = Eval<Option<T>>;

/// Goes on with what is recognised.
macro_rules! known {
    ($recognised:expr) => {
        match $recognised {
            Some(known) => known,
            None => return Ok(None),
        }
    };
}

impl Evaluation<'_> {
    /// What a pipeline gives that a pass answers; nothing where it is to go item by item.
    pub(super) fn scanned(&self, call: &Call, env: Env<'_>) -> Recognised<Value> {
        let Body::Scan(operation, _) = call.builtin.body else { return Ok(None) };
        // Lines that somebody goes on with are worth a pass only where some are left out.
        let source = known!(lines_below(call, operation));
        let query = self.query(call, operation, env);
        let log = self.eval(source, env);
        let (query, log) = match (query, log) {
            (Err(Stop::Blocked), _) | (_, Err(Stop::Blocked)) => return Err(Stop::Blocked),
            // Whoever goes item by item says what is wrong.
            (Ok(None) | Err(_), _) | (_, Err(_)) => return Ok(None),
            (Ok(Some(query)), Ok(log)) => (query, log),
        };
        let Value::Log(log) = log else { return Ok(None) };
        known!(Arc::clone(&log.reader).scanner());
        let key = Key::scan(&log, &query);
        match self.memory.answer(&key) {
            Some(Answer::Value(value)) => {
                self.note_partial(log.partial.as_ref());
                Ok(Some(value))
            }
            Some(Answer::ItemByItem) => Ok(None),
            None => self.need(Need::Scan(ScanCall { key, log, query })).map(Some),
        }
    }

    fn query(&self, call: &Call, operation: Operation, env: Env<'_>) -> Recognised<Query> {
        let end = known!(self.end(call, operation, env)?);
        let mut filters = Vec::new();
        let mut below = if operation == Operation::Where { Some(call) } else { inner(call) };
        // `count_by(…) | top(n)` and `each(…) | top(n)` are two stages and one end.
        if let (Operation::Top | Operation::Take, Some(stage)) = (operation, below)
            && matches!(stage.builtin.body, Body::Scan(Operation::Each | Operation::CountBy, _))
        {
            below = inner(stage);
        }
        while let Some(stage) = below {
            filters.push(known!(self.asked(stage, 1, env)?));
            below = inner(stage);
        }
        filters.reverse();
        Ok(Some(Query { filters, end }))
    }

    fn end(&self, call: &Call, operation: Operation, env: Env<'_>) -> Recognised<End> {
        let below = inner(call);
        let is = |wanted| below.is_some_and(|call| matches!(call.builtin.body, Body::Scan(own, _) if own == wanted));
        Ok(Some(match operation {
            Operation::Where => End::Lines,
            Operation::Count => End::Count,
            Operation::IsEmpty => End::IsEmpty,
            Operation::First => End::First,
            Operation::Last => End::Last,
            Operation::Patterns => End::Patterns,
            Operation::Share => End::Share(known!(self.asked(call, 1, env)?)),
            Operation::Any => End::Any(known!(self.asked(call, 1, env)?)),
            Operation::All => End::All(known!(self.asked(call, 1, env)?)),
            Operation::None => End::None(known!(self.asked(call, 1, env)?)),
            Operation::CountBy => End::CountBy(known!(self.part(call, env)?)),
            Operation::Take | Operation::Top => {
                let n = known!(self.number(call, env)?);
                let by = matches!(call.args.get(2), Some(Some(_)));
                match below {
                    Some(keys) if is(Operation::CountBy) && !by => End::Top(n, known!(self.part(keys, env)?)),
                    Some(keys) if is(Operation::Each) && operation == Operation::Top && !by => {
                        End::Top(n, known!(self.part(keys, env)?))
                    }
                    _ if operation == Operation::Take && !is(Operation::Each) => End::Take(n),
                    _ => return Ok(None),
                }
            }
            Operation::Each
            | Operation::Contains
            | Operation::StartsWith
            | Operation::EndsWith
            | Operation::Capture => {
                return Ok(None);
            }
        }))
    }

    /// What a stage asks of each item.
    fn asked(&self, call: &Call, argument: usize, env: Env<'_>) -> Recognised<Condition> {
        let lambda = known!(lambda(call, argument));
        self.condition(&lambda.body, lambda, env, 0)
    }

    fn number(&self, call: &Call, env: Env<'_>) -> Recognised<usize> {
        let Some(Some(CallArg::Value(number))) = call.args.get(1) else { return Ok(None) };
        match self.eval(number, env)? {
            Value::Int(number @ 0..=MOST_TAKEN) => Ok(usize::try_from(number).ok()),
            _ => Ok(None),
        }
    }

    fn condition(&self, expr: &Expr, lambda: &Lambda, env: Env<'_>, depth: u32) -> Recognised<Condition> {
        if depth > MOST_DEPTH {
            return Ok(None);
        }
        let inside = |expr| self.condition(expr, lambda, env, depth + 1);
        match &expr.kind {
            ExprKind::Unary { op: crate::check::program::UnaryOp::Not, operand } => {
                Ok(inside(operand)?.map(|inner| Condition::Not(Box::new(inner))))
            }
            ExprKind::Binary { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
                let (left, right) = super::both(inside(left), inside(right))?;
                let sides = vec![known!(left), known!(right)];
                Ok(Some(if *op == BinaryOp::And { Condition::All(sides) } else { Condition::Any(sides) }))
            }
            ExprKind::Binary { op: BinaryOp::Matches, left, right } if is_text(left, lambda) => {
                match known!(self.fixed(right, lambda, env)?) {
                    // One that cannot be compiled is a fault of each line.
                    Value::Regex(regex) => Ok(regex.compiled().ok().cloned().map(Condition::Matches)),
                    _ => Ok(None),
                }
            }
            ExprKind::Binary { op: BinaryOp::In, left, right } if is_text(right, lambda) => {
                Ok(self.fixed_text(left, lambda, env)?.map(Condition::Contains))
            }
            ExprKind::Call(call) => {
                let (operation, part) = known!(of_text(call, lambda));
                let part = known!(self.fixed_text(part, lambda, env)?);
                Ok(match operation {
                    Operation::Contains => Some(Condition::Contains(part)),
                    Operation::StartsWith => Some(Condition::StartsWith(part)),
                    Operation::EndsWith => Some(Condition::EndsWith(part)),
                    _ => None,
                })
            }
            _ => Ok(None),
        }
    }

    /// What of each line is counted.
    fn part(&self, call: &Call, env: Env<'_>) -> Recognised<Part> {
        let lambda = known!(lambda(call, 1));
        let body = lambda.body.as_ref();
        if is_text(body, lambda) {
            return Ok(Some(Part::Text));
        }
        if is_field(body, "source", lambda) {
            return Ok(Some(Part::Source));
        }
        match &body.kind {
            ExprKind::Binary { op: BinaryOp::Coalesce, left, right } => {
                let regex = known!(self.captured(left, lambda, env)?);
                match known!(self.fixed(right, lambda, env)?) {
                    otherwise @ Value::String(_) => Ok(Some(Part::Capture(regex, otherwise))),
                    _ => Ok(None),
                }
            }
            _ => Ok(self.captured(body, lambda, env)?.map(|regex| Part::Capture(regex, Value::Null))),
        }
    }

    fn captured(&self, expr: &Expr, lambda: &Lambda, env: Env<'_>) -> Recognised<regex::bytes::Regex> {
        let ExprKind::Call(call) = &expr.kind else { return Ok(None) };
        let (Operation::Capture, pattern) = known!(of_text(call, lambda)) else { return Ok(None) };
        match known!(self.fixed(pattern, lambda, env)?) {
            Value::Regex(regex) => Ok(regex.compiled().ok().cloned()),
            _ => Ok(None),
        }
    }

    fn fixed_text(&self, expr: &Expr, lambda: &Lambda, env: Env<'_>) -> Recognised<Arc<str>> {
        match known!(self.fixed(expr, lambda, env)?).plainly() {
            Value::String(text) => Ok(Some(text.into_inner())),
            _ => Ok(None),
        }
    }

    /// The value of what is the same for each item.
    fn fixed(&self, expr: &Expr, lambda: &Lambda, env: Env<'_>) -> Recognised<Value> {
        if !is_simple(expr, lambda) {
            return Ok(None);
        }
        match self.eval(expr, env) {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Blocked) => Err(Stop::Blocked),
            Err(Stop::Fault(_)) => Ok(None),
        }
    }
}

/// The log that a pipeline reads, where its stages are such as a pass knows.
fn lines_below(call: &Call, operation: Operation) -> Option<&Expr> {
    if matches!(operation, Operation::Each) || call.optional {
        return None;
    }
    let mut source = source(call)?;
    let mut first = matches!(operation, Operation::Top | Operation::Take);
    while let ExprKind::Call(inner) = &source.kind {
        let Body::Scan(own, _) = inner.builtin.body else { break };
        let keys = first && matches!(own, Operation::Each | Operation::CountBy);
        if inner.optional || !(own == Operation::Where || keys) {
            return None;
        }
        first = false;
        source = self::source(inner)?;
    }
    // What another stage hands on is never a log, and is not to be made for nothing.
    let is_stage = matches!(&source.kind, ExprKind::Call(call) if call.builtin.stage().is_some());
    (is_lines(&source.ty) && !is_stage).then_some(source)
}

fn source(call: &Call) -> Option<&Expr> {
    match call.args.first() {
        Some(Some(CallArg::Value(source))) => Some(source),
        _ => None,
    }
}

/// The stage before a stage.
fn inner(call: &Call) -> Option<&Call> {
    match &source(call)?.kind {
        ExprKind::Call(inner) if matches!(inner.builtin.body, Body::Scan(..)) => Some(inner),
        _ => None,
    }
}

fn lambda(call: &Call, argument: usize) -> Option<&Lambda> {
    match call.args.get(argument) {
        Some(Some(CallArg::PerItem(lambda))) if lambda.body.effect == Effect::Pure => Some(lambda),
        _ => None,
    }
}

/// What a call asks of the text of an item, and with which argument.
fn of_text<'c>(call: &'c Call, lambda: &Lambda) -> Option<(Operation, &'c Expr)> {
    match (&call.builtin.body, call.args.first(), call.args.get(1)) {
        (Body::Text(operation, _), Some(Some(CallArg::Value(text))), Some(Some(CallArg::Value(argument))))
            if is_text(text, lambda) =>
        {
            Some((*operation, argument))
        }
        _ => None,
    }
}

fn is_text(expr: &Expr, lambda: &Lambda) -> bool {
    is_field(expr, "text", lambda)
}

fn is_field(expr: &Expr, field: &str, lambda: &Lambda) -> bool {
    match &expr.kind {
        ExprKind::Field { base, name, .. } => {
            &**name == field && matches!(base.kind, ExprKind::Local(local) if local == lambda.param)
        }
        _ => false,
    }
}

/// Whether it is a value that is at hand and does not look at the item.
fn is_simple(expr: &Expr, lambda: &Lambda) -> bool {
    match &expr.kind {
        ExprKind::Literal(_) | ExprKind::Param(_) | ExprKind::Run(_) => true,
        ExprKind::Local(local) => *local != lambda.param,
        ExprKind::Field { base, .. } | ExprKind::Convert(base) => is_simple(base, lambda),
        ExprKind::Text(parts) => parts.iter().all(|part| match part {
            TextPart::Text(_) => true,
            TextPart::Value { value, .. } => is_simple(value, lambda),
        }),
        _ => false,
    }
}
