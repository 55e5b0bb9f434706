//! `kubernetes.patch`

use super::object::{Changed, MANIFEST, Object, PATCHED};
use crate::builtins::kubernetes::call::CLUSTER;
use crate::builtins::kubernetes::request::Sent;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

// Undone by patching the fields of before, which `cluster.resource(…)` shows.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.patch",
    summary: "Changes fields of an object that is there, by a merge patch: `null` takes a field away, a list is replaced as a whole.",
    params: &[CLUSTER.info(), MANIFEST.info()],
    returns: Returns::Type(Changed::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(patch(args))),
    needs: &[PATCHED],
    by_hand: "printf '%s' {manifest:json} > patch.json && kubectl {connection} patch [-n {namespace}] --type=merge --patch-file=patch.json -f patch.json",
    examples: &[Example::call(
        r#"change cluster.patch({ apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "report" }, spec: { suspend: true } })"#,
    )],
};

async fn patch(args: Args<'static>) -> Result<Value, Fault> {
    let object = Object::of(&args).await?;
    let before = object.there().await?;
    let after = object.change(Sent::MergePatch, false).await?;
    Ok(object.changed(Some(&before), &after).into())
}
