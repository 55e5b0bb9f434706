//! The containers of pods and what they ran as: which logs there are, and what of them nobody can read any more.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

/// A container and the logs that the API has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) name: String,
    /// Its pod, and itself where the pod has several.
    pub(super) source: String,
    /// What runs now, or ran last.
    pub(super) current: Option<Instance>,
    /// What ran before it was last restarted.
    pub(super) previous: Option<Instance>,
    /// How often it was started.
    pub(super) started: i32,
    /// What tells whether it is still the same: the pod's own identity and the container's.
    pub(super) identity: (String, String),
}

/// One start of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) began: Option<Timestamp>,
}

/// The containers of a pod, or the one that is named, also of those that only prepare the others.
pub(super) fn containers(pod: &Pod, named: Option<&str>) -> Vec<Container> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    let all = spec.containers.iter().chain(inits.iter().filter(|_| named.is_some()));
    let names = all.map(|container| container.name.as_str()).filter(|name| named.is_none_or(|named| named == *name));
    let several = named.is_none() && spec.containers.len() > 1;
    names.map(|name| container(pod, name, several)).collect()
}

/// All names that a container of the pod can be asked for by.
pub(super) fn names(pod: &Pod) -> Vec<&str> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let inits = spec.init_containers.as_deref().unwrap_or_default();
    spec.containers.iter().chain(inits).map(|container| container.name.as_str()).collect()
}

fn container(pod: &Pod, name: &str, several: bool) -> Container {
    let pod_name = pod.metadata.name.clone().unwrap_or_default();
    let status = status(pod, name);
    let (current, previous) = status.map_or((None, None), instances);
    let id = status.and_then(|status| status.container_id.clone()).unwrap_or_default();
    let restarts = status.map_or(0, |status| status.restart_count);
    Container {
        namespace: pod.metadata.namespace.clone().unwrap_or_default(),
        source: if several { format!("{pod_name}/{name}") } else { pod_name.clone() },
        pod: pod_name,
        name: name.to_owned(),
        started: if current.is_some() { restarts.saturating_add(1) } else { 0 },
        current,
        previous,
        identity: (pod.metadata.uid.clone().unwrap_or_default(), format!("{id} {restarts}")),
    }
}

fn status<'p>(pod: &'p Pod, name: &str) -> Option<&'p ContainerStatus> {
    let status = pod.status.as_ref()?;
    let all = [&status.container_statuses, &status.init_container_statuses];
    all.into_iter().flatten().flatten().find(|status| status.name == name)
}

/// What runs now or ran last, and what ran before it. The API takes a container that waits to be started again as what
/// it ran last.
fn instances(status: &ContainerStatus) -> (Option<Instance>, Option<Instance>) {
    let instance = |began: &Option<Time>| Some(Instance { began: began.as_ref().map(|time| time.0) });
    let last = status.last_state.as_ref().and_then(|state| state.terminated.as_ref());
    let last = last.and_then(|ended| instance(&ended.started_at));
    let Some(state) = &status.state else { return (last, None) };
    if let Some(running) = &state.running {
        return (instance(&running.started_at), last);
    }
    match &state.terminated {
        Some(ended) => (instance(&ended.started_at), last),
        None => (last, None),
    }
}

#[cfg(test)]
mod tests {
    use super::{Instance, containers, names};

    #[expect(clippy::needless_pass_by_value, reason = "a test reads better with its values in place")]
    fn pod(statuses: serde_json::Value) -> k8s_openapi::api::core::v1::Pod {
        serde_json::from_value(serde_json::json!({
            "metadata": { "name": "web-0", "uid": "u" },
            "spec": { "containers": [{ "name": "app" }, { "name": "proxy" }], "initContainers": [{ "name": "copy" }] },
            "status": { "containerStatuses": statuses },
        }))
        .unwrap()
    }

    fn began(text: &str) -> Instance {
        Instance { began: Some(text.parse().unwrap()) }
    }

    #[test]
    fn what_runs_and_what_ran_before() {
        let last = serde_json::json!({ "terminated": { "startedAt": "2026-11-25T07:00:00Z", "exitCode": 1 } });
        let status = |state: serde_json::Value| {
            serde_json::json!([{
                "name": "app", "image": "", "imageID": "", "ready": true, "restartCount": 3, "state": state, "lastState": last
            }])
        };
        let running = pod(status(serde_json::json!({ "running": { "startedAt": "2026-11-25T08:00:00Z" } })));
        let found = containers(&running, None);
        let app = found.first().unwrap();
        assert_eq!((app.source.as_str(), app.started), ("web-0/app", 4));
        assert_eq!(
            (app.current.clone(), app.previous.clone()),
            (Some(began("2026-11-25T08:00:00Z")), Some(began("2026-11-25T07:00:00Z")))
        );
        assert_eq!(found.get(1).unwrap().current, None, "it has not been started");

        let waiting = pod(status(serde_json::json!({ "waiting": { "reason": "CrashLoopBackOff" } })));
        let app = containers(&waiting, Some("app")).pop().unwrap();
        assert_eq!(
            (app.source.as_str(), app.current, app.previous),
            ("web-0", Some(began("2026-11-25T07:00:00Z")), None)
        );
    }

    #[test]
    fn one_that_prepares_the_others_is_read_where_it_is_named() {
        let pod = pod(serde_json::json!([]));
        assert_eq!(containers(&pod, None).len(), 2);
        assert_eq!(containers(&pod, Some("copy")).len(), 1);
        assert_eq!(containers(&pod, Some("other")).len(), 0);
        assert_eq!(names(&pod), ["app", "proxy", "copy"]);
    }
}
