//! `kubernetes.workloads`

use std::sync::Arc;

use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};

use super::call::{CLUSTER, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::health::{self, Kind, Spec, Status};
use super::meta;
use crate::catalog::need::Need;
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
        /// Whether all is as it is to be: the pods that are wanted are ready and, where they are replaced by themselves, of the
        /// newest form, no older ones are left, no job has failed.
        healthy: bool,
        /// What is not as it is to be.
        problem: Option<Arc<str>>,
        /// Whether it is held back: a suspended job or cron job, a paused deployment. That alone is no problem.
        suspended: bool,
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
        Need::verbs(&["list"], "deployments.apps"),
        Need::verbs(&["list"], "statefulsets.apps"),
        Need::verbs(&["list"], "daemonsets.apps"),
        Need::verbs(&["list"], "jobs.batch"),
        Need::verbs(&["list"], "cronjobs.batch"),
    ],
    by_hand: "kubectl {connection} get deployments,statefulsets,daemonsets,jobs,cronjobs [-n {namespace}] [-l {selector}]",
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
    needs: &[Need::verbs(&["list"], "deployments.apps")],
    by_hand: "kubectl {connection} get deployments [-n {namespace}] [-l {selector}]",
    examples: &[Example::call("cluster.deployments() | all(.ready == .desired)")],
};

const KINDS: &[Kind] = &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::CronJob];

type Object = meta::Object<Spec, Status>;

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
    let problem = health::problem(kind, object.metadata.generation, &spec, &status);
    let suspended = spec.suspend || spec.paused;
    Ok(Workload {
        kind: Word::new(kind.name()),
        name: object.metadata.name.into(),
        namespace: object.metadata.namespace.into(),
        desired,
        ready,
        updated,
        healthy: problem.is_none(),
        problem: problem.map(Into::into),
        suspended,
        last_run: status.last_schedule_time,
        images: spec.images(kind),
        age,
    })
}
