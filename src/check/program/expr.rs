//! Checked expressions.

use std::sync::Arc;

use super::{CommandId, ConnectionId, LocalId, MetricId, ParamId, SecretId, ToolId};
use crate::catalog::{Builtin, Effect};
use crate::source::Span;
pub use crate::syntax::ast::{BinaryOp, UnaryOp};
use crate::types::{FaultKind, Type, Value};

#[derive(Clone, Debug)]
pub struct Expr {
    pub kind: ExprKind,
    pub ty: Type,
    /// The most that anything inside it does.
    pub effect: Effect,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum ExprKind {
    /// A literal, already of its type: `10GiB` is a size, `5%` a percent, a regex compiled.
    Literal(Value),
    Local(LocalId),
    Param(ParamId),
    Secret(SecretId),
    Connection(ConnectionId),
    /// A metric by name, where a built-in asks for its history or a threshold for its value.
    Metric(MetricId),
    Run(RunField),
    Field {
        base: Box<Expr>,
        name: Arc<str>,
        /// Written `?.`: missing stays missing.
        optional: bool,
    },
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    Unary {
        op: UnaryOp,
        operand: Box<Expr>,
    },
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// An empty `on` forgives every fault but a cancelled run.
    Try {
        value: Box<Expr>,
        on: Vec<FaultKind>,
        otherwise: Box<Expr>,
    },
    List(Vec<Expr>),
    Record(Vec<(Arc<str>, Expr)>),
    /// Text with values in it, joined into a string.
    Text(Vec<TextPart>),
    /// A literal for a place that joins it itself: [`Value::Template`].
    Template(Vec<TextPart>),
    Call(Call),
    /// A command that only reads, called for its result. One argument for each parameter, defaults filled in.
    Command {
        command: CommandId,
        args: Vec<Expr>,
    },
    /// One argument for each parameter, defaults filled in.
    Tool {
        tool: ToolId,
        args: Vec<Expr>,
    },
    /// A conversion to the expression's type. From data to what is wanted it is strict and can fail; a value becomes
    /// data, an int a float, a ratio a percent or a float without loss. Lists and records are converted part by part.
    Convert(Box<Expr>),
    /// Could not be checked. Its program is never run.
    Broken,
}

/// `run.date` and its like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RunField {
    Id,
    StartedAt,
    ScheduledAt,
    /// The day of `scheduled_at` in the runbook's zone.
    Date,
}

/// A call of a built-in.
#[derive(Clone, Debug)]
pub struct Call {
    pub builtin: &'static Builtin,
    /// One for each parameter; `None` where it was left out.
    pub args: Vec<Option<CallArg>>,
    /// The connection that it is made on, also by a pod that came from it; nothing where there may be several.
    pub on: Option<ConnectionId>,
    /// Of this call alone, its arguments left aside.
    pub effect: Effect,
    /// Doing it twice is the same as doing it once.
    pub idempotent: bool,
    /// Written `?.`: nothing is called where the first argument is missing, and the result is missing.
    pub optional: bool,
}

impl Expr {
    /// Without what only changes the type.
    #[must_use]
    pub fn uncovered(&self) -> &Self {
        match &self.kind {
            ExprKind::Convert(inner) => inner.uncovered(),
            _ => self,
        }
    }
}

#[derive(Clone, Debug)]
pub enum CallArg {
    Value(Expr),
    PerItem(Lambda),
}

/// An expression for each item: `p => p.size > 1GiB`, or `.size > 1GiB`.
#[derive(Clone, Debug)]
pub struct Lambda {
    pub param: LocalId,
    pub body: Box<Expr>,
}

#[derive(Clone, Debug)]
pub enum TextPart {
    Text(Arc<str>),
    Value { value: Expr, format: Option<Format> },
}

/// How an interpolated value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// `%Y/%m/%d`, for times, dates and times of day.
    Time(Arc<str>),
    /// With all its digits, where nothing else is written and the text goes outside: people take 1.1GiB for 1234567890B,
    /// and a program would do something else.
    Whole,
    /// The same, in a pattern for files, where it stands for itself: `*` is `[*]`.
    Name,
    /// `.1` decimals, `#,` grouping by thousands.
    Number { decimals: Option<u8>, grouped: bool },
}
