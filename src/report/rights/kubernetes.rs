//! Roles and their bindings, as YAML for `kubectl apply -f -`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::{Subject, slug};
use crate::catalog::need::{Right, Rule, Scope};
use crate::plan::Granted;
use crate::shown::look::clean;

/// A resource with its group, and the names that are meant; all where there are none.
type Place = (String, String, Option<String>);

pub(super) fn roles(runbook: &str, granted: &[&Granted], subject: &Subject) -> String {
    let mut text = String::new();
    for one in granted {
        let which = if one.changes { ", for changes alone" } else { "" };
        let login = one.login.as_ref().map_or_else(String::new, |login| format!(", as {}", clean(login)));
        _ = writeln!(text, "# connection {}{login}{which}", clean(&one.connection));
        let mut scopes: BTreeMap<&Scope, BTreeSet<&Rule>> = BTreeMap::new();
        for right in &one.rights {
            match right {
                Right::Kubernetes(rule) => _ = scopes.entry(&rule.scope).or_default().insert(rule),
                Right::Unclear { words } => _ = writeln!(text, "# not known before the run: {}", clean(words)),
                _ => {}
            }
        }
        let everywhere: BTreeSet<&Rule> = scopes.get(&Scope::Cluster).cloned().unwrap_or_default();
        let name = format!("runbook-{}{}", slug(runbook), if one.changes { "-changes" } else { "" });
        for (scope, rules) in scopes {
            let covered = |rule: &Rule| {
                let wider = |name| everywhere.contains(&Rule { scope: Scope::Cluster, name, ..rule.clone() });
                let named = rule.name.is_some() && rules.contains(&Rule { name: None, ..rule.clone() });
                named || (*scope != Scope::Cluster && (wider(None) || wider(rule.name.clone())))
            };
            let left: Vec<&Rule> = rules.iter().copied().filter(|rule| !covered(rule)).collect();
            if !left.is_empty() {
                role(&mut text, &name, scope, &left, one, subject);
            }
        }
    }
    text
}

fn role(text: &mut String, name: &str, scope: &Scope, rules: &[&Rule], one: &Granted, subject: &Subject) {
    let kind = if *scope == Scope::Cluster { "ClusterRole" } else { "Role" };
    _ = write!(text, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n");
    metadata(text, name, scope);
    text.push_str("rules:\n");
    for rule in merged(rules) {
        if rule.group == "*" {
            let narrower = rule.resources.iter().map(|own| format!("`{own}.GROUP`")).collect::<Vec<_>>().join(", ");
            _ = writeln!(text, "  # the group is not written in the runbook: {narrower} there narrows this");
        }
        _ = writeln!(text, "  - apiGroups: [{}]", quoted(&rule.group));
        _ = writeln!(text, "    resources: [{}]", list(&rule.resources));
        if !rule.names.is_empty() {
            _ = writeln!(text, "    resourceNames: [{}]", list(&rule.names));
        }
        _ = writeln!(text, "    verbs: [{}]", list(&rule.verbs));
    }
    _ = write!(text, "---\napiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}Binding\n");
    metadata(text, name, scope);
    _ = write!(text, "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: {kind}\n  name: {name}\nsubjects:\n");
    match subject {
        Subject::ServiceAccount { namespace, name } => {
            let own = match scope {
                Scope::Namespace(own) => own.as_deref(),
                Scope::Cluster => one.about.as_deref().filter(|own| *own != "*"),
            };
            let namespace = namespace.as_deref().or(own).unwrap_or("default");
            _ = writeln!(
                text,
                "  - kind: ServiceAccount\n    name: {}\n    namespace: {}",
                quoted(name),
                quoted(namespace)
            );
        }
        Subject::User(name) => {
            _ = writeln!(text, "  - apiGroup: rbac.authorization.k8s.io\n    kind: User\n    name: {}", quoted(name));
        }
        Subject::Group(name) => {
            _ = writeln!(text, "  - apiGroup: rbac.authorization.k8s.io\n    kind: Group\n    name: {}", quoted(name));
        }
    }
}

fn metadata(text: &mut String, name: &str, scope: &Scope) {
    _ = writeln!(text, "metadata:\n  name: {name}");
    match scope {
        Scope::Namespace(Some(namespace)) => _ = writeln!(text, "  namespace: {}", quoted(namespace)),
        Scope::Namespace(None) => text.push_str("  # the namespace of the context: kubectl apply -n NAMESPACE\n"),
        Scope::Cluster => {}
    }
}

/// A rule as it is written: what has the same verbs stands together.
struct Written {
    group: String,
    resources: BTreeSet<String>,
    names: BTreeSet<String>,
    verbs: BTreeSet<String>,
}

/// First the names of one resource that have the same verbs, then the resources of a group that have both.
fn merged(rules: &[&Rule]) -> Vec<Written> {
    let mut places: BTreeMap<Place, BTreeSet<String>> = BTreeMap::new();
    for rule in rules {
        let place = (rule.group.clone(), rule.resource.clone(), rule.name.clone());
        places.entry(place).or_default().insert(rule.verb.to_owned());
    }
    let mut written: Vec<Written> = Vec::new();
    for ((group, resource, name), verbs) in places {
        let same = |own: &&mut Written| {
            own.group == group
                && own.verbs == verbs
                && own.resources.contains(&resource)
                && own.names.is_empty() == name.is_none()
        };
        match written.iter_mut().find(same) {
            Some(own) => own.names.extend(name),
            None => {
                written.push(Written { group, resources: [resource].into(), names: name.into_iter().collect(), verbs });
            }
        }
    }
    let mut merged: Vec<Written> = Vec::new();
    for one in written {
        let same = |own: &&mut Written| own.group == one.group && own.names == one.names && own.verbs == one.verbs;
        match merged.iter_mut().find(same) {
            Some(own) => own.resources.extend(one.resources),
            None => merged.push(one),
        }
    }
    merged
}

fn list(items: &BTreeSet<String>) -> String {
    items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(", ")
}

/// A string of JSON is one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
