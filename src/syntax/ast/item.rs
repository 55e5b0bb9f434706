//! Declarations: what stands at the top of a file.

use super::{Args, Block, Body, Docs, Expr, Label, Name, Severity, Statement, Template, Test, Title, Written};
use crate::source::{Span, Spanned};

/// `runbook "title" { field value … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    pub docs: Docs,
    pub kind: Spanned<HeaderKind>,
    pub title: Title,
    pub fields: Vec<HeaderField>,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HeaderKind {
    Runbook,
    Library,
}

impl HeaderKind {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Runbook => "runbook",
            Self::Library => "library",
        }
    }
}

/// `edition 1`, `owner "Operations Team"`. Which fields there are is the checker's.
#[derive(Clone, Debug, PartialEq)]
pub struct HeaderField {
    pub docs: Docs,
    pub name: Name,
    /// A constant text, a date, a quantity or a number.
    pub value: Expr,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub docs: Docs,
    pub kind: ItemKind,
    /// From its first word, without its docs.
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ItemKind {
    Use(Use),
    Param(Param),
    Secret(Secret),
    Connect(Connect),
    Tool(Tool),
    Type(TypeAlias),
    Command(Command),
    Metric(Metric),
    Threshold(Threshold),
    Channel(Channel),
    Escalation(Escalation),
    Section(Section),
    Report(Report),
    Test(Test),
}

impl ItemKind {
    /// The word that it begins with.
    #[must_use]
    pub const fn keyword(&self) -> &'static str {
        match self {
            Self::Use(_) => "use",
            Self::Param(_) => "param",
            Self::Secret(_) => "secret",
            Self::Connect(_) => "connect",
            Self::Tool(_) => "tool",
            Self::Type(_) => "type",
            Self::Command(_) => "command",
            Self::Metric(_) => "metric",
            Self::Threshold(_) => "threshold",
            Self::Channel(_) => "channel",
            Self::Escalation(_) => "escalation",
            Self::Section(_) => "section",
            Self::Report(_) => "report",
            Self::Test(_) => "test",
        }
    }
}

/// `use "./care" as care`
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    pub path: Title,
    pub alias: Option<Name>,
}

/// `param name: ty = default`
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    pub name: Name,
    pub ty: Type,
    pub default: Option<Expr>,
}

/// `secret name = env("X")`
#[derive(Clone, Debug, PartialEq)]
pub struct Secret {
    pub name: Name,
    pub source: Driver,
}

/// `connect name = driver(…)`
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    pub name: Name,
    pub driver: Driver,
}

/// `channel name = driver(…)`
#[derive(Clone, Debug, PartialEq)]
pub struct Channel {
    pub name: Name,
    pub driver: Driver,
}

/// `kubernetes(…)`, `vault.kv("x")`: what a declaration is made by.
#[derive(Clone, Debug, PartialEq)]
pub struct Driver {
    /// At least one name.
    pub path: Vec<Name>,
    pub args: Args,
    pub span: Span,
}

/// `tool name(params) -> result changes idempotent = argv(…)`
#[derive(Clone, Debug, PartialEq)]
pub struct Tool {
    pub name: Name,
    pub params: Vec<Parameter>,
    pub result: Option<Type>,
    pub changes: Option<ChangesEffect>,
    /// What is started: `argv("./x", "--days", days)`.
    pub program: Driver,
}

/// `type name = definition`
#[derive(Clone, Debug, PartialEq)]
pub struct TypeAlias {
    pub name: Name,
    pub definition: Type,
}

/// `command name(params) -> result changes idempotent deprecated "…" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    pub name: Name,
    pub params: Vec<Parameter>,
    pub result: Option<Type>,
    pub changes: Option<ChangesEffect>,
    pub deprecated: Option<Title>,
    /// None declares what a plugin brings.
    pub body: Option<Block>,
}

/// `name: ty = default` of a command or a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    pub docs: Docs,
    pub name: Name,
    pub ty: Type,
    pub default: Option<Expr>,
    pub span: Span,
}

/// `changes`, `changes idempotent`. Where it is absent, nothing is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangesEffect {
    pub idempotent: bool,
    pub span: Span,
}

/// `metric name: ty for label in list every D = value`
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    pub name: Name,
    pub ty: Type,
    pub labels: Vec<Label>,
    pub every: Option<Expr>,
    pub value: Expr,
}

