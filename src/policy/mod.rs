//! `runbook.policy.toml`: what a repository asks of all its runbooks. `check` and `run` hold them to it.
//!
//! A policy only ever takes away: what it does not speak of is as without one, and where there are several files, all hold.

mod file;
mod judge;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use self::file::read;
pub use self::judge::{at_odds, is_refusal, judge};
use crate::check::program::Hours;
use crate::source::Span;
use crate::store::approval::PublicKey;

/// The name of the file.
pub const FILE: &str = "runbook.policy.toml";

/// What all files say that hold for a runbook.
#[derive(Debug)]
pub struct Policy(Vec<Written>);

/// What one file says.
#[derive(Debug, Default)]
pub struct Written {
    /// The file, as it was read.
    pub name: String,
    /// Built-ins, families and drivers that are not used at all.
    pub forbid: Vec<Named>,
    /// What changes have to have.
    pub require: Vec<Required>,
    /// Where connections may lead; anywhere where `None`.
    pub hosts: Option<Hosts>,
    pub windows: Vec<Window>,
    /// Who approves in a role: the keys of each person.
    pub approvers: BTreeMap<String, BTreeMap<String, Vec<PublicKey>>>,
}

/// A name, and where it is written.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub span: Span,
}

/// What the changes of a family have to have.
#[derive(Clone, Debug)]
pub struct Required {
    pub family: Named,
    pub verify: bool,
    pub undo: bool,
    /// `within`
    pub limit: bool,
    pub approve_by: Option<Named>,
}

/// Where connections may lead.
#[derive(Debug)]
pub struct Hosts {
    pub span: Span,
    /// `db.example.org`, `*.example.org`
    pub names: Vec<String>,
    pub networks: Vec<IpNet>,
}

/// When changes may be made.
#[derive(Clone, Debug)]
pub struct Window {
    /// `*` for all.
    pub changes: Vec<String>,
    pub hours: Vec<Hours>,
    /// The hours as they are written.
    pub written: String,
    pub zone: TimeZone,
    pub zone_name: String,
}

impl Policy {
    /// The policy of some files; `None` where there are none.
    #[must_use]
    pub fn of(files: Vec<Written>) -> Option<Self> {
        (!files.is_empty()).then_some(Self(files))
    }

    /// The files, the nearest first.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.iter().map(|file| file.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Whether changes of these names may be made now, by their windows.
    ///
    /// # Errors
    /// That they may not, and when they may be again.
    pub fn may_change(&self, names: &[&str], now: Timestamp) -> Result<(), String> {
        let Some((file, closed)) =
            self.0.iter().map(|file| (file, file.windows_of(names))).find(|(_, windows)| !is_open(windows, now))
        else {
            return Ok(());
        };
        let next = closed.first().zip(self.next(names, now)).map_or_else(
            || "none opens within two weeks".to_owned(),
            |(window, at)| {
                let at = at.to_zoned(window.zone.clone());
                format!("the next one opens {}", at.strftime("%A %Y-%m-%d %H:%M %Z"))
            },
        );
        let what = closed.first().map_or("it", |window| window.word(names));
        Err(format!("`{}` lets `{what}` be done only {}; {next}", file.name, words(&closed)))
    }

    /// The next minute, within two weeks, at which all files let it be done.
    fn next(&self, names: &[&str], now: Timestamp) -> Option<Timestamp> {
        const MINUTES: i64 = 14 * 24 * 60;
        let all: Vec<Vec<&Window>> = self.0.iter().map(|file| file.windows_of(names)).collect();
        let minute = Timestamp::from_second(now.as_second().div_euclid(60).saturating_mul(60)).ok()?;
        (1..=MINUTES).find_map(|n| {
            let at = minute.saturating_add(SignedDuration::from_mins(n)).ok()?;
            all.iter().all(|windows| is_open(windows, at)).then_some(at)
        })
    }

