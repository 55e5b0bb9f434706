//! `kubernetes.delete_pod`

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::builtins::kubernetes::ask::{Ask, Resource};
use crate::builtins::kubernetes::call::{CLUSTER, OWN_NAMESPACE, cluster, namespace};
use crate::builtins::kubernetes::request::Sent;
use crate::builtins::settings::limit;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

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
        /// What makes another one in its place, such as `ReplicaSet/web-7c9`.
        owner: Option<Arc<str>>,
        /// How long it took until it was gone.
        took: SignedDuration,
    }
}

// It cannot be undone: the pod is gone with all that it kept in itself.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.delete_pod",
    summary: "Deletes a pod, and waits until it is gone; what made it makes another one. It cannot be undone.",
    params: &[CLUSTER.info(), NAME.info(), GRACE.info(), UNMANAGED.info(), WITHIN.info(), OWN_NAMESPACE.info()],
    returns: Returns::Type(Deleted::ty),
    // Done twice it deletes also the pod of a stateful set that took the place and the name.
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|_, args| Box::pin(delete(args))),
    needs: &[Need::verbs(&["get", "delete"], "pods").named("name")],
    by_hand: "kubectl {connection} delete pod [-n {namespace}] [--grace-period={grace:seconds}] --timeout={within} {name}",
    examples: &[Example::call(r#"change cluster.delete_pod("worker-0")"#)],
};

async fn delete(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let (name, namespace) = (args.get(&NAME)?, namespace(&cluster, &args)?);
    let within = limit(args.get(&WITHIN)?)?;
    let grace = args.get(&GRACE)?.map(limit).transpose()?;
    let ask = Ask::get(&Resource::PODS, &namespace, &name)?;
    let pod: Pod = cluster.read(&ask).await?;
    let owner = pod.owner_references().iter().find(|owner| owner.controller == Some(true));
    let owner = owner.map(|owner| format!("{}/{}", owner.kind, owner.name));
    if owner.is_none() && !args.get(&UNMANAGED)? {
        return Err(Fault::new(FaultKind::Failed, format!("nothing makes pod {name} again, so it was not deleted"))
            .help("write `unmanaged: true` where that is meant"));
    }
    let begun = Instant::now();
    let uid = pod.uid();
    // This pod, and not the one that has taken its name meanwhile.
    let mut options = json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": { "uid": uid } });
    if let (Some(grace), Some(options)) = (grace, options.as_object_mut()) {
        options.insert("gracePeriodSeconds".to_owned(), grace.as_secs().into());
    }
    let delete = Ask::new("delete", &Resource::PODS, &namespace, Some(&name))?;
    cluster.change(&delete, Sent::Json, &options, cluster.within).await?;
    loop {
        let still = match cluster.read::<Pod>(&ask).await {
            Err(fault) if fault.kind == FaultKind::NotFound => break,
            Ok(now) if now.uid() != uid => break,
            Ok(_) => "is there still".to_owned(),
            Err(fault) => format!("cannot be looked at any more: {}", fault.message),
        };
        if begun.elapsed() + EVERY > within {
            let took = Value::Duration(SignedDuration::from_secs(
                i64::try_from(begun.elapsed().as_secs()).unwrap_or(i64::MAX),
            ));
            let message = format!("pod {name} was told to end, and after {took} it {still}");
            return Err(Fault::new(FaultKind::Timeout, message)
                .help("see what holds it: its finalizers, or a node that is gone")
                .sent());
        }
        sleep(EVERY).await;
    }
    let took = SignedDuration::try_from(begun.elapsed()).unwrap_or(SignedDuration::MAX);
    Ok(Deleted { name: name.into(), owner: owner.map(Into::into), took }.into())
}
