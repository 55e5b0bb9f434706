//! `kubernetes.apply`

use super::object::{APPLIED, Changed, MANIFEST, Object};
use crate::builtins::kubernetes::call::CLUSTER;
use crate::builtins::kubernetes::request::Sent;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

const FORCE: Param<bool> =
    Param::or("force", "Also fields that somebody else has written, who loses them.", || Value::Bool(false));

// Undone by applying the object of before, which `cluster.resource(…)` shows; a new one by deleting it.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.apply",
    summary: "Makes an object as a manifest has it, by server-side apply as `runbook`. The same manifest again changes nothing.",
    params: &[CLUSTER.info(), MANIFEST.info(), FORCE.info()],
    returns: Returns::Type(Changed::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(apply(args))),
    needs: &[APPLIED],
    by_hand: "printf '%s' {manifest:json} | kubectl {connection} apply --server-side --field-manager=runbook [force? --force-conflicts] [-n {namespace}] -f -",
    examples: &[Example::call(
        r#"change cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "flags" }, data: { search: "off" } })"#,
    )],
};

async fn apply(args: Args<'static>) -> Result<Value, Fault> {
    let object = Object::of(&args).await?;
    let before = object.now().await?;
    let after = object.change(Sent::ApplyPatch, args.get(&FORCE)?).await.map_err(conflict)?;
    Ok(object.changed(before.as_ref(), &after).into())
}

/// Fields that belong to somebody else are named by the cluster, with whom.
fn conflict(fault: Fault) -> Fault {
    if fault.kind == FaultKind::Failed && fault.message.contains("conflict") {
        return fault.help("leave these fields out of the manifest; or write `force: true` to take them over");
    }
    fault
}
