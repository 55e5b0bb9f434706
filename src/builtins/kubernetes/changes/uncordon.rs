//! `kubernetes.uncordon`

use super::node::{Marked, NODE, mark};
use crate::builtins::kubernetes::call::CLUSTER;
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::Typed;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.uncordon",
    summary: "Lets new pods onto a node again. Undone by `cordon`.",
    params: &[CLUSTER.info(), NODE.info()],
    returns: Returns::Type(Marked::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(mark(args, false))),
    needs: &[Need::of_cluster(&["get", "patch"], "nodes").named("node")],
    by_hand: "kubectl {connection} uncordon {node}",
    examples: &[Example::call(r#"change cluster.uncordon("n-4")"#)],
};
