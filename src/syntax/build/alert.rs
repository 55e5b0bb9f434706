//! Thresholds and escalations.

use pest::iterators::Pair;

use super::{Builder, Built, Children, Lost};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Spanned;
use crate::syntax::ast::{
    EscalateTrigger, Escalation, EscalationClause, EscalationClauseKind, Expr, ExprKind, Level, LevelClause,
    LevelClauseKind, Threshold, ThresholdClause, ThresholdClauseKind, Unless,
};
use crate::syntax::grammar::Rule;

impl Builder<'_> {
    pub(super) fn threshold(&mut self, children: &mut Children<'_>) -> Built<Threshold> {
        let mut threshold = self.threshold_head(children.need(Rule::threshold_head)?)?;
        let clauses = std::iter::from_fn(|| children.any().ok());
        threshold.clauses = self.each(clauses, Self::threshold_clause);
        Ok(threshold)
    }

    /// A threshold without its clauses.
    pub(in crate::syntax) fn threshold_head(&mut self, pair: Pair<'_, Rule>) -> Built<Threshold> {
        let mut children = Children::new(pair);
        let title = self.title(children.need(Rule::name)?);
        let severity = self.severity(&children.need(Rule::severity)?)?;
        Ok(Threshold { title, severity, clauses: Vec::new() })
    }

    pub(in crate::syntax) fn threshold_clause(&mut self, pair: Pair<'_, Rule>) -> Built<ThresholdClause> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut children = Children::new(pair.clone());
        let children = &mut children;
        let kind = match rule {
            Rule::when_c => {
                let condition = self.next_expr(children)?;
                let held =
                    if children.peek() == Some(Rule::operand) { Some(self.next_pipeline(children)?) } else { None };
                when(condition, held)
            }
            Rule::until_c => ThresholdClauseKind::Until { condition: self.next_expr(children)? },
            Rule::from_c => ThresholdClauseKind::From {
                source: self.name(&children.need(Rule::word)?),
                names: children.all(Rule::name).into_iter().map(|name| self.title(name)).collect(),
            },
            Rule::notify => ThresholdClauseKind::Notify { channels: self.names(pair) },
            Rule::jump_c => {
                ThresholdClauseKind::Escalate { level: self.next_number(children)?, trigger: self.trigger(children)? }
            }
            Rule::quiet_c => ThresholdClauseKind::QuietWhile { threshold: self.title(children.need(Rule::name)?) },
            Rule::group_c => ThresholdClauseKind::GroupBy { labels: self.name_list(children) },
            Rule::link => ThresholdClauseKind::Link { target: self.next_template(children)? },
            _ => return Err(Lost),
        };
        Ok(ThresholdClause { docs: self.docs(span.start), kind, span })
    }

    fn trigger(&mut self, children: &mut Children<'_>) -> Built<Option<EscalateTrigger>> {
        if let Some(after) = children.take(Rule::jump_after) {
            let delay = self.next_pipeline(&mut Children::new(after))?;
            return Ok(Some(EscalateTrigger::After(delay)));
        }
        if let Some(when) = children.take(Rule::jump_when) {
            let condition = self.next_expr(&mut Children::new(when))?;
            return Ok(Some(EscalateTrigger::When(condition)));
        }
        Ok(None)
    }

    pub(super) fn escalation(&mut self, children: &mut Children<'_>) -> Built<Escalation> {
        let mut escalation = self.escalation_head(children.need(Rule::escalation_head)?)?;
        let clauses = std::iter::from_fn(|| children.any().ok());
        escalation.clauses = self.each(clauses, Self::escalation_clause);
        Ok(escalation)
    }

    /// An escalation without its clauses.
    pub(in crate::syntax) fn escalation_head(&mut self, pair: Pair<'_, Rule>) -> Built<Escalation> {
        let name = self.next_name(&mut Children::new(pair))?;
        Ok(Escalation { name, clauses: Vec::new() })
    }

    pub(in crate::syntax) fn escalation_clause(&mut self, pair: Pair<'_, Rule>) -> Built<EscalationClause> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut children = Children::new(pair);
        let kind = match rule {
            Rule::level => {
                let mut level = self.level_head(children.need(Rule::level_head)?)?;
                let clauses = std::iter::from_fn(|| children.any().ok());
                level.clauses = self.each(clauses, Self::level_clause);
                EscalationClauseKind::Level(level)
            }
            Rule::by_hand => EscalationClauseKind::ByHand {
                reason: self.title(children.need(Rule::name)?),
                level: self.next_number(&mut children)?,
            },
            Rule::roles => match children.take(Rule::name) {
                Some(file) => EscalationClauseKind::Roles { file: self.title(file) },
                None => EscalationClauseKind::RolesOf { call: self.next_operand(&mut children)? },
            },
            Rule::repeat => EscalationClauseKind::Repeat { times: self.next_number(&mut children)? },
            _ => return Err(Lost),
        };
        Ok(EscalationClause { docs: self.docs(span.start), kind, span })
    }

    /// A level without its clauses.
    pub(in crate::syntax) fn level_head(&mut self, pair: Pair<'_, Rule>) -> Built<Level> {
        let mut children = Children::new(pair);
        let number = self.next_number(&mut children)?;
        Ok(Level { number, title: self.title(children.need(Rule::name)?), clauses: Vec::new() })
    }

    pub(in crate::syntax) fn level_clause(&mut self, pair: Pair<'_, Rule>) -> Built<LevelClause> {
        let span = self.span(&pair);
        let rule = pair.as_rule();
        let mut children = Children::new(pair.clone());
        let kind = match rule {
            Rule::notify => LevelClauseKind::Notify { channels: self.names(pair) },
            Rule::respond => LevelClauseKind::RespondWithin { limit: self.maybe_limit(&mut children)?.ok_or(Lost)? },
            Rule::step_up => LevelClauseKind::EscalateAfter {
                delay: self.next_pipeline(&mut children)?,
                unless: match children.take(Rule::word) {
                    Some(word) => Some(self.unless(&word)?),
                    None => None,
                },
            },
            _ => return Err(Lost),
        };
        Ok(LevelClause { docs: self.docs(span.start), kind, span })
    }

    fn unless(&mut self, word: &Pair<'_, Rule>) -> Built<Spanned<Unless>> {
        let span = self.span(word);
        if let Some(found) = Unless::ALL.into_iter().find(|unless| unless.name() == word.as_str()) {
            return Ok(Spanned::new(found, span));
        }
        let fault = Diagnostic::new(Code::Syntax, span, format!("an incident cannot be `{}` here", word.as_str()));
        Err(self.fault(match nearest(word.as_str(), Unless::ALL.map(Unless::name)) {
            Some(near) => fault.help(format!("did you mean `{near}`?")).fix(span, near),
            None => fault.help("write `unless resolved` or `unless acknowledged`"),
        }))
    }
}

/// `unknown` alone is not a name here.
fn when(condition: Expr, held: Option<Expr>) -> ThresholdClauseKind {
    match &condition.kind {
        ExprKind::Name(name) if name.as_str() == "unknown" => ThresholdClauseKind::WhenUnknown { held },
        _ => ThresholdClauseKind::When { condition, held },
    }
}
