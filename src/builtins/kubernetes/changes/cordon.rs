//! `kubernetes.cordon`

use super::node::{Marked, NODE, mark};
use crate::builtins::kubernetes::call::CLUSTER;
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::Typed;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.cordon",
    summary: "Lets no new pod onto a node; those on it stay. Undone by `uncordon`.",
    params: &[CLUSTER.info(), NODE.info()],
    returns: Returns::Type(Marked::ty),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|_, args| Box::pin(mark(args, true))),
    needs: &[Need::of_cluster(&["get", "patch"], "nodes").named("node")],
    by_hand: "kubectl {connection} cordon {node}",
    examples: &[Example::call(r#"change cluster.cordon("n-4") undo cluster.uncordon("n-4")"#)],
};
