//! `kubernetes.exec`

use super::call::{AT_MOST, COMMAND, CONTAINER, EXITS, Execution, WITHIN, call};
use super::reads::effect;
use super::session::Place;
use crate::builtins::kubernetes::call::{CLUSTER, OWN_NAMESPACE, cluster, namespace};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value};

const POD: Param<String> = Param::required("pod", "The pod, by its name.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.exec",
    summary: "Runs a command in a container of a pod. It is a change, unless the connection says that the command only looks: `reads: [\"df\"]`.",
    params: &[
        CLUSTER.info(),
        POD.info(),
        COMMAND.info(),
        CONTAINER.info(),
        EXITS.info(),
        WITHIN.info(),
        AT_MOST.info(),
        OWN_NAMESPACE.info(),
    ],
    returns: Returns::Type(Execution::ty),
    effect: EffectRule::ByCall(effect),
    body: Body::Outside(|_, args| Box::pin(exec(args))),
    needs: &[Need::verbs(&["get", "create"], "pods/exec").named("pod")],
    by_hand: "kubectl {connection} exec [-n {namespace}] [-c {container}] {pod} -- {command}",
    examples: &[Example::call(r#"change cluster.exec("redis-0", "redis-cli config set maxmemory 1gb")"#)],
};

async fn exec(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let namespace = namespace(&cluster, &args)?;
    let place = Place { namespace, pod: args.get(&POD)?.into(), container: args.get(&CONTAINER)?, cluster };
    call(&place, &args).await
}
