//! What an edit of a policy lets runbooks do that they could not do before, and what it takes away; and what an edit makes
//! of approvals.

use std::collections::BTreeSet;

use super::{Chapter, Finding, Kind, Place};
use crate::policy::{Required, Written};

/// A rule by what it says.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    /// Whether there is more that may be done with it.
    allows: bool,
    says: String,
}

/// What is different; `None` where the policy says the same. A side on which there is none is `None`.
#[must_use]
pub fn policy(before: Option<&Written>, after: Option<&Written>) -> Option<Finding> {
    let name = after.or(before).map_or("", |one| one.name.as_str());
    let of = |side: Option<&Written>| side.map(rules).unwrap_or_default();
    let (old, new) = (of(before), of(after));
    let (added, gone): (Vec<&Rule>, Vec<&Rule>) = (new.difference(&old).collect(), old.difference(&new).collect());
    if added.is_empty() && gone.is_empty() {
        return None;
    }
    let wider = |rule: &&Rule| rule.allows && !narrower(rule, before, after);
    let more = added.iter().any(wider) || gone.iter().any(|rule| !rule.allows);
    let (kind, headline) = match (before, after, more) {
        (None, _, _) => (Kind::Safer, "new"),
        (_, None, _) => (Kind::Permissions, "gone: nothing that it said holds any more"),
        (_, _, true) => (Kind::Permissions, "allows more"),
        (_, _, false) => (Kind::Safer, "allows less"),
    };
    let place = |side: Option<&Written>| side.map(|one| Place { file: one.name.clone(), line: 1 });
    let mut finding = Finding::new(Chapter::Permissions, kind, format!("policy {name}"), headline);
    finding.notes.extend(added.iter().map(|rule| format!("+ {}", rule.says)));
    finding.notes.extend(gone.iter().map(|rule| format!("- {}", rule.says)));
    Some(finding.at(place(before), place(after)))
}

/// Whether a rule is for a network that lies in one that was allowed before.
fn narrower(rule: &Rule, before: Option<&Written>, after: Option<&Written>) -> bool {
    let Some((old, new)) = before.and_then(|one| one.hosts.as_ref()).zip(after.and_then(|one| one.hosts.as_ref()))
    else {
        return false;
    };
    let own = new.networks.iter().filter(|network| rule.says == host(network));
    own.into_iter().any(|own| old.networks.iter().any(|network| network.contains(own)))
}

fn host(host: impl std::fmt::Display) -> String {
    format!("the host {host}")
}

/// A standing approval that an edit makes void, in words, and by what.
#[must_use]
pub fn void(approval: &str, why: &str) -> Finding {
    Finding::new(Chapter::Changes, Kind::Changed, approval, format!("void: {why}, and waits for approval again"))
}

fn rules(policy: &Written) -> BTreeSet<Rule> {
    let mut rules = BTreeSet::new();
    let mut add = |allows: bool, says: String| {
        rules.insert(Rule { allows, says });
    };
    for rule in &policy.forbid {
        add(false, format!("forbids {}", rule.name));
    }
    for rule in &policy.require {
        for what in required(rule) {
            add(false, format!("changes of {} need {what}", rule.family.name));
        }
    }
    if let Some(hosts) = &policy.hosts {
        add(false, "no hosts but those that it names".to_owned());
        let networks = hosts.networks.iter().map(ToString::to_string);
        hosts.names.iter().cloned().chain(networks).for_each(|name| add(true, host(name)));
    }
    for window in &policy.windows {
        for family in &window.changes {
            let what = if family == "*" { "all changes" } else { family };
            add(false, format!("{what} only at certain times"));
            add(true, format!("{what} {}", window.words()));
        }
    }
    for (role, people) in &policy.approvers {
        add(false, format!("approvals as {role} are signed"));
        for (person, keys) in people {
            for key in keys {
                add(true, format!("{person} approves as {role} with {}", key.fingerprint()));
            }
        }
    }
    rules
}

fn required(rule: &Required) -> Vec<String> {
    let flags = [(rule.limit, "`within`"), (rule.verify, "`verify`"), (rule.undo, "`undo`")];
    let role = rule.approve_by.as_ref().map(|role| format!("an approval by {:?}", role.name));
    flags.into_iter().filter(|(is, _)| *is).map(|(_, what)| what.to_owned()).chain(role).collect()
}
