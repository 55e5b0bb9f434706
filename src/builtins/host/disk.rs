//! `host.disk`

use std::path::Path;

use super::mounts::{self, Disk, Mount};
use crate::builtins::files;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

const PATH: Param<String> = Param::required("path", "Any path on it.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.disk",
    summary: "The file system that a path of this machine is on.",
    params: &[PATH.info()],
    returns: Returns::Type(Disk::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(disk(cx, args))),
    needs: &[],
    by_hand: "df -h {path}",
    examples: &[Example::call(r#"host.disk("/var").free > 5GiB"#)],
};

async fn disk(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let path = files::locate(&cx, &args.get(&PATH)?)?;
    // A share that hangs is told by the mount's own look-up, which is given up on; this one would wait for it.
    let found =
        tokio::time::timeout(std::time::Duration::from_secs(5), tokio::task::spawn_blocking(move || mount(&path)));
    let mount = match found.await {
        Ok(Ok(mount)) => mount?,
        Ok(Err(error)) => return Err(Fault::new(FaultKind::Failed, format!("the look-up broke off: {error}"))),
        Err(_) => return Err(Fault::new(FaultKind::Timeout, "the file system does not answer within 5s")),
    };
    let disk = mounts::disk(mount).await;
    disk.size.clone()?;
    Ok(disk.into())
}

fn mount(path: &Path) -> Result<Mount, Fault> {
    let real = path.canonicalize().map_err(|error| files::fault("look at", path, &error))?;
    let found = mounts::holding(&real, mounts::all()?);
    found.ok_or_else(|| Fault::new(FaultKind::NotFound, format!("no file system holds `{}`", real.display())))
}
