//! `kubernetes.resources`

use std::sync::Arc;

use serde_json::Value as Json;

use super::call::{CLUSTER, FIELDS, NAMESPACE, SELECTOR, WITHIN, cluster, deadline, listed};
use super::known_kinds;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Type, Value};

pub(super) const KIND: Param<String> = Param::required(
    "kind",
    "The kind, as kubectl takes it: its plural, its singular or a short name, with its group where several are called so.",
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.resources",
    summary: "The objects of any kind, custom ones too, as the API has them. A kind that is not there is an error. Secrets are not read.",
    params: &[CLUSTER.info(), KIND.info(), NAMESPACE.info(), SELECTOR.info(), FIELDS.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Type::Data)),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(resources(args))),
    needs: &[known_kinds::LIST],
    by_hand: "kubectl {connection} get [-n {namespace}] [-l {selector}] [--field-selector {fields}] -o yaml {kind}",
    examples: &[
        Example::call(r#"cluster.resources("certificates.cert-manager.io") | count"#),
        Example::call(r#"cluster.resources("pvc") | all(.status.phase == "Bound")"#),
    ],
};

async fn resources(args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let deadline = deadline(&cluster, &args)?;
    let resource = cluster.kind(&args.get(&KIND)?, deadline).await?;
    refuse_secrets(&resource.qualified())?;
    let ask = listed(&cluster, &resource, &args)?;
    let found = cluster.list(&ask, deadline, |object: Json| Ok(Value::Data(Arc::new(object)))).await?;
    Ok(Value::list(found))
}

/// What is shown, sent and journalled must hold no secret, and this would be one that nobody marked as such.
pub(super) fn refuse_secrets(kind: &str) -> Result<(), Fault> {
    if kind == "secrets" {
        return Err(Fault::new(FaultKind::Denied, "secrets of a cluster are not read: they would stand in the output")
            .help("declare what is needed: `secret name = env(\"NAME\")`"));
    }
    Ok(())
}
