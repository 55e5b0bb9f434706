//! `redis.replication`

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;

use super::needs;
use super::sections::{CONNECTION, Section, WITHIN, number};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{EnumType, Fault, FaultKind, Size, Typed, Value, Word, Words, records};

/// What a server is to the others.
#[derive(Clone, Debug)]
pub struct Roles;

impl Words for Roles {
    const ENUM: &'static EnumType = &EnumType { name: "redis_role", values: &["primary", "replica"], open: false };
}

records! {
    /// How the data of a Redis server get to others, or come from one.
    struct Replication "redis_replication" {
        /// Primary, also where it has no replica; or replica.
        role: Result<Word<Roles>, Fault>,
        /// The replicas that are connected to it.
        replicas: Vec<Replica>,
        /// How far its stream of changes has come, in bytes since the beginning.
        offset: Result<i64, Fault>,
        /// Of a replica: where its primary is.
        primary: Result<Option<Arc<str>>, Fault>,
        /// Of a replica: whether it is connected to its primary.
        link_up: Result<Option<bool>, Fault>,
        /// Of a replica without its primary: for how long.
        link_down_for: Result<Option<SignedDuration>, Fault>,
        /// Of a replica: how long ago its primary was heard. Missing while the link is down.
        heard: Result<Option<SignedDuration>, Fault>,
        /// Of a replica: whether it is getting all data anew.
        syncing: Result<Option<bool>, Fault>,
        /// Of a replica: whether it refuses to write.
        read_only: Result<Option<bool>, Fault>,
    }

    /// A replica, as its primary sees it.
    struct Replica "redis_replica" {
        /// Its address and port.
        address: Arc<str>,
        /// `online`, or what it is at on the way there: `wait_bgsave`, `send_bulk`.
        state: Arc<str>,
        /// How many bytes of changes it has not confirmed.
        behind: Result<Size, Fault>,
        /// How long ago it confirmed something.
        lag: Result<SignedDuration, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.replication",
    summary: "Whether a server is a primary or a replica, and how far its replicas are behind.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Replication::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(replication(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO replication",
    examples: &[
        Example::call(r#"cache.replication().role == "primary""#),
        Example::call("cache.replication().replicas | all(.behind < 1MiB and .lag < 10s)"),
        Example::call("cache.replication().link_up ?? false"),
    ],
};

async fn replication(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("replication", &args).await?;
    let role = match info.text("role")? {
        "master" => "primary",
        "slave" | "replica" => "replica",
        other => {
            return Err(Fault::new(FaultKind::BadAnswer, format!("`role` of `INFO replication` is `{other}`")));
        }
    };
    let is_replica = role == "replica";
    let sent = info.int("master_repl_offset");
    let replicas: Vec<Replica> = if is_replica {
        Vec::new()
    } else {
        info.numbered("slave").iter().map(|(_, parts)| replica(parts, &sent)).collect()
    };
    let expected = info.int("connected_slaves")?;
    if !is_replica && i64::try_from(replicas.len()) != Ok(expected) {
        let message = format!("the server says it has {expected} replicas, and lists {}", replicas.len());
        return Err(Fault::new(FaultKind::BadAnswer, message));
    }
    let link_down_for = if info.has("master_link_down_since_seconds") {
        info.seconds("master_link_down_since_seconds")
    } else {
        Ok(None)
    };
    Ok(Replication {
        role: Ok(Word::new(role)),
        replicas,
        offset: if is_replica { info.int("slave_repl_offset") } else { sent },
        primary: of_replica(is_replica, || {
            Ok(format!("{}:{}", info.text("master_host")?, info.text("master_port")?).into())
        }),
        link_up: of_replica(is_replica, || info.is("master_link_status", "up")),
        link_down_for,
        heard: if is_replica { info.seconds("master_last_io_seconds_ago") } else { Ok(None) },
        syncing: of_replica(is_replica, || info.flag("master_sync_in_progress")),
        read_only: of_replica(is_replica, || info.flag("slave_read_only")),
    }
    .into())
}

fn of_replica<T>(is_one: bool, value: impl FnOnce() -> Result<T, Fault>) -> Result<Option<T>, Fault> {
    if is_one { value().map(Some) } else { Ok(None) }
}

fn replica(parts: &HashMap<&str, &str>, sent: &Result<i64, Fault>) -> Replica {
    let text = |name: &str| parts.get(name).copied().unwrap_or("?");
    let behind = || Ok(Size(sent.clone()?.saturating_sub(number(parts, "offset")?).max(0)));
    Replica {
        address: format!("{}:{}", text("ip"), text("port")).into(),
        state: text("state").into(),
        behind: behind(),
        lag: number(parts, "lag").map(SignedDuration::from_secs),
    }
}
