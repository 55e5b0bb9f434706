//! Whether what makes pods is as it is to be, as `kubectl rollout status` judges it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;

use super::ask::Resource;

/// What makes pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
}

impl Kind {
    pub(super) const fn resource(self) -> Resource {
        match self {
            Self::Deployment => Resource::DEPLOYMENTS,
            Self::StatefulSet => Resource::STATEFUL_SETS,
            Self::DaemonSet => Resource::DAEMON_SETS,
            Self::Job => Resource::JOBS,
            Self::CronJob => Resource::CRON_JOBS,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
        }
    }
}

/// What is kept of what a workload is to be.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Spec {
    pub(super) replicas: Option<i64>,
    pub(super) completions: Option<i64>,
    pub(super) suspend: bool,
    pub(super) paused: bool,
    update_strategy: Strategy,
    template: Template,
    job_template: JobTemplate,
}

/// How pods of an older form are replaced.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Strategy {
    r#type: String,
    rolling_update: Rolling,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Rolling {
    /// How many of the first ones keep their older form.
    partition: i64,
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

/// What is kept of how it is.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Status {
    observed_generation: i64,
    replicas: i64,
    pub(super) ready_replicas: i64,
    pub(super) updated_replicas: i64,
    available_replicas: i64,
    pub(super) desired_number_scheduled: i64,
    pub(super) number_ready: i64,
    pub(super) updated_number_scheduled: i64,
    number_available: i64,
    pub(super) succeeded: i64,
    failed: i64,
    pub(super) active: serde_json::Value,
    pub(super) last_schedule_time: Option<Timestamp>,
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

impl Spec {
    /// The images that its pods run.
    pub(super) fn images(self, kind: Kind) -> Vec<Arc<str>> {
        let containers = match kind {
            Kind::CronJob => self.job_template.spec.template.spec.containers,
            _ => self.template.spec.containers,
        };
        containers.into_iter().map(|container| container.image).collect()
    }

    /// How many pods are replaced by themselves where they are of an older form.
    fn replaced(&self, desired: i64) -> i64 {
        match self.update_strategy.r#type.as_str() {
            "OnDelete" => 0,
            _ => desired - self.update_strategy.rolling_update.partition,
        }
    }
}

