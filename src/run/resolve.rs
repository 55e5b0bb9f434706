//! From an expression to its value: evaluate, fetch side by side what was missing, evaluate again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::future::join_all;

use super::eval::{Eval, Evaluation, Memo, Stop};
use super::memory::{Memory, Need};
use super::outside::Outside;
use crate::check::program::{CallArg, Expr, ExprKind, TextPart};
use crate::types::{Fault, FaultKind, Type};

/// How often an expression is evaluated before it is taken for one that never ends.
const MAX_PASSES: u32 = 10_000;

/// What an evaluation gives, when all that it needs is there.
pub(crate) async fn resolve<T>(
    outside: &Arc<Outside>,
    memory: &Arc<Memory>,
    work: impl Fn(&Evaluation<'_>) -> Eval<T>,
) -> Result<T, Fault> {
    let (memo, wanted) = (Mutex::new(Memo::new()), AtomicBool::new(false));
    for _ in 0..MAX_PASSES {
        let needs = {
            let evaluation = Evaluation::new(&outside.facts, memory, &wanted, &memo);
            match work(&evaluation) {
                Ok(value) => return Ok(value),
                Err(Stop::Fault(fault)) => return Err(fault),
                Err(Stop::Blocked) => evaluation.into_needs(),
            }
        };
        fetch(outside, memory, needs).await?;
    }
    Err(endless())
}

/// The same for what takes long: scans of logs. It is computed away from the connections and timers, and ends soon
/// after nobody waits for it any more.
pub(crate) async fn resolve_apart<T: Send + 'static>(
    outside: &Arc<Outside>,
    memory: &Arc<Memory>,
    work: impl Fn(&Evaluation<'_>) -> Eval<T> + Send + Sync + 'static,
) -> Result<T, Fault> {
    let work = Arc::new(work);
    let memo = Arc::new(Mutex::new(Memo::new()));
    let unwanted = Unwanted(Arc::new(AtomicBool::new(false)));
    for _ in 0..MAX_PASSES {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (facts, memory_there) = (Arc::clone(&outside.facts), Arc::clone(memory));
        let (work, memo, flag) = (Arc::clone(&work), Arc::clone(&memo), Arc::clone(&unwanted.0));
        // The passes over logs wait until all that is evaluated at the same time has said what it needs.
        let entered = outside.evaluating.enter();
        let pass = move || {
            let evaluation = Evaluation::new(&facts, &memory_there, &flag, &memo).entered(entered);
            let result = work(&evaluation);
            // Nobody receives where nobody waits any more.
            let _ = sender.send((result, evaluation.into_needs()));
        };
        outside.cx.world.compute(Box::new(pass)).await;
        match receiver.try_recv() {
            Ok((Ok(value), _)) => return Ok(value),
            Ok((Err(Stop::Fault(fault)), _)) => return Err(fault),
            Ok((Err(Stop::Blocked), needs)) => fetch(outside, memory, needs).await?,
            Err(_) => return Err(Fault::new(FaultKind::Failed, "a computation did not come to its end")),
        }
    }
    Err(endless())
}

async fn fetch(outside: &Arc<Outside>, memory: &Arc<Memory>, needs: Vec<Need>) -> Result<(), Fault> {
    if needs.is_empty() {
        return Err(Fault::no_value("an expression waits for nothing that could come"));
    }
    join_all(needs.into_iter().map(|need| outside.fetch(need, memory))).await;
    Ok(())
}

fn endless() -> Fault {
    Fault::new(FaultKind::TooLarge, format!("more than {MAX_PASSES} reads, each needing the one before"))
}

/// Tells a computation, when it goes, that nobody waits for it.
pub(super) struct Unwanted(pub(super) Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether nobody can say beforehand how long an expression takes: it works on the lines of a log, asks something of
/// each item of a list, or calls a command, which may call two others, and each of them two more.
pub(crate) fn takes_long(expr: &Expr) -> bool {
    is_lines(&expr.ty) || any_inside(expr)
}

fn any_inside(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Command { .. } => true,
        ExprKind::Call(call) => call.args.iter().flatten().any(|arg| match arg {
            CallArg::Value(value) => takes_long(value),
            CallArg::PerItem(_) => true,
        }),
        ExprKind::Field { base: inner, .. } | ExprKind::Unary { operand: inner, .. } | ExprKind::Convert(inner) => {
            takes_long(inner)
        }
        ExprKind::Index { base: left, index: right }
        | ExprKind::Binary { left, right, .. }
        | ExprKind::Try { value: left, otherwise: right, .. } => takes_long(left) || takes_long(right),
        ExprKind::If { condition, then, otherwise } => {
            takes_long(condition) || takes_long(then) || takes_long(otherwise)
        }
        ExprKind::List(items) | ExprKind::Tool { args: items, .. } => items.iter().any(takes_long),
        ExprKind::Record(fields) => fields.iter().any(|(_, value)| takes_long(value)),
        ExprKind::Text(parts) | ExprKind::Template(parts) => parts.iter().any(|part| match part {
            TextPart::Text(_) => false,
            TextPart::Value { value, .. } => takes_long(value),
        }),
        ExprKind::Literal(_)
        | ExprKind::Local(_)
        | ExprKind::Param(_)
        | ExprKind::Secret(_)
        | ExprKind::Connection(_)
        | ExprKind::Metric(_)
        | ExprKind::Run(_)
        | ExprKind::Broken => false,
    }
}

/// Whether it is a list of the lines of a log.
pub(crate) fn is_lines(ty: &Type) -> bool {
    match ty {
        Type::List(item) => match item.as_ref() {
            Type::Record(record) => record.name.as_deref() == Some("line"),
            _ => false,
        },
        _ => false,
    }
}
