//! `kubernetes.drain`

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::Eviction;
use kube::ResourceExt;
use kube::api::{Api, ObjectMeta, PostParams};
use kube::core::Status;
use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use super::node::{NODE, set};
use crate::builtins::kubernetes::access::Access;
use crate::builtins::kubernetes::ask::{ALL, Ask, Resource};
use crate::builtins::kubernetes::call::{CLUSTER, cluster};
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::kubernetes::faults::words;
use crate::builtins::kubernetes::request::Deadline;
use crate::builtins::settings::limit;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};
use crate::units;

const UNMANAGED: Param<bool> =
    Param::or("unmanaged", "Also pods that nothing makes again elsewhere.", || Value::Bool(false));
const EMPTY_DIRS: Param<bool> =
    Param::or("empty_dirs", "Also pods that keep data on the node itself, which is lost with them.", || {
        Value::Bool(false)
    });
const WITHIN: Param<SignedDuration> = Param::or("within", "How long it may take until all pods have left.", || {
    Value::Duration(SignedDuration::from_mins(10))
});
/// How often a pod that may not leave yet is asked again, and whether those that may are gone.
const EVERY: Duration = Duration::from_secs(2);
/// How many names a message has.
const MOST_NAMES: usize = 10;

records! {
    /// What draining a node came to.
    struct Drained "drained" {
        /// The node, which takes no new pods now.
        node: Arc<str>,
        /// The pods that have left it.
        evicted: Vec<Arc<str>>,
        /// The pods of daemon sets and of the node itself, which stay.
        stays: Vec<Arc<str>>,
        /// How long it took.
        took: SignedDuration,
    }
}

// Undone by `uncordon`: the pods that left run elsewhere and do not come back by themselves.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.drain",
    summary: "Closes a node to new pods and evicts those on it, as their disruption budgets allow. Undone by `uncordon`; the pods stay where they went.",
    params: &[CLUSTER.info(), NODE.info(), UNMANAGED.info(), EMPTY_DIRS.info(), WITHIN.info()],
    returns: Returns::Type(Drained::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(drain(args))),
    needs: &[
        Need::of_cluster(&["get", "patch"], "nodes").named("node"),
        Need::everywhere(&["get", "list"], "pods"),
        Need::everywhere(&["create"], "pods/eviction"),
    ],
    by_hand: "kubectl {connection} drain --ignore-daemonsets [unmanaged? --force] [empty_dirs? --delete-emptydir-data] --timeout={within} {node}",
    examples: &[Example::call(r#"change cluster.drain("n-4", within: 20m) undo cluster.uncordon("n-4")"#)],
};

/// A pod that has to leave.
#[derive(Clone)]
struct Leaving {
    namespace: String,
    name: String,
    uid: Option<String>,
}

/// The pods of a node, by what becomes of them.
#[derive(Default)]
struct Sorted {
    leaving: Vec<Leaving>,
    stays: Vec<String>,
    unmanaged: Vec<String>,
    empty_dirs: Vec<String>,
}

async fn drain(args: Args<'static>) -> Result<Value, Fault> {
    let (cluster, node) = (cluster(&args)?, args.get(&NODE)?);
    let within = limit(args.get(&WITHIN)?)?;
    let begun = Instant::now();
    let pods = pods_of(&cluster, &node).await?;
    let sorted = sorted(&pods);
    // Asked before anything is done: a node that is half drained is no better than one that is not.
    refuse(&node, &sorted.unmanaged, args.get(&UNMANAGED)?, "that nothing makes again", "unmanaged")?;
    refuse(&node, &sorted.empty_dirs, args.get(&EMPTY_DIRS)?, "with data on the node itself", "empty_dirs")?;
    set(&cluster, &node, true).await?;
    let (evicted, left) = evict(&cluster, &sorted.leaving, begun + within).await.map_err(Fault::sent)?;
    if !left.is_empty() {
        let by_hand = cluster.kubectl_to_change().line(&format!("uncordon {node}"));
        return Err(partly(&node, &evicted, &left, begun.elapsed(), &by_hand));
    }
    let shared = |names: Vec<String>| names.into_iter().map(Into::into).collect();
    let took = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
    Ok(Drained { node: node.into(), evicted: shared(evicted), stays: shared(sorted.stays), took }.into())
}

async fn pods_of(cluster: &Kubernetes, node: &str) -> Result<Vec<Pod>, Fault> {
    cluster.read::<Json>(&Ask::get(&Resource::NODES, "", node)?).await?;
    let ask = Ask::list(&Resource::PODS, ALL)?.query("fieldSelector", format!("spec.nodeName={node}"));
    cluster.list(&ask, Deadline::after(cluster.within), Ok).await
}

fn sorted(pods: &[Pod]) -> Sorted {
    let mut sorted = Sorted::default();
    for pod in pods {
        let name = format!("{}/{}", pod.namespace().unwrap_or_default(), pod.name_any());
        let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true));
        let mirror = pod.annotations().contains_key("kubernetes.io/config.mirror");
        if mirror || owner.is_some_and(|owner| owner.kind == "DaemonSet" || owner.kind == "Node") {
            sorted.stays.push(name);
            continue;
        }
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let finished = matches!(phase, Some("Succeeded" | "Failed"));
        let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
        if !finished && owner.is_none() {
            sorted.unmanaged.push(name.clone());
        }
        if !finished && volumes.iter().any(|volume| volume.empty_dir.is_some()) {
            sorted.empty_dirs.push(name);
        }
        sorted.leaving.push(Leaving {
            namespace: pod.namespace().unwrap_or_default(),
            name: pod.name_any(),
            uid: pod.uid(),
        });
    }
    sorted
}

