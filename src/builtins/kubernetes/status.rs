//! The status of a pod as kubectl's column shows it. The phase alone says `Running` while a container crashes again and again.

use std::sync::Arc;

use super::containers::{Container, State};

/// What the status is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen<'a> {
    pub(super) phase: &'a str,
    /// Why the pod itself is as it is: `Evicted`, `NodeLost`.
    pub(super) reason: Option<&'a str>,
    pub(super) deleted: bool,
    pub(super) ready: bool,
    pub(super) scheduling_gated: bool,
    pub(super) init: &'a [Container],
    pub(super) containers: &'a [Container],
}

/// As kubectl 1.33 computes it, from the pod to its init containers to its containers, each having the last word.
pub(super) fn status(seen: &Seen<'_>) -> Arc<str> {
    let mut reason = seen.reason.unwrap_or(seen.phase).to_owned();
    if seen.scheduling_gated {
        "SchedulingGated".clone_into(&mut reason);
    }
    let initializing = init_status(seen.init);
    if let Some(status) = &initializing {
        reason.clone_from(status);
    }
    // Once one that is restarted for the pod's whole life runs, the containers have the word as well.
    if initializing.is_none() || seen.init.iter().any(|init| init.restarts_always && init.started) {
        let mut running = false;
        for container in seen.containers.iter().rev() {
            match &container.state {
                State::Waiting { reason: why } | State::Terminated { reason: why, .. } if !why.is_empty() => {
                    why.clone_into(&mut reason);
                }
                State::Terminated { exit_code, signal, .. } => reason = ended(*exit_code, *signal, ""),
                State::Running if container.ready => running = true,
                _ => {}
            }
        }
        // One has ended and another still runs.
        if reason == "Completed" && running {
            (if seen.ready { "Running" } else { "NotReady" }).clone_into(&mut reason);
        }
    }
    if seen.deleted {
        return if seen.reason == Some("NodeLost") {
            "Unknown".into()
        } else if matches!(seen.phase, "Succeeded" | "Failed") {
            reason.into()
        } else {
            "Terminating".into()
        };
    }
    reason.into()
}

/// How far the init containers are; nothing where all are done.
fn init_status(init: &[Container]) -> Option<String> {
    for (index, container) in init.iter().enumerate() {
        return Some(match &container.state {
            State::Terminated { exit_code: 0, .. } => continue,
            State::Running | State::Waiting { .. } if container.restarts_always && container.started => continue,
            State::Terminated { reason, .. } if !reason.is_empty() => format!("Init:{reason}"),
            State::Terminated { exit_code, signal, .. } => ended(*exit_code, *signal, "Init:"),
            State::Waiting { reason } if !reason.is_empty() && reason != "PodInitializing" => format!("Init:{reason}"),
            _ => format!("Init:{index}/{}", init.len()),
        });
    }
    None
}

fn ended(exit_code: i64, signal: i64, front: &str) -> String {
    if signal == 0 { format!("{front}ExitCode:{exit_code}") } else { format!("{front}Signal:{signal}") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::builtins::kubernetes::pods::status_of;

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
            (evicted, "Evicted"),
        ] {
            assert_eq!(status_of(&found.to_string()).unwrap(), wanted, "{found}");
        }
    }
}
