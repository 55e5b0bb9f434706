//! `kubernetes.pods`

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::ask::Resource;
use super::call::{CLUSTER, FIELDS, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::connection::Kubernetes;
use super::containers::{self, Container, Exit, Shown};
use super::meta;
use super::place::{PodPlace, via};
use super::status::{Seen, status};
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
        /// How many containers it has.
        container_count: i64,
        /// How often its containers were started again.
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
        /// Its containers.
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
    needs: &["list pods"],
    by_hand: "kubectl get pods -n {namespace} -l {selector}",
    examples: &[
        Example::call(r#"cluster.pods() | all(.status in ["Running", "Completed"])"#),
        Example::call(r#"cluster.pods(namespace: "*", selector: "app=web") | where(.restarts > 5)"#),
    ],
};

/// What is kept of a pod as the API says it.
pub(super) type Object = meta::Object<Spec, Status>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) containers: Vec<containers::Spec>,
    init_containers: Vec<containers::Spec>,
    node_name: Option<Arc<str>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    phase: String,
    reason: Option<String>,
    start_time: Option<Timestamp>,
    #[serde(rename = "podIP")]
    pod_ip: Option<Arc<str>>,
    conditions: Vec<Condition>,
    container_statuses: Vec<containers::Status>,
    init_container_statuses: Vec<containers::Status>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
}

impl Object {
    /// The pod as a runbook sees it.
    ///
    /// # Errors
    /// Where the API does not say what it always says.
    pub(super) fn shown(mut self, cx: &Cx, cluster: &Arc<Kubernetes>, connection: &Connection) -> Result<Pod, Fault> {
        let (init, own) = self.containers();
        let status = Word::new(self.status(&init, &own));
        let ready = own.iter().filter(|container| container.ready).count();
        let total = self.spec.containers.len();
        let labels = self.metadata.labels();
        let ends = own.iter().filter_map(|container| container.last_exit.clone());
        let place = PodPlace {
            cluster: Arc::clone(cluster),
            namespace: self.metadata.namespace.clone(),
            name: self.metadata.name.clone(),
        };
        Ok(Pod {
            status,
            ready: total > 0 && ready == total,
            ready_count: i64::try_from(ready).unwrap_or(i64::MAX),
            container_count: i64::try_from(total).unwrap_or(i64::MAX),
            // Init containers count as kubectl counts them: those that run as long as the pod.
            restarts: init.iter().filter(|one| one.restarts_always).chain(&own).map(|one| one.restarts).sum(),
            last_exit: ends.max_by_key(|end| end.finished),
            age: self.metadata.age(cx)?,
            started: self.status.start_time,
            node: self.spec.node_name,
            owner: self.metadata.owner(),
            ip: self.status.pod_ip,
            labels,
            containers: own.iter().map(|one| one.shown(&self.spec.containers)).collect::<Result<_, _>>()?,
            name: self.metadata.name,
            namespace: self.metadata.namespace,
            via: via(connection, Arc::new(place)),
        })
    }

    fn containers(&mut self) -> (Vec<Container>, Vec<Container>) {
        let init = std::mem::take(&mut self.status.init_container_statuses);
        let own = std::mem::take(&mut self.status.container_statuses);
        (containers::containers(init, &self.spec.init_containers), containers::containers(own, &self.spec.containers))
    }

    fn status(&self, init: &[Container], own: &[Container]) -> Arc<str> {
        let is = |kind: &str, said: &str| {
            self.status.conditions.iter().any(|condition| condition.r#type == kind && condition.status == said)
        };
        let gated = self
            .status
            .conditions
            .iter()
            .any(|condition| condition.r#type == "PodScheduled" && condition.reason == "SchedulingGated");
        status(&Seen {
            phase: &self.status.phase,
            reason: self.status.reason.as_deref().filter(|reason| !reason.is_empty()),
            deleted: self.metadata.deletion_timestamp.is_some(),
            ready: is("Ready", "True"),
            scheduling_gated: gated,
            init,
            containers: own,
        })
    }
}

async fn pods(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CLUSTER)?;
    let cluster = cluster(&args)?;
    let ask = listed(&cluster, &Resource::PODS, &args)?;
    let keep = |object: Object| object.shown(&cx, &cluster, &connection);
    Ok(cluster.list(&ask, deadline(&cluster, &args)?, keep).await?.into())
}

/// The status of a pod in JSON.
#[cfg(test)]
pub(super) fn status_of(json: &str) -> Result<String, serde_json::Error> {
    let mut object: Object = serde_json::from_str(json)?;
    let (init, own) = object.containers();
    Ok(object.status(&init, &own).to_string())
}