/// `threshold "title" severity { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub title: Title,
    pub severity: Spanned<Severity>,
    pub clauses: Vec<ThresholdClause>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdClause {
    pub docs: Docs,
    pub kind: ThresholdClauseKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ThresholdClauseKind {
    /// `when condition for held`
    When { condition: Expr, held: Option<Expr> },
    /// `when unknown for held`
    WhenUnknown { held: Option<Expr> },
    /// `until condition`
    Until { condition: Expr },
    /// `from alertmanager "InstanceDown"`: who posts alerts, and what they are called there
    From { source: Name, names: Vec<Title> },
    /// `notify a, b`
    Notify { channels: Vec<Name> },
    /// `escalate to level N after D`, `… when C`, or at once
    Escalate { level: Written, trigger: Option<EscalateTrigger> },
    /// `quiet while "Threshold"`
    QuietWhile { threshold: Title },
    /// `group by a, b`
    GroupBy { labels: Vec<Name> },
    /// `link "…"`
    Link { target: Template },
}

#[derive(Clone, Debug, PartialEq)]
pub enum EscalateTrigger {
    After(Expr),
    When(Expr),
}

/// `escalation name { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Escalation {
    pub name: Name,
    pub clauses: Vec<EscalationClause>,
}

impl Escalation {
    pub fn levels(&self) -> impl Iterator<Item = &Level> {
        self.clauses.iter().filter_map(|clause| match &clause.kind {
            EscalationClauseKind::Level(level) => Some(level),
            _ => None,
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EscalationClause {
    pub docs: Docs,
    pub kind: EscalationClauseKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum EscalationClauseKind {
    Level(Level),
    /// `by hand "reason" to level N`
    ByHand {
        reason: Title,
        level: Written,
    },
    /// `roles "on-call.toml"`: the file that says who is behind a level
    Roles {
        file: Title,
    },
    /// `roles on_call()`: the tool that says it
    RolesOf {
        call: Expr,
    },
    /// `repeat N`
    Repeat {
        times: Written,
    },
}

/// `level N "title" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    pub number: Written,
    pub title: Title,
    pub clauses: Vec<LevelClause>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LevelClause {
    pub docs: Docs,
    pub kind: LevelClauseKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum LevelClauseKind {
    /// `notify a, b`
    Notify { channels: Vec<Name> },
    /// `respond within D`
    RespondWithin { limit: Expr },
    /// `escalate after D unless resolved`
    EscalateAfter { delay: Expr, unless: Option<Spanned<Unless>> },
}

/// What keeps an incident from going to the next level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unless {
    Resolved,
    Acknowledged,
}

impl Unless {
    pub const ALL: [Self; 2] = [Self::Resolved, Self::Acknowledged];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::Acknowledged => "acknowledged",
        }
    }
}

/// `section "title" schedule within D quiet "Threshold" { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub title: Title,
    pub schedule: Option<Schedule>,
    pub within: Option<Expr>,
    /// The thresholds that are not heeded while it runs.
    pub quiet: Vec<Title>,
    pub members: Vec<SectionMember>,
    /// `on failure { … }`
    pub on_failure: Option<Block>,
    /// `always { … }`
    pub always: Option<Block>,
}

impl Section {
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.members.iter().filter_map(|member| match member {
            SectionMember::Step(step) => Some(step),
            SectionMember::Statement(_) => None,
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum SectionMember {
    Step(Step),
    Statement(Statement),
}

/// `step "title" for label in list within D { … }`
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub docs: Docs,
    pub title: Title,
    pub label: Option<Label>,
    pub within: Option<Expr>,
    pub body: Body,
    pub span: Span,
}

/// When a section or a report runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    pub rule: ScheduleRule,
    /// `(late: 2h, overlap: "skip", gap: "next")`
    pub options: Option<Args>,
    pub span: Span,
}

/// Times are as written: `08:00`. Every list has at least one member.
#[derive(Clone, Debug, PartialEq)]
pub enum ScheduleRule {
    /// `every 2h`
    Every { interval: Expr },
    /// `daily at 08:00, 14:00`
    Daily { at: Vec<Written> },
    /// `weekly on monday, friday at 09:00`
    Weekly { on: Vec<Name>, at: Vec<Written> },
    /// `monthly on day 1 at 09:00`
    Monthly { days: Vec<Written>, at: Vec<Written> },
    /// `cron "0 8 * * 1-5"`
    Cron { pattern: Title },
    /// `on alert "Service Down", "Slow"`
    OnAlert { thresholds: Vec<Title> },
}

/// `report "title" schedule { … send to email }`
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    pub title: Title,
    pub schedule: Option<Schedule>,
    pub body: Block,
}

/// What was written where a type is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    pub kind: TypeKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// `int`, `care.pod`: at least one name.
    Named { path: Vec<Name> },
    /// `list<argument>`
    Generic { name: Name, argument: Box<Type> },
    /// `{ name: ty, … }`
    Record { fields: Vec<TypeField> },
    /// `inner?`
    Optional { inner: Box<Type> },
}

#[derive(Clone, Debug, PartialEq)]
pub struct TypeField {
    pub docs: Docs,
    pub name: Name,
    pub ty: Type,
    pub span: Span,
}