    /// What changes of these names are called by their windows, and when those are open; `None` where they have none.
    #[must_use]
    pub fn windows(&self, names: &[&str]) -> Option<(String, String)> {
        let all: Vec<Vec<&Window>> =
            self.0.iter().map(|file| file.windows_of(names)).filter(|windows| !windows.is_empty()).collect();
        let what = all.first()?.first()?.word(names).to_owned();
        Some((what, all.iter().map(|windows| words(windows)).collect::<Vec<_>>().join(", and only ")))
    }

    /// The roles that have to approve changes of these names.
    #[must_use]
    pub fn roles(&self, names: &[&str]) -> BTreeSet<Arc<str>> {
        let rules = self.0.iter().flat_map(|file| &file.require);
        let own = rules.filter(|rule| names.iter().any(|name| is_of(name, &rule.family.name)));
        own.filter_map(|rule| Some(rule.approve_by.as_ref()?.name.as_str().into())).collect()
    }

    /// Whether anything may be connected to at a host.
    ///
    /// # Errors
    /// That it may not.
    pub fn may_reach(&self, host: &str) -> Result<(), String> {
        self.0.iter().try_for_each(|file| file.may_reach(host))
    }

    /// Who approves in a role, with the keys that count: those that all files name which name the role. `None` where none does.
    #[must_use]
    pub fn approvers(&self, role: &str) -> Option<BTreeMap<String, Vec<PublicKey>>> {
        let mut named = self.0.iter().filter_map(|file| file.approvers.get(role));
        let mut people = named.next()?.clone();
        for others in named {
            people.retain(|person, keys| {
                let also = others.get(person).map(Vec::as_slice).unwrap_or_default();
                keys.retain(|key| also.iter().any(|other| other.fingerprint() == key.fingerprint()));
                !keys.is_empty()
            });
        }
        Some(people)
    }
}

impl Written {
    /// The windows of changes of these names.
    fn windows_of(&self, names: &[&str]) -> Vec<&Window> {
        self.windows.iter().filter(|window| window.family(names).is_some()).collect()
    }

    fn may_reach(&self, host: &str) -> Result<(), String> {
        match &self.hosts {
            Some(hosts) if !hosts.allow(host) => Err(format!("`{}` does not allow the host `{host}`", self.name)),
            _ => Ok(()),
        }
    }
}

/// Whether windows of one file let something be done: several add up, and none holds nobody back.
fn is_open(windows: &[&Window], at: Timestamp) -> bool {
    windows.is_empty() || windows.iter().any(|window| window.holds(at))
}

fn words(windows: &[&Window]) -> String {
    windows.iter().map(|window| window.words()).collect::<Vec<_>>().join(" or ")
}

impl Hosts {
    fn allow(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        if let Ok(address) = host.parse::<std::net::IpAddr>() {
            // `::ffff:10.0.0.1` is `10.0.0.1`.
            return self.networks.iter().any(|network| network.contains(&address.to_canonical()));
        }
        self.names.iter().any(|name| match name.strip_prefix('*') {
            Some(end) => host.len() > end.len() && host.ends_with(end),
            None => *name == host,
        })
    }
}

impl Window {
    #[must_use]
    pub fn holds(&self, at: Timestamp) -> bool {
        let local = at.to_zoned(self.zone.clone()).datetime();
        self.hours.iter().any(|hours| hours.hold(local))
    }

    /// As what it means a change of these names.
    fn family(&self, names: &[&str]) -> Option<&str> {
        self.changes.iter().map(String::as_str).find(|family| names.iter().any(|name| is_of(name, family)))
    }

    fn word<'n>(&self, names: &[&'n str]) -> &'n str {
        self.family(names).map_or("it", |family| word(names, family))
    }

    /// `saturday 02:00-06:00 (Europe/Berlin)`
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} ({})", self.written, self.zone_name)
    }
}

const ALL: &str = "*";

/// What a change is called where a rule of a family speaks of it: a tool is a tool, unless its built-in is meant.
fn word<'n>(names: &[&'n str], family: &str) -> &'n str {
    let meant = if family == ALL { names.last() } else { names.iter().find(|name| is_of(name, family)) };
    meant.copied().unwrap_or("it")
}

/// Whether a name is of a family: `postgres.execute` is of `postgres`, of itself and of `*`.
fn is_of(name: &str, family: &str) -> bool {
    family == ALL || name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