fn refuse(node: &str, pods: &[String], allowed: bool, which: &str, param: &str) -> Result<(), Fault> {
    if pods.is_empty() || allowed {
        return Ok(());
    }
    let message = format!("node {node} has pods {which}: {}; nothing was done", listed(pods));
    Err(Fault::new(FaultKind::Failed, message).help(format!("write `{param}: true` where that is meant")))
}

/// Evicts pods side by side until they are gone or the time is over: those that have left, and the others with the
/// reason.
async fn evict(
    cluster: &Kubernetes,
    pods: &[Leaving],
    deadline: Instant,
) -> Result<(Vec<String>, BTreeMap<String, String>), Fault> {
    let access = cluster.changes().await?;
    let mut evicted = Vec::new();
    let mut waiting: Vec<Leaving> = pods.to_vec();
    let mut reasons = BTreeMap::new();
    loop {
        let steps = futures_util::future::join_all(waiting.iter().map(|pod| step(access, pod))).await;
        let (mut still, mut in_vain) = (Vec::new(), false);
        for (pod, step) in waiting.into_iter().zip(steps) {
            let name = format!("{}/{}", pod.namespace, pod.name);
            match step {
                Step::Gone => {
                    reasons.remove(&name);
                    evicted.push(name);
                }
                Step::Waits(why) => {
                    reasons.insert(name, why);
                    still.push(pod);
                }
                Step::Refused(why) => {
                    reasons.insert(name, why);
                    still.push(pod);
                    in_vain = true;
                }
            }
        }
        if still.is_empty() || in_vain || Instant::now() + EVERY > deadline {
            return Ok((evicted, reasons));
        }
        waiting = still;
        sleep(EVERY).await;
    }
}

enum Step {
    Gone,
    Waits(String),
    /// Asking again is in vain.
    Refused(String),
}