/// What is not as it is to be.
pub(super) fn problem(kind: Kind, generation: i64, spec: &Spec, status: &Status) -> Option<String> {
    let is = |kind: &str| status.conditions.iter().find(|own| own.r#type == kind && own.status == "True");
    let said = |condition: &Condition| format!("{}: {}", condition.reason, condition.message);
    match kind {
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => {
            // Whoever looks after it has not seen its newest form, so that all that it says is of an older one.
            if status.observed_generation < generation {
                return Some("its newest form was not taken up yet".to_owned());
            }
            let given_up = status.conditions.iter().find(|own| own.r#type == "Progressing" && own.status == "False");
            given_up.or_else(|| is("ReplicaFailure")).map(said).or_else(|| behind(kind, spec, status))
        }
        Kind::Job if is("Complete").is_some() => None,
        Kind::Job => {
            let (succeeded, wanted) = (status.succeeded, spec.completions.unwrap_or(1));
            is("Failed").or_else(|| is("FailureTarget")).map(said).or_else(|| {
                (status.failed > 0 && succeeded < wanted && !spec.suspend)
                    .then(|| format!("{} pods have failed and {succeeded} of {wanted} succeeded", status.failed))
            })
        }
        // One that is suspended was suspended by somebody.
        Kind::CronJob => None,
    }
}

/// How its pods are behind what it is to be.
fn behind(kind: Kind, spec: &Spec, status: &Status) -> Option<String> {
    let (desired, ready, updated, available, old) = if kind == Kind::DaemonSet {
        let (desired, updated) = (status.desired_number_scheduled, status.updated_number_scheduled);
        (desired, status.number_ready, updated, status.number_available, 0)
    } else {
        let (desired, updated) = (spec.replicas.unwrap_or(1), status.updated_replicas);
        // Only a deployment makes the new pods beside the old ones.
        let old = if kind == Kind::Deployment { status.replicas - updated } else { 0 };
        (desired, status.ready_replicas, updated, status.available_replicas, old)
    };
    if ready < desired {
        Some(format!("{ready} of {desired} pods are ready"))
    } else if updated < spec.replaced(desired) {
        let paused = if spec.paused { "paused: " } else { "" };
        Some(format!("{paused}{updated} of {} pods are of the newest form", spec.replaced(desired)))
    } else if old > 0 {
        Some(match old {
            1 => "a pod of an older form is still there".to_owned(),
            _ => format!("{old} pods of an older form are still there"),
        })
    } else if available < desired {
        Some(format!("{available} of {desired} pods have been ready for as long as they are to be"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::{Kind, Spec, Status, problem};

    fn of(kind: Kind, spec: serde_json::Value, status: serde_json::Value) -> Option<String> {
        problem(kind, 4, &serde_json::from_value(spec).unwrap(), &serde_json::from_value(status).unwrap())
    }

    #[test]
    fn a_deployment_is_as_its_rollout_is() {
        let status = |counts: [i64; 4], more: serde_json::Value| {
            let [replicas, updated, ready, available] = counts;
            let mut status = json!({
                "observedGeneration": 4, "replicas": replicas, "updatedReplicas": updated, "readyReplicas": ready, "availableReplicas": available,
            });
            status.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            status
        };
        let of = |counts, more| of(Kind::Deployment, json!({ "replicas": 2 }), status(counts, more));
        assert_eq!(of([2, 2, 2, 2], json!({})), None);
        assert_eq!(of([2, 2, 1, 1], json!({})).unwrap(), "1 of 2 pods are ready");
        assert_eq!(of([3, 1, 2, 2], json!({})).unwrap(), "1 of 2 pods are of the newest form");
        assert_eq!(of([3, 2, 2, 2], json!({})).unwrap(), "a pod of an older form is still there");
        assert!(of([2, 2, 2, 1], json!({})).unwrap().contains("ready for as long"));
        let stale = json!({ "observedGeneration": 3, "conditions": [{ "type": "Progressing", "status": "False", "reason": "old" }] });
        assert_eq!(of([2, 2, 2, 2], stale).unwrap(), "its newest form was not taken up yet");
        let given_up =
            json!({ "conditions": [{ "type": "Progressing", "status": "False", "reason": "Late", "message": "why" }] });
        assert_eq!(of([3, 1, 2, 2], given_up).unwrap(), "Late: why");
    }

    #[test]
    fn pods_that_are_not_replaced_by_themselves_may_be_of_an_older_form() {
        let status = json!({ "observedGeneration": 4, "replicas": 3, "readyReplicas": 3, "availableReplicas": 3, "updatedReplicas": 1 });
        let set = |strategy: serde_json::Value| {
            of(Kind::StatefulSet, json!({ "replicas": 3, "updateStrategy": strategy }), status.clone())
        };
        assert_eq!(set(json!({ "type": "OnDelete" })), None);
        assert_eq!(set(json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 2 } })), None);
        let behind = set(json!({ "type": "RollingUpdate", "rollingUpdate": { "partition": 1 } }));
        assert_eq!(behind.unwrap(), "1 of 2 pods are of the newest form");
        assert_eq!(set(json!({})).unwrap(), "1 of 3 pods are of the newest form");
        let status =
            json!({ "observedGeneration": 4, "desiredNumberScheduled": 2, "numberReady": 2, "numberAvailable": 2 });
        let set =
            |strategy: &str| of(Kind::DaemonSet, json!({ "updateStrategy": { "type": strategy } }), status.clone());
        assert_eq!(set("OnDelete"), None);
        assert_eq!(set("RollingUpdate").unwrap(), "0 of 2 pods are of the newest form");
    }

    #[test]
    fn a_job_that_is_held_back_is_not_a_failed_one() {
        assert_eq!(of(Kind::CronJob, json!({ "suspend": true }), json!({})), None);
        assert_eq!(of(Kind::Job, json!({ "suspend": true }), json!({ "failed": 1 })), None);
        assert_eq!(
            of(Kind::Job, json!({}), json!({ "failed": 1 })).unwrap(),
            "1 pods have failed and 0 of 1 succeeded"
        );
        let ended = |kind: &str| json!({ "failed": 1, "conditions": [{ "type": kind, "status": "True", "reason": "r", "message": "m" }] });
        assert_eq!(of(Kind::Job, json!({ "completions": 9 }), ended("Complete")), None);
        assert_eq!(of(Kind::Job, json!({}), ended("Failed")).unwrap(), "r: m");
    }

    #[test]
    fn objects_are_read_as_the_api_writes_them() {
        let spec: Spec = serde_json::from_value(json!({
            "jobTemplate": { "spec": { "template": { "spec": { "containers": [{ "image": "dump:1" }] } } } },
        }))
        .unwrap();
        assert_eq!(spec.images(Kind::CronJob), [Arc::from("dump:1")]);
        let status: Status = serde_json::from_value(json!({ "active": 1, "succeeded": 2 })).unwrap();
        assert_eq!((status.succeeded, Kind::Job.name()), (2, "Job"));
    }
}
