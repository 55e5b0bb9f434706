//! A pod as kubectl's columns show it. The phase alone says `Running` while a container crashes again and again.

use std::sync::Arc;

use super::containers::{Container, Exit, State};

/// What the columns are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) phase: &'a str,
    /// Why the pod itself is as it is: `Evicted`, `NodeLost`.
    pub(super) reason: Option<&'a str>,
    /// Why no node is looked for: `SchedulingGated`.
    pub(super) gate: Option<&'a str>,
    pub(super) deleted: bool,
    pub(super) ready: bool,
    pub(super) initialized: bool,
    pub(super) init: &'a [Container],
    pub(super) containers: &'a [Container],
}

/// What kubectl's columns say of a pod.
#[derive(Debug)]
pub(super) struct Columns {
    pub(super) status: Arc<str>,
    /// How many containers take work.
    pub(super) ready: usize,
    pub(super) restarts: i64,
    /// How a container ended last.
    pub(super) last_exit: Option<Exit>,
}

/// As kubectl 1.36 computes them, from the pod to its init containers to its containers, each having the last word.
pub(super) fn columns(seen: &Seen<'_>) -> Columns {
    let preparing = Preparing::of(seen.init);
    let own = seen.gate.or(seen.reason).unwrap_or(seen.phase);
    let mut reason = preparing.status.clone().unwrap_or_else(|| own.to_owned());
    let mut ready = preparing.ready;
    // Those that only prepare count while they do. Afterwards the containers have the word, and those that run beside them.
    let mut counted: Vec<&Container> = preparing.begun.iter().collect();
    if preparing.status.is_none() || seen.initialized {
        counted.retain(|container| container.restarts_always);
        counted.extend(seen.containers);
        let (mut running, mut failed) = (0, None);
        for container in seen.containers.iter().rev() {
            match &container.state {
                State::Waiting { reason: why } if !why.is_empty() => why.clone_into(&mut reason),
                State::Terminated { reason: why, exit_code, signal } => {
                    reason = if why.is_empty() { ended(*exit_code, *signal, "") } else { why.clone() };
                    if *exit_code != 0 {
                        failed = Some(reason.clone());
                    }
                }
                State::Running if container.ready => running += 1,
                _ => {}
            }
        }
        ready += running;
        // One has done its work: what of the others?
        if reason == "Completed" {
            if running > 0 && seen.ready {
                "Running".clone_into(&mut reason);
            } else if let Some(failed) = failed {
                reason = failed;
            } else if running > 0 {
                "NotReady".clone_into(&mut reason);
            }
        }
    }
    if seen.deleted {
        if seen.reason == Some("NodeLost") {
            "Unknown".clone_into(&mut reason);
        } else if !matches!(seen.phase, "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut reason);
        }
    }
    Columns {
        status: reason.into(),
        ready,
        restarts: counted.iter().map(|container| container.restarts).sum(),
        last_exit: counted.iter().filter_map(|one| one.last_exit.as_ref()).max_by_key(|end| end.finished).cloned(),
    }
}

/// How far the init containers are.
struct Preparing<'a> {
    /// Those that are done, run beside the others or are under way.
    begun: &'a [Container],
    /// How many of those that run as long as the pod take work.
    ready: usize,
    /// What the one that is under way does; nothing where all are done.
    status: Option<String>,
}

impl<'a> Preparing<'a> {
    fn of(init: &'a [Container]) -> Self {
        let mut ready = 0;
        for (index, container) in init.iter().enumerate() {
            let status = match &container.state {
                State::Terminated { exit_code: 0, .. } => continue,
                _ if container.restarts_always && container.started => {
                    ready += usize::from(container.ready);
                    continue;
                }
                State::Terminated { reason, .. } if !reason.is_empty() => format!("Init:{reason}"),
                State::Terminated { exit_code, signal, .. } => ended(*exit_code, *signal, "Init:"),
                State::Waiting { reason } if !reason.is_empty() && reason != "PodInitializing" => {
                    format!("Init:{reason}")
                }
                _ => format!("Init:{index}/{}", init.len()),
            };
            return Self { begun: init.get(..=index).unwrap_or(init), ready, status: Some(status) };
        }
        Self { begun: init, ready, status: None }
    }
}

