//! From an expression to its value: evaluate, fetch side by side what was missing, evaluate again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::future::join_all;

use super::eval::{Eval, Evaluation, Memo, Stop};
use super::memory::{Memory, Need};
use super::outside::Outside;
use crate::check::program::{Block, CallArg, Expr, ExprKind, Program, Statement, StatementKind, TextPart};
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
        let pass = move || {
            let evaluation = Evaluation::new(&facts, &memory_there, &flag, &memo);
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
struct Unwanted(Arc<AtomicBool>);

impl Drop for Unwanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Whether an expression works on lines of a log, here or in the commands that it calls.
pub(crate) fn takes_long(expr: &Expr, program: &Program) -> bool {
    Scan { program, depth: 0 }.expr(expr)
}

struct Scan<'p> {
    program: &'p Program,
    depth: u32,
}

impl Scan<'_> {
    fn expr(&self, expr: &Expr) -> bool {
        is_lines(&expr.ty) || self.inside(expr)
    }

    fn inside(&self, expr: &Expr) -> bool {
        match &expr.kind {
            ExprKind::Field { base, .. } => self.expr(base),
            ExprKind::Index { base, index } => self.expr(base) || self.expr(index),
            ExprKind::Unary { operand, .. } => self.expr(operand),
            ExprKind::Convert(inner) => self.expr(inner),
            ExprKind::Binary { left, right, .. } => self.expr(left) || self.expr(right),
            ExprKind::If { condition, then, otherwise } => {
                self.expr(condition) || self.expr(then) || self.expr(otherwise)
            }
            ExprKind::Try { value, otherwise, .. } => self.expr(value) || self.expr(otherwise),
            ExprKind::List(items) => items.iter().any(|item| self.expr(item)),
            ExprKind::Record(fields) => fields.iter().any(|(_, value)| self.expr(value)),
            ExprKind::Text(parts) | ExprKind::Template(parts) => parts.iter().any(|part| match part {
                TextPart::Text(_) => false,
                TextPart::Value { value, .. } => self.expr(value),
            }),
            ExprKind::Call(call) => call.args.iter().flatten().any(|arg| match arg {
                CallArg::Value(value) => self.expr(value),
                CallArg::PerItem(lambda) => self.expr(&lambda.body),
            }),
            ExprKind::Tool { args, .. } => args.iter().any(|arg| self.expr(arg)),
            ExprKind::Command { command, args } => {
                let body = self.program.commands.get(command.index()).map(|command| &command.body);
                args.iter().any(|arg| self.expr(arg))
                    || self.depth < 8 && body.is_some_and(|body| Scan { depth: self.depth + 1, ..*self }.block(body))
            }
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

    fn block(&self, block: &Block) -> bool {
        block.iter().any(|statement| self.statement(statement))
    }

    fn statement(&self, statement: &Statement) -> bool {
        match &statement.kind {
            StatementKind::Let { value, .. } | StatementKind::Return { value } => self.expr(value),
            StatementKind::If { branches, otherwise } => {
                branches.iter().any(|branch| self.expr(&branch.condition) || self.block(&branch.body))
                    || otherwise.as_ref().is_some_and(|body| self.block(body))
            }
            StatementKind::For(each) => self.expr(&each.list) || self.block(&each.body),
            _ => false,
        }
    }
}

fn is_lines(ty: &Type) -> bool {
    match ty {
        Type::List(item) => match item.as_ref() {
            Type::Record(record) => record.name.as_deref() == Some("line"),
            _ => false,
        },
        _ => false,
    }
}
