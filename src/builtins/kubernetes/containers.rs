//! The containers of a pod: what they are and how they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use prost::Message;
use serde::Deserialize;

use super::quantity;
use super::wire::{Quantity, Time};
use crate::types::{Cores, EnumType, Fault, Size, Word, Words, records};

/// What a container does.
#[derive(Clone, Debug)]
pub struct ContainerState;

impl Words for ContainerState {
    const ENUM: &'static EnumType =
        &EnumType { name: "container_state", values: &["running", "waiting", "terminated"], open: false };
}

/// Some reasons, and behind them those for which a container ended.
macro_rules! reasons {
    ($($reason:literal,)*) => {
        &[
            $($reason,)*
            "Completed",
            "Error",
            "OOMKilled",
            "ContainerCannotRun",
            "ContainerStatusUnknown",
            "DeadlineExceeded",
            "Evicted",
            "StartError",
            "Unknown",
        ]
    };
}

/// Why a container ended, as the runtimes say it; another one may say it otherwise.
#[derive(Clone, Debug)]
pub struct ExitReason;

impl Words for ExitReason {
    const ENUM: &'static EnumType = &EnumType { name: "exit_reason", values: reasons![], open: true };
}

/// Why a container waits or ended.
#[derive(Clone, Debug)]
pub struct ContainerReason;

impl Words for ContainerReason {
    const ENUM: &'static EnumType = &EnumType {
        name: "container_reason",
        values: reasons![
            "CrashLoopBackOff",
            "ImagePullBackOff",
            "ErrImagePull",
            "ErrImageNeverPull",
            "ImageInspectError",
            "InvalidImageName",
            "RegistryUnavailable",
            "SignatureValidationFailed",
            "ContainerCreating",
            "PodInitializing",
            "CreateContainerConfigError",
            "CreateContainerError",
            "PreCreateHookError",
            "PreStartHookError",
            "PostStartHookError",
            "RunContainerError",
        ],
        open: true,
    };
}

records! {
    /// How a container ended.
    struct Exit "exit" {
        /// Why: `OOMKilled`, `Error`, `Completed`.
        reason: Word<ExitReason>,
        /// Its exit code; 137 is killed.
        code: i64,
        /// When.
        finished: Option<Timestamp>,
    }
    /// A container of a pod.
    struct Shown "container" {
        /// Its name.
        name: Arc<str>,
        /// The image it runs.
        image: Arc<str>,
        /// Whether it takes work.
        ready: bool,
        /// How often it was started again.
        restarts: i64,
        /// What it does.
        state: Word<ContainerState>,
        /// Why it waits or ended: `CrashLoopBackOff`; missing while it runs.
        reason: Option<Word<ContainerReason>>,
        /// How it ended before; missing where it never did.
        last_exit: Option<Exit>,
        /// Processors that it asks for.
        cpu_request: Option<Cores>,
        /// Processors that it may use.
        cpu_limit: Option<Cores>,
        /// Memory that it asks for.
        memory_request: Option<Size>,
        /// Memory that it may use.
        memory_limit: Option<Size>,
    }
}

/// A container as the API says it.
#[derive(Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, required, tag = "8")]
    resources: Resources,
    #[prost(string, tag = "24")]
    restart_policy: String,
}

impl Spec {
    /// Whether it runs as long as its pod, although it is an init container.
    pub(super) fn restarts_always(&self) -> bool {
        self.restart_policy == "Always"
    }
}

/// Amounts by what they are of: `cpu`, `memory`.
type Amounts = BTreeMap<String, Quantity>;

#[derive(Deserialize, Message)]
#[serde(default)]
struct Resources {
    #[prost(btree_map = "string, message", tag = "1")]
    limits: Amounts,
    #[prost(btree_map = "string, message", tag = "2")]
    requests: Amounts,
}

/// The status of a container as the API says it.
#[derive(Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, required, tag = "2")]
    state: States,
    #[prost(message, required, tag = "3")]
    last_state: States,
    #[prost(bool, tag = "4")]
    ready: bool,
    #[prost(int32, tag = "5")]
    restart_count: i32,
    #[prost(string, tag = "6")]
    image: String,
    #[prost(bool, optional, tag = "9")]
    started: Option<bool>,
}

#[derive(Deserialize, Message)]
#[serde(default)]
struct States {
    #[prost(message, optional, tag = "1")]
    waiting: Option<Waiting>,
    #[prost(message, optional, tag = "2")]
    running: Option<Running>,
    #[prost(message, optional, tag = "3")]
    terminated: Option<Terminated>,
}

#[derive(Deserialize, Message)]
#[serde(default)]
struct Waiting {
    #[prost(string, tag = "1")]
    reason: String,
}

/// That it runs is all there is to know of it.
#[derive(Deserialize, Message)]
struct Running {}

