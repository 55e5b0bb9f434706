//! A checked runbook: every name resolved, every argument in its place, every type and effect known.
//!
//! The planner and the runner work on this and never look back at the tree. It holds the root file and all that it
//! uses; a declaration of a library keeps the span in its own file.

mod alerting;
mod cron;
mod expr;
pub mod foregone;
mod roster;
mod statement;
mod test;
mod together;
pub(crate) mod walk;
mod wall;

use std::sync::Arc;

use jiff::tz::TimeZone;

pub use self::alerting::{
    Channel, Escalate, EscalateWhen, Escalation, Label, Level, Metric, NextLevel, Severity, Threshold, Unless, When,
};
pub use self::cron::Cron;
pub use self::expr::{BinaryOp, Call, CallArg, Expr, ExprKind, Format, Lambda, RunField, TextPart, UnaryOp};
pub use self::roster::{Duty, Handover, Hours, Roster};
pub use self::statement::{Block, Branch, Change, CheckElse, For, Statement, StatementKind};
pub use self::test::{Fact, Given, Outcome, Target, Test, TestKind, TestStatement};
pub use self::wall::LeftOut;
use crate::catalog::{Builtin, Driver, Effect};
use crate::source::Span;
use crate::types::Type;

macro_rules! ids {
    ($($(#[doc = $doc:literal])+ $name:ident)*) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub u32);

        impl $name {
            /// Its place in the list of the [`Program`].
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}

ids! {
    /// A name inside a block: of `let`, `for`, a per-item expression, a command's parameter, a change's result.
    LocalId
    /// A statement, numbered through the whole program in the order of the text.
    StatementId
    /// An index into [`Program::params`].
    ParamId
    /// An index into [`Program::secrets`].
    SecretId
    /// An index into [`Program::connections`].
    ConnectionId
    /// An index into [`Program::tools`].
    ToolId
    /// An index into [`Program::commands`].
    CommandId
    /// An index into [`Program::metrics`].
    MetricId
    /// An index into [`Program::thresholds`].
    ThresholdId
    /// An index into [`Program::channels`].
    ChannelId
}

/// A checked runbook with all that it uses. One with errors is never run.
#[derive(Debug)]
pub struct Program {
    pub header: Header,
    pub params: Vec<Param>,
    pub secrets: Vec<Secret>,
    pub connections: Vec<Connection>,
    pub tools: Vec<Tool>,
    pub commands: Vec<Command>,
    pub metrics: Vec<Metric>,
    pub thresholds: Vec<Threshold>,
    pub channels: Vec<Channel>,
    pub escalations: Vec<Escalation>,
    /// Reports among them, in the order of the text.
    pub sections: Vec<Section>,
    pub tests: Vec<Test>,
    /// Names inside blocks, by [`LocalId`].
    pub locals: Vec<Local>,
}

/// What the header says, or stands in for it.
#[derive(Debug)]
pub struct Header {
    /// The file's name where there is no header.
    pub title: Arc<str>,
    pub doc: Arc<str>,
    pub owner: Option<Arc<str>>,
    pub version: Option<Arc<str>>,
    /// When a person last looked through it. It does nothing, so that no comparison speaks of it.
    pub updated: Option<jiff::civil::Date>,
    /// The folder that takes the log of each run.
    pub log: Option<Arc<str>>,
    pub timezone: TimeZone,
    /// The zone's name as it was written.
    pub timezone_name: Arc<str>,
    pub span: Option<Span>,
}

#[derive(Debug)]
pub struct Local {
    pub name: Arc<str>,
    pub span: Span,
    pub ty: Type,
}

/// `param`: set by `--set name=value`, else by its default.
#[derive(Debug)]
pub struct Param {
    pub name: Arc<str>,
    pub ty: Type,
    pub default: Option<Expr>,
    pub doc: Arc<str>,
    pub span: Span,
}

#[derive(Debug)]
pub struct Secret {
    pub name: Arc<str>,
    pub source: Made,
    pub span: Span,
}

#[derive(Debug)]
pub struct Connection {
    pub name: Arc<str>,
    pub made: Made,
    pub doc: Arc<str>,
    pub span: Span,
}

/// A driver and the arguments of its declaration, one for each parameter.
#[derive(Debug)]
pub struct Made {
    pub driver: &'static Driver,
    pub args: Vec<Option<Expr>>,
    pub span: Span,
}

/// A command of the house that is started without a shell.
#[derive(Debug)]
pub struct Tool {
    pub name: Arc<str>,
    pub params: Vec<Parameter>,
    /// What it gives; the output is converted strictly to it. A tool without a result gives its text.
    pub returns: Type,
    pub effect: Effect,
    pub idempotent: bool,
    /// The built-in that starts it.
    pub builtin: &'static Builtin,
    /// One argument for each parameter of the built-in, with the tool's own parameters as locals.
    pub args: Vec<Option<Expr>>,
    pub doc: Arc<str>,
    pub span: Span,
}

/// `command`: a fragment with parameters, in the language itself.
#[derive(Debug)]
pub struct Command {
    pub name: Arc<str>,
    pub params: Vec<Parameter>,
    pub returns: Option<Type>,
    pub effect: Effect,
    pub idempotent: bool,
    pub body: Block,
    pub doc: Arc<str>,
    pub span: Span,
}

#[derive(Debug)]
pub struct Parameter {
    pub local: LocalId,
    pub name: Arc<str>,
    pub ty: Type,
    pub default: Option<Expr>,
}

/// A section or a report: one graph of reads and changes.
#[derive(Debug)]
pub struct Section {
    pub kind: SectionKind,
    pub title: Arc<str>,
    pub doc: Arc<str>,
    pub span: Span,
    pub schedule: Option<Schedule>,
    /// `on alert`: an alert of one of these begins it.
    pub on_alert: Vec<ThresholdId>,
    pub within: Option<Expr>,
    pub quiet: Vec<ThresholdId>,
    pub members: Vec<Member>,
    pub on_failure: Option<Block>,
    pub always: Option<Block>,
}

impl Section {
    /// Whether it runs when all of the runbook is run. What goes to people and what answers an alert is run at its own
    /// time, or by its title.
    #[must_use]
    pub fn runs_with_all(&self) -> bool {
        self.kind == SectionKind::Section && self.on_alert.is_empty()
    }

    /// `section "Morning"`
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} \"{}\"", self.kind.name(), self.title)
    }

    /// `section "Morning" / "Pods"`
    #[must_use]
    pub fn name_of(&self, step: &Step) -> String {
        format!("{} / \"{}\"", self.name(), step.title)
    }

    /// What closes it.
    pub fn closing(&self) -> impl Iterator<Item = &Block> {
        self.on_failure.iter().chain(&self.always)
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.members.iter().any(Member::changes) || self.closing().flatten().any(Statement::changes)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    Section,
    /// What it shows and checks is sent to people.
    Report,
}

impl SectionKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Section => "section",
            Self::Report => "report",
        }
    }
}

