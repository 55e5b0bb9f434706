//! Values of a program's expressions outside of a run: what a test gives, what a channel is made of.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::facts::Facts;
use super::key::Key;
use super::memory::Memory;
use super::outside::Outside;
use super::resolve::resolve;
use super::scope::{Cell, Scope, Tracked};
use super::sink::{Emitter, EventSink};
use crate::catalog::{Builtin, Cx, Remark, RunFacts, World};
use crate::check::program::{CallArg, Expr, ExprKind, ParamId, Program};
use crate::store::event::Event;
use crate::types::{Fault, FaultKind, Value};

/// Asks for values, in a world.
pub struct Asking {
    pub(super) outside: Arc<Outside>,
    memory: Arc<Memory>,
}

/// A call with the values of its arguments; `None` for those that were left out.
#[derive(Clone)]
pub struct Asked {
    pub builtin: &'static Builtin,
    pub args: Vec<Option<Value>>,
}

impl Asking {
    #[must_use]
    pub fn new(program: Arc<Program>, set: HashMap<ParamId, Value>, run: Arc<RunFacts>, world: Arc<dyn World>) -> Self {
        let facts = Arc::new(Facts::new(program, set, Arc::clone(&run)));
        let cx = Cx { world, run, remark: Remark::default() };
        let outside = Outside::new(facts, cx, Emitter::new(Arc::new(Unheard)));
        Self { outside, memory: Memory::new() }
    }

    /// The value of an expression.
    ///
    /// # Errors
    /// Where it cannot be had.
    pub async fn value(&self, expr: &Expr) -> Result<Value, Fault> {
        self.inside(expr, &Scope::root()).await
    }

    /// The same where names have values.
    pub(super) async fn inside(&self, expr: &Expr, scope: &Arc<Scope>) -> Result<Value, Fault> {
        resolve(&self.outside, &self.memory, |evaluation| Ok(evaluation.tracked(expr, scope)?.value)).await
    }

    /// Which system a connection leads to.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub async fn place(&self, connection: &str) -> Result<Arc<str>, Fault> {
        self.outside.place(connection).await
    }

    /// What a connection leads to, as whom and how.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub async fn target(&self, connection: &str) -> Result<Arc<str>, Fault> {
        self.outside.target(connection).await
    }

    /// What a call of a built-in or a tool asks for.
    ///
    /// # Errors
    /// Where an argument cannot be had, or the expression is no such call.
    pub async fn call(&self, expr: &Expr) -> Result<Asked, Fault> {
        match &expr.kind {
            ExprKind::Call(call) => {
                let args: Vec<Option<Expr>> = call
                    .args
                    .iter()
                    .map(|arg| match arg {
                        Some(CallArg::Value(value)) => Some(value.clone()),
                        Some(CallArg::PerItem(_)) | None => None,
                    })
                    .collect();
                Ok(Asked { builtin: call.builtin, args: self.words(&args, &Scope::root()).await? })
            }
            ExprKind::Tool { tool, args } => {
                let tool = self.outside.facts.program.tools.get(tool.index());
                let tool = tool.ok_or_else(|| Fault::no_value("a tool that is not there"))?;
                let mut cells = Vec::new();
                for (param, arg) in tool.params.iter().zip(args) {
                    cells.push((param.local, Cell::holding(self.value(arg).await.map(Tracked::whole))));
                }
                let scope = Scope::inside(&Scope::root(), cells);
                Ok(Asked { builtin: tool.builtin, args: self.words(&tool.args, &scope).await? })
            }
            ExprKind::Command { .. } => {
                let message = "a command asks nobody by itself: give what it reads";
                Err(Fault::new(FaultKind::Unsupported, message))
            }
            _ => Err(Fault::new(FaultKind::Unsupported, "this is not a call")),
        }
    }

    async fn words(&self, args: &[Option<Expr>], scope: &Arc<Scope>) -> Result<Vec<Option<Value>>, Fault> {
        resolve(&self.outside, &self.memory, |evaluation| evaluation.words(args, scope)).await
    }
}

/// Whether two values are the same one, as far as a read is concerned.
#[must_use]
pub fn is_same(one: &Value, other: &Value) -> bool {
    Key::value(one) == Key::value(other)
}

/// There is no run whose events these would be.
struct Unheard;

impl EventSink for Unheard {
    fn emit(&self, _: Event) {}

    fn durable(&self, _: Event) -> BoxFuture<'_, Result<(), Fault>> {
        Box::pin(std::future::ready(Ok(())))
    }
}
