//! Kinds that every cluster knows, by the names that kubectl takes, for what is said of a call before any cluster is asked.

use super::resources::KIND;
use crate::catalog::need::{Argument, Need, Right, Rule, Scope, Written};

/// To list objects of the kind that is written.
pub(super) const LIST: Need = Need::Granted { words: "list {kind}", rights: |written| of_kind(written, "list", None) };

/// To read one object of the kind that is written, and what happened to it.
pub(super) const GET_WITH_EVENTS: Need = Need::Granted {
    words: "get {kind}, list events",
    rights: |written| {
        let name = match (written.argument)("name") {
            Argument::Texts(names) => names,
            _ => Vec::new(),
        };
        let mut rights = of_kind(written, "get", Some(&name));
        // The events of what is in no namespace are looked for in all of them.
        let scopes: Vec<Scope> = rights.iter().filter_map(scope).cloned().collect();
        rights.extend(scopes.into_iter().map(|scope| Right::Kubernetes(Rule::new("list", "events", scope, None))));
        rights
    },
};

fn scope(right: &Right) -> Option<&Scope> {
    if let Right::Kubernetes(rule) = right { Some(&rule.scope) } else { None }
}

/// The rights of a call on the kinds that may be written in it.
fn of_kind(written: &Written<'_>, verb: &'static str, names: Option<&[String]>) -> Vec<Right> {
    let mut rights = Vec::new();
    for kind in (written.argument)(KIND.name()).patterns() {
        if kind.contains('*') {
            rights.push(Right::Unclear { words: format!("{verb} of a kind that the run will tell") });
            continue;
        }
        let (resource, scope) = resource(kind);
        let one = |name: Option<String>| Right::Kubernetes(Rule::new(verb, &resource, scope.clone(), name));
        match names {
            Some(names) if !names.is_empty() => rights.extend(names.iter().cloned().map(|name| one(Some(name)))),
            _ => rights.push(one(None)),
        }
    }
    rights
}

/// The resource of a kind, with its group. One that only the cluster knows is in the group that is written, or in any.
pub(super) fn resource(kind: &str) -> (String, Scope) {
    let lower = kind.to_lowercase();
    let known = KINDS.iter().find(|known| known.names.contains(&lower.as_str()) || known.resource == lower);
    match known {
        Some(known) if known.namespaced => (known.resource.to_owned(), Scope::Namespace(None)),
        Some(known) => (known.resource.to_owned(), Scope::Cluster),
        None if lower.contains('.') => (lower, Scope::Namespace(None)),
        None => (format!("{lower}.*"), Scope::Namespace(None)),
    }
}

struct Known {
    resource: &'static str,
    /// Its plural, its singular and its short names.
    names: &'static [&'static str],
    namespaced: bool,
}

const fn of(resource: &'static str, names: &'static [&'static str]) -> Known {
    Known { resource, names, namespaced: true }
}

const fn of_cluster(resource: &'static str, names: &'static [&'static str]) -> Known {
    Known { resource, names, namespaced: false }
}

const KINDS: &[Known] = &[
    of("configmaps", &["configmaps", "configmap", "cm"]),
    of("endpoints", &["endpoints", "ep"]),
    of("endpointslices.discovery.k8s.io", &["endpointslices", "endpointslice"]),
    of("events", &["events", "event", "ev"]),
    of("limitranges", &["limitranges", "limitrange", "limits"]),
    of("persistentvolumeclaims", &["persistentvolumeclaims", "persistentvolumeclaim", "pvc"]),
    of("pods", &["pods", "pod", "po"]),
    of("replicationcontrollers", &["replicationcontrollers", "replicationcontroller", "rc"]),
    of("resourcequotas", &["resourcequotas", "resourcequota", "quota"]),
    of("serviceaccounts", &["serviceaccounts", "serviceaccount", "sa"]),
    of("services", &["services", "service", "svc"]),
    of("controllerrevisions.apps", &["controllerrevisions", "controllerrevision"]),
    of("daemonsets.apps", &["daemonsets", "daemonset", "ds"]),
    of("deployments.apps", &["deployments", "deployment", "deploy"]),
    of("replicasets.apps", &["replicasets", "replicaset", "rs"]),
    of("statefulsets.apps", &["statefulsets", "statefulset", "sts"]),
    of("horizontalpodautoscalers.autoscaling", &["horizontalpodautoscalers", "horizontalpodautoscaler", "hpa"]),
    of("cronjobs.batch", &["cronjobs", "cronjob", "cj"]),
    of("jobs.batch", &["jobs", "job"]),
    of("leases.coordination.k8s.io", &["leases", "lease"]),
    of("ingresses.networking.k8s.io", &["ingresses", "ingress", "ing"]),
    of("networkpolicies.networking.k8s.io", &["networkpolicies", "networkpolicy", "netpol"]),
    of("poddisruptionbudgets.policy", &["poddisruptionbudgets", "poddisruptionbudget", "pdb"]),
    of("rolebindings.rbac.authorization.k8s.io", &["rolebindings", "rolebinding"]),
    of("roles.rbac.authorization.k8s.io", &["roles", "role"]),
    of_cluster("namespaces", &["namespaces", "namespace", "ns"]),
    of_cluster("nodes", &["nodes", "node", "no"]),
    of_cluster("persistentvolumes", &["persistentvolumes", "persistentvolume", "pv"]),
    of_cluster(
        "customresourcedefinitions.apiextensions.k8s.io",
        &["customresourcedefinitions", "customresourcedefinition", "crd", "crds"],
    ),
    of_cluster("apiservices.apiregistration.k8s.io", &["apiservices", "apiservice"]),
    of_cluster("clusterrolebindings.rbac.authorization.k8s.io", &["clusterrolebindings", "clusterrolebinding"]),
    of_cluster("clusterroles.rbac.authorization.k8s.io", &["clusterroles", "clusterrole"]),
    of_cluster("ingressclasses.networking.k8s.io", &["ingressclasses", "ingressclass"]),
    of_cluster("priorityclasses.scheduling.k8s.io", &["priorityclasses", "priorityclass", "pc"]),
    of_cluster("storageclasses.storage.k8s.io", &["storageclasses", "storageclass", "sc"]),
    of_cluster("volumeattachments.storage.k8s.io", &["volumeattachments", "volumeattachment"]),
];

#[cfg(test)]
mod tests {
    use super::resource;
    use crate::catalog::need::Scope;

    #[test]
    fn a_kind_is_known_by_each_of_its_names_and_a_custom_one_by_its_group() {
        let here = Scope::Namespace(None);
        assert_eq!(resource("pvc"), ("persistentvolumeclaims".to_owned(), here.clone()));
        assert_eq!(resource("Deployment"), ("deployments.apps".to_owned(), here.clone()));
        assert_eq!(resource("deployments.apps"), ("deployments.apps".to_owned(), here.clone()));
        assert_eq!(resource("node"), ("nodes".to_owned(), Scope::Cluster));
        assert_eq!(resource("certificates.cert-manager.io"), ("certificates.cert-manager.io".to_owned(), here.clone()));
        assert_eq!(resource("alerts"), ("alerts.*".to_owned(), here));
    }
}
