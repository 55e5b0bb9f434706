//! `kubernetes.restart`

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;

use super::workload::{DAEMON_SET, DEPLOYMENT, Kind, STATEFUL_SET, Workload, one_is_named};
use crate::builtins::kubernetes::call::{CLUSTER, OWN_NAMESPACE};
use crate::builtins::kubernetes::request::Sent;
use crate::builtins::settings::limit;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

pub(super) const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long the rollout is waited for. One that takes longer ends as unknown.", || {
        Value::Duration(SignedDuration::from_mins(5))
    });

records! {
    /// What a change of a workload came to.
    struct Rolled "rollout" {
        /// The workload.
        name: Arc<str>,
        /// How many pods it wants.
        replicas: i64,
        /// How many of them are ready.
        ready: i64,
        /// How long it took.
        took: SignedDuration,
    }
}

// Undone by `roll_back`, which brings the template of before back; the pods that were replaced are gone either way.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.restart",
    summary: "Replaces all pods of a workload by new ones, as its strategy has it, and waits until they are ready.",
    params: &[
        CLUSTER.info(),
        DEPLOYMENT.info(),
        STATEFUL_SET.info(),
        DAEMON_SET.info(),
        WITHIN.info(),
        OWN_NAMESPACE.info(),
    ],
    returns: Returns::Judged {
        ty: Rolled::ty,
        judge: |inputs| one_is_named(inputs, &[DEPLOYMENT.name(), STATEFUL_SET.name(), DAEMON_SET.name()]),
    },
    // Every time it replaces the pods again.
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|cx, args| Box::pin(restart(cx, args))),
    needs: &[
        Need::verbs(&["get", "patch"], "deployments.apps").given("deployment"),
        Need::verbs(&["get", "patch"], "statefulsets.apps").given("stateful_set"),
        Need::verbs(&["get", "patch"], "daemonsets.apps").given("daemon_set"),
    ],
    by_hand: "kubectl {connection} rollout restart [-n {namespace}] [deployment/{deployment}] [statefulset/{stateful_set}] [daemonset/{daemon_set}] && kubectl {connection} rollout status [-n {namespace}] --timeout={within} [deployment/{deployment}] [statefulset/{stateful_set}] [daemonset/{daemon_set}]",
    examples: &[Example::call(r#"change cluster.restart(deployment: "gateway", within: 5m)"#)],
};

async fn restart(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let workload = Workload::of(&args)?;
    let within = limit(args.get(&WITHIN)?)?;
    let now = workload.get().await?;
    can_roll(&workload, &now)?;
    // What `kubectl rollout restart` writes: whoever looks for the last restart finds it there.
    let at = cx.world.now().to_string();
    let annotations = json!({ "kubectl.kubernetes.io/restartedAt": at });
    let patch = json!({ "spec": { "template": { "metadata": { "annotations": annotations } } } });
    let begun = tokio::time::Instant::now();
    workload.patch(Sent::MergePatch, &patch).await?;
    rolled(&workload, within, begun).await
}

/// Whether a change of the template reaches the pods by itself.
pub(super) fn can_roll(workload: &Workload, object: &serde_json::Value) -> Result<(), Fault> {
    let spec = |path: &str| object.pointer(path);
    if spec("/spec/paused") == Some(&json!(true)) {
        return Err(Fault::new(
            FaultKind::Failed,
            format!("{} is paused, so nothing would come of it", workload.shown()),
        )
        .help(format!("resume it: `{}`", workload.by_hand("rollout resume"))));
    }
    if workload.kind != Kind::Deployment && spec("/spec/updateStrategy/type") == Some(&json!("OnDelete")) {
        let message = format!("{} replaces a pod only when somebody deletes it", workload.shown());
        return Err(Fault::new(FaultKind::Failed, message).help("delete its pods one by one: `cluster.delete_pod(…)`"));
    }
    Ok(())
}

/// What came of a change, once it is rolled out.
pub(super) async fn rolled(workload: &Workload, within: Duration, begun: tokio::time::Instant) -> Result<Value, Fault> {
    let rollout = workload.rolled_out(within.saturating_sub(begun.elapsed())).await?;
    let took = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
    let name = workload.name.as_str().into();
    Ok(Rolled { name, replicas: rollout.wanted, ready: rollout.ready, took }.into())
}
