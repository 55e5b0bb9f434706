//! `kubernetes.apply`

use std::sync::Arc;

use kube::api::{Patch, PatchParams};

use super::object::{Changed, MANIFEST, Object};
use super::sent;
use super::workload::MANAGER;
use crate::builtins::kubernetes::connection::Cluster;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Connection, Fault, FaultKind, Typed, Value};

const CONNECTION: Param<Arc<Connection>> = Param::connection("kubernetes");
const FORCE: Param<bool> =
    Param::or("force", "Also fields that somebody else has written, who loses them.", || Value::Bool(false));

// Undone by applying the object of before, which `cluster.resource(…)` shows; a new one by deleting it.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.apply",
    summary: "Makes an object as a manifest has it, by server-side apply as `runbook`. The same manifest again changes nothing.",
    params: &[CONNECTION.info(), MANIFEST.info(), FORCE.info()],
    returns: Returns::Type(Changed::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(apply(args))),
    needs: &["get, create and patch the kind of the manifest"],
    by_hand: "kubectl apply --server-side --field-manager=runbook -f manifest.yaml",
    examples: &[Example::call(
        r#"change cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "flags" }, data: { search: "off" } })"#,
    )],
};

async fn apply(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let object = Object::of(Cluster::of(&connection)?, args.get(&MANIFEST)?.to_json()).await?;
    let before = object.now().await?;
    let params = PatchParams { force: args.get(&FORCE)?, ..PatchParams::apply(MANAGER) };
    let after = object.api.patch(&object.name, &params, &Patch::Apply(&object.manifest)).await;
    let after = after.map_err(|error| conflict(&error, &object.shown()))?;
    Ok(object.changed(before.as_ref(), &after).into())
}

/// Fields that belong to somebody else are named, with whom.
fn conflict(error: &kube::Error, what: &str) -> Fault {
    match error {
        kube::Error::Api(status) if status.code == 409 => {
            let causes = status.details.iter().flat_map(|details| &details.causes);
            let told: Vec<String> = causes.map(|cause| format!("{} ({})", cause.field, cause.message)).collect();
            let told = if told.is_empty() { status.message.clone() } else { told.join(", ") };
            Fault::new(FaultKind::Failed, format!("{what} was not changed: others have written {told}"))
                .help("leave these fields out of the manifest; or write `force: true` to take them over")
        }
        error => sent::fault(error, what),
    }
}
