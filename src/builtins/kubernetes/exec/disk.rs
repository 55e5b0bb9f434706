//! `pod.disk`

use super::call::CONTAINER;
use super::df::{Mounted, mounts, rows};
use super::look::{WITHIN, place, printed};
use crate::builtins::kubernetes::of_pod::POD;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

const PATH: Param<String> = Param::required("path", "Any path on it, from the root of the container.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "pod.disk",
    summary: "The file system that a path of a container is on.",
    params: &[POD.info(), PATH.info(), CONTAINER.info(), WITHIN.info()],
    returns: Returns::Type(Mounted::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(disk(args))),
    needs: &[Need::verbs(&["get", "create"], "pods/exec").named("pod"), Need::Words("`df` in the container")],
    by_hand: "kubectl {connection} exec [-n {namespace}] [-c {container}] {pod} -- df -P -k {path}",
    examples: &[Example::call(r#"cluster.pod("postgres-0").disk("/var/lib/postgresql/data").used_share < 85%"#)],
};

async fn disk(args: Args<'static>) -> Result<Value, Fault> {
    let place = place(&args)?;
    let path = args.get(&PATH)?;
    if !path.starts_with('/') || path.contains('\0') {
        return Err(Fault::new(FaultKind::Setup, format!("`{path}` is no path from the root of a container"))
            .help("write it from `/` on: `disk(\"/data\")`"));
    }
    let within = args.get(&WITHIN)?;
    let (of_sizes, of_inodes) = (["df", "-P", "-k", &path], ["df", "-P", "-i", &path]);
    let (sizes, inodes) = futures_util::join!(printed(&place, &of_sizes, within), printed(&place, &of_inodes, within));
    let sizes = sizes.map_err(|fault| missing(fault, &place.pod, &path))?;
    let inodes = inodes.and_then(|inodes| rows(&inodes));
    let found = mounts(&place.pod, rows(&sizes)?, &inodes);
    <[Mounted; 1]>::try_from(found).map(|[mount]| mount.into()).map_err(|found| {
        Fault::new(
            FaultKind::BadAnswer,
            format!("`df {path}` in {} told of {} mounts, not of one", place.pod, found.len()),
        )
    })
}

fn missing(fault: Fault, pod: &str, path: &str) -> Fault {
    if fault.kind == FaultKind::Failed && fault.message.contains("No such file or directory") {
        return Fault::new(FaultKind::NotFound, format!("the container of pod {pod} has no `{path}`"));
    }
    fault
}
