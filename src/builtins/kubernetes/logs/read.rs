//! `kubernetes.logs`

use jiff::{SignedDuration, Timestamp};

use super::snapshot::{Wanted, snapshot};
use super::whose::{Kind, Whose};
use crate::builtins::kubernetes::call::{CLUSTER, NAMESPACE, cluster, namespace};
use crate::builtins::kubernetes::connection::Kubernetes;
use crate::builtins::settings::{limit, setup};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Inputs, Mismatch, Param, Returns};
use crate::types::{Fault, Line, Log, Size, Type, Typed, Value};
use crate::units;

const POD: Param<Option<String>> = Param::optional("pod", "One pod, by its name.");
const DEPLOYMENT: Param<Option<String>> = Param::optional("deployment", "Every pod of this deployment.");
const STATEFUL_SET: Param<Option<String>> = Param::optional("stateful_set", "Every pod of this stateful set.");
const DAEMON_SET: Param<Option<String>> = Param::optional("daemon_set", "Every pod of this daemon set.");
const JOB: Param<Option<String>> = Param::optional("job", "Every pod of this job.");
const SELECTOR: Param<Option<String>> =
    Param::optional("selector", "Every pod with these labels: `app=web,tier!=test`.");
pub(super) const CONTAINER: Param<Option<String>> = Param::optional(
    "container",
    "One container of each pod. Left out, all of them but those that only prepare the others.",
);
pub(super) const SINCE: Param<Option<SignedDuration>> = Param::optional(
    "since",
    "Only lines from this long before the run began, also of what a container ran as before its last restart.",
);
pub(super) const PREVIOUS: Param<bool> =
    Param::or("previous", "What the containers logged before their last restart, and nothing else.", || {
        Value::Bool(false)
    });
pub(super) const TAIL: Param<Option<i64>> = Param::optional("tail", "Only the last so many lines of each container.");
pub(super) const AT_MOST: Param<Size> = Param::or(
    "at_most",
    "How much is kept of all of them, in an unnamed file on this machine. The log of a larger one is partial.",
    || Value::Size(1 << 30),
);
pub(super) const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long reading may take. A log that takes longer is partial.", || {
        Value::Duration(SignedDuration::from_mins(1))
    });

const NAMING: &[Param<Option<String>>] = &[POD, DEPLOYMENT, STATEFUL_SET, DAEMON_SET, JOB, SELECTOR];

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.logs",
    summary: "The lines that pods have logged until now, by their times. Each says its pod; what cannot be had makes the log partial.",
    params: &[
        CLUSTER.info(),
        POD.info(),
        DEPLOYMENT.info(),
        STATEFUL_SET.info(),
        DAEMON_SET.info(),
        JOB.info(),
        SELECTOR.info(),
        CONTAINER.info(),
        SINCE.info(),
        PREVIOUS.info(),
        TAIL.info(),
        AT_MOST.info(),
        WITHIN.info(),
        NAMESPACE.info(),
    ],
    returns: Returns::Computed { shape: "list<line>", compute: one_is_named },
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(logs(cx, args))),
    needs: &[
        Need::verbs(&["get"], "pods").given("pod"),
        Need::verbs(&["get"], "deployments.apps").given("deployment"),
        Need::verbs(&["get"], "statefulsets.apps").given("stateful_set"),
        Need::verbs(&["get"], "daemonsets.apps").given("daemon_set"),
        Need::verbs(&["get"], "jobs.batch").given("job"),
        Need::verbs(&["list"], "pods").where_given("deployment"),
        Need::verbs(&["list"], "pods").where_given("stateful_set"),
        Need::verbs(&["list"], "pods").where_given("daemon_set"),
        Need::verbs(&["list"], "pods").where_given("job"),
        Need::verbs(&["list"], "pods").where_given("selector"),
        Need::verbs(&["get"], "pods/log").named("pod"),
    ],
    by_hand: "kubectl {connection} logs [-n {namespace}] [-c {container}] [!container? --all-containers] [--since={since}] [previous? --previous] [--tail={tail}] [{pod}] [deployment/{deployment} --all-pods=true] [statefulset/{stateful_set} --all-pods=true] [daemonset/{daemon_set} --all-pods=true] [job/{job} --all-pods=true] [-l {selector} --tail=-1]",
    examples: &[
        Example::call(r#"cluster.logs(deployment: "gateway", since: 2h) | where(.text ~ /error/i) | count"#),
        Example::call(r#"cluster.logs("worker-0", previous: true) | last"#),
    ],
};

/// Whose logs is said once.
fn one_is_named(inputs: &Inputs<'_>) -> Result<Type, Mismatch> {
    let mut given = NAMING.iter().map(Param::name).filter(|name| inputs.given(name).is_some());
    let names = NAMING.iter().map(|param| format!("`{}`", param.name())).collect::<Vec<_>>().join(", ");
    match (given.next(), given.next()) {
        (Some(_), None) => Ok(Type::list(Line::ty())),
        (None, _) => Err(Mismatch {
            param: POD.name(),
            message: "nothing says whose logs are meant".to_owned(),
            help: Some(format!("name one of {names}, such as `logs(deployment: \"web\")`")),
        }),
        (Some(first), Some(second)) => Err(Mismatch {
            param: second,
            message: format!("`{first}` and `{second}` both say whose logs are meant"),
            help: Some("keep one of them".to_owned()),
        }),
    }
}

async fn logs(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let workload =
        |param: &Param<Option<String>>, kind| args.get(param).map(|name| name.map(|name| Whose::Workload(kind, name)));
    let named = [
        args.get(&POD)?.map(Whose::Pod),
        workload(&DEPLOYMENT, Kind::Deployment)?,
        workload(&STATEFUL_SET, Kind::StatefulSet)?,
        workload(&DAEMON_SET, Kind::DaemonSet)?,
        workload(&JOB, Kind::Job)?,
        args.get(&SELECTOR)?.map(Whose::Selector),
    ];
    let whose = named.into_iter().flatten().next();
    let whose = whose.ok_or_else(|| Fault::no_value("nothing says whose logs are meant: a name is missing"))?;
    let log = of(&cx, &args, &cluster, &namespace(&cluster, &args)?, &whose).await?;
    Ok(log.into())
}

/// The log that the arguments ask for.
pub(super) async fn of(
    cx: &Cx,
    args: &Args<'static>,
    cluster: &Kubernetes,
    namespace: &str,
    whose: &Whose,
) -> Result<Log, Fault> {
    let since = args.get(&SINCE)?;
    let from = since.map(|since| from(since, cx.run.started_at)).transpose()?;
    let wanted = Wanted {
        container: args.get(&CONTAINER)?,
        from,
        previous: args.get(&PREVIOUS)?,
        tail: args.get(&TAIL)?.map(positive).transpose()?,
        at_most: u64::try_from(args.get(&AT_MOST)?.0).map_err(|_| setup("`at_most` cannot be negative"))?,
        within: limit(args.get(&WITHIN)?)?,
    };
    let mut name = whose.shown();
    if let Some(since) = since {
        name.push_str(" since ");
        name.push_str(&units::duration(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX)));
    }
    snapshot(cluster, namespace, whose, &wanted, name).await
}

fn from(since: SignedDuration, started_at: Timestamp) -> Result<Timestamp, Fault> {
    let from = started_at.checked_sub(since).ok().filter(|from| *from <= started_at);
    from.ok_or_else(|| Fault::no_value("`since` is no length of time before now"))
}

fn positive(tail: i64) -> Result<i64, Fault> {
    if tail < 0 { Err(setup("`tail` is a number of lines, so it cannot be negative")) } else { Ok(tail) }
}
