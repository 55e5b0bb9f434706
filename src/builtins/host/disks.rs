//! `host.disks`

use futures_util::future::join_all;

use super::mounts::{self, Disk};
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Type, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.disks",
    summary: "The file systems on disks and shares of this machine, as `df` lists them; not those in memory, in images, or of containers.",
    params: &[],
    returns: Returns::Type(|| Type::list(Disk::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, _| Box::pin(disks())),
    needs: &[],
    by_hand: "df -h",
    examples: &[
        Example::call("host.disks() | all(.used_share < 85%)"),
        Example::call("host.disks() | none(.read_only)"),
    ],
};

async fn disks() -> Result<Value, Fault> {
    let mounts = mounts::real(mounts::all()?);
    let disks = join_all(mounts.into_iter().map(mounts::disk)).await;
    // A file system without blocks holds no files: the kernel has more kinds of them than any list.
    let real = disks.into_iter().filter(|disk| disk.size.as_ref().map_or(true, |size| size.0 > 0));
    Ok(real.collect::<Vec<_>>().into())
}
