//! Thresholds and escalations.

use super::doc::Doc;
use super::expr::list_text;
use super::printer::Printer;
use super::statement::Line;
use crate::syntax::ast::{
    EscalateTrigger, EscalationClause, EscalationClauseKind, Level, LevelClause, LevelClauseKind, ThresholdClause,
    ThresholdClauseKind,
};

impl Printer<'_> {
    pub(super) fn threshold_block(&mut self, clauses: &[ThresholdClause], end: u32) -> Vec<Doc> {
        self.lines_of(clauses, |clause| clause.span, Self::threshold_clause, end)
    }

    fn threshold_clause(&mut self, clause: &ThresholdClause) -> Doc {
        let mut line = match &clause.kind {
            ThresholdClauseKind::When { condition, held } => {
                let mut line = Line::new("when");
                line.value(self.expr(condition));
                if let Some(held) = held {
                    self.clause(&mut line, "for", held.span, |printer| printer.expr(held));
                }
                line
            }
            ThresholdClauseKind::WhenUnknown { held } => {
                let mut line = Line::new("when unknown");
                if let Some(held) = held {
                    self.clause(&mut line, "for", held.span, |printer| printer.expr(held));
                }
                line
            }
            ThresholdClauseKind::Until { condition } => {
                let mut line = Line::new("until");
                line.value(self.expr(condition));
                line
            }
            ThresholdClauseKind::From { source, names } => {
                let names: Vec<String> = names.iter().map(|name| self.source(name.span)).collect();
                Line::new(format!("from {source} {}", names.join(", ")).trim_end())
            }
            ThresholdClauseKind::Notify { channels } => Line::new(&format!("notify {}", list_text(channels))),
            ThresholdClauseKind::Escalate { level, trigger } => {
                let mut line = Line::new(&format!("escalate to level {}", level.node));
                match trigger {
                    Some(EscalateTrigger::After(delay)) => {
                        self.clause(&mut line, "after", delay.span, |printer| printer.expr(delay));
                    }
                    Some(EscalateTrigger::When(condition)) => {
                        self.clause(&mut line, "when", condition.span, |printer| printer.expr(condition));
                    }
                    None => {}
                }
                line
            }
            ThresholdClauseKind::QuietWhile { threshold } => {
                let mut line = Line::new("quiet while");
                line.value(self.title(threshold));
                line
            }
            ThresholdClauseKind::GroupBy { labels } => Line::new(&format!("group by {}", list_text(labels))),
            ThresholdClauseKind::Link { target } => {
                let mut line = Line::new("link");
                line.value(self.template(target));
                line
            }
        };
        self.leftover(clause.span.end, &mut line.rest);
        line.doc()
    }

    pub(super) fn escalation_block(&mut self, clauses: &[EscalationClause], end: u32) -> Vec<Doc> {
        self.lines_of(clauses, |clause| clause.span, Self::escalation_clause, end)
    }

    fn escalation_clause(&mut self, clause: &EscalationClause) -> Doc {
        let mut line = match &clause.kind {
            EscalationClauseKind::Level(level) => return self.level(level, clause.span.end),
            EscalationClauseKind::ByHand { reason, level } => {
                let mut line = Line::new("by hand");
                line.value(self.title(reason));
                line.word(&format!("to level {}", level.node));
                line
            }
            EscalationClauseKind::Roles { file } => {
                let mut line = Line::new("roles");
                line.value(self.title(file));
                line
            }
            EscalationClauseKind::RolesOf { call } => {
                let mut line = Line::new("roles");
                line.value(self.expr(call));
                line
            }
            EscalationClauseKind::Repeat { times } => Line::new(&format!("repeat {}", times.node)),
        };
        self.leftover(clause.span.end, &mut line.rest);
        line.doc()
    }

    fn level(&mut self, level: &Level, end: u32) -> Doc {
        let mut line = Line::new(&format!("level {}", level.number.node));
        line.value(self.title(&level.title));
        line.block = self.lines_of(&level.clauses, |clause| clause.span, Self::level_clause, end);
        line.doc()
    }

    fn level_clause(&mut self, clause: &LevelClause) -> Doc {
        let mut line = match &clause.kind {
            LevelClauseKind::Notify { channels } => Line::new(&format!("notify {}", list_text(channels))),
            LevelClauseKind::RespondWithin { limit } => {
                let mut line = Line::new("respond within");
                line.value(self.expr(limit));
                line
            }
            LevelClauseKind::EscalateAfter { delay, unless } => {
                let mut line = Line::new("escalate after");
                line.value(self.expr(delay));
                if let Some(unless) = unless {
                    line.word(&format!("unless {}", unless.node.name()));
                }
                line
            }
        };
        self.leftover(clause.span.end, &mut line.rest);
        line.doc()
    }
}
