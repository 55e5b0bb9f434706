//! `kubernetes.pods`

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use prost::Message;
use serde::Deserialize;

use super::alike::Alike;
use super::ask::Resource;
use super::call::{CLUSTER, FIELDS, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::connection::Kubernetes;
use super::containers::{self, Container, Exit, Shown};
use super::meta::Meta;
use super::place::{PodPlace, via};
use super::status::{Columns, Seen, columns};
use super::wire::{Shape, Time, said};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Connection, EnumType, Fault, Type, Typed, Value, Way, Word, Words, records};

/// The status of a pod, as kubectl's column shows it.
#[derive(Clone, Debug)]
pub struct PodStatus;

impl Words for PodStatus {
    const ENUM: &'static EnumType = &EnumType {
        name: "pod_status",
        values: &[
            "Running",
            "Pending",
            "Completed",
            "Succeeded",
            "Failed",
            "Unknown",
            "NotReady",
            "Terminating",
            "ContainerCreating",
            "PodInitializing",
            "SchedulingGated",
            "CrashLoopBackOff",
            "ImagePullBackOff",
            "ErrImagePull",
            "CreateContainerConfigError",
            "CreateContainerError",
            "RunContainerError",
            "InvalidImageName",
            "Error",
            "OOMKilled",
            "ContainerCannotRun",
            "DeadlineExceeded",
            "Evicted",
            "NodeLost",
            "NodeAffinity",
            "Shutdown",
            "UnexpectedAdmissionError",
        ],
        // `Init:0/2`, `ExitCode:3` and what a node makes up.
        open: true,
    };
}

