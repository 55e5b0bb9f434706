//! The children of a pair, taken one after another.

use pest::iterators::{Pair, Pairs};

use super::{Built, Lost};
use crate::syntax::grammar::Rule;

/// The children of a pair. Keywords and signs are passed over: the grammar has seen them.
pub(super) struct Children<'i> {
    pairs: Pairs<'i, Rule>,
}

impl<'i> Children<'i> {
    pub(super) fn new(pair: Pair<'i, Rule>) -> Self {
        Self { pairs: pair.into_inner() }
    }

    /// The next child, if it is of this rule.
    pub(super) fn take(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        self.take_if(|found| found == rule)
    }

    pub(super) fn take_if(&mut self, wanted: impl Fn(Rule) -> bool) -> Option<Pair<'i, Rule>> {
        self.skip();
        let next = self.pairs.peek()?;
        if wanted(next.as_rule()) { self.pairs.next() } else { None }
    }

    /// The next child, which the grammar has seen to be of this rule.
    pub(super) fn need(&mut self, rule: Rule) -> Built<Pair<'i, Rule>> {
        self.take(rule).ok_or(Lost)
    }

    /// The next child, of whatever rule.
    pub(super) fn any(&mut self) -> Built<Pair<'i, Rule>> {
        self.take_if(|_| true).ok_or(Lost)
    }

    /// All that follow one another of this rule.
    pub(super) fn all(&mut self, rule: Rule) -> Vec<Pair<'i, Rule>> {
        std::iter::from_fn(|| self.take(rule)).collect()
    }

    /// Whether this very keyword comes next; takes it.
    pub(super) fn keyword(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        if self.pairs.peek()?.as_rule() == rule { self.pairs.next() } else { None }
    }

    pub(super) fn peek(&mut self) -> Option<Rule> {
        self.skip();
        self.pairs.peek().map(|pair| pair.as_rule())
    }

    fn skip(&mut self) {
        while self.pairs.peek().is_some_and(|pair| is_keyword(pair.as_rule())) {
            self.pairs.next();
        }
    }
}

pub(super) const fn is_keyword(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::kw_after
            | Rule::kw_alert
            | Rule::kw_always
            | Rule::kw_answers
            | Rule::kw_approve
            | Rule::kw_approves
            | Rule::kw_as
            | Rule::kw_at
            | Rule::kw_by
            | Rule::kw_change
            | Rule::kw_changes
            | Rule::kw_channel
            | Rule::kw_check
            | Rule::kw_command
            | Rule::kw_connect
            | Rule::kw_cron
            | Rule::kw_daily
            | Rule::kw_day
            | Rule::kw_deprecated
            | Rule::kw_do
            | Rule::kw_else
            | Rule::kw_ends
            | Rule::kw_escalate
            | Rule::kw_escalation
            | Rule::kw_every
            | Rule::kw_expect
            | Rule::kw_fails
            | Rule::kw_failure
            | Rule::kw_fires
            | Rule::kw_for
            | Rule::kw_from
            | Rule::kw_given
            | Rule::kw_group
            | Rule::kw_hand
            | Rule::kw_idempotent
            | Rule::kw_if
            | Rule::kw_in
            | Rule::kw_is
            | Rule::kw_let
            | Rule::kw_level
            | Rule::kw_link
            | Rule::kw_manual
            | Rule::kw_measure
            | Rule::kw_metric
            | Rule::kw_monthly
            | Rule::kw_most
            | Rule::kw_no
            | Rule::kw_not
            | Rule::kw_notified
            | Rule::kw_notify
            | Rule::kw_on
            | Rule::kw_otherwise
            | Rule::kw_param
            | Rule::kw_quiet
            | Rule::kw_raise
            | Rule::kw_repeat
            | Rule::kw_report
            | Rule::kw_require
            | Rule::kw_respond
            | Rule::kw_retry
            | Rule::kw_return
            | Rule::kw_roles
            | Rule::kw_run
            | Rule::kw_secret
            | Rule::kw_section
            | Rule::kw_send
            | Rule::kw_show
            | Rule::kw_step
            | Rule::kw_takes
            | Rule::kw_test
            | Rule::kw_then
            | Rule::kw_threshold
            | Rule::kw_to
            | Rule::kw_tool
            | Rule::kw_try
            | Rule::kw_type
            | Rule::kw_undo
            | Rule::kw_unless
            | Rule::kw_unreachable
            | Rule::kw_until
            | Rule::kw_use
            | Rule::kw_verify
            | Rule::kw_wait
            | Rule::kw_weekly
            | Rule::kw_when
            | Rule::kw_while
            | Rule::kw_within
            | Rule::sg_arrow
            | Rule::sg_assign
            | Rule::sg_brace
            | Rule::sg_colon
            | Rule::sg_paren
            | Rule::EOI
    )
}
