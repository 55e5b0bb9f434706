//! `host.memory`

use super::proc::{self, MemInfo};
use crate::builtins::blocking;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Percent, Size, Typed, records};

records! {
    /// The memory of a machine.
    struct Memory "memory" {
        /// All of it.
        total: Size,
        /// What programs can still get without swapping: free, and caches that can be given up.
        available: Size,
        /// Total without available.
        used: Size,
        /// Used of total.
        used_share: Percent,
        /// What nothing uses, not even a cache: little on a healthy machine.
        free: Size,
        /// Caches of files.
        cached: Size,
        /// All swap; 0B where there is none.
        swap_total: Size,
        /// What is swapped out.
        swap_used: Size,
        /// Used of all swap; 0% where there is none.
        swap_used_share: Percent,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.memory",
    summary: "The memory of this machine: the whole machine's, also in a container.",
    params: &[],
    returns: Returns::Type(Memory::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, _| blocking::run(memory)),
    needs: &[],
    by_hand: "free -m",
    examples: &[Example::call("host.memory().used_share < 90%"), Example::call("host.memory().swap_used < 1GiB")],
};

fn memory() -> Result<Memory, Fault> {
    let info = MemInfo::read()?;
    let (total, available) = (info.size("MemTotal")?, info.size("MemAvailable")?);
    let used = Size(total.0.saturating_sub(available.0));
    let swap_total = info.size("SwapTotal")?;
    let swap_used = Size(swap_total.0.saturating_sub(info.size("SwapFree")?.0));
    let cached =
        ["Buffers", "Cached", "SReclaimable"].iter().try_fold(0_i64, |sum, name| info.size(name).map(|s| sum + s.0))?;
    Ok(Memory {
        total,
        available,
        used,
        used_share: Percent(proc::ratio(used.0, total.0).ok_or_else(|| proc::unexpected("/proc/meminfo"))?),
        free: info.size("MemFree")?,
        cached: Size(cached),
        swap_total,
        swap_used,
        swap_used_share: Percent(proc::ratio(swap_used.0, swap_total.0).unwrap_or(0.0)),
    })
}
