//! `kubernetes.pod`

use super::ask::{Ask, Resource};
use super::call::{CLUSTER, OWN_NAMESPACE, cluster, namespace};
use super::pods::{Object, Pod};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value};

const NAME: Param<String> = Param::required("name", "The name of the pod.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.pod",
    summary: "A pod by its name: how it is, and the way to what runs in it.",
    params: &[CLUSTER.info(), NAME.info(), OWN_NAMESPACE.info()],
    returns: Returns::Type(Pod::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(pod(cx, args))),
    needs: &[
        Need::verbs(&["get"], "pods").named("name"),
        Need::verbs(&["get", "create"], "pods/portforward").named("name").carrying(),
    ],
    by_hand: "kubectl {connection} get pod [-n {namespace}] -o wide {name}",
    examples: &[
        Example::call(r#"cluster.pod("postgres-0").ready"#),
        Example::call(r#"cluster.pod("postgres-0").disk("/var/lib/postgresql/data").used_share < 80%"#),
    ],
};

async fn pod(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CLUSTER)?;
    let cluster = cluster(&args)?;
    let ask = Ask::get(&Resource::PODS, &namespace(&cluster, &args)?, &args.get(&NAME)?)?;
    let object: Object = cluster.read(&ask).await?;
    Ok(object.shown(&cx, &cluster, &connection)?.into())
}
