//! What the systems have to grant.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Chapter, Finding, Kind, Row, Side};
use crate::catalog::need::{Endpoint, Grant, Right, Scope};
use crate::plan::{Granted, Rights, Selection, rights};

pub(super) fn compare(before: Side<'_>, after: Side<'_>, set: &BTreeMap<Arc<str>, String>) -> Vec<Finding> {
    let of = |side: Side<'_>| rights(side.program, &Selection::all(), set);
    let (was, is) = (of(before), of(after));
    let mut findings = Vec::new();
    let (old, new) = (needs(&was), needs(&is));
    let nothing = BTreeSet::new();
    for who in new.keys().chain(old.keys()).collect::<BTreeSet<_>>() {
        let (old, new) = (old.get(who).unwrap_or(&nothing), new.get(who).unwrap_or(&nothing));
        let (more, less): (Vec<&Need>, Vec<&Need>) = (new.difference(old).collect(), old.difference(new).collect());
        if more.is_empty() && less.is_empty() {
            continue;
        }
        let kind = if more.is_empty() { Kind::Safer } else { Kind::Permissions };
        let headline = if more.is_empty() { "narrower" } else { "wider, or elsewhere" };
        let mut finding = Finding::new(Chapter::Permissions, kind, who.clone(), headline);
        let what = |needs: &[&Need]| {
            needs.iter().map(|need| Need { place: String::new(), ..(*need).clone() }).collect::<BTreeSet<_>>()
        };
        let places = |needs: &[&Need]| needs.iter().map(|need| need.place.clone()).collect::<BTreeSet<_>>();
        if what(&more) == what(&less) {
            // The same, elsewhere.
            let shown = |places: BTreeSet<String>| places.into_iter().collect::<Vec<_>>().join(", ");
            finding.rows.extend(Row::of("all of it", shown(places(&less)), shown(places(&more))));
        } else {
            finding.notes.extend(merged(&more).into_iter().map(|line| format!("+ {line}")));
            finding.notes.extend(merged(&less).into_iter().map(|line| format!("- {line}")));
        }
        findings.push(finding);
    }
    let hosts = |rights: &Rights| rights.endpoints.iter().map(host).collect::<BTreeSet<_>>();
    let (old, new) = (hosts(&was), hosts(&is));
    if old != new {
        let kind = if new.is_subset(&old) { Kind::Safer } else { Kind::Permissions };
        let mut finding = Finding::new(Chapter::Permissions, kind, "the network", "other hosts");
        finding.notes.extend(new.difference(&old).map(|host| format!("+ {host}")));
        finding.notes.extend(old.difference(&new).map(|host| format!("- {host}")));
        findings.push(finding);
    }
    findings
}

fn host(endpoint: &Endpoint) -> String {
    endpoint.port.map_or_else(|| endpoint.host.clone(), |port| format!("{}:{port}", endpoint.host))
}

/// One right, in the parts that are shown together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    place: String,
    /// `pods/log`, `s3:GetObject`, `+info`
    what: String,
    /// The only one that is meant.
    name: Option<String>,
    verb: &'static str,
}

/// The rights of each login. What a wider one of the same login covers is left out.
fn needs(rights: &Rights) -> BTreeMap<String, BTreeSet<Need>> {
    let mut found: BTreeMap<String, BTreeSet<Need>> = BTreeMap::new();
    for one in &rights.granted {
        let login = one.login.as_ref().map_or_else(String::new, |login| format!(" as {login}"));
        let which = if one.changes { ", for changes" } else { "" };
        let who = format!("{} of `{}`{login}{which}", one.driver, one.connection);
        found.entry(who).or_default().extend(one.rights.iter().map(|right| need(right, one)));
    }
    for own in found.values_mut() {
        let all = own.clone();
        own.retain(|need| need.name.is_none() || !all.contains(&Need { name: None, ..need.clone() }));
    }
    found
}

fn need(right: &Right, of: &Granted) -> Need {
    let about = |otherwise: &str| of.about.clone().unwrap_or_else(|| otherwise.to_owned());
    let plain = |place: String, what: String| Need { place, what, name: None, verb: "" };
    match right {
        Right::Kubernetes(rule) => {
            let group = if rule.group.is_empty() { String::new() } else { format!(".{}", rule.group) };
            let place = match &rule.scope {
                Scope::Cluster => "everywhere".to_owned(),
                Scope::Namespace(Some(namespace)) => format!("in {namespace}"),
                Scope::Namespace(None) => "in the namespace of the context".to_owned(),
            };
            Need { place, what: format!("{}{group}", rule.resource), name: rule.name.clone(), verb: rule.verb }
        }
        Right::Postgres(Grant::Connect) => plain(about("the database of the environment"), "CONNECT".to_owned()),
        Right::Postgres(Grant::Member(role)) => plain(String::new(), format!("member of {role}")),
        Right::Postgres(Grant::On { privilege, table }) => plain(format!("on {table}"), (*privilege).to_owned()),
        Right::S3 { action, key } => {
            let key = key.as_ref().map_or_else(String::new, |key| format!("/{key}"));
            plain(format!("on {}{key}", about("*")), (*action).to_owned())
        }
        Right::Redis { rule } => plain(String::new(), rule.clone()),
        Right::Unclear { words } => plain(String::new(), format!("not known before the run: {words}")),
    }
}

/// As lines: the verbs on one thing stand together, and then the things with the same verbs.
fn merged(needs: &[&Need]) -> Vec<String> {
    let mut verbs: BTreeMap<(&String, &String, &Option<String>), BTreeSet<&str>> = BTreeMap::new();
    for need in needs {
        verbs.entry((&need.place, &need.what, &need.name)).or_default().insert(need.verb);
    }
    let mut names: BTreeMap<(&String, BTreeSet<&str>, &String), Vec<&String>> = BTreeMap::new();
    for ((place, what, name), verbs) in verbs {
        names.entry((place, verbs, what)).or_default().extend(name);
    }
    let mut lines: BTreeMap<(&String, String), Vec<String>> = BTreeMap::new();
    for ((place, verbs, what), names) in names {
        let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let verbs = verbs.into_iter().collect::<Vec<_>>().join("/");
        lines.entry((place, verbs)).or_default().push(format!("{what}{names}"));
    }
    let line = |((place, verbs), what): ((&String, String), Vec<String>)| {
        format!("{verbs} {} {place}", what.join(", ")).trim().to_owned()
    };
    lines.into_iter().map(line).collect()
}
