//! `kubernetes.roll_back`

use std::borrow::Cow;
use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::{ControllerRevision, ReplicaSet};
use kube::ResourceExt;
use serde_json::{Value as Json, json};
use tokio::time::Instant;

use super::restart::{WITHIN, can_roll};
use super::workload::{DAEMON_SET, DEPLOYMENT, Kind, STATEFUL_SET, Workload, one_is_named};
use crate::builtins::kubernetes::ask::{Ask, Resource};
use crate::builtins::kubernetes::call::{CLUSTER, OWN_NAMESPACE};
use crate::builtins::kubernetes::request::{Deadline, Sent};
use crate::builtins::settings::limit;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const REVISION: Param<Option<i64>> = Param::optional(
    "revision",
    "The revision to go back to, by its number; the one before the present where left out.",
);

records! {
    /// What rolling back a workload came to.
    struct RolledBack "rolled_back" {
        /// The workload.
        name: Arc<str>,
        /// The revision it had: what undoes the change.
        from: i64,
        /// The revision whose pods it has again.
        to: i64,
        /// How many pods it wants.
        replicas: i64,
        /// How many of them are ready.
        ready: i64,
        /// How long it took.
        took: SignedDuration,
    }
}

/// What a workload once was.
struct Revision {
    number: i64,
    /// The strategic merge patch that brings it back.
    patch: Json,
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.roll_back",
    summary: "Gives a workload the pods of an earlier revision, and waits until they are ready. Undone by rolling back to the revision it had.",
    params: &[
        CLUSTER.info(),
        DEPLOYMENT.info(),
        STATEFUL_SET.info(),
        DAEMON_SET.info(),
        REVISION.info(),
        WITHIN.info(),
        OWN_NAMESPACE.info(),
    ],
    returns: Returns::Judged {
        ty: RolledBack::ty,
        judge: |inputs| one_is_named(inputs, &[DEPLOYMENT.name(), STATEFUL_SET.name(), DAEMON_SET.name()]),
    },
    // Twice back is where it was, unless a revision is named.
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|_, args| Box::pin(roll_back(args))),
    needs: &[
        Need::verbs(&["get", "patch"], "deployments.apps").given("deployment"),
        Need::verbs(&["get", "patch"], "statefulsets.apps").given("stateful_set"),
        Need::verbs(&["get", "patch"], "daemonsets.apps").given("daemon_set"),
        Need::verbs(&["list"], "replicasets.apps").where_given("deployment"),
        Need::verbs(&["list"], "controllerrevisions.apps").where_given("stateful_set"),
        Need::verbs(&["list"], "controllerrevisions.apps").where_given("daemon_set"),
    ],
    by_hand: "kubectl {connection} rollout history [-n {namespace}] [deployment/{deployment}] [statefulset/{stateful_set}] [daemonset/{daemon_set}] && kubectl {connection} rollout undo [-n {namespace}] [--to-revision={revision}] [deployment/{deployment}] [statefulset/{stateful_set}] [daemonset/{daemon_set}] && kubectl {connection} rollout status [-n {namespace}] --timeout={within} [deployment/{deployment}] [statefulset/{stateful_set}] [daemonset/{daemon_set}]",
    examples: &[
        Example::call(r#"change cluster.roll_back(deployment: "gateway")"#),
        Example::call(r#"change cluster.roll_back(deployment: "gateway", revision: 41, within: 10m)"#),
    ],
};

async fn roll_back(args: Args<'static>) -> Result<Value, Fault> {
    let workload = Workload::of(&args)?;
    let within = limit(args.get(&WITHIN)?)?;
    let begun = Instant::now();
    let now = workload.get().await?;
    can_roll(&workload, &now)?;
    let mut revisions = revisions(&workload, &now).await?;
    revisions.sort_by_key(|revision| revision.number);
    let known: Vec<i64> = revisions.iter().map(|revision| revision.number).collect();
    let from = present(&workload, &now, &known)?;
    let wanted = args.get(&REVISION)?;
    let to = wanted.or_else(|| known.iter().rev().find(|number| **number < from).copied());
    let Some(to) = to else {
        return Err(Fault::new(
            FaultKind::NotFound,
            format!("{} has no earlier revision than {from}", workload.shown()),
        ));
    };
    if to == from {
        return Err(Fault::new(FaultKind::Setup, format!("{} is at revision {to} already", workload.shown())));
    }
    let Some(revision) = revisions.into_iter().find(|revision| revision.number == to) else {
        let known = known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Fault::new(FaultKind::NotFound, format!("{} has no revision {to}", workload.shown()))
            .help(format!("it has {known}")));
    };
    workload.patch(Sent::StrategicMergePatch, &revision.patch).await?;
    let rollout = workload.rolled_out(within.saturating_sub(begun.elapsed())).await?;
    let took = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
    let name = workload.name.as_str().into();
    Ok(RolledBack { name, from, to, replicas: rollout.wanted, ready: rollout.ready, took }.into())
}

