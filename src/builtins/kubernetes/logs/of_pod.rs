//! `pod.logs`

use super::read::{AT_MOST, CONTAINER, PREVIOUS, SINCE, TAIL, WITHIN, of};
use super::whose::Whose;
use crate::builtins::kubernetes::of_pod::{POD, place};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Line, Type, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "pod.logs",
    summary: "The lines that the containers of this pod have logged until now. What cannot be had makes the log partial.",
    params: &[POD.info(), CONTAINER.info(), SINCE.info(), PREVIOUS.info(), TAIL.info(), AT_MOST.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Line::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(logs(cx, args))),
    needs: &[Need::verbs(&["get"], "pods").named("pod"), Need::verbs(&["get"], "pods/log").named("pod")],
    by_hand: "kubectl {connection} logs [-n {namespace}] [-c {container}] [!container? --all-containers] [--since={since}] [previous? --previous] [--tail={tail}] {pod}",
    examples: &[Example::call(r#"cluster.pod("worker-0").logs(tail: 100) | where(.text ~ /error/i)"#)],
};

async fn logs(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let place = place(&args)?;
    let whose = Whose::Pod(place.pod.to_string());
    of(&cx, &args, &place.cluster, &place.namespace, &whose).await.map(Into::into)
}
