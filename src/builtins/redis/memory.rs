//! `redis.memory`

use std::sync::Arc;

use super::needs;
use super::sections::{CONNECTION, Section, WITHIN};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Percent, Size, Typed, Value, records};

records! {
    /// The memory of a Redis server.
    struct Memory "redis_memory" {
        /// What its data and all around it takes, as Redis counts it: what `max` is compared with.
        used: Result<Size, Fault>,
        /// The most it took since the server began.
        peak: Result<Size, Fault>,
        /// What the system gave it.
        resident: Result<Size, Fault>,
        /// `maxmemory`: how much it may take. Missing where it has no limit.
        max: Result<Option<Size>, Fault>,
        /// Used of `max`. Missing where it has no limit.
        used_share: Result<Option<Percent>, Fault>,
        /// What happens at the limit: `noeviction` refuses to write, `allkeys-lru` and others throw keys away.
        policy: Result<Arc<str>, Fault>,
        /// Resident of used: 1 is none, far above it memory is wasted, below it the server is swapped out. It says little of a server with few data.
        fragmentation: Result<f64, Fault>,
        /// The data without what is needed around them.
        data: Result<Size, Fault>,
        /// The memory of the machine.
        machine: Result<Size, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.memory",
    summary: "How much memory a server takes, and how much it may.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Memory::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(memory(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO memory",
    examples: &[
        Example::call("(cache.memory().used_share ?? 100%) < 80%"),
        Example::call("cache.memory().fragmentation < 1.5"),
    ],
};

async fn memory(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("memory", &args).await?;
    let max = info.size("maxmemory").map(|max| (max.0 > 0).then_some(max));
    let used = info.size("used_memory");
    let used_share = used.clone().and_then(|used| Ok(max.clone()?.map(|max| Percent(ratio(used.0, max.0)))));
    Ok(Memory {
        used,
        peak: info.size("used_memory_peak"),
        resident: info.size("used_memory_rss"),
        max,
        used_share,
        policy: info.text("maxmemory_policy").map(Arc::from),
        fragmentation: info.float("mem_fragmentation_ratio"),
        data: info.size("used_memory_dataset"),
        machine: info.size("total_system_memory"),
    }
    .into())
}

#[expect(clippy::cast_precision_loss, reason = "bytes beyond 2^53 divide as their nearest double")]
pub(super) fn ratio(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}
