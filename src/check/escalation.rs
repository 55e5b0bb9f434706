//! Escalations: who is told next, and when.

use super::checker::Checker;
use super::declarations::doc;
use super::program::{Escalation, Expr, ExprKind, Level, NextLevel, Unless};
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Docs, EscalationClauseKind, LevelClauseKind};
use crate::types::Type;

impl<'a> Checker<'a> {
    pub(super) fn escalation(&mut self, written: &'a ast::Escalation, docs: &'a Docs) -> Escalation {
        let mut escalation = Escalation {
            name: written.name.text.clone(),
            levels: Vec::new(),
            by_hand: Vec::new(),
            repeat: 0,
            roles: None,
            roster: None,
            rota: None,
            doc: doc(docs),
            span: written.name.span,
        };
        let repeats = written.clauses.iter().filter(|one| matches!(one.kind, EscalationClauseKind::Repeat { .. }));
        self.check_once(repeats.map(|clause| ("repeat", clause.span)));
        for clause in &written.clauses {
            match &clause.kind {
                EscalationClauseKind::Level(level) => {
                    self.alerting.levels.push(level);
                    if let Some(level) = self.level(level) {
                        self.check_order(&level, &escalation.levels);
                        escalation.levels.push(level);
                    }
                }
                EscalationClauseKind::ByHand { reason, level } => {
                    if let Some(number) = self.count(level, 1, "a level") {
                        self.alerting.escalated.push((number, level.span));
                        escalation.by_hand.push((reason.text.clone(), number));
                    }
                }
                EscalationClauseKind::Roles { file } => {
                    self.check_one_source(&escalation, file.span);
                    escalation.roles = Some((file.text.clone(), file.span));
                }
                EscalationClauseKind::RolesOf { call } => {
                    self.check_one_source(&escalation, call.span);
                    escalation.rota = self.rota(call).or(escalation.rota);
                }
                EscalationClauseKind::Repeat { times } => {
                    escalation.repeat = self.count(times, 0, "the number of rounds").unwrap_or(0);
                }
            }
        }
        escalation
    }

    /// The tool that says who is on call. It is asked while people sleep, so it only looks.
    fn rota(&mut self, call: &'a ast::Expr) -> Option<Expr> {
        let said = self.expr(call);
        let is_tool = matches!(said.kind, ExprKind::Tool { .. });
        if is_tool && said.effect == Effect::Reads && said.ty == Type::Data {
            return Some(said);
        }
        // Of a change outside of a `change` it is said already.
        if !matches!(said.kind, ExprKind::Broken) && said.effect != Effect::Changes {
            let why = if is_tool { "does not give `data`" } else { "is no call of a tool" };
            let message = format!("who is on call is said by a file or a tool, and {} {why}", self.quoted(said.span));
            let help = "declare it as `tool on_call() -> data = argv(\"./on-call\")`, or name a file: `roles \"on-call.toml\"`";
            self.report(Diagnostic::new(Code::RolesMistake, said.span, message).help(help));
        }
        None
    }

    fn check_one_source(&mut self, escalation: &Escalation, span: Span) {
        let first = escalation.roles.as_ref().map(|(_, span)| *span).or(escalation.rota.as_ref().map(|call| call.span));
        if let Some(first) = first {
            let message = "an escalation has one source of roles";
            self.report(Diagnostic::new(Code::DuplicateName, span, message).label(first, "first here"));
        }
    }

    fn level(&mut self, written: &'a ast::Level) -> Option<Level> {
        let number = self.count(&written.number, 1, "a level");
        let mut level = Level {
            number: number.unwrap_or(0),
            role: written.title.text.clone(),
            respond: None,
            next: None,
            notify: Vec::new(),
            span: written.number.span,
        };
        let once = |kind: &LevelClauseKind| match kind {
            LevelClauseKind::Notify { .. } => None,
            LevelClauseKind::RespondWithin { .. } => Some("respond within"),
            LevelClauseKind::EscalateAfter { .. } => Some("escalate after"),
        };
        self.check_once(written.clauses.iter().filter_map(|clause| Some((once(&clause.kind)?, clause.span))));
        let mut respond_span = None;
        let mut next_span = None;
        for clause in &written.clauses {
            match &clause.kind {
                LevelClauseKind::Notify { channels } => level.notify.extend(self.channels(channels)),
                LevelClauseKind::RespondWithin { limit } => {
                    respond_span = Some(limit.span);
                    let limit = self.expr_as(limit, &Type::Duration, "`respond within`");
                    level.respond = self.constant_duration(&limit, "`respond within`");
                }
                LevelClauseKind::EscalateAfter { delay, unless } => {
                    next_span = Some(delay.span);
                    let delay = self.expr_as(delay, &Type::Duration, "`escalate after`");
                    let unless = unless.as_ref().map_or(Unless::Acknowledged, |unless| unless.node);
                    level.next =
                        self.constant_duration(&delay, "`escalate after`").map(|after| NextLevel { after, unless });
                }
            }
        }
        if let (Some(respond), Some(next), Some(here), Some(there)) =
            (level.respond, level.next, respond_span, next_span)
            && respond > next.after
        {
            let message = format!(
                "{} to respond is longer than {} to the next level, which is told before anybody is late",
                self.quoted(here),
                self.quoted(there)
            );
            let diagnostic =
                Diagnostic::new(Code::RespondTooLate, here, message).label(there, "the next level is told after this");
            self.report(diagnostic.help("make `respond within` the shorter one"));
        }
        number.map(|_| level)
    }

    fn check_order(&mut self, level: &Level, before: &[Level]) {
        if let Some(first) = before.iter().find(|first| first.number == level.number) {
            let name = format!("level {}", level.number);
            self.report(super::names::duplicate(&name, level.span, first.span));
        }
    }
}
