//! How long it takes until somebody is reached, and which levels are called, where nobody answers: as alerting does it.

use std::sync::Arc;

use jiff::SignedDuration;

use super::Kind;
use crate::alerting::Policy;
use crate::catalog::DriverKind;
use crate::check::program::{EscalateWhen, Program, Threshold};
use crate::types::{Severity, Value};

/// In which round whoever is told at all has been told.
const ROUNDS: u32 = 2;

/// What follows from a threshold that opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reached {
    /// The longest that it takes until it is seen; `None` where a section takes the samples: they come when that runs.
    seen: Option<SignedDuration>,
    /// From the first such sample until a channel that reaches a person.
    pub(super) person: Option<SignedDuration>,
    /// The same until the last level.
    pub(super) last: Option<SignedDuration>,
    /// The levels, each with the time from when it opens.
    levels: Vec<(u32, SignedDuration)>,
}

/// What waits for another condition has no time limit, and is not among it.
pub(super) fn reached(program: &Program, threshold: &Threshold) -> Reached {
    let metrics = threshold.metrics.iter().filter_map(|id| program.metrics.get(id.index()));
    let every = metrics.map(|metric| metric.every).collect::<Option<Vec<_>>>();
    let seen = every.map(|every| every.into_iter().max().unwrap_or_default());
    let held = threshold.when.iter().map(|when| when.held.unwrap_or_default()).min().unwrap_or_default();
    let mut found = Reached { seen, ..Reached::default() };
    let names = threshold.notify.iter().filter_map(|id| program.channels.get(id.index()));
    let names: Vec<Arc<str>> = names.map(|one| one.name.clone()).collect();
    found.told(program, &names, held);
    if let Some(policy) = Policy::of(program) {
        found.climb(program, threshold, &policy, held);
    }
    found
}

/// Whether a threshold tells a person by itself, at whatever time.
pub(super) fn tells_a_person(program: &Program, threshold: &Threshold) -> bool {
    let conditions = threshold.escalate.iter().filter(|one| matches!(one.when, EscalateWhen::Condition(_)));
    let by_condition = || {
        let policy = Policy::of(program)?;
        let lowest = conditions.map(|one| one.level).min()?;
        let levels = policy.levels.iter().filter(|level| level.number >= lowest);
        Some(levels.into_iter().any(|level| reaches_a_person(program, &level.notify)))
    };
    reached(program, threshold).person.is_some() || by_condition() == Some(true)
}

/// What it means that something comes at another time; `None` is never.
pub(super) fn later(old: Option<SignedDuration>, new: Option<SignedDuration>) -> Kind {
    match (old, new) {
        (Some(_), None) => Kind::Loosened,
        (Some(a), Some(b)) if b > a => Kind::Loosened,
        _ => Kind::Safer,
    }
}

/// Two times until something, as they are said, and what the second means.
pub(super) fn compared(
    (was, old): (&Reached, Option<SignedDuration>),
    (is, new): (&Reached, Option<SignedDuration>),
) -> (String, String, Kind) {
    // Where nobody knows of either when it is seen, it is the rest that is compared.
    let both_unknown = was.seen.is_none() && is.seen.is_none();
    let time = |of: &Reached, at: Option<SignedDuration>| {
        let seen = if both_unknown { SignedDuration::ZERO } else { of.seen? };
        Some(at?.saturating_add(seen))
    };
    let (old, new) = (time(was, old), time(is, new));
    let says = |at: Option<SignedDuration>| match at {
        None => "by no time limit".to_owned(),
        Some(at) if both_unknown && at.is_zero() => "with the first sample".to_owned(),
        Some(at) if both_unknown => format!("within {} of the first sample", Value::Duration(at)),
        Some(at) => format!("within {}", Value::Duration(at)),
    };
    (says(old), says(new), later(old, new))
}

impl Reached {
    /// `level 1 at once, level 2 after 30m`
    pub(super) fn calls(&self) -> String {
        let one = |(level, at): &(u32, SignedDuration)| {
            if at.is_zero() {
                format!("level {level} at once")
            } else {
                format!("level {level} after {}", Value::Duration(*at))
            }
        };
        let all: Vec<String> = self.levels.iter().map(one).collect();
        if all.is_empty() { "no level".to_owned() } else { all.join(", ") }
    }

    /// Whether a level is called by the other one and not by this.
    pub(super) fn lacks(&self, other: &Self) -> bool {
        other.levels.iter().any(|(level, _)| self.levels.iter().all(|(own, _)| own != level))
    }

    fn told(&mut self, program: &Program, channels: &[Arc<str>], at: SignedDuration) {
        if reaches_a_person(program, channels) {
            self.person = Some(self.person.map_or(at, |known| known.min(at)));
        }
    }

    /// The levels that are called, from when it opens.
    fn climb(&mut self, program: &Program, threshold: &Threshold, policy: &Policy, opens: SignedDuration) {
        let at_once = threshold.escalate.iter().filter(|one| matches!(one.when, EscalateWhen::AtOnce));
        let first = at_once.map(|one| one.level).max().or((threshold.severity == Severity::Critical).then_some(1));
        let mut asked: Vec<(SignedDuration, u32)> =
            first.map(|level| (SignedDuration::ZERO, level)).into_iter().collect();
        asked.extend(threshold.escalate.iter().filter_map(|one| match one.when {
            EscalateWhen::After(after) => Some((after, one.level)),
            EscalateWhen::AtOnce | EscalateWhen::Condition(_) => None,
        }));
        asked.sort_unstable();
        let mut asked = asked.into_iter().peekable();
        // The level that is called, and when the next one is.
        let (mut level, mut round, mut due) = (None, 1, None);
        loop {
            let own = asked.peek().map(|(at, _)| *at);
            let Some(at) = own.into_iter().chain(due).min() else { break };
            let called = if own == Some(at) {
                // Only a higher one is called.
                let wanted = asked.next().and_then(|(_, number)| policy.level_or_next(number));
                wanted.filter(|wanted| level.is_none_or(|level| level < wanted.number))
            } else {
                due = None;
                let above = level.and_then(|level| policy.above(level));
                if above.is_none() {
                    round += 1;
                }
                above.or_else(|| policy.levels.first().filter(|_| round <= ROUNDS && round - 1 <= policy.repeat))
            };
            let Some(called) = called else { continue };
            level = Some(called.number);
            due = policy.next(called.number, round).map(|(after, _)| at.saturating_add(after));
            let told = opens.saturating_add(at);
            self.told(program, &called.notify, told);
            if policy.above(called.number).is_none() {
                self.last = Some(self.last.map_or(told, |known| known.min(told)));
            }
            if self.levels.iter().all(|(known, _)| *known != called.number) {
                self.levels.push((called.number, at));
            }
        }
    }
}

fn reaches_a_person(program: &Program, channels: &[Arc<str>]) -> bool {
    let mut all = program.channels.iter().filter(|one| channels.contains(&one.name));
    all.any(|channel| matches!(channel.made.driver.kind, DriverKind::Channel { person: true, .. }))
}
