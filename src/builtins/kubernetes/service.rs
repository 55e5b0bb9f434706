//! `kubernetes.service`

use super::ask::{Ask, Resource};
use super::call::{CLUSTER, OWN_NAMESPACE, cluster, namespace};
use super::services::{Object, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value};

const NAME: Param<String> = Param::required("name", "The name of the service.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.service",
    summary: "A service by its name, and the way to a pod of it that is ready.",
    params: &[CLUSTER.info(), NAME.info(), OWN_NAMESPACE.info()],
    returns: Returns::Type(Service::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(service(cx, args))),
    needs: &[
        Need::verbs(&["get"], "services").named("name"),
        Need::verbs(&["list"], "endpointslices.discovery.k8s.io").carrying(),
        Need::verbs(&["get", "create"], "pods/portforward").carrying(),
    ],
    by_hand: "kubectl {connection} get service [-n {namespace}] {name}",
    examples: &[Example::call(r#"cluster.service("gateway").ports"#)],
};

async fn service(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CLUSTER)?;
    let cluster = cluster(&args)?;
    let ask = Ask::get(&Resource::SERVICES, &namespace(&cluster, &args)?, &args.get(&NAME)?)?;
    let object: Object = cluster.read(&ask).await?;
    Ok(object.shown(&cx, &cluster, &connection)?.into())
}
