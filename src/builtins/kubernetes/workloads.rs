//! `kubernetes.workloads`

use std::sync::Arc;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::ask::Resource;
use super::call::{CLUSTER, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::meta;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, Type, Typed, Value, Word, Words, records};

/// What makes pods.
#[derive(Clone, Debug)]
pub struct WorkloadKind;

impl Words for WorkloadKind {
    const ENUM: &'static EnumType = &EnumType {
        name: "workload_kind",
        values: &["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"],
        open: false,
    };
}

records! {
    /// What makes pods and looks after them.
    struct Workload "workload" {
        /// What it is.
        kind: Word<WorkloadKind>,
        /// Its name.
        name: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// How many pods it is to have; of a job how many are to succeed, of a cron job 0.
        desired: i64,
        /// How many of them take work; of a job how many have succeeded, of a cron job how many run.
        ready: i64,
        /// How many are of its newest form.
        updated: i64,
        /// Whether all is as it is to be: the pods that are wanted are ready and of the newest form, no job has failed.
        healthy: bool,
        /// What is not as it is to be.
        problem: Option<Arc<str>>,
        /// When a cron job was last started.
        last_run: Option<Timestamp>,
        /// The images that it runs.
        images: Vec<Arc<str>>,
        /// How old it was when the run began.
        age: SignedDuration,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.workloads",
    summary: "Everything in a namespace that makes pods, and whether each is as it is to be.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Workload::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(all(cx, args, KINDS))),
    needs: &[
        "list deployments.apps",
        "list statefulsets.apps",
        "list daemonsets.apps",
        "list jobs.batch",
        "list cronjobs.batch",
    ],
    by_hand: "kubectl get deployments,statefulsets,daemonsets,jobs,cronjobs -n {namespace}",
    examples: &[Example::call("cluster.workloads() | all(.healthy)")],
};

/// `kubernetes.deployments`: the same of one kind.
pub(super) static DEPLOYMENTS: Builtin = Builtin {
    name: "kubernetes.deployments",
    summary: "The deployments of a namespace, and whether each is as it is to be.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Workload::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(all(cx, args, &[Kind::Deployment]))),
    needs: &["list deployments.apps"],
    by_hand: "kubectl get deployments -n {namespace}",
    examples: &[Example::call("cluster.deployments() | all(.ready == .desired)")],
};

#[derive(Clone, Copy)]
enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
}

const KINDS: &[Kind] = &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob];

impl Kind {
    const fn resource(self) -> Resource {
        match self {
            Self::Deployment => Resource::DEPLOYMENTS,
            Self::StatefulSet => Resource::STATEFUL_SETS,
            Self::DaemonSet => Resource::DAEMON_SETS,
            Self::Job => Resource::JOBS,
            Self::CronJob => Resource::CRON_JOBS,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }
}

type Object = meta::Object<Spec, Status>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Spec {
    replicas: Option<i64>,
    completions: Option<i64>,
    suspend: bool,
    paused: bool,
    template: Template,
    job_template: JobTemplate,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct JobTemplate {
    spec: TemplateOf,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct TemplateOf {
    template: Template,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Template {
    spec: PodSpec,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    containers: Vec<Image>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Image {
    image: Arc<str>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Status {
    observed_generation: i64,
    ready_replicas: i64,
    updated_replicas: i64,
    desired_number_scheduled: i64,
    number_ready: i64,
    updated_number_scheduled: i64,
    succeeded: i64,
    failed: i64,
    active: serde_json::Value,
    last_schedule_time: Option<Timestamp>,
    conditions: Vec<Condition>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Condition {
    r#type: String,
    status: String,
    reason: String,
    message: String,
}

async fn all(cx: Cx, args: Args<'static>, kinds: &'static [Kind]) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let deadline = deadline(&cluster, &args)?;
    let lists = kinds.iter().map(|kind| {
        let (cluster, args, cx) = (&cluster, &args, &cx);
        async move {
            let ask = listed(cluster, &kind.resource(), args)?;
            cluster.list(&ask, deadline, |object: Object| shown(cx, *kind, object)).await
        }
    });
    let found: Vec<Workload> = try_join_all(lists).await?.into_iter().flatten().collect();
    Ok(found.into())
}

fn shown(cx: &Cx, kind: Kind, object: Object) -> Result<Workload, Fault> {
    let age = object.metadata.age(cx)?;
    let (spec, status) = (object.spec, object.status);
    let (desired, ready, updated) = match kind {
        Kind::Deployment | Kind::StatefulSet => {
            (spec.replicas.unwrap_or(1), status.ready_replicas, status.updated_replicas)
        }
        Kind::DaemonSet => (status.desired_number_scheduled, status.number_ready, status.updated_number_scheduled),
        Kind::Job => (spec.completions.unwrap_or(1), status.succeeded, status.succeeded),
        Kind::CronJob => {
            let running = status.active.as_array().map_or(0, Vec::len);
            (0, i64::try_from(running).unwrap_or(i64::MAX), 0)
        }
    };
    let failed = |condition: &&Condition| {
        condition.status == "True" && matches!(condition.r#type.as_str(), "Failed" | "ReplicaFailure")
            || condition.r#type == "Progressing" && condition.status == "False"
    };
    let said = status.conditions.iter().find(failed);
    let said = said.map(|condition| format!("{}: {}", condition.reason, condition.message));
    let problem = said.or_else(|| match kind {
        // Whoever looks after it has not seen its newest form yet, so that what it says is of an older one.
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet
            if status.observed_generation < object.metadata.generation =>
        {
            Some("its newest form was not taken up yet".to_owned())
        }
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet if ready < desired => {
            Some(format!("{ready} of {desired} pods are ready"))
        }
        Kind::Deployment if spec.paused && updated < desired => {
            Some(format!("paused with {updated} of {desired} pods of the newest form"))
        }
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet if updated < desired => {
            Some(format!("{updated} of {desired} pods are of the newest form"))
        }
        Kind::Job if status.failed > 0 && ready < desired => {
            Some(format!("{} pods have failed and {ready} of {desired} succeeded", status.failed))
        }
        Kind::CronJob if spec.suspend => Some("suspended".to_owned()),
        _ => None,
    });
    let containers = match kind {
        Kind::CronJob => spec.job_template.spec.template.spec.containers,
        _ => spec.template.spec.containers,
    };
    Ok(Workload {
        kind: Word::new(kind.name()),
        name: object.metadata.name.into(),
        namespace: object.metadata.namespace.into(),
        desired,
        ready,
        updated,
        healthy: problem.is_none(),
        problem: problem.map(Into::into),
        last_run: status.last_schedule_time,
        images: containers.into_iter().map(|container| container.image).collect(),
        age,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::{Kind, Object, Status};

    #[test]
    fn objects_are_read_as_the_api_writes_them() {
        let object: Object = serde_json::from_value(json!({
            "metadata": { "name": "nightly", "creationTimestamp": "2026-11-25T08:00:00Z" },
            "spec": { "jobTemplate": { "spec": { "template": { "spec": { "containers": [{ "image": "dump:1" }] } } } } },
            "status": { "active": [{}], "lastScheduleTime": "2026-11-25T02:00:00Z" },
        }))
        .unwrap();
        assert_eq!(object.spec.job_template.spec.template.spec.containers[0].image, Arc::from("dump:1"));
        let status: Status = serde_json::from_value(json!({ "active": 1, "succeeded": 2 })).unwrap();
        assert_eq!((status.succeeded, Kind::Job.name()), (2, "Job"));
    }
}
