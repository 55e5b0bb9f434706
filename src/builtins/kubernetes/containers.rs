//! The containers of a pod: what they are and how they are.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::quantity;
use crate::types::{Cores, EnumType, Fault, Size, Word, Words, records};

/// What a container does.
#[derive(Clone, Debug)]
pub struct ContainerState;

impl Words for ContainerState {
    const ENUM: &'static EnumType =
        &EnumType { name: "container_state", values: &["running", "waiting", "terminated"], open: false };
}

records! {
    /// How a container ended.
    struct Exit "exit" {
        /// Why: `OOMKilled`, `Error`, `Completed`.
        reason: Arc<str>,
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
        reason: Option<Arc<str>>,
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
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) name: Arc<str>,
    restart_policy: Arc<str>,
    resources: Resources,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Resources {
    requests: HashMap<String, String>,
    limits: HashMap<String, String>,
}

/// The status of a container as the API says it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    name: Arc<str>,
    image: Arc<str>,
    ready: bool,
    started: Option<bool>,
    restart_count: i64,
    state: States,
    last_state: States,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct States {
    running: Option<serde::de::IgnoredAny>,
    waiting: Option<Waiting>,
    terminated: Option<Terminated>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Waiting {
    reason: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Terminated {
    reason: String,
    exit_code: i64,
    signal: i64,
    finished_at: Option<Timestamp>,
}

/// What a container does right now.
#[derive(Debug)]
pub(super) enum State {
    Running,
    Waiting { reason: String },
    Terminated { reason: String, exit_code: i64, signal: i64 },
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
            restarts_always: spec.is_some_and(|spec| &*spec.restart_policy == "Always"),
            started: status.started.unwrap_or(false),
            ready: status.ready,
            restarts: status.restart_count,
            last_exit: status.last_state.terminated.map(|ended| Exit {
                reason: ended.reason.into(),
                code: ended.exit_code,
                finished: ended.finished_at,
            }),
            state: match (status.state.terminated, status.state.running, status.state.waiting) {
                (Some(ended), ..) => {
                    State::Terminated { reason: ended.reason, exit_code: ended.exit_code, signal: ended.signal }
                }
                (None, Some(_), _) => State::Running,
                // Nothing said is waiting, as the API defines it.
                (None, None, waiting) => State::Waiting { reason: waiting.unwrap_or_default().reason },
            },
            name: status.name,
            image: status.image,
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
        let spec = specs.iter().find(|spec| spec.name == self.name);
        let of = |pick: fn(&Resources) -> &HashMap<String, String>, name: &str| {
            spec.and_then(|spec| pick(&spec.resources).get(name)).map(String::as_str)
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
            reason: reason.filter(|reason| !reason.is_empty()).map(|reason| reason.as_str().into()),
            last_exit: self.last_exit.clone(),
            cpu_request: of(|own| &own.requests, "cpu").map(quantity::cores).transpose()?,
            cpu_limit: of(|own| &own.limits, "cpu").map(quantity::cores).transpose()?,
            memory_request: of(|own| &own.requests, "memory").map(quantity::size).transpose()?,
            memory_limit: of(|own| &own.limits, "memory").map(quantity::size).transpose()?,
        })
    }
}

/// What the containers of a pod ask for and may use together: nothing where one of them says nothing.
pub(super) fn together(specs: &[Spec]) -> Result<Together, Fault> {
    let sum = |pick: fn(&Resources) -> &HashMap<String, String>, name: &str| -> Result<Option<f64>, Fault> {
        let each = specs.iter().map(|spec| pick(&spec.resources).get(name));
        each.map(|text| text.map(|text| quantity::cores(text).map(|cores| cores.0)).transpose())
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
