//! `kubernetes.pod_usage`, `kubernetes.node_usage`: what metrics-server measured.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;

use super::ask::Resource;
use super::call::{CLUSTER, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::connection::Kubernetes;
use super::containers;
use super::pods::Object;
use super::quantity;
use super::request::Deadline;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Cores, Fault, Percent, Size, Type, Typed, Value, records};

records! {
    /// What a pod uses. Where a pod that runs is not measured, its fields are errors, and not left out.
    struct PodUsage "pod_usage" {
        /// The pod.
        pod: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// Processors, on average over `over`.
        cpu: Result<Cores, Fault>,
        /// Memory that cannot be taken away from it.
        memory: Result<Size, Fault>,
        /// Of what its containers ask for; missing where one of them asks for nothing.
        cpu_of_request: Result<Option<Percent>, Fault>,
        /// Of what its containers may use; missing where one of them has no limit.
        cpu_of_limit: Result<Option<Percent>, Fault>,
        /// Of what its containers ask for; missing where one of them asks for nothing.
        memory_of_request: Result<Option<Percent>, Fault>,
        /// Of what its containers may use: at 100% one is killed. Missing where one of them has no limit.
        memory_of_limit: Result<Option<Percent>, Fault>,
        /// How long was measured.
        over: Result<SignedDuration, Fault>,
    }
    /// What a node uses. Where a node is not measured, its fields are errors, and not left out.
    struct NodeUsage "node_usage" {
        /// The node.
        node: Arc<str>,
        /// Processors, on average over `over`.
        cpu: Result<Cores, Fault>,
        /// Memory that cannot be taken away.
        memory: Result<Size, Fault>,
        /// Of the processors that pods may use.
        cpu_share: Result<Percent, Fault>,
        /// Of the memory that pods may use.
        memory_share: Result<Percent, Fault>,
        /// How long was measured.
        over: Result<SignedDuration, Fault>,
    }
}

/// A pod is measured for the first time some seconds after it started: until then it is left out.
const SETTLED: SignedDuration = SignedDuration::from_mins(2);

pub(super) static PODS: Builtin = Builtin {
    name: "kubernetes.pod_usage",
    summary: "What the pods of a namespace use, as metrics-server measured it. A pod that runs for minutes and is not measured has errors in its fields; one that has just started is left out.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(PodUsage::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(pods(cx, args))),
    needs: &[Need::verbs(&["list"], "pods.metrics.k8s.io"), Need::verbs(&["list"], "pods")],
    by_hand: "kubectl {connection} top pods [-n {namespace}] [-l {selector}]",
    examples: &[
        Example::call("cluster.pod_usage() | sort(by: .cpu, descending: true) | take(10)"),
        Example::call("cluster.pod_usage() | all((.memory_of_limit ?? 0%) < 90%)"),
    ],
};

