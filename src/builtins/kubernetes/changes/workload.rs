//! Workloads as changes name them: a deployment, a stateful set or a daemon set, and how far their rollout is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::time::{Instant, sleep};

use crate::builtins::kubernetes::ask::{Ask, Resource};
use crate::builtins::kubernetes::call::{cluster, namespace};
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::kubernetes::request::Sent;
use crate::catalog::{Args, Inputs, Mismatch, Param};
use crate::types::{Fault, FaultKind};
use crate::units;

/// As whom we write the fields that we write.
pub(super) const MANAGER: &str = "runbook";

pub(super) const DEPLOYMENT: Param<Option<String>> = Param::optional("deployment", "A deployment, by its name.");
pub(super) const STATEFUL_SET: Param<Option<String>> = Param::optional("stateful_set", "A stateful set, by its name.");
pub(super) const DAEMON_SET: Param<Option<String>> = Param::optional("daemon_set", "A daemon set, by its name.");

/// How often a rollout is looked at.
const EVERY: Duration = Duration::from_secs(1);

/// What kind of workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Deployment,
    StatefulSet,
    DaemonSet,
}

impl Kind {
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "stateful set",
            Self::DaemonSet => "daemon set",
        }
    }

    const fn resource(self) -> Resource {
        match self {
            Self::Deployment => Resource::DEPLOYMENTS,
            Self::StatefulSet => Resource::STATEFUL_SETS,
            Self::DaemonSet => Resource::DAEMON_SETS,
        }
    }
}

/// One workload.
pub(super) struct Workload {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) namespace: Arc<str>,
    pub(super) cluster: Arc<Kubernetes>,
}

impl Workload {
    /// The one that the arguments name.
    pub(super) fn of(args: &Args<'static>) -> Result<Self, Fault> {
        let cluster = cluster(args)?;
        let given = |param: &Param<Option<String>>| {
            if args.given().any(|(name, _)| name == param.name()) { args.get(param) } else { Ok(None) }
        };
        let named = [
            (Kind::Deployment, given(&DEPLOYMENT)?),
            (Kind::StatefulSet, given(&STATEFUL_SET)?),
            (Kind::DaemonSet, given(&DAEMON_SET)?),
        ];
        let named = named.into_iter().find_map(|(kind, name)| Some((kind, name?)));
        let (kind, name) = named.ok_or_else(|| Fault::no_value("nothing says which workload is meant"))?;
        Ok(Self { kind, name, namespace: namespace(&cluster, args)?, cluster })
    }

    /// `deployment web`
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.kind.noun(), self.name)
    }

    /// What a person types to have kubectl do this with it.
    pub(super) fn by_hand(&self, does: &str) -> String {
        let kind = self.kind.noun().replace(' ', "");
        self.cluster.kubectl_to_change().line_in(&self.namespace, &format!("{does} {kind}/{}", self.name))
    }

    /// As it is now.
    pub(super) async fn get(&self) -> Result<Json, Fault> {
        self.cluster.read(&Ask::get(&self.kind.resource(), &self.namespace, &self.name)?).await
    }

    /// Changes it. Of what goes out and is not answered nobody knows whether it was made.
    pub(super) async fn patch(&self, sent: Sent, patch: &Json) -> Result<Json, Fault> {
        let ask = Ask::new("patch", &self.kind.resource(), &self.namespace, Some(&self.name))?;
        self.cluster.change(&ask.query("fieldManager", MANAGER), sent, patch, self.cluster.within).await
    }

    /// Waits until all pods are as the workload wants them.
    ///
    /// # Errors
    /// Where that is not so within the time, or will never be: what was asked for is done, and what came of it is not
    /// what it was asked for.
    pub(super) async fn rolled_out(&self, within: Duration) -> Result<Rollout, Fault> {
        let begun = Instant::now();
        loop {
            // Looking again is cheap, and the limit is ahead.
            let how_far = match self.get().await {
                Ok(object) => {
                    let rollout = Rollout::of(self.kind, &object);
                    match &rollout.state {
                        State::Complete => return Ok(rollout),
                        State::Stuck(why) => return Err(self.stuck(why, &rollout)),
                        State::Waiting => rollout.shown(),
                    }
                }
                Err(fault) => format!("it cannot be looked at: {}", fault.message),
            };
            if begun.elapsed() + EVERY > within {
                return Err(self.late(within, &how_far));
            }
            sleep(EVERY).await;
        }
    }

    fn stuck(&self, why: &str, rollout: &Rollout) -> Fault {
        let message =
            format!("{} was changed, and its rollout does not go on: {why}; {}", self.shown(), rollout.shown());
        Fault::new(FaultKind::Failed, message).sent()
    }

    fn late(&self, within: Duration, how_far: &str) -> Fault {
        let within = units::duration(i64::try_from(within.as_nanos()).unwrap_or(i64::MAX));
        let message =
            format!("{} was changed, and its rollout is not complete after {within}: {how_far}", self.shown());
        Fault::new(FaultKind::Timeout, message).help("see what its new pods wait for; give it longer with `within:`")
    }
}

/// How far a rollout is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rollout {
    pub(super) wanted: i64,
    pub(super) ready: i64,
    updated: i64,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Complete,
    Waiting,
    Stuck(String),
}

impl Rollout {
    fn shown(&self) -> String {
        format!("{} of {} pods are new, {} are ready", self.updated, self.wanted, self.ready)
    }