#[derive(Debug)]
pub enum Member {
    Step(Step),
    Statement(Statement),
}

impl Member {
    /// Whether it changes anything.
    #[must_use]
    pub fn changes(&self) -> bool {
        match self {
            Self::Step(step) => step.changes(),
            Self::Statement(statement) => statement.changes(),
        }
    }
}

#[derive(Debug)]
pub struct Step {
    pub title: Arc<str>,
    pub doc: Arc<str>,
    pub span: Span,
    /// `for service in services`: the step is made once for each item, side by side where it only reads.
    pub each: Option<(LocalId, Expr)>,
    pub within: Option<Expr>,
    pub body: Block,
    pub on_failure: Option<Block>,
    pub always: Option<Block>,
}

impl Step {
    /// Its body, and what closes it.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        std::iter::once(&self.body).chain(&self.on_failure).chain(&self.always)
    }

    /// Whether it changes anything.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.blocks().flatten().any(Statement::changes)
    }
}

/// When something runs, checked but not yet computed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub rule: ScheduleRule,
    /// How late a missed run is still made.
    pub late: Option<jiff::SignedDuration>,
    /// `skip` (the default) or `queue`: what happens to a run that would overlap itself.
    pub overlap: Arc<str>,
    /// What happens at a time that the clock leaves out: `next` or `skip`.
    pub gap: Option<Arc<str>>,
    /// How much later than its time a run is made at most, so that not all begin at once.
    pub jitter: Option<jiff::SignedDuration>,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleRule {
    Every(jiff::SignedDuration),
    Daily(Vec<jiff::civil::Time>),
    Weekly(Vec<jiff::civil::Weekday>, Vec<jiff::civil::Time>),
    /// Days of the month, from 1.
    Monthly(Vec<i8>, Vec<jiff::civil::Time>),
    Cron(Cron),
}
