//! Whose logs: one pod, every pod of a workload, or every pod that labels select.

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, OwnerReference};
use kube::api::{Api, ListParams};
use kube::{Client, ResourceExt};

use crate::builtins::kubernetes::faults;
use crate::types::Fault;

/// How many pods are listed at once.
const PAGE: u32 = 500;

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
    pub(super) async fn pods(&self, client: &Client, namespace: &str) -> Result<Vec<Pod>, Fault> {
        let api: Api<Pod> = Api::namespaced(client.clone(), namespace);
        let (labels, owner) = match self {
            Self::Pod(name) => {
                let pod = api.get(name).await.map_err(|error| faults::fault(&error, &self.shown()))?;
                return Ok(vec![pod]);
            }
            Self::Selector(labels) => (labels.clone(), None),
            Self::Workload(kind, name) => {
                let (labels, uid) = self.workload(*kind, name, client, namespace).await?;
                (labels, Some((*kind, name.as_str(), uid)))
            }
        };
        let mut params = ListParams::default().labels(&labels).limit(PAGE);
        let mut pods = Vec::new();
        loop {
            let page = api.list(&params).await;
            let page = page.map_err(|error| faults::fault(&error, &format!("the {}", self.shown())))?;
            let owned = |pod: &Pod| owner.as_ref().is_none_or(|(kind, name, uid)| belongs(pod, *kind, name, uid));
            let next = page.metadata.continue_.filter(|next| !next.is_empty());
            pods.extend(page.items.into_iter().filter(owned));
            match next {
                Some(next) => params = params.continue_token(&next),
                None => break,
            }
        }
        if pods.is_empty() {
            return Err(match self {
                Self::Selector(labels) => Fault::no_value(format!("`{namespace}` has no pod with {labels}"))
                    .help("an empty list is no healthy one: see which labels the pods have"),
                _ => Fault::no_value(format!("the {} of `{namespace}` has no pod", self.shown()))
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
        client: &Client,
        namespace: &str,
    ) -> Result<(String, String), Fault> {
        let client = client.clone();
        let found = match kind {
            Kind::Deployment => Api::<Deployment>::namespaced(client, namespace)
                .get(name)
                .await
                .map(|found| (found.metadata.uid, found.spec.map(|spec| spec.selector))),
            Kind::StatefulSet => Api::<StatefulSet>::namespaced(client, namespace)
                .get(name)
                .await
                .map(|found| (found.metadata.uid, found.spec.map(|spec| spec.selector))),
            Kind::DaemonSet => Api::<DaemonSet>::namespaced(client, namespace)
                .get(name)
                .await
                .map(|found| (found.metadata.uid, found.spec.map(|spec| spec.selector))),
            Kind::Job => Api::<Job>::namespaced(client, namespace)
                .get(name)
                .await
                .map(|found| (found.metadata.uid, found.spec.and_then(|spec| spec.selector))),
        };
        let (uid, selector) = found.map_err(|error| faults::fault(&error, &self.shown()))?;
        let labels = selector.as_ref().map(written).filter(|labels| !labels.is_empty());
        let labels =
            labels.ok_or_else(|| Fault::no_value(format!("the {} selects its pods by no labels", self.shown())))?;
        Ok((labels, uid.unwrap_or_default()))
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