pub(super) static NODES: Builtin = Builtin {
    name: "kubernetes.node_usage",
    summary: "What the nodes use, as metrics-server measured it.",
    params: &[CLUSTER.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(NodeUsage::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(nodes(args))),
    needs: &[Need::of_cluster(&["list"], "nodes.metrics.k8s.io"), Need::of_cluster(&["list"], "nodes")],
    by_hand: "kubectl {connection} top nodes [-l {selector}]",
    examples: &[Example::call("cluster.node_usage() | all(.memory_share < 85%)")],
};

/// A measurement of a pod or a node.
#[derive(Deserialize)]
pub(super) struct Measured {
    metadata: Name,
    window: String,
    #[serde(default)]
    containers: Vec<Container>,
    #[serde(default)]
    usage: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Name {
    name: Arc<str>,
    #[serde(default)]
    namespace: Arc<str>,
}

#[derive(Deserialize)]
struct Container {
    usage: HashMap<String, String>,
}

#[derive(Deserialize)]
struct Node {
    metadata: Name,
    status: NodeStatus,
}

#[derive(Deserialize)]
struct NodeStatus {
    #[serde(default)]
    allocatable: HashMap<String, String>,
}

/// Processors and bytes.
#[derive(Clone, Copy)]
struct Used {
    cpu: Cores,
    memory: Size,
}

/// What is measured of one thing or of several together. What was not measured is not 0.
fn used<'a>(measured: impl IntoIterator<Item = &'a HashMap<String, String>>) -> Result<Used, Fault> {
    let mut sum = Used { cpu: Cores(0.0), memory: Size(0) };
    for usage in measured {
        let of = |name: &str| {
            usage.get(name).ok_or_else(|| Fault::no_value(format!("the metrics API says nothing of `{name}`")))
        };
        sum.cpu.0 += quantity::cores(of("cpu")?)?.0;
        sum.memory.0 = sum.memory.0.saturating_add(quantity::size(of("memory")?)?.0);
    }
    Ok(sum)
}

/// `10.512s`, `1m0s`: as Go writes durations.
fn window(text: &str) -> Result<SignedDuration, Fault> {
    text.parse().map_err(|error| Fault::conversion(format!("`{text}` is no duration: {error}")))
}

fn share(part: f64, whole: Option<f64>) -> Option<Percent> {
    whole.filter(|whole| *whole > 0.0).map(|whole| Percent(part / whole))
}

#[expect(clippy::cast_precision_loss, reason = "a share of memory, to the nearest double")]
const fn bytes(size: Size) -> f64 {
    size.0 as f64
}

async fn pods(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let deadline = deadline(&cluster, &args)?;
    let measured = listed(&cluster, &Resource::POD_METRICS, &args)?;
    let known = listed(&cluster, &Resource::PODS, &args)?;
    let (measured, known) = futures_util::try_join!(
        cluster.list(&measured, deadline, |object: Measured| Ok(object)),
        cluster.list_quickly(&known, deadline, |pod: Object| {
            let settled = pod.status.started().is_some_and(|start| cx.run.started_at.duration_since(start) > SETTLED);
            // What is asked for is looked up of each pod to know its shares, and that none is missing.
            let asked = containers::together(&pod.spec.lasting().collect::<Vec<_>>())?;
            let name = Name { name: pod.metadata.name.into(), namespace: pod.metadata.namespace.into() };
            Ok((name, asked, settled && pod.status.phase == "Running"))
        }),
    )?;
    let mut measured: HashMap<_, _> = measured
        .into_iter()
        .map(|object| ((object.metadata.namespace.clone(), object.metadata.name.clone()), object))
        .collect();
    let made = known.into_iter().filter_map(|(Name { name, namespace }, asked, expected)| {
        let found = measured.remove(&(namespace.clone(), name.clone()));
        if found.is_none() && !expected {
            return None;
        }
        let missing =
            || Fault::no_value(format!("the pod `{name}` runs, and the metrics API has no measurement of it"));
        let seen = found.ok_or_else(missing).and_then(|object| {
            Ok((used(object.containers.iter().map(|container| &container.usage))?, window(&object.window)?))
        });
        let of = |pick: &dyn Fn(&Used) -> f64, whole: Option<f64>| {
            seen.as_ref().map(|(used, _)| share(pick(used), whole)).map_err(Clone::clone)
        };
        let (cpu, memory) = (|used: &Used| used.cpu.0, |used: &Used| bytes(used.memory));
        Some(PodUsage {
            cpu_of_request: of(&cpu, asked.cpu_request),
            cpu_of_limit: of(&cpu, asked.cpu_limit),
            memory_of_request: of(&memory, asked.memory_request),
            memory_of_limit: of(&memory, asked.memory_limit),
            cpu: seen.as_ref().map(|(used, _)| used.cpu).map_err(Clone::clone),
            memory: seen.as_ref().map(|(used, _)| used.memory).map_err(Clone::clone),
            over: seen.map(|(_, over)| over),
            pod: name,
            namespace,
        })
    });
    Ok(made.collect::<Vec<_>>().into())
}

async fn nodes(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let deadline = deadline(&cluster, &args)?;
    let known = listed(&cluster, &Resource::NODES, &args)?;
    let (mut measured, known) = futures_util::try_join!(
        measured_nodes(&cluster, &args, deadline),
        cluster.list(&known, deadline, |node: Node| Ok((node.metadata.name, node.status.allocatable))),
    )?;
    let made = known.into_iter().map(|(name, room)| {
        let found = measured.remove(&name);
        NodeUsage::of(name, &room, found)
    });
    Ok(made.collect::<Vec<_>>().into())
}

/// What is measured of the nodes, by their names.
pub(super) async fn measured_nodes(
    cluster: &Kubernetes,
    args: &Args<'static>,
    deadline: Deadline,
) -> Result<HashMap<Arc<str>, Measured>, Fault> {
    let ask = listed(cluster, &Resource::NODE_METRICS, args)?;
    let measured = cluster.list(&ask, deadline, |object: Measured| Ok((object.metadata.name.clone(), object))).await?;
    Ok(measured.into_iter().collect())
}

impl NodeUsage {
    /// What a node with this room uses, as far as it is measured.
    pub(super) fn of(name: Arc<str>, room: &HashMap<String, String>, measured: Option<Measured>) -> Self {
        let missing = || Fault::no_value(format!("the metrics API has no measurement of the node `{name}`"));
        let seen = measured
            .ok_or_else(missing)
            .and_then(|object| Ok((used([&object.usage])?, used([room])?, window(&object.window)?)));
        let of = |pick: &dyn Fn(&Used) -> f64| {
            let (own, room, _) = seen.as_ref().map_err(Clone::clone)?;
            share(pick(own), Some(pick(room)))
                .ok_or_else(|| Fault::no_value(format!("the node `{name}` has no room at all")))
        };
        Self {
            cpu_share: of(&|used| used.cpu.0),
            memory_share: of(&|used| bytes(used.memory)),
            cpu: seen.as_ref().map(|(own, ..)| own.cpu).map_err(Clone::clone),
            memory: seen.as_ref().map(|(own, ..)| own.memory).map_err(Clone::clone),
            over: seen.map(|(.., over)| over),
            node: name,
        }
    }
}