fn ended(exit_code: i32, signal: i32, front: &str) -> String {
    if signal == 0 { format!("{front}ExitCode:{exit_code}") } else { format!("{front}Signal:{signal}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::builtins::kubernetes::pods::columns_of;

    #[test]
    fn the_status_is_what_kubectl_shows() {
        let running = json!({ "running": { "startedAt": "2026-11-25T08:00:00Z" } });
        let waiting = |reason: &str| json!({ "waiting": { "reason": reason } });
        let ended = |reason: &str, code: i64| json!({ "terminated": { "reason": reason, "exitCode": code } });
        let container = |state: &serde_json::Value, ready: bool| json!({ "name": "a", "image": "a", "ready": ready, "restartCount": 0, "state": state });
        let pod = |phase: &str, containers: Vec<serde_json::Value>| {
            json!({
                "metadata": { "name": "a" }, "spec": { "containers": [] },
                "status": { "phase": phase, "containerStatuses": containers, "conditions": [{ "type": "Ready", "status": "True" }] },
            })
        };
        let with = |mut pod: serde_json::Value, place: &str, value: serde_json::Value| {
            *pod.pointer_mut(place).unwrap() = value;
            pod
        };
        let init = |states: Vec<serde_json::Value>| {
            let mut pod = pod("Pending", vec![container(&waiting("PodInitializing"), false)]);
            pod["spec"]["initContainers"] = json!([{ "name": "a" }, { "name": "a" }]);
            pod["status"]["initContainerStatuses"] = json!(states);
            pod
        };
        let deleted = |mut pod: serde_json::Value| {
            pod["metadata"]["deletionTimestamp"] = json!("2026-11-25T08:00:00Z");
            pod
        };
        let evicted = {
            let mut pod = pod("Failed", vec![]);
            pod["status"]["reason"] = json!("Evicted");
            pod
        };
        for (found, wanted) in [
            (pod("Pending", vec![]), "Pending"),
            (pod("Pending", vec![container(&waiting("ContainerCreating"), false)]), "ContainerCreating"),
            (pod("Pending", vec![container(&waiting("ImagePullBackOff"), false)]), "ImagePullBackOff"),
            (pod("Running", vec![container(&running, true)]), "Running"),
            (pod("Running", vec![container(&waiting("CrashLoopBackOff"), false)]), "CrashLoopBackOff"),
            (pod("Running", vec![container(&ended("OOMKilled", 137), false)]), "OOMKilled"),
            (pod("Running", vec![container(&ended("", 3), false)]), "ExitCode:3"),
            (pod("Succeeded", vec![container(&ended("Completed", 0), false)]), "Completed"),
            (pod("Running", vec![container(&ended("Completed", 0), false), container(&running, true)]), "Running"),
            (
                with(
                    pod("Running", vec![container(&ended("Completed", 0), false), container(&running, true)]),
                    "/status/conditions",
                    json!([{ "type": "Ready", "status": "False" }]),
                ),
                "NotReady",
            ),
            (init(vec![container(&running, false), container(&waiting("PodInitializing"), false)]), "Init:0/2"),
            (
                init(vec![container(&ended("Completed", 0), false), container(&waiting("CrashLoopBackOff"), false)]),
                "Init:CrashLoopBackOff",
            ),
            (
                init(vec![container(&ended("Error", 1), false), container(&waiting("PodInitializing"), false)]),
                "Init:Error",
            ),
            (deleted(pod("Running", vec![container(&running, true)])), "Terminating"),
            (
                deleted(with(pod("Running", vec![container(&running, true)]), "/status/phase", json!("Running"))),
                "Terminating",
            ),
            (
                pod("Failed", vec![container(&ended("Completed", 0), false), container(&ended("Error", 1), false)]),
                "Error",
            ),
            (evicted, "Evicted"),
        ] {
            assert_eq!(&*columns_of(&found.to_string()).unwrap().status, wanted, "{found}");
        }
    }

    #[test]
    fn one_that_runs_beside_the_others_counts_and_one_that_prepares_counts_while_it_does() {
        let running = json!({ "running": {} });
        let is = |name: &str, state: &serde_json::Value, restarts: i32| {
            let last = json!({ "terminated": { "reason": format!("{name} ended"), "exitCode": 1 } });
            json!({ "name": name, "ready": true, "started": true, "restartCount": restarts, "state": state, "lastState": last })
        };
        let pod = |copies: &serde_json::Value, initialized: &str, own: &serde_json::Value| {
            json!({
                "metadata": { "name": "a" },
                "spec": { "containers": [{ "name": "web" }], "initContainers": [{ "name": "proxy", "restartPolicy": "Always" }, { "name": "copy" }] },
                "status": {
                    "phase": "Running", "conditions": [{ "type": "Initialized", "status": initialized }],
                    "initContainerStatuses": [is("proxy", &running, 2), is("copy", copies, 7)], "containerStatuses": [is("web", own, 1)],
                },
            })
        };
        let of = |pod: serde_json::Value| {
            let columns = columns_of(&pod.to_string()).unwrap();
            let last = columns.last_exit.unwrap().reason.0.to_string();
            (columns.status.to_string(), columns.ready, columns.restarts, last)
        };
        let waits = json!({ "waiting": { "reason": "PodInitializing" } });
        let said = |status: &str, ready: usize, restarts: i64, last: &str| {
            (status.to_owned(), ready, restarts, last.to_owned())
        };
        assert_eq!(of(pod(&running, "False", &waits)), said("Init:1/2", 1, 9, "copy ended"));
        let done = json!({ "terminated": { "exitCode": 0 } });
        assert_eq!(of(pod(&done, "True", &running)), said("Running", 2, 3, "web ended"));
    }
}
