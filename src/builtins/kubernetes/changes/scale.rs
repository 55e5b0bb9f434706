//! `kubernetes.scale`

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;
use tokio::time::Instant;

use super::restart::WITHIN;
use super::workload::{DEPLOYMENT, STATEFUL_SET, Workload, one_is_named};
use crate::builtins::kubernetes::call::{CLUSTER, OWN_NAMESPACE};
use crate::builtins::kubernetes::request::Sent;
use crate::builtins::settings::limit;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const REPLICAS: Param<i64> = Param::required("replicas", "How many pods it shall have.");

records! {
    /// What scaling a workload came to.
    struct Scaled "scaled" {
        /// The workload.
        name: Arc<str>,
        /// How many pods it wanted before: what undoes the change.
        previous: i64,
        /// How many pods it wants now.
        replicas: i64,
        /// How many of them are ready.
        ready: i64,
        /// How long it took.
        took: SignedDuration,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.scale",
    summary: "Gives a workload so many pods, and waits until it has so many and they are ready. Where something sets another number meanwhile, nobody can say that it was done. Undone by the number of before, which the result has.",
    params: &[
        CLUSTER.info(),
        DEPLOYMENT.info(),
        STATEFUL_SET.info(),
        REPLICAS.info(),
        WITHIN.info(),
        OWN_NAMESPACE.info(),
    ],
    returns: Returns::Judged {
        ty: Scaled::ty,
        judge: |inputs| one_is_named(inputs, &[DEPLOYMENT.name(), STATEFUL_SET.name()]),
    },
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(scale(args))),
    needs: &[
        Need::verbs(&["get", "patch"], "deployments.apps").given("deployment"),
        Need::verbs(&["get", "patch"], "statefulsets.apps").given("stateful_set"),
    ],
    by_hand: "kubectl {connection} get [-n {namespace}] [deployment/{deployment}] [statefulset/{stateful_set}] -o custom-columns=previous:.spec.replicas && kubectl {connection} scale [-n {namespace}] --replicas={replicas} [deployment/{deployment}] [statefulset/{stateful_set}] && kubectl {connection} rollout status [-n {namespace}] --timeout={within} [deployment/{deployment}] [statefulset/{stateful_set}]",
    examples: &[Example::call(
        r#"change cluster.scale(deployment: "gateway", replicas: 4) undo cluster.scale(deployment: "gateway", replicas: 2)"#,
    )],
};

async fn scale(args: Args<'static>) -> Result<Value, Fault> {
    let workload = Workload::of(&args)?;
    let replicas = args.get(&REPLICAS)?;
    if i32::try_from(replicas).is_err() || replicas < 0 {
        return Err(Fault::new(FaultKind::Setup, format!("`replicas` is a number of pods, and {replicas} is none")));
    }
    let within = limit(args.get(&WITHIN)?)?;
    let begun = Instant::now();
    let before = workload.get().await?;
    // Left out it is 1.
    let previous = before.pointer("/spec/replicas").and_then(serde_json::Value::as_i64).unwrap_or(1);
    workload.patch(Sent::MergePatch, &json!({ "spec": { "replicas": replicas } })).await?;
    let rollout = workload.rolled_out(within.saturating_sub(begun.elapsed())).await.map_err(|fault| Fault {
        message: format!("{} (it had {previous} pods before)", fault.message).into(),
        ..fault
    })?;
    if rollout.wanted != replicas {
        let message = format!(
            "{} was given {replicas} pods (it had {previous}), and something has set that to {} since",
            workload.shown(),
            rollout.wanted
        );
        let autoscalers = workload.cluster.reads().kubectl.line_in(&workload.namespace, "get hpa");
        return Err(Fault::new(FaultKind::Failed, message).sent().help(format!(
            "what holds it there? An autoscaler (`{autoscalers}`), what brings it back to a repository, or somebody else",
        )));
    }
    let took = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
    let name = workload.name.as_str().into();
    Ok(Scaled { name, previous, replicas: rollout.wanted, ready: rollout.ready, took }.into())
}
