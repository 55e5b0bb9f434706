//! `kubernetes.delete_pod`

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, Preconditions};
use tokio::time::{Instant, sleep};

use super::restart::limit;
use super::sent;
use crate::builtins::kubernetes::connection::Cluster;
use crate::builtins::kubernetes::faults;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Connection, Fault, FaultKind, Typed, Value, records};
use crate::units;

const CONNECTION: Param<Arc<Connection>> = Param::connection("kubernetes");
const NAME: Param<String> = Param::required("name", "The pod, by its name.");
const GRACE: Param<Option<SignedDuration>> =
    Param::optional("grace", "How long it may take to end, where that is not what the pod says itself.");
const UNMANAGED: Param<bool> = Param::or("unmanaged", "Also a pod that nothing makes again.", || Value::Bool(false));
const WITHIN: Param<SignedDuration> = Param::or("within", "How long it is waited for until the pod is gone.", || {
    Value::Duration(SignedDuration::from_mins(2))
});
const EVERY: Duration = Duration::from_secs(1);

records! {
    /// What deleting a pod came to.
    struct Deleted "deleted_pod" {
        /// The pod.
        name: Arc<str>,
        /// What makes another one in its place, such as `ReplicaSet web-7c9`.
        owner: Option<Arc<str>>,
        /// How long it took until it was gone.
        took: SignedDuration,
    }
}

// It cannot be undone: the pod is gone with all that it kept in itself.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.delete_pod",
    summary: "Deletes a pod, and waits until it is gone; what made it makes another one. It cannot be undone.",
    params: &[CONNECTION.info(), NAME.info(), GRACE.info(), UNMANAGED.info(), WITHIN.info()],
    returns: Returns::Type(Deleted::ty),
    // Done twice it deletes also the pod of a stateful set that took the place and the name.
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|_, args| Box::pin(delete(args))),
    needs: &["get and delete pods"],
    by_hand: "kubectl delete pod {name}",
    examples: &[Example::call(r#"change cluster.delete_pod("worker-0")"#)],
};

async fn delete(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let cluster = Cluster::of(&connection)?;
    let api: Api<Pod> = Api::namespaced(cluster.client().clone(), cluster.namespace());
    let name = args.get(&NAME)?;
    let within = limit(args.get(&WITHIN)?)?;
    let grace = args.get(&GRACE)?.map(limit).transpose()?;
    let what = format!("pod {name}");
    let pod = api.get(&name).await.map_err(|error| faults::fault(&error, &what))?;
    let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true));
    let owner = owner.map(|owner| format!("{} {}", owner.kind, owner.name));
    if owner.is_none() && !args.get(&UNMANAGED)? {
        return Err(Fault::new(FaultKind::Failed, format!("nothing makes {what} again, so it was not deleted"))
            .help("write `unmanaged: true` where that is meant"));
    }
    let begun = Instant::now();
    let uid = pod.uid();
    // This pod, and not the one that has taken its name meanwhile.
    let params = DeleteParams {
        grace_period_seconds: grace.map(|grace| u32::try_from(grace.as_secs()).unwrap_or(u32::MAX)),
        preconditions: Some(Preconditions { uid: uid.clone(), resource_version: None }),
        ..DeleteParams::default()
    };
    api.delete(&name, &params).await.map_err(|error| sent::fault(&error, &what))?;
    loop {
        match api.get_opt(&name).await {
            Ok(None) => break,
            Ok(Some(now)) if now.uid() != uid => break,
            Ok(Some(_)) if begun.elapsed() + EVERY < within => sleep(EVERY).await,
            Err(_) if begun.elapsed() + EVERY < within => sleep(EVERY).await,
            Ok(Some(_)) => {
                let within = units::duration(i64::try_from(within.as_nanos()).unwrap_or(i64::MAX));
                let message = format!("{what} was told to end, and is there still after {within}");
                return Err(Fault::new(FaultKind::Timeout, message)
                    .help("see what holds it: its finalizers, or a node that is gone")
                    .sent());
            }
            Err(error) => {
                let fault = faults::fault(&error, &what);
                let message = format!("{what} was told to end, and cannot be looked at any more: {}", fault.message);
                return Err(Fault { message: message.into(), ..fault }.sent());
            }
        }
    }
    let took = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
    Ok(Deleted { name: name.into(), owner: owner.map(Into::into), took }.into())
}