/// The number of the revision that it has now.
fn present(workload: &Workload, object: &Json, known: &[i64]) -> Result<i64, Fault> {
    let annotated = object.pointer(ANNOTATED).and_then(Json::as_str).and_then(|number| number.parse().ok());
    // The controllers of the other kinds number them upwards, and what is rolled back to becomes the newest.
    let number = annotated.or_else(|| known.last().copied());
    number.ok_or_else(|| Fault::new(FaultKind::NotFound, format!("{} has no revisions", workload.shown())))
}

const ANNOTATION: &str = "deployment.kubernetes.io/revision";
const ANNOTATED: &str = "/metadata/annotations/deployment.kubernetes.io~1revision";

async fn revisions(workload: &Workload, object: &Json) -> Result<Vec<Revision>, Fault> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    let labels = object.pointer("/spec/selector/matchLabels").and_then(Json::as_object);
    let labels = labels.into_iter().flatten().filter_map(|(name, value)| Some(format!("{name}={}", text(value)?)));
    let labels = labels.collect::<Vec<_>>().join(",");
    let uid = object.pointer("/metadata/uid").and_then(text).unwrap_or_default();
    let cluster = &workload.cluster;
    let list =
        |resource| Ask::list(resource, &workload.namespace).map(|ask| ask.query("labelSelector", labels.as_str()));
    let deadline = Deadline::after(cluster.within);
    if workload.kind == Kind::Deployment {
        let sets: Vec<ReplicaSet> = cluster.list(&list(&Resource::REPLICA_SETS)?, deadline, Ok).await?;
        return Ok(sets.iter().filter(|set| is_of(*set, &uid)).filter_map(of_replica_set).collect());
    }
    let all: Vec<ControllerRevision> = cluster.list(&list(&CONTROLLER_REVISIONS)?, deadline, Ok).await?;
    // It is kept as the patch that brings it back.
    let revision = |own: ControllerRevision| Some(Revision { number: own.revision, patch: own.data?.0 });
    Ok(all.into_iter().filter(|own| is_of(own, &uid)).filter_map(revision).collect())
}

const CONTROLLER_REVISIONS: Resource = Resource {
    group: Cow::Borrowed("apps"),
    version: Cow::Borrowed("v1"),
    plural: Cow::Borrowed("controllerrevisions"),
    one: Cow::Borrowed("controller revision"),
    namespaced: true,
};

fn is_of<K: kube::Resource>(object: &K, uid: &str) -> bool {
    object.owner_references().iter().any(|owner| owner.controller == Some(true) && owner.uid == uid)
}

/// The template of a replica set takes the place of the deployment's, but for the label that the set has put into it.
fn of_replica_set(set: &ReplicaSet) -> Option<Revision> {
    let number = set.annotations().get(ANNOTATION)?.parse().ok()?;
    let mut template = serde_json::to_value(set.spec.as_ref()?.template.as_ref()?).ok()?;
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Json::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template.as_object_mut()?.insert("$patch".to_owned(), json!("replace"));
    Some(Revision { number, patch: json!({ "spec": { "template": template } }) })
}

#[cfg(test)]
mod tests {
    use super::of_replica_set;

    #[test]
    fn a_revision_is_the_template_without_the_label_of_its_set() {
        let set = serde_json::json!({
            "metadata": { "name": "web-1", "annotations": { "deployment.kubernetes.io/revision": "7" } },
            "spec": {
                "selector": {},
                "template": {
                    "metadata": { "labels": { "app": "web", "pod-template-hash": "1" } },
                    "spec": { "containers": [{ "name": "app", "image": "web:6" }] },
                },
            },
        });
        let revision = of_replica_set(&serde_json::from_value(set).unwrap()).unwrap();
        assert_eq!(revision.number, 7);
        let of = |path: &str| revision.patch.pointer(path).cloned();
        assert_eq!(of("/spec/template/metadata/labels"), Some(serde_json::json!({ "app": "web" })));
        assert_eq!(of("/spec/template/spec/containers/0/image"), Some(serde_json::json!("web:6")));
        assert_eq!(of("/spec/template/$patch"), Some(serde_json::json!("replace")));
    }
}
