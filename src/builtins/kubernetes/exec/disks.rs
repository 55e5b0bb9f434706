//! `pod.disks`

use super::call::CONTAINER;
use super::df::{Mounted, is_kept, mounts, rows};
use super::look::{WITHIN, place, printed};
use crate::builtins::kubernetes::of_pod::POD;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Type, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "pod.disks",
    summary: "The file systems of a container, as its `df` lists them; not those in memory.",
    params: &[POD.info(), CONTAINER.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Mounted::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(disks(args))),
    needs: &[Need::verbs(&["get", "create"], "pods/exec").named("pod"), Need::Words("`df` in the container")],
    by_hand: "kubectl {connection} exec [-n {namespace}] [-c {container}] {pod} -- df -P -k",
    examples: &[Example::call(r#"cluster.pod("postgres-0").disks() | all(.used_share < 85%)"#)],
};

async fn disks(args: Args<'static>) -> Result<Value, Fault> {
    let place = place(&args)?;
    let within = args.get(&WITHIN)?;
    let (sizes, inodes) =
        futures_util::join!(printed(&place, &["df", "-P", "-k"], within), printed(&place, &["df", "-P", "-i"], within));
    let sizes = rows(&sizes?)?.into_iter().filter(is_kept).collect();
    let inodes = inodes.and_then(|inodes| rows(&inodes));
    Ok(mounts(&place.pod, sizes, &inodes).into())
}
