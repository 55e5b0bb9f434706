//! `kubernetes.nodes`

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::Deserialize;

use super::ask::Resource;
use super::call::{CLUSTER, SELECTOR, WITHIN, cluster, deadline, listed};
use super::meta;
use super::quantity;
use super::usage::{self, NodeUsage};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Cores, Fault, Percent, Size, Type, Typed, Value, records};

records! {
    /// A node of a cluster.
    struct Node "node" {
        /// Its name.
        name: Arc<str>,
        /// Whether it runs pods.
        ready: bool,
        /// Whether new pods are put on it: not while it is cordoned.
        schedulable: bool,
        /// What it is short of, and what else is wrong: `MemoryPressure`, `DiskPressure`, `PIDPressure`, `NetworkUnavailable`.
        problems: Vec<Arc<str>>,
        /// What it is for: `control-plane`, `worker`.
        roles: Vec<Arc<str>>,
        /// Processors that pods may use.
        cpu: Cores,
        /// Memory that pods may use.
        memory: Size,
        /// How many pods it may have.
        pods: i64,
        /// The share of its processors that is in use; an error where nothing measures it.
        cpu_share: Result<Percent, Fault>,
        /// The share of its memory that is in use; an error where nothing measures it.
        memory_share: Result<Percent, Fault>,
        /// The version of its kubelet.
        version: Arc<str>,
        /// Its address in the network.
        address: Option<Arc<str>>,
        /// Its labels.
        labels: Arc<serde_json::Value>,
        /// How old it was when the run began.
        age: SignedDuration,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.nodes",
    summary: "The nodes of a cluster, with what they are short of and what is in use.",
    params: &[CLUSTER.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Node::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(nodes(cx, args))),
    needs: &[Need::of_cluster(&["list"], "nodes"), Need::of_cluster(&["list"], "nodes.metrics.k8s.io")],
    by_hand: "kubectl {connection} get nodes [-l {selector}] -o wide",
    examples: &[
        Example::call("cluster.nodes() | all(.ready and (.problems | is_empty))"),
        Example::call("cluster.nodes() | all(.memory_share < 85%)"),
    ],
};

type Object = meta::Object<Spec, Status>;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    allocatable: HashMap<String, String>,
    conditions: Vec<Condition>,
    addresses: Vec<Address>,
    node_info: Info,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: Arc<str>,
    status: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    r#type: String,
    address: Arc<str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Info {
    kubelet_version: Arc<str>,
}

async fn nodes(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let deadline = deadline(&cluster, &args)?;
    let ask = listed(&cluster, &Resource::NODES, &args)?;
    let (found, mut measured) = futures_util::join!(
        cluster.list(&ask, deadline, |object: Object| Ok(object)),
        usage::measured_nodes(&cluster, &args, deadline),
    );
    let made = found?.into_iter().map(|object| {
        let name: Arc<str> = object.metadata.name.as_str().into();
        let usage = measured.as_mut().map_err(|fault| fault.clone());
        let usage =
            usage.map(|measured| NodeUsage::of(name.clone(), &object.status.allocatable, measured.remove(&name)));
        shown(&cx, object, &usage)
    });
    Ok(made.collect::<Result<Vec<_>, Fault>>()?.into())
}

fn shown(cx: &Cx, mut object: Object, usage: &Result<NodeUsage, Fault>) -> Result<Node, Fault> {
    let labels = object.metadata.labels();
    let role = |label: &String| label.strip_prefix("node-role.kubernetes.io/").map(Arc::from);
    let roles = labels.as_object().into_iter().flat_map(|labels| labels.keys().filter_map(role)).collect();
    let age = object.metadata.age(cx)?;
    let Status { allocatable, conditions, addresses, node_info } = object.status;
    let is_ready = |condition: &Condition| &*condition.r#type == "Ready";
    let room = |name: &str| {
        allocatable.get(name).ok_or_else(|| Fault::no_value(format!("a node does not say its room for `{name}`")))
    };
    let used = |pick: fn(&NodeUsage) -> &Result<Percent, Fault>| {
        usage.as_ref().map_err(Clone::clone).and_then(|usage| pick(usage).clone())
    };
    Ok(Node {
        ready: conditions.iter().any(|condition| is_ready(condition) && condition.status == "True"),
        schedulable: !object.spec.unschedulable,
        // Every other condition is of something that is wrong; what is unknown is not well either.
        problems: conditions
            .iter()
            .filter(|condition| !is_ready(condition) && condition.status != "False")
            .map(|condition| condition.r#type.clone())
            .collect(),
        roles,
        cpu: quantity::cores(room("cpu")?)?,
        memory: quantity::size(room("memory")?)?,
        pods: quantity::size(room("pods")?)?.0,
        cpu_share: used(|usage| &usage.cpu_share),
        memory_share: used(|usage| &usage.memory_share),
        version: node_info.kubelet_version,
        address: addresses.into_iter().find(|address| address.r#type == "InternalIP").map(|address| address.address),
        name: object.metadata.name.into(),
        labels,
        age,
    })
}
