//! `redis.persistence`

use jiff::{SignedDuration, Timestamp};

use super::needs;
use super::sections::{CONNECTION, Section, WITHIN};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Size, Typed, Value, records};

records! {
    /// What a Redis server keeps on its disk.
    struct Persistence "redis_persistence" {
        /// Whether it is still reading its data from the disk.
        loading: Result<bool, Fault>,
        /// When the last snapshot (RDB) that succeeded was made; the start of the server where there was none since.
        last_save: Result<Option<Timestamp>, Fault>,
        /// Whether the last attempt at a snapshot succeeded.
        last_save_ok: Result<bool, Fault>,
        /// How long the last snapshot took. Missing where none was made since the start.
        last_save_took: Result<Option<SignedDuration>, Fault>,
        /// Changes since the last snapshot: what is lost with the server, unless the append-only file has them.
        unsaved_changes: Result<i64, Fault>,
        /// Whether a snapshot is being made.
        saving: Result<bool, Fault>,
        /// Whether there is an append-only file (AOF).
        append_only: Result<bool, Fault>,
        /// Whether the last write to the append-only file succeeded.
        append_only_ok: Result<bool, Fault>,
        /// Whether the append-only file is being rewritten.
        rewriting: Result<bool, Fault>,
        /// Whether the last rewrite of the append-only file succeeded.
        last_rewrite_ok: Result<bool, Fault>,
        /// How large the append-only file is. Missing where there is none.
        append_only_size: Result<Option<Size>, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.persistence",
    summary: "What a server has saved: snapshots, and the append-only file.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Persistence::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(persistence(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO persistence",
    examples: &[
        Example::call("cache.persistence().last_save_ok"),
        Example::call("cache.persistence().unsaved_changes < 10000"),
    ],
};

async fn persistence(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("persistence", &args).await?;
    let append_only = info.flag("aof_enabled");
    let append_only_size = match append_only {
        Ok(true) => info.size("aof_current_size").map(Some),
        Ok(false) => Ok(None),
        Err(ref fault) => Err(fault.clone()),
    };
    Ok(Persistence {
        loading: info.flag("loading"),
        last_save: info.time("rdb_last_save_time"),
        last_save_ok: info.is("rdb_last_bgsave_status", "ok"),
        last_save_took: info.seconds("rdb_last_bgsave_time_sec"),
        unsaved_changes: info.int("rdb_changes_since_last_save"),
        saving: info.flag("rdb_bgsave_in_progress"),
        append_only,
        append_only_ok: info.is("aof_last_write_status", "ok"),
        rewriting: info.flag("aof_rewrite_in_progress"),
        last_rewrite_ok: info.is("aof_last_bgrewrite_status", "ok"),
        append_only_size,
    }
    .into())
}
