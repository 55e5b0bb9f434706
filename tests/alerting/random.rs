//! Runbooks and nights made up by a seed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;
use runbook::alerting::{Definitions, Escalate, EscalateWhen, Level, Policy, Threshold};
use runbook::catalog::Person;
use runbook::check::program::{Duty, Roster};
use runbook::types::{Labels, Severity};

pub(crate) const CHANNELS: [&str; 4] = ["chat", "hook", "mail", "pager"];

/// The same numbers for the same seed, on every machine.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn of(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below another.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    pub(crate) fn truth(&mut self) -> Option<bool> {
        *self.one(&[Some(true), Some(true), Some(false), Some(false), None])
    }

    fn some_of(&mut self, names: &[&str], percent: usize) -> Vec<Arc<str>> {
        names.iter().filter(|_| self.percent(percent)).map(|name| Arc::from(*name)).collect()
    }
}

pub(crate) fn secs(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// All subjects that a threshold may have.
pub(crate) fn all_labels() -> Vec<Labels> {
    let label = |name: &str, value: &str| (Arc::from(name), Arc::from(value));
    let mut all = Vec::new();
    for pod in ["a-1", "a-2", "a-3", "b-1", "b-2"] {
        all.push(Labels::from([label("pod", pod), label("service", &pod[..1])]));
    }
    all.push(Labels::from([label("service", "a")]));
    all.push(Labels::new());
    all
}

pub(crate) fn definitions(dice: &mut Dice) -> Definitions {
    let count = 1 + dice.below(4);
    let thresholds: Vec<Threshold> = (0..count).map(|number| threshold(dice, number, count)).collect();
    let owners = if dice.percent(60) { dice.some_of(&["hook", "pager"], 60) } else { Vec::new() };
    Definitions {
        runbook: "Night".into(),
        timezone: "UTC".into(),
        thresholds: thresholds.into_iter().map(|one| (Arc::clone(&one.title), one)).collect(),
        sections: BTreeSet::new(),
        owners,
        policy: dice.percent(85).then(|| Arc::new(policy(dice))),
        ledger: "5f2c".into(),
        roster: dice.percent(40).then(|| Arc::new(roster(dice))),
    }
}

/// At some levels nobody is on call, and some it does not know.
fn roster(dice: &mut Dice) -> Roster {
    let person = Arc::new(Person { name: "Ann".into(), email: None, phone: None, slack: None });
    let mut roles = BTreeMap::new();
    for role in ["R1", "R2", "R3", "R4"] {
        if dice.percent(70) {
            let people = if dice.percent(60) { vec![Arc::clone(&person)] } else { Vec::new() };
            roles.insert(role.into(), Duty { people, handover: None, hours: Vec::new() });
        }
    }
    Roster { zone: TimeZone::UTC, roles }
}

fn threshold(dice: &mut Dice, number: usize, count: usize) -> Threshold {
    let times = [secs(0), secs(60), secs(900)];
    let held: Vec<SignedDuration> =
        if dice.percent(30) { Vec::new() } else { (0..=dice.below(2)).map(|_| *dice.one(&times)).collect() };
    let escalates = [0, 0, 1, 1, 2];
    let escalate = (0..*dice.one(&escalates)).map(|_| Escalate {
        level: 1 + u32::try_from(dice.below(4)).unwrap(),
        when: match dice.below(3) {
            0 => EscalateWhen::AtOnce,
            1 => EscalateWhen::After(*dice.one(&[secs(1), secs(20), secs(1800), secs(7200)])),
            _ => EscalateWhen::Condition,
        },
    });
    let escalate = escalate.collect();
    // Also in circles.
    let others = (0..count).filter(|other| *other != number && dice.percent(20));
    let quiet_while = others.map(|other| format!("T{other}").into()).collect();
    Threshold {
        title: format!("T{number}").into(),
        severity: *dice.one(&[Severity::Info, Severity::Warning, Severity::Critical, Severity::Critical]),
        unknown_for: (!held.is_empty() && dice.percent(50)).then(|| *dice.one(&[secs(60), secs(1800)])),
        held,
        notify: dice.some_of(&CHANNELS, 40),
        escalate,
        quiet_while,
        group_by: if dice.percent(40) { vec!["service".into()] } else { Vec::new() },
        every: dice.percent(50).then(|| secs(300)),
        doc: "".into(),
        link: None,
    }
}

fn policy(dice: &mut Dice) -> Policy {
    let numbers: BTreeSet<u32> = (0..4).filter(|_| dice.percent(60)).chain([0]).map(|number| number + 1).collect();
    let levels = numbers.into_iter().map(|number| Level {
        number,
        role: format!("R{number}").into(),
        respond: dice.percent(60).then(|| *dice.one(&[secs(300), secs(900)])),
        after: dice.percent(75).then(|| *dice.one(&[secs(900), secs(1800), secs(86_400)])),
        unless_acknowledged: dice.percent(60),
        notify: dice.some_of(&CHANNELS, 50),
    });
    let levels = levels.collect();
    Policy { name: "night".into(), levels, repeat: u32::try_from(dice.below(3)).unwrap(), by_hand: Vec::new() }
}
