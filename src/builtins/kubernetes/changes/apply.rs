//! `kubernetes.apply`

use super::object::{APPLIED, Changed, MANIFEST, Object};
use super::workload::MANAGER;
use crate::builtins::kubernetes::call::CLUSTER;
use crate::builtins::kubernetes::request::Sent;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

/// How often it is tried where the object changes meanwhile.
const TRIES: u32 = 5;

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
    let force = args.get(&FORCE)?;
    let mut tries = 0;
    loop {
        tries += 1;
        let before = object.now().await?;
        let mut applied = object.change(Sent::ApplyPatch, force).await;
        if let (Err(fault), Some(seen)) = (&applied, &before)
            && is_with_oneself(fault)
        {
            // What `scale` and `patch` have written is the same manager's, and still counts as another's.
            applied = object.take_over(Sent::ApplyPatch, seen).await;
            // The cluster itself writes its status meanwhile. Nothing was changed by what it refused.
            if tries < TRIES && applied.as_ref().is_err_and(is_outdated) {
                continue;
            }
        }
        return Ok(object.changed(before.as_ref(), &applied.map_err(conflict)?).into());
    }
}

/// Whether all the fields that are in the way were written by this tool.
fn is_with_oneself(fault: &Fault) -> bool {
    let managers =
        fault.message.split("conflict with \"").skip(1).chain(fault.message.split("conflicts with \"").skip(1));
    let mut managers = managers.filter_map(|rest| rest.split_once('"')).map(|(manager, _)| manager).peekable();
    fault.kind == FaultKind::Failed && managers.peek().is_some() && managers.all(|manager| manager == MANAGER)
}

fn is_outdated(fault: &Fault) -> bool {
    fault.kind == FaultKind::Failed && !fault.sent && fault.message.contains("has been modified")
}

/// Fields that belong to somebody else are named by the cluster, with whom.
fn conflict(fault: Fault) -> Fault {
    if fault.kind == FaultKind::Failed && fault.message.contains("conflict") {
        return fault.help("leave these fields out of the manifest; or write `force: true` to take them over");
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::is_with_oneself;
    use crate::types::{Fault, FaultKind};

    #[test]
    fn only_what_this_tool_has_written_is_taken_over() {
        let is = |message: &str| is_with_oneself(&Fault::new(FaultKind::Failed, message));
        assert!(is("Apply failed with 1 conflict: conflict with \"runbook\" using apps/v1: .spec.replicas"));
        assert!(is(
            "Apply failed with 1 conflict: conflict with \"runbook\" with subresource \"scale\": .spec.replicas"
        ));
        assert!(!is("Apply failed with 1 conflict: conflict with \"argocd\" using apps/v1: .spec.replicas"));
        let both = "Apply failed with 2 conflicts: conflicts with \"runbook\" using apps/v1: - .a conflicts with \"kubectl\": - .b";
        assert!(!is(both));
        assert!(!is("409 the object has been modified"));
    }
}
