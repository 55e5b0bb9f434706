//! `redis.stats`

use super::memory::ratio;
use super::needs;
use super::sections::{CONNECTION, Section, WITHIN};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Counted, Fault, Percent, Size, Type, Typed, Value, records};

/// Things per second.
#[derive(Clone, Debug)]
pub struct PerSecond(f64);

impl Typed for PerSecond {
    fn ty() -> Type {
        Type::Rate(Counted::Items)
    }
}

impl From<PerSecond> for Value {
    fn from(rate: PerSecond) -> Self {
        Self::Rate(rate.0, Counted::Items)
    }
}

records! {
    /// What a Redis server did. All but the rate is since its start, or since `CONFIG RESETSTAT`.
    struct Stats "redis_stats" {
        /// Commands, now.
        operations: Result<PerSecond, Fault>,
        /// Commands.
        commands: Result<i64, Fault>,
        /// Connections that were taken.
        connections: Result<i64, Fault>,
        /// Connections that were refused because of `maxclients`.
        rejected: Result<i64, Fault>,
        /// Keys that were asked for and were there.
        hits: Result<i64, Fault>,
        /// Keys that were asked for and were not there.
        misses: Result<i64, Fault>,
        /// Hits of hits and misses. Not to be had before a key was asked for.
        hit_share: Result<Percent, Fault>,
        /// Keys that were thrown away because memory was full.
        evicted: Result<i64, Fault>,
        /// Keys whose time was over.
        expired: Result<i64, Fault>,
        /// Commands that were answered with an error.
        errors: Result<i64, Fault>,
        /// Bytes that came in.
        received: Result<Size, Fault>,
        /// Bytes that went out.
        sent: Result<Size, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.stats",
    summary: "What a server did since it began: commands, hits, evicted keys, and how many commands a second now.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Stats::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(stats(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO stats",
    examples: &[
        Example::call("cache.stats().hit_share > 80%"),
        Example::call("cache.stats().operations < 50000/s"),
        Example::call("cache.stats().evicted == 0"),
    ],
};

async fn stats(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("stats", &args).await?;
    let (hits, misses) = (info.int("keyspace_hits"), info.int("keyspace_misses"));
    let hit_share = || {
        let (hits, misses) = (hits.clone()?, misses.clone()?);
        match hits.saturating_add(misses) {
            0 => Err(Fault::no_value("no key was asked for yet, so there is no share of hits")),
            all => Ok(Percent(ratio(hits, all))),
        }
    };
    Ok(Stats {
        operations: info.float("instantaneous_ops_per_sec").map(PerSecond),
        commands: info.int("total_commands_processed"),
        connections: info.int("total_connections_received"),
        rejected: info.int("rejected_connections"),
        hit_share: hit_share(),
        hits,
        misses,
        evicted: info.int("evicted_keys"),
        expired: info.int("expired_keys"),
        errors: info.int("total_error_replies"),
        received: info.size("total_net_input_bytes"),
        sent: info.size("total_net_output_bytes"),
    }
    .into())
}