    /// As `kubectl rollout status` has it.
    pub(super) fn of(kind: Kind, object: &Json) -> Self {
        let (spec, status) = (object.get("spec"), object.get("status"));
        let number = |of: Option<&Json>, name: &str| of.and_then(|of| of.get(name)).and_then(Json::as_i64);
        let count = |name: &str| number(status, name).unwrap_or_default();
        let seen = count("observedGeneration") >= number(object.get("metadata"), "generation").unwrap_or_default();
        let replicas = number(spec, "replicas").unwrap_or(1);
        let (wanted, ready, updated, settled) = match kind {
            Kind::Deployment => {
                let (updated, available) = (count("updatedReplicas"), count("availableReplicas"));
                let old = count("replicas") > updated;
                // Pods that are not wanted any more are counted until they are told to go.
                let surplus = count("replicas") > replicas;
                (replicas, available, updated, !old && !surplus && available >= updated)
            }
            Kind::StatefulSet => {
                let text = |name: &str| status.and_then(|status| status.get(name)).and_then(Json::as_str);
                let (current, update) = (text("currentRevision"), text("updateRevision"));
                let kept = spec
                    .and_then(|spec| spec.pointer("/updateStrategy/rollingUpdate/partition"))
                    .and_then(Json::as_i64)
                    .unwrap_or_default();
                let updated = if current == update { count("replicas") } else { count("updatedReplicas") + kept };
                (replicas, count("readyReplicas"), updated, count("replicas") == replicas)
            }
            Kind::DaemonSet => {
                let wanted = count("desiredNumberScheduled");
                (wanted, count("numberAvailable"), count("updatedNumberScheduled"), true)
            }
        };
        let state = match stuck(status) {
            Some(why) if seen => State::Stuck(why),
            _ if seen && settled && updated >= wanted && ready >= wanted => State::Complete,
            _ => State::Waiting,
        };
        Self { wanted, ready, updated, state }
    }
}

/// A deployment that has given up says so.
fn stuck(status: Option<&Json>) -> Option<String> {
    let conditions = status?.get("conditions")?.as_array()?;
    let given_up = |condition: &&Json| {
        condition.get("type").is_some_and(|kind| kind == "Progressing")
            && condition.get("reason").is_some_and(|reason| reason == "ProgressDeadlineExceeded")
    };
    let condition = conditions.iter().find(given_up)?;
    Some(condition.get("message").and_then(Json::as_str).unwrap_or("its deadline is over").to_owned())
}

/// Which workload is said once. The checker's word on it.
pub(super) fn one_is_named(inputs: &Inputs<'_>, params: &[&'static str]) -> Result<(), Mismatch> {
    let mut given = params.iter().filter(|name| inputs.given(name).is_some());
    match (given.next(), given.next()) {
        (Some(_), None) => Ok(()),
        (None, _) => Err(Mismatch {
            param: params.first().copied().unwrap_or_default(),
            message: "nothing says which workload is meant".to_owned(),
            help: Some(format!(
                "name it: `{}`",
                params.iter().map(|name| format!("{name}: \"…\"")).collect::<Vec<_>>().join("` or `")
            )),
        }),
        (Some(first), Some(second)) => Err(Mismatch {
            param: second,
            message: format!("`{first}` and `{second}` both say which workload is meant"),
            help: Some("keep one of them; two changes are two statements".to_owned()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kind, Rollout, State};

    #[expect(clippy::needless_pass_by_value, reason = "a test reads better with its values in place")]
    fn state(kind: Kind, spec: serde_json::Value, status: serde_json::Value) -> State {
        Rollout::of(kind, &json!({ "metadata": { "generation": 4 }, "spec": spec, "status": status })).state
    }

    #[test]
    fn a_deployment_is_rolled_out_when_all_its_pods_are_new_and_available() {
        let of = |status| state(Kind::Deployment, json!({ "replicas": 2 }), status);
        let done = json!({ "observedGeneration": 4, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 });
        assert_eq!(of(done), State::Complete);
        let unseen = json!({ "observedGeneration": 3, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2 });
        assert_eq!(of(unseen), State::Waiting);
        let old = json!({ "observedGeneration": 4, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 3 });
        assert_eq!(of(old), State::Waiting);
        // Scaled down, and the controller has seen that, and not yet done anything about it.
        let surplus = json!({ "observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3 });
        assert_eq!(of(surplus), State::Waiting);
        let stuck = json!({ "observedGeneration": 4, "replicas": 3, "conditions": [
            { "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "too long" }] });
        assert_eq!(of(stuck), State::Stuck("too long".to_owned()));
        assert_eq!(
            state(Kind::Deployment, json!({ "replicas": 0 }), json!({ "observedGeneration": 4 })),
            State::Complete
        );
        assert_eq!(of(json!({})), State::Waiting);
    }

    #[test]
    fn a_stateful_set_and_a_daemon_set() {
        let of = |status| state(Kind::StatefulSet, json!({ "replicas": 2 }), status);
        let done = json!({ "observedGeneration": 4, "replicas": 2, "readyReplicas": 2, "currentRevision": "b", "updateRevision": "b" });
        assert_eq!(of(done), State::Complete);
        let half = json!({ "observedGeneration": 4, "replicas": 2, "readyReplicas": 2, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b" });
        assert_eq!(of(half), State::Waiting);
        let of = |status| state(Kind::DaemonSet, json!({}), status);
        assert_eq!(
            of(
                json!({ "observedGeneration": 4, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2 })
            ),
            State::Complete
        );
        assert_eq!(
            of(
                json!({ "observedGeneration": 4, "desiredNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 1 })
            ),
            State::Waiting
        );
    }
}