#[derive(Deserialize, Message)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    #[prost(int32, tag = "1")]
    exit_code: i32,
    #[prost(int32, tag = "2")]
    signal: i32,
    #[prost(string, tag = "3")]
    reason: String,
    #[prost(message, optional, tag = "6")]
    finished_at: Option<Time>,
}

/// What a container does right now.
#[derive(Debug)]
pub(super) enum State {
    Running,
    Waiting { reason: String },
    Terminated { reason: String, exit_code: i32, signal: i32 },
}

/// A container and its status.
#[derive(Debug)]
pub(super) struct Container {
    pub(super) state: State,
    pub(super) ready: bool,
    /// Its start-up check has passed.
    pub(super) started: bool,
    /// An init container that runs as long as its pod.
    pub(super) restarts_always: bool,
    pub(super) restarts: i64,
    pub(super) last_exit: Option<Exit>,
    name: Arc<str>,
    image: Arc<str>,
}

/// The containers that have a status, in the order of the statuses.
pub(super) fn containers(statuses: Vec<Status>, specs: &[Spec]) -> Vec<Container> {
    let made = statuses.into_iter().map(|status| {
        let spec = specs.iter().find(|spec| spec.name == status.name);
        Container {
            restarts_always: spec.is_some_and(Spec::restarts_always),
            started: status.started.unwrap_or(false),
            ready: status.ready,
            restarts: status.restart_count.into(),
            last_exit: status.last_state.terminated.map(|ended| Exit {
                reason: Word::new(ended.reason),
                code: ended.exit_code.into(),
                finished: ended.finished_at.and_then(Time::timestamp),
            }),
            state: match (status.state.terminated, status.state.running, status.state.waiting) {
                (Some(ended), ..) => {
                    State::Terminated { reason: ended.reason, exit_code: ended.exit_code, signal: ended.signal }
                }
                (None, Some(_), _) => State::Running,
                // Nothing said is waiting, as the API defines it.
                (None, None, waiting) => State::Waiting { reason: waiting.unwrap_or_default().reason },
            },
            name: status.name.into(),
            image: status.image.into(),
        }
    });
    made.collect()
}

impl Container {
    /// As a runbook sees it.
    ///
    /// # Errors
    /// Where a quantity cannot be read.
    pub(super) fn shown(&self, specs: &[Spec]) -> Result<Shown, Fault> {
        let spec = specs.iter().find(|spec| *spec.name == *self.name);
        let of = |pick: fn(&Resources) -> &Amounts, name: &str| {
            spec.and_then(|spec| pick(&spec.resources).get(name)).map(Quantity::as_str)
        };
        let (state, reason) = match &self.state {
            State::Running => ("running", None),
            State::Waiting { reason } => ("waiting", Some(reason)),
            State::Terminated { reason, .. } => ("terminated", Some(reason)),
        };
        Ok(Shown {
            name: self.name.clone(),
            image: self.image.clone(),
            ready: self.ready,
            restarts: self.restarts,
            state: Word::new(state),
            reason: reason.filter(|reason| !reason.is_empty()).map(|reason| Word::new(reason.as_str())),
            last_exit: self.last_exit.clone(),
            cpu_request: of(|own| &own.requests, "cpu").map(quantity::cores).transpose()?,
            cpu_limit: of(|own| &own.limits, "cpu").map(quantity::cores).transpose()?,
            memory_request: of(|own| &own.requests, "memory").map(quantity::size).transpose()?,
            memory_limit: of(|own| &own.limits, "memory").map(quantity::size).transpose()?,
        })
    }
}

/// What the containers of a pod ask for and may use together: nothing where one of them says nothing.
pub(super) fn together(specs: &[&Spec]) -> Result<Together, Fault> {
    let sum = |pick: fn(&Resources) -> &Amounts, name: &str| -> Result<Option<f64>, Fault> {
        let each = specs.iter().map(|spec| pick(&spec.resources).get(name));
        each.map(|own| own.map(|own| quantity::cores(own.as_str()).map(|cores| cores.0)).transpose())
            .try_fold(Some(0.0), |sum, own| Ok(own?.zip(sum).map(|(own, sum)| own + sum)))
    };
    Ok(Together {
        cpu_request: sum(|own| &own.requests, "cpu")?,
        cpu_limit: sum(|own| &own.limits, "cpu")?,
        memory_request: sum(|own| &own.requests, "memory")?,
        memory_limit: sum(|own| &own.limits, "memory")?,
    })
}

/// In processors and bytes.
#[derive(Debug)]
pub(super) struct Together {
    pub(super) cpu_request: Option<f64>,
    pub(super) cpu_limit: Option<f64>,
    pub(super) memory_request: Option<f64>,
    pub(super) memory_limit: Option<f64>,
}
