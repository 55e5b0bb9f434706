//! `kubernetes.patch`

use std::sync::Arc;

use kube::api::{Patch, PatchParams};

use super::object::{Changed, MANIFEST, Object};
use super::sent;
use super::workload::MANAGER;
use crate::builtins::kubernetes::connection::Cluster;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Connection, Fault, FaultKind, Typed, Value};

const CONNECTION: Param<Arc<Connection>> = Param::connection("kubernetes");

// Undone by patching the fields of before, which `cluster.resource(…)` shows.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.patch",
    summary: "Changes fields of an object that is there, by a merge patch: `null` takes a field away, a list is replaced as a whole.",
    params: &[CONNECTION.info(), MANIFEST.info()],
    returns: Returns::Type(Changed::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(patch(args))),
    needs: &["get and patch the kind of the manifest"],
    by_hand: "kubectl patch KIND NAME --type=merge -p '{manifest}'",
    examples: &[Example::call(
        r#"change cluster.patch({ apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "report" }, spec: { suspend: true } })"#,
    )],
};

async fn patch(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let object = Object::of(Cluster::of(&connection)?, args.get(&MANIFEST)?.to_json()).await?;
    let what = object.shown();
    let before = object.now().await?;
    if before.is_none() {
        return Err(Fault::new(FaultKind::NotFound, format!("there is no {what}")).help("`cluster.apply(…)` makes one"));
    }
    let params = PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() };
    let after = object.api.patch(&object.name, &params, &Patch::Merge(&object.manifest)).await;
    let after = after.map_err(|error| sent::fault(&error, &what))?;
    Ok(object.changed(before.as_ref(), &after).into())
}