records! {
    /// A pod.
    struct Pod "pod" {
        /// Its name.
        name: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// How it is, as kubectl's column shows it.
        status: Word<PodStatus>,
        /// Whether all its containers take work.
        ready: bool,
        /// How many of its containers do.
        ready_count: i64,
        /// How many containers it has, with those that run beside them as long as it does.
        container_count: i64,
        /// How often its containers were started again; while it is being prepared, how often those that prepare it were.
        restarts: i64,
        /// How a container of it ended last; missing where none ever did.
        last_exit: Option<Exit>,
        /// How old it was when the run began.
        age: SignedDuration,
        /// When it was started by its node; missing before that.
        started: Option<Timestamp>,
        /// The node it is on; missing where it is on none yet.
        node: Option<Arc<str>>,
        /// What made it and looks after it: `ReplicaSet/web-5d4f`.
        owner: Option<Arc<str>>,
        /// Its address in the cluster.
        ip: Option<Arc<str>>,
        /// Its labels: `.labels.app`.
        labels: Arc<serde_json::Value>,
        /// Its containers, and then those that run beside them as long as it does.
        containers: Vec<Shown>,
        /// The way to it.
        via: Way,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.pods",
    summary: "The pods of a namespace, each with its status as kubectl shows it. A namespace that is not there is an error.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), FIELDS.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Pod::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(pods(cx, args))),
    needs: &[Need::verbs(&["list"], "pods")],
    by_hand: "kubectl {connection} get pods [-n {namespace}] [-l {selector}] [--field-selector {fields}] -o wide",
    examples: &[
        Example::call(r#"cluster.pods() | all(.status in ["Running", "Completed"])"#),
        Example::call(r#"cluster.pods(namespace: "*", selector: "app=web") | where(.restarts > 5)"#),
    ],
};

impl Pod {
    /// The same, with what other pods of a list say as well kept once.
    fn sharing(mut self, alike: &mut Alike) -> Self {
        alike.word(&mut self.status);
        alike.text(&mut self.namespace);
        alike.texts(self.node.iter_mut().chain(&mut self.owner));
        alike.data(&mut self.labels);
        for container in &mut self.containers {
            alike.word(&mut container.state);
            alike.texts([&mut container.name, &mut container.image]);
            container.reason.iter_mut().for_each(|reason| alike.word(reason));
        }
        self
    }
}

/// What is kept of a pod as the API says it.
#[derive(Deserialize, Message)]
pub(super) struct Object {
    #[prost(message, required, tag = "1")]
    pub(super) metadata: Meta,
    #[serde(default)]
    #[prost(message, required, tag = "2")]
    pub(super) spec: Spec,
    #[serde(default)]
    #[prost(message, required, tag = "3")]
    pub(super) status: Status,
}

impl Shape for Object {
    const LIST: &'static str = "PodList";
}

#[derive(Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    #[prost(message, repeated, tag = "2")]
    pub(super) containers: Vec<containers::Spec>,
    #[prost(string, tag = "10")]
    node_name: String,
    #[prost(message, repeated, tag = "20")]
    init_containers: Vec<containers::Spec>,
}

#[derive(Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    #[prost(string, tag = "1")]
    pub(super) phase: String,
    #[prost(message, repeated, tag = "2")]
    conditions: Vec<Condition>,
    #[prost(string, tag = "4")]
    reason: String,
    #[serde(rename = "podIP")]
    #[prost(string, tag = "6")]
    pod_ip: String,
    #[prost(message, optional, tag = "7")]
    start_time: Option<Time>,
    #[prost(message, repeated, tag = "8")]
    container_statuses: Vec<containers::Status>,
    #[prost(message, repeated, tag = "10")]
    init_container_statuses: Vec<containers::Status>,
}

impl Spec {
    /// The containers that are to run as long as the pod does.
    pub(super) fn lasting(&self) -> impl Iterator<Item = &containers::Spec> {
        self.containers.iter().chain(self.init_containers.iter().filter(|one| one.restarts_always()))
    }
}

impl Status {
    /// When it was started by its node.
    pub(super) fn started(&self) -> Option<Timestamp> {
        self.start_time.and_then(Time::timestamp)
    }
}

#[derive(Deserialize, Message)]
#[serde(default)]
struct Condition {
    #[prost(string, tag = "1")]
    r#type: String,
    #[prost(string, tag = "2")]
    status: String,
    #[prost(string, tag = "5")]
    reason: String,
}

impl Object {
    /// The pod as a runbook sees it.
    ///
    /// # Errors
    /// Where the API does not say what it always says.
    pub(super) fn shown(mut self, cx: &Cx, cluster: &Arc<Kubernetes>, connection: &Connection) -> Result<Pod, Fault> {
        let (init, own) = self.containers();
        let Columns { status, ready, restarts, last_exit } = self.columns(&init, &own);
        let total = self.spec.lasting().count();
        let labels = self.metadata.labels();
        let beside = init.iter().filter(|one| one.restarts_always);
        let containers = own
            .iter()
            .map(|one| one.shown(&self.spec.containers))
            .chain(beside.map(|one| one.shown(&self.spec.init_containers)))
            .collect::<Result<_, _>>()?;
        let (name, namespace) = self.metadata.place();
        let place =
            PodPlace { cluster: Arc::clone(cluster), namespace: Arc::clone(&namespace), name: Arc::clone(&name) };
        Ok(Pod {
            status: Word::new(status),
            ready: total > 0 && ready == total,
            ready_count: i64::try_from(ready).unwrap_or(i64::MAX),
            container_count: i64::try_from(total).unwrap_or(i64::MAX),
            restarts,
            last_exit,
            age: self.metadata.age(cx)?,
            started: self.status.started(),
            node: said(self.spec.node_name),
            owner: self.metadata.owner(),
            ip: said(self.status.pod_ip),
            labels,
            containers,
            name,
            namespace,
            via: via(connection, Arc::new(place)),
        })
    }

    fn containers(&mut self) -> (Vec<Container>, Vec<Container>) {
        let init = std::mem::take(&mut self.status.init_container_statuses);
        let own = std::mem::take(&mut self.status.container_statuses);
        (containers::containers(init, &self.spec.init_containers), containers::containers(own, &self.spec.containers))
    }

    fn columns(&self, init: &[Container], own: &[Container]) -> Columns {
        let is = |kind: &str| {
            self.status.conditions.iter().any(|condition| condition.r#type == kind && condition.status == "True")
        };
        let gate = |condition: &&Condition| condition.r#type == "PodScheduled" && condition.reason == "SchedulingGated";
        columns(&Seen {
            phase: &self.status.phase,
            reason: Some(self.status.reason.as_str()).filter(|reason| !reason.is_empty()),
            gate: self.status.conditions.iter().find(gate).map(|condition| condition.reason.as_str()),
            deleted: self.metadata.deletion_timestamp.is_some(),
            ready: is("Ready"),
            initialized: is("Initialized"),
            init,
            containers: own,
        })
    }
}

async fn pods(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CLUSTER)?;
    let cluster = cluster(&args)?;
    let ask = listed(&cluster, &Resource::PODS, &args)?;
    let mut alike = Alike::default();
    let keep =
        |object: Object| object.shown(&cx, &cluster, &connection).map(|pod| Value::from(pod.sharing(&mut alike)));
    Ok(cluster.list_quickly(&ask, deadline(&cluster, &args)?, keep).await?.into())
}

/// What the columns say of a pod in JSON.
#[cfg(test)]
pub(super) fn columns_of(json: &str) -> Result<Columns, serde_json::Error> {
    let mut object: Object = serde_json::from_str(json)?;
    let (init, own) = object.containers();
    Ok(object.columns(&init, &own))
}