/// Asks a pod to leave, unless it is on its way or gone.
async fn step(access: &Access, pod: &Leaving) -> Step {
    let client = match access.client().await {
        Ok(client) => client,
        Err(fault) => return Step::Refused(fault.message.to_string()),
    };
    let api: Api<Pod> = Api::namespaced(client, &pod.namespace);
    match api.get_opt(&pod.name).await {
        Ok(None) => return Step::Gone,
        Ok(Some(now)) if now.uid() != pod.uid => return Step::Gone,
        Ok(Some(now)) if now.metadata.deletion_timestamp.is_some() => {
            return Step::Waits("it was told to end, and has not yet".to_owned());
        }
        Ok(Some(_)) => {}
        Err(error) => return Step::Waits(words(&error)),
    }
    let eviction = Eviction {
        metadata: ObjectMeta {
            name: Some(pod.name.clone()),
            namespace: Some(pod.namespace.clone()),
            ..ObjectMeta::default()
        },
        delete_options: None,
    };
    let asked: Result<Status, _> =
        api.create_subresource("eviction", &pod.name, &PostParams::default(), &eviction).await;
    match asked {
        Ok(_) => Step::Waits("it was told to end, and has not yet".to_owned()),
        Err(kube::Error::Api(status)) if status.code == 404 => Step::Gone,
        Err(kube::Error::Api(status)) if status.code == 429 => Step::Waits(blocked_by(&status)),
        Err(error) => {
            let refused = matches!(&error, kube::Error::Api(status) if matches!(status.code, 401 | 403));
            let why = words(&error);
            if refused { Step::Refused(why) } else { Step::Waits(why) }
        }
    }
}

/// The disruption budget that does not let a pod go.
fn blocked_by(status: &Status) -> String {
    let causes = status.details.iter().flat_map(|details| &details.causes);
    let told: Vec<&str> = causes.map(|cause| cause.message.as_str()).filter(|message| !message.is_empty()).collect();
    if told.is_empty() { status.message.clone() } else { told.join("; ") }
}

fn partly(node: &str, evicted: &[String], left: &BTreeMap<String, String>, took: Duration, by_hand: &str) -> Fault {
    let took = units::duration(i64::try_from(took.as_secs()).unwrap_or(i64::MAX).saturating_mul(1_000_000_000));
    let left: Vec<String> = left.iter().map(|(name, why)| format!("{name} ({why})")).collect();
    let message = format!(
        "node {node} takes no new pods, {} of {} pods have left it in {took}, and these have not: {}",
        evicted.len(),
        evicted.len() + left.len(),
        listed(&left),
    );
    Fault::new(FaultKind::Failed, message)
        .partly()
        .help(format!("see to what holds them and drain it again, or open it: `{by_hand}`"))
}

fn listed(names: &[String]) -> String {
    let some = names.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(MOST_NAMES);
    if more == 0 { some } else { format!("{some} and {more} more") }
}

#[cfg(test)]
mod tests {
    use super::{blocked_by, sorted};

    #[test]
    fn pods_by_what_becomes_of_them() {
        let pod = |name: &str, owner: Option<&str>, volumes: serde_json::Value, phase: &str| {
            let owners: Vec<_> = owner
                .into_iter()
                .map(|kind| serde_json::json!({ "apiVersion": "apps/v1", "kind": kind, "name": "x", "uid": "u", "controller": true }))
                .collect();
            serde_json::from_value(serde_json::json!({
                "metadata": { "name": name, "namespace": "shop", "ownerReferences": owners },
                "spec": { "containers": [], "volumes": volumes }, "status": { "phase": phase },
            }))
            .unwrap()
        };
        let none = serde_json::json!([]);
        let pods = [
            pod("web", Some("ReplicaSet"), none.clone(), "Running"),
            pod("agent", Some("DaemonSet"), none.clone(), "Running"),
            pod("alone", None, none.clone(), "Running"),
            pod("done", None, none, "Succeeded"),
            pod("cache", Some("ReplicaSet"), serde_json::json!([{ "name": "c", "emptyDir": {} }]), "Running"),
        ];
        let sorted = sorted(&pods);
        assert_eq!(sorted.stays, ["shop/agent"]);
        assert_eq!(sorted.unmanaged, ["shop/alone"]);
        assert_eq!(sorted.empty_dirs, ["shop/cache"]);
        assert_eq!(sorted.leaving.len(), 4);
    }

    #[test]
    fn a_budget_that_holds_a_pod_is_named() {
        let status = serde_json::json!({
            "status": "Failure", "code": 429, "message": "Cannot evict pod as it would violate the pod's disruption budget.",
            "details": { "causes": [{ "reason": "DisruptionBudget", "message": "The disruption budget web needs 2 healthy pods and has 2 currently" }] },
        });
        let said = blocked_by(&serde_json::from_value(status).unwrap());
        assert_eq!(said, "The disruption budget web needs 2 healthy pods and has 2 currently");
    }
}
