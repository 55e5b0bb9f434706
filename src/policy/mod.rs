//! `runbook.policy.toml`: what a repository asks of all its runbooks. `check` and `run` hold them to it.
//!
//! A policy only ever takes away: what it does not speak of is as without one.

mod file;
mod judge;

use std::collections::BTreeMap;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use self::file::read;
pub use self::judge::{is_refusal, judge};
use crate::check::program::Hours;
use crate::source::Span;
use crate::store::approval::PublicKey;

/// The name of the file.
pub const FILE: &str = "runbook.policy.toml";

/// What it says.
#[derive(Debug, Default)]
pub struct Policy {
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
    pub approve_by: Option<String>,
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
    /// Whether changes of these names may be made now, by their windows.
    ///
    /// # Errors
    /// That they may not, and when the next window opens.
    pub fn may_change(&self, names: &[&str], now: Timestamp) -> Result<(), String> {
        let windows: Vec<&Window> = self.windows_of(names).collect();
        if windows.is_empty() || windows.iter().any(|window| window.holds(now)) {
            return Ok(());
        }
        let next =
            windows.iter().filter_map(|window| Some((window.next(now)?, &window.zone))).min_by_key(|(at, _)| *at);
        let next = next.map_or_else(
            || "none opens within two weeks".to_owned(),
            |(at, zone)| format!("the next one opens {}", at.to_zoned(zone.clone()).strftime("%A %Y-%m-%d %H:%M %Z")),
        );
        let what = names.first().copied().unwrap_or("it");
        let said: Vec<String> = windows.iter().map(|window| window.words()).collect();
        Err(format!("`{}` lets `{what}` be done only {}; {next}", self.name, said.join(" or ")))
    }

    /// The windows of changes of these names.
    pub fn windows_of<'p>(&'p self, names: &'p [&str]) -> impl Iterator<Item = &'p Window> {
        self.windows
            .iter()
            .filter(move |window| window.changes.iter().any(|family| names.iter().any(|name| is_of(name, family))))
    }

    /// Whether a connection may lead to a host.
    ///
    /// # Errors
    /// That it may not.
    pub fn may_reach(&self, host: &str) -> Result<(), String> {
        match &self.hosts {
            Some(hosts) if !hosts.allow(host) => Err(format!("`{}` does not allow the host `{host}`", self.name)),
            _ => Ok(()),
        }
    }
}

impl Hosts {
    fn allow(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).trim_end_matches('.').to_ascii_lowercase();
        if let Ok(address) = host.parse::<std::net::IpAddr>() {
            return self.networks.iter().any(|network| network.contains(&address));
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

    /// The next minute at which it opens, within two weeks.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        const MINUTES: i64 = 14 * 24 * 60;
        let minute = Timestamp::from_second(now.as_second().div_euclid(60).saturating_mul(60)).ok()?;
        (1..=MINUTES).find_map(|n| {
            let at = minute.saturating_add(SignedDuration::from_mins(n)).ok()?;
            self.holds(at).then_some(at)
        })
    }

    /// `saturday 02:00-06:00 (Europe/Berlin)`
    #[must_use]
    pub fn words(&self) -> String {
        format!("{} ({})", self.written, self.zone_name)
    }
}

const ALL: &str = "*";

/// Whether a name is of a family: `postgres.execute` is of `postgres`, of itself and of `*`.
fn is_of(name: &str, family: &str) -> bool {
    family == ALL || name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}
