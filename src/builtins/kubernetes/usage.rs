//! `kubernetes.pod_usage`, `kubernetes.node_usage`: what metrics-server measured.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;

use super::ask::Resource;
use super::call::{CLUSTER, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::connection::Kubernetes;
use super::containers;
use super::pods::Spec;
use super::quantity;
use super::request::Deadline;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Cores, Fault, Percent, Size, Type, Typed, Value, records};

records! {
    /// What a pod uses.
    struct PodUsage "pod_usage" {
        /// The pod.
        pod: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// Processors, on average over `over`.
        cpu: Cores,
        /// Memory that cannot be taken away from it.
        memory: Size,
        /// Of what its containers ask for; missing where one of them asks for nothing.
        cpu_of_request: Option<Percent>,
        /// Of what its containers may use; missing where one of them has no limit.
        cpu_of_limit: Option<Percent>,
        /// Of what its containers ask for; missing where one of them asks for nothing.
        memory_of_request: Option<Percent>,
        /// Of what its containers may use: at 100% one is killed. Missing where one of them has no limit.
        memory_of_limit: Option<Percent>,
        /// How long was measured.
        over: SignedDuration,
    }
    /// What a node uses.
    struct NodeUsage "node_usage" {
        /// The node.
        node: Arc<str>,
        /// Processors, on average over `over`.
        cpu: Cores,
        /// Memory that cannot be taken away.
        memory: Size,
        /// Of the processors that pods may use.
        cpu_share: Percent,
        /// Of the memory that pods may use.
        memory_share: Percent,
        /// How long was measured.
        over: SignedDuration,
    }
}

pub(super) static PODS: Builtin = Builtin {
    name: "kubernetes.pod_usage",
    summary: "What the pods of a namespace use, as metrics-server measured it. A pod that is not measured yet is not in it.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(PodUsage::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(pods(args))),
    needs: &["list pods.metrics.k8s.io", "list pods"],
    by_hand: "kubectl top pods -n {namespace}",
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
    needs: &["list nodes.metrics.k8s.io", "list nodes"],
    by_hand: "kubectl top nodes",
    examples: &[Example::call("cluster.node_usage() | all(.memory_share < 85%)")],
};

#[derive(Deserialize)]
struct Measured {
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

/// What is looked up of a pod to know its shares.
#[derive(Deserialize)]
struct Pod {
    metadata: Name,
    spec: Spec,
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

async fn pods(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let deadline = deadline(&cluster, &args)?;
    let measured = listed(&cluster, &Resource::POD_METRICS, &args)?;
    let known = listed(&cluster, &Resource::PODS, &args)?;
    let (measured, known) = futures_util::try_join!(
        cluster.list(&measured, deadline, |object: Measured| Ok(object)),
        cluster.list(&known, deadline, |pod: Pod| {
            let Name { name, namespace } = pod.metadata;
            Ok(((namespace, name), containers::together(&pod.spec.containers)?))
        }),
    )?;
    let known: HashMap<_, _> = known.into_iter().collect();
    let made = measured.into_iter().map(|object| {
        let Used { cpu, memory } = used(object.containers.iter().map(|container| &container.usage))?;
        let Name { name, namespace } = object.metadata;
        let asked = known.get(&(namespace.clone(), name.clone()));
        Ok(PodUsage {
            cpu,
            memory,
            cpu_of_request: share(cpu.0, asked.and_then(|asked| asked.cpu_request)),
            cpu_of_limit: share(cpu.0, asked.and_then(|asked| asked.cpu_limit)),
            memory_of_request: share(bytes(memory), asked.and_then(|asked| asked.memory_request)),
            memory_of_limit: share(bytes(memory), asked.and_then(|asked| asked.memory_limit)),
            over: window(&object.window)?,
            pod: name,
            namespace,
        })
    });
    Ok(made.collect::<Result<Vec<_>, Fault>>()?.into())
}

async fn nodes(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let found = of_nodes(&cluster, &args, deadline(&cluster, &args)?).await?;
    Ok(found.into())
}

/// What the nodes use.
pub(super) async fn of_nodes(
    cluster: &Kubernetes,
    args: &Args<'static>,
    deadline: Deadline,
) -> Result<Vec<NodeUsage>, Fault> {
    let measured = listed_nodes(&Resource::NODE_METRICS, args)?;
    let known = listed_nodes(&Resource::NODES, args)?;
    let (measured, known) = futures_util::try_join!(
        cluster.list(&measured, deadline, |object: Measured| Ok(object)),
        cluster.list(&known, deadline, |node: Node| Ok((node.metadata.name, node.status.allocatable))),
    )?;
    let known: HashMap<_, _> = known.into_iter().collect();
    let made = measured.into_iter().map(|object| {
        let Used { cpu, memory } = used([&object.usage])?;
        let name = object.metadata.name;
        let room = known.get(&name).ok_or_else(|| Fault::no_value(format!("there is no node `{name}` any more")))?;
        let room = used([room])?;
        let of = |part: f64, whole: f64| {
            share(part, Some(whole)).ok_or_else(|| Fault::no_value(format!("the node `{name}` has no room at all")))
        };
        Ok(NodeUsage {
            cpu,
            memory,
            cpu_share: of(cpu.0, room.cpu.0)?,
            memory_share: of(bytes(memory), bytes(room.memory))?,
            over: window(&object.window)?,
            node: name,
        })
    });
    made.collect()
}

fn listed_nodes(resource: &Resource, args: &Args<'static>) -> Result<super::ask::Ask, Fault> {
    let ask = super::ask::Ask::list(resource, super::ask::ALL)?;
    Ok(match args.get(&SELECTOR)? {
        Some(labels) => ask.query("labelSelector", labels),
        None => ask,
    })
}
