//! `kubernetes.events`

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::ask::Resource;
use super::call::{CLUSTER, FIELDS, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::meta::Meta;
use super::wire::Time;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, FaultKind, Type, Typed, Value, Word, Words, records};

/// How serious an event is.
#[derive(Clone, Debug)]
pub struct EventType;

impl Words for EventType {
    const ENUM: &'static EnumType = &EnumType { name: "event_type", values: &["Normal", "Warning"], open: true };
}

/// What an event is, in a word: those that kubelet, scheduler and controllers use most. Whoever writes an event may
/// make up another.
#[derive(Clone, Debug)]
pub struct EventReason;

impl Words for EventReason {
    const ENUM: &'static EnumType = &EnumType {
        name: "event_reason",
        values: &[
            // The kubelet's, of pods and containers.
            "Pulling",
            "Pulled",
            "Created",
            "Started",
            "Killing",
            "Preempting",
            "BackOff",
            "Failed",
            "ErrImageNeverPull",
            "InspectFailed",
            "Unhealthy",
            "ProbeWarning",
            "Evicted",
            "OOMKilling",
            "FailedMount",
            "FailedAttachVolume",
            "FailedCreatePodSandBox",
            "FailedKillPod",
            "FailedPostStartHook",
            "FailedPreStopHook",
            "FailedSync",
            "FailedValidation",
            "SandboxChanged",
            "ExceededGracePeriod",
            "NetworkNotReady",
            // The kubelet's and the node controller's, of nodes.
            "Starting",
            "Rebooted",
            "NodeReady",
            "NodeNotReady",
            "NodeSchedulable",
            "NodeNotSchedulable",
            "NodeHasSufficientMemory",
            "NodeHasInsufficientMemory",
            "NodeHasNoDiskPressure",
            "NodeHasDiskPressure",
            "NodeHasSufficientPID",
            "NodeHasInsufficientPID",
            "NodeAllocatableEnforced",
            "EvictionThresholdMet",
            "FreeDiskSpaceFailed",
            "ImageGCFailed",
            "InvalidDiskCapacity",
            "SystemOOM",
            "RegisteredNode",
            "RemovingNode",
            "TaintManagerEviction",
            // The scheduler's.
            "Scheduled",
            "FailedScheduling",
            "Preempted",
            // The controllers'.
            "ScalingReplicaSet",
            "SuccessfulCreate",
            "SuccessfulDelete",
            "FailedCreate",
            "FailedDelete",
            "DeploymentRollback",
            "ReplicaSetCreateError",
            "SuccessfulRescale",
            "FailedRescale",
            "FailedGetScale",
            "FailedGetResourceMetric",
            "FailedComputeMetricsReplicas",
            "SawCompletedJob",
            "UnexpectedJob",
            "MissSchedule",
            "JobAlreadyActive",
            "Completed",
            "BackoffLimitExceeded",
            "DeadlineExceeded",
            "NoPods",
            "CalculateExpectedPodCountFailed",
            "ProvisioningSucceeded",
            "ProvisioningFailed",
            "ExternalProvisioning",
            "Provisioning",
            "WaitForFirstConsumer",
            "FailedBinding",
            "VolumeResizeFailed",
            "VolumeResizeSuccessful",
            "FileSystemResizeSuccessful",
            "SuccessfulAttachVolume",
            "EnsuringLoadBalancer",
            "EnsuredLoadBalancer",
            "SyncLoadBalancerFailed",
            "FailedToUpdateEndpoint",
            "LeaderElection",
        ],
        open: true,
    };
}

records! {
    /// Something that happened to an object.
    struct Event "event" {
        /// How serious it is.
        r#type: Word<EventType>,
        /// What it is, in a word: `FailedScheduling`, `BackOff`, `Unhealthy`.
        reason: Word<EventReason>,
        /// What happened.
        message: Arc<str>,
        /// To what: `Pod/web-0`.
        object: Arc<str>,
        /// The namespace it is in.
        namespace: Arc<str>,
        /// How often it happened.
        count: i64,
        /// When it happened first.
        first_seen: Timestamp,
        /// When it happened last, whichever of its three ways the API says it in.
        last_seen: Timestamp,
        /// How long before the run that was.
        age: SignedDuration,
        /// Who says so: `kubelet`, `default-scheduler`.
        source: Option<Arc<str>>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.events",
    summary: "What happened in a namespace, as far as the cluster remembers: an hour, where nobody set it otherwise.",
    params: &[CLUSTER.info(), NAMESPACE.info(), SELECTOR.info(), FIELDS.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Event::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(events(cx, args))),
    needs: &[Need::verbs(&["list"], "events")],
    by_hand: "kubectl {connection} get events [-n {namespace}] [-l {selector}] [--field-selector {fields}] --sort-by=.metadata.creationTimestamp",
    examples: &[Example::call(
        r#"cluster.events() | where(.type != "Normal") | sort(by: .last_seen, descending: true)"#,
    )],
};

/// An event as the API says it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Object {
    metadata: Meta,
    #[serde(default, rename = "involvedObject")]
    involved: Involved,
    #[serde(default)]
    r#type: Arc<str>,
    #[serde(default)]
    reason: Arc<str>,
    #[serde(default)]
    message: Arc<str>,
    count: Option<i64>,
    first_timestamp: Option<Timestamp>,
    last_timestamp: Option<Timestamp>,
    event_time: Option<Timestamp>,
    series: Option<Series>,
    #[serde(default)]
    source: Source,
    reporting_component: Option<Arc<str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Involved {
    kind: String,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Series {
    count: Option<i64>,
    last_observed_time: Option<Timestamp>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Source {
    component: Option<Arc<str>>,
}

async fn events(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let ask = listed(&cluster, &Resource::EVENTS, &args)?;
    Ok(cluster.list(&ask, deadline(&cluster, &args)?, |object: Object| shown(&cx, object)).await?.into())
}

/// The event as a runbook sees it.
///
/// # Errors
/// Where it has no time at all.
pub(super) fn shown(cx: &Cx, object: Object) -> Result<Event, Fault> {
    let series = object.series.as_ref();
    let created = object.metadata.creation_timestamp.and_then(Time::timestamp);
    // The older form counts in the event itself, the newer one in its series; the scheduler leaves the older times empty.
    let last = series.and_then(|series| series.last_observed_time).into_iter().chain(object.last_timestamp).max();
    let last_seen = last.or(object.event_time).or(created).ok_or_else(|| {
        Fault::new(FaultKind::BadAnswer, format!("the event `{}` has no time at all", object.metadata.name))
    })?;
    Ok(Event {
        first_seen: object.first_timestamp.or(object.event_time).or(created).unwrap_or(last_seen),
        last_seen,
        age: cx.run.age(last_seen),
        count: series.and_then(|series| series.count).or(object.count).unwrap_or(1),
        object: format!("{}/{}", object.involved.kind, object.involved.name).into(),
        namespace: object.metadata.namespace.into(),
        r#type: Word::new(object.r#type),
        reason: Word::new(object.reason),
        message: object.message,
        source: object.source.component.or(object.reporting_component).filter(|source| !source.is_empty()),
    })
}
