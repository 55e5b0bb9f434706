//! `pod.exec`

use super::call::{AT_MOST, COMMAND, CONTAINER, EXITS, Execution, WITHIN, call};
use super::reads::effect;
use crate::builtins::kubernetes::of_pod::POD;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "pod.exec",
    summary: "Runs a command in a container of this pod. It is a change, unless the connection says that the command only looks: `reads: [\"df\"]`.",
    params: &[POD.info(), COMMAND.info(), CONTAINER.info(), EXITS.info(), WITHIN.info(), AT_MOST.info()],
    returns: Returns::Type(Execution::ty),
    effect: EffectRule::ByCall(effect),
    body: Body::Outside(|_, args| Box::pin(exec(args))),
    needs: &[Need::verbs(&["get", "create"], "pods/exec").named("pod")],
    by_hand: "kubectl {connection} exec [-n {namespace}] [-c {container}] {pod} -- {command}",
    examples: &[Example::call(r#"change cluster.pod("redis-0").exec("redis-cli memory purge")"#)],
};

async fn exec(args: Args<'static>) -> Result<Value, Fault> {
    let place = super::look::place(&args)?;
    call(&place, &args).await
}
