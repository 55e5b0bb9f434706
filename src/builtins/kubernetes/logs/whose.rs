//! Whose logs: one pod, every pod of a workload, or every pod that labels select.

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference};
use kube::ResourceExt;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::builtins::kubernetes::ask::{Ask, Resource};
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::kubernetes::request::Deadline;
use crate::types::Fault;

/// Whose logs are asked for.
#[derive(Clone, Debug)]
pub(super) enum Whose {
    Pod(String),
    Workload(Kind, String),
    Selector(String),
}

/// What makes pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
}

impl Kind {
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "stateful set",
            Self::DaemonSet => "daemon set",
            Self::Job => "job",
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
        }
    }

    const fn resource(self) -> Resource {
        match self {
            Self::Deployment => Resource::DEPLOYMENTS,
            Self::StatefulSet => Resource::STATEFUL_SETS,
            Self::DaemonSet => Resource::DAEMON_SETS,
            Self::Job => Resource::JOBS,
        }
    }
}

impl Whose {
    /// As it stands in the name of the log.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Pod(name) => format!("pod {name}"),
            Self::Workload(kind, name) => format!("{} {name}", kind.noun()),
            Self::Selector(labels) => format!("pods with {labels}"),
        }
    }

    /// Its pods, of which there is at least one.
    pub(super) async fn pods(&self, cluster: &Kubernetes, namespace: &str) -> Result<Vec<Pod>, Fault> {
        let (labels, owner) = match self {
            Self::Pod(name) => return Ok(vec![cluster.read(&Ask::get(&Resource::PODS, namespace, name)?).await?]),
            Self::Selector(labels) => (labels.clone(), None),
            Self::Workload(kind, name) => {
                let (labels, uid) = self.workload(*kind, name, cluster, namespace).await?;
                (labels, Some((*kind, name.as_str(), uid)))
            }
        };
        let ask = Ask::list(&Resource::PODS, namespace)?.query("labelSelector", labels);
        let all: Vec<Pod> = cluster.list(&ask, Deadline::after(cluster.within), Ok).await?;
        let owned = |pod: &Pod| owner.as_ref().is_none_or(|(kind, name, uid)| belongs(pod, *kind, name, uid));
        let mut pods: Vec<Pod> = all.into_iter().filter(owned).collect();
        if pods.is_empty() {
            return Err(match self {
                Self::Selector(labels) => Fault::no_value(format!("there are no pods with {labels}{}", ask.where_()))
                    .help("an empty list is no healthy one: see which labels the pods have"),
                _ => Fault::no_value(format!("the {}{} has no pods", self.shown(), ask.where_()))
                    .help("an empty list is no healthy one: see whether it is scaled to 0, or cannot make its pods"),
            });
        }
        pods.sort_by_key(ResourceExt::name_any);
        Ok(pods)
    }

    /// The labels that select the pods of a workload, and what it is known by.
    async fn workload(
        &self,
        kind: Kind,
        name: &str,
        cluster: &Kubernetes,
        namespace: &str,
    ) -> Result<(String, String), Fault> {
        let found: Json = cluster.read(&Ask::get(&kind.resource(), namespace, name)?).await?;
        let selector = found.pointer("/spec/selector").and_then(|selector| LabelSelector::deserialize(selector).ok());
        let labels = selector.as_ref().map(written).filter(|labels| !labels.is_empty());
        let labels =
            labels.ok_or_else(|| Fault::no_value(format!("the {} selects its pods by no labels", self.shown())))?;
        let uid = found.pointer("/metadata/uid").and_then(Json::as_str).unwrap_or_default();
        Ok((labels, uid.to_owned()))
    }
}

/// Labels alone may select the pods of another workload, too. A deployment has its pods through a replica set, which is
/// named after it and the template of the pods.
fn belongs(pod: &Pod, kind: Kind, name: &str, uid: &str) -> bool {
    let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true));
    let is = |owner: &OwnerReference| match kind {
        Kind::Deployment => {
            let set = pod.labels().get("pod-template-hash").map(|hash| format!("{name}-{hash}"));
            owner.kind == "ReplicaSet" && set.is_none_or(|set| set == owner.name)
        }
        _ => owner.kind == kind.kind() && owner.uid == uid,
    };
    owner.is_some_and(is)
}

/// `app=web,tier in (front,back),!canary`
fn written(selector: &LabelSelector) -> String {
    let labels = selector.match_labels.iter().flatten().map(|(name, value)| format!("{name}={value}"));
    let rules = selector.match_expressions.iter().flatten().map(|rule| {
        let values = rule.values.as_deref().unwrap_or_default().join(",");
        match rule.operator.as_str() {
            "In" => format!("{} in ({values})", rule.key),
            "NotIn" => format!("{} notin ({values})", rule.key),
            "DoesNotExist" => format!("!{}", rule.key),
            _ => rule.key.clone(),
        }
    });
    labels.chain(rules).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{Kind, belongs, written};

    #[test]
    fn a_selector_as_the_api_takes_it() {
        let selector = serde_json::from_value(serde_json::json!({
            "matchLabels": { "app": "web" },
            "matchExpressions": [
                { "key": "tier", "operator": "In", "values": ["front", "back"] },
                { "key": "canary", "operator": "DoesNotExist" },
                { "key": "team", "operator": "Exists" },
            ],
        }));
        assert_eq!(written(&selector.unwrap()), "app=web,tier in (front,back),!canary,team");
    }

    #[test]
    fn a_pod_belongs_to_what_made_it() {
        let pod = |kind: &str, name: &str| {
            serde_json::from_value(serde_json::json!({ "metadata": {
                "labels": { "app": "web", "pod-template-hash": "7c9" },
                "ownerReferences": [{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": true }],
            }}))
            .unwrap()
        };
        assert!(belongs(&pod("ReplicaSet", "web-7c9"), Kind::Deployment, "web", "d"));
        assert!(!belongs(&pod("ReplicaSet", "web-canary-7c9"), Kind::Deployment, "web", "d"));
        assert!(!belongs(&pod("Job", "web"), Kind::Deployment, "web", "d"));
        assert!(belongs(&pod("StatefulSet", "db"), Kind::StatefulSet, "db", "u"));
        assert!(!belongs(&pod("StatefulSet", "db"), Kind::StatefulSet, "db", "other"));
        assert!(!belongs(&serde_json::from_value(serde_json::json!({})).unwrap(), Kind::Job, "x", "u"));
    }
}
