//! `kubernetes.exec`

use std::sync::Arc;

use super::call::{AT_MOST, COMMAND, CONTAINER, EXITS, Execution, WITHIN, call};
use super::reads::effect;
use super::session::Place;
use crate::builtins::kubernetes::connection::Cluster;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Connection, Fault, Typed, Value};

const CONNECTION: Param<Arc<Connection>> = Param::connection("kubernetes");
const POD: Param<String> = Param::required("pod", "The pod, by its name.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.exec",
    summary: "Runs a command in a container of a pod. It is a change, unless the connection says that the command only looks: `reads: [\"df\"]`.",
    params: &[
        CONNECTION.info(),
        POD.info(),
        COMMAND.info(),
        CONTAINER.info(),
        EXITS.info(),
        WITHIN.info(),
        AT_MOST.info(),
    ],
    returns: Returns::Type(Execution::ty),
    effect: EffectRule::ByCall(effect),
    body: Body::Outside(|_, args| Box::pin(exec(args))),
    needs: &["get and create pods/exec"],
    by_hand: "kubectl exec {pod} -- {command}",
    examples: &[Example::call(r#"change cluster.exec("redis-0", "redis-cli config set maxmemory 1gb")"#)],
};

async fn exec(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let cluster = Cluster::of(&connection)?;
    let place = Place {
        client: cluster.client().clone(),
        namespace: cluster.namespace().to_owned(),
        pod: args.get(&POD)?,
        container: args.get(&CONTAINER)?,
    };
    call(&place, cluster.reads(), &args).await
}
