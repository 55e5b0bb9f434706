//! Schedules.

use super::{Builder, Built, Children, Lost};
use crate::syntax::ast::{Schedule, ScheduleRule, Written};
use crate::syntax::grammar::Rule;

impl Builder<'_> {
    /// The next child, if it is a schedule.
    pub(super) fn maybe_schedule(&mut self, children: &mut Children<'_>) -> Built<Option<Schedule>> {
        let Some(pair) = children.take(Rule::schedule) else { return Ok(None) };
        let span = self.span(&pair);
        let mut parts = Children::new(pair);
        let rule = self.schedule_rule(&mut parts)?;
        let options = match parts.take(Rule::args) {
            Some(args) => Some(self.args_node(args)?.0),
            None => None,
        };
        Ok(Some(Schedule { rule, options, span }))
    }

    fn schedule_rule(&mut self, parts: &mut Children<'_>) -> Built<ScheduleRule> {
        if parts.peek() == Some(Rule::interval) {
            return Ok(ScheduleRule::Every { interval: self.next_interval(parts)? });
        }
        let pair = parts.any()?;
        let rule = pair.as_rule();
        let mut inner = Children::new(pair);
        Ok(match rule {
            Rule::daily => ScheduleRule::Daily { at: self.writtens(&mut inner, Rule::clock) },
            Rule::weekly => ScheduleRule::Weekly {
                on: inner.all(Rule::word).iter().map(|day| self.name(day)).collect(),
                at: self.writtens(&mut inner, Rule::clock),
            },
            Rule::monthly => ScheduleRule::Monthly {
                days: self.writtens(&mut inner, Rule::number),
                at: self.writtens(&mut inner, Rule::clock),
            },
            Rule::cron => ScheduleRule::Cron { pattern: self.title(inner.need(Rule::name)?) },
            Rule::on_alert => ScheduleRule::OnAlert {
                thresholds: inner.all(Rule::name).into_iter().map(|name| self.title(name)).collect(),
            },
            _ => return Err(Lost),
        })
    }

    fn writtens(&self, children: &mut Children<'_>, rule: Rule) -> Vec<Written> {
        children.all(rule).iter().map(|pair| self.written(pair)).collect()
    }
}
