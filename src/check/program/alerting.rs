//! Checked metrics, thresholds, channels and escalations.

use std::sync::Arc;

use jiff::SignedDuration;

use super::Roster;
use super::{ChannelId, Expr, ExprKind, LocalId, Made, MetricId, Program, SecretId, ThresholdId};
use crate::catalog::DriverKind;
use crate::source::Span;
pub use crate::syntax::ast::{Severity, Unless};
use crate::types::Type;

#[derive(Debug)]
pub struct Metric {
    pub name: Arc<str>,
    pub ty: Type,
    pub labels: Vec<Label>,
    /// The interval of its samples; `None` where only `measure` takes them.
    pub every: Option<SignedDuration>,
    pub value: Expr,
    pub doc: Arc<str>,
    pub span: Span,
}

/// `for node in cluster.nodes()`: a sample for each.
#[derive(Debug)]
pub struct Label {
    pub local: LocalId,
    pub name: Arc<str>,
    pub list: Expr,
}

#[derive(Debug)]
pub struct Threshold {
    pub title: Arc<str>,
    pub severity: Severity,
    pub when: Vec<When>,
    pub until: Option<Expr>,
    pub unknown_for: Option<SignedDuration>,
    /// `from alertmanager`: the names under which others post alerts of it.
    pub from: Vec<Arc<str>>,
    pub notify: Vec<ChannelId>,
    pub escalate: Vec<Escalate>,
    pub quiet_while: Vec<ThresholdId>,
    pub group_by: Vec<Arc<str>>,
    pub link: Option<Expr>,
    /// The metrics that it looks at.
    pub metrics: Vec<MetricId>,
    pub doc: Arc<str>,
    pub span: Span,
}

#[derive(Debug)]
pub struct When {
    pub condition: Expr,
    /// How long it must hold.
    pub held: Option<SignedDuration>,
}

/// `escalate to level N …`
#[derive(Debug)]
pub struct Escalate {
    pub level: u32,
    pub when: EscalateWhen,
}

#[derive(Debug)]
pub enum EscalateWhen {
    AtOnce,
    After(SignedDuration),
    Condition(Expr),
}

#[derive(Debug)]
pub struct Channel {
    pub name: Arc<str>,
    pub made: Made,
    pub doc: Arc<str>,
    pub span: Span,
}

impl Channel {
    /// Whether its incidents are handed to an escalation on the other side; `None` where the other side has no incidents.
    #[must_use]
    pub fn is_handed_over(&self) -> Option<bool> {
        let DriverKind::Channel { policy: Some(policy), .. } = self.made.driver.kind else { return None };
        let place = self.made.driver.params.iter().position(|param| param.name == policy);
        Some(place.and_then(|place| self.made.args.get(place)).is_some_and(Option::is_some))
    }
}

impl Program {
    /// Whether two channels lead to the same place, whatever they are called.
    #[must_use]
    pub fn is_same_channel(&self, one: ChannelId, other: ChannelId) -> bool {
        let channel = |id: ChannelId| self.channels.get(id.index());
        one == other
            || channel(one).zip(channel(other)).is_some_and(|(one, other)| self.is_made_alike(&one.made, &other.made))
    }

    /// By the same driver, of the same secrets and written values. What is computed is taken for another.
    fn is_made_alike(&self, one: &Made, other: &Made) -> bool {
        let alike = |pair: (&Option<Expr>, &Option<Expr>)| match pair {
            (None, None) => true,
            (Some(one), Some(other)) => match (&one.kind, &other.kind) {
                (ExprKind::Secret(one), ExprKind::Secret(other)) => {
                    let source = |id: &SecretId| self.secrets.get(id.index()).map(|secret| &secret.source);
                    one == other
                        || source(one).zip(source(other)).is_some_and(|(one, other)| self.is_made_alike(one, other))
                }
                (ExprKind::Literal(one), ExprKind::Literal(other)) => one.equals(other),
                (ExprKind::Param(one), ExprKind::Param(other)) => one == other,
                _ => false,
            },
            _ => false,
        };
        std::ptr::eq(one.driver, other.driver)
            && one.args.len() == other.args.len()
            && one.args.iter().zip(&other.args).all(alike)
    }
}

#[derive(Debug)]
pub struct Escalation {
    pub name: Arc<str>,
    pub levels: Vec<Level>,
    /// Reasons that a person may give to start at a level.
    pub by_hand: Vec<(Arc<str>, u32)>,
    pub repeat: u32,
    /// The file that says who is behind a level, and where it is named.
    pub roles: Option<(Arc<str>, Span)>,
    /// What it says; `None` where there is none, or it was not read.
    pub roster: Option<Arc<Roster>>,
    /// The call of a tool that says it, in a run.
    pub rota: Option<Expr>,
    pub doc: Arc<str>,
    pub span: Span,
}

#[derive(Debug)]
pub struct Level {
    pub number: u32,
    pub role: Arc<str>,
    /// The time to acknowledge.
    pub respond: Option<SignedDuration>,
    pub next: Option<NextLevel>,
    pub notify: Vec<ChannelId>,
    pub span: Span,
}

/// `escalate after 30m unless resolved`
#[derive(Clone, Copy, Debug)]
pub struct NextLevel {
    pub after: SignedDuration,
    pub unless: Unless,
}
