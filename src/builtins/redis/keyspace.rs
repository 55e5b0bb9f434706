//! `redis.keyspace`

use jiff::SignedDuration;

use super::needs;
use super::sections::{CONNECTION, Section, WITHIN, number};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value, records};

records! {
    /// A database of a Redis server that has keys.
    struct Keyspace "redis_database" {
        /// Its number.
        database: i64,
        /// How many keys it has.
        keys: i64,
        /// How many of them expire.
        expiring: i64,
        /// How long those last that expire, roughly, as the server estimates it. Missing where none does.
        average_ttl: Option<SignedDuration>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.keyspace",
    summary: "The databases of a server that have keys, and how many.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Vec::<Keyspace>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(keyspace(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO keyspace",
    examples: &[Example::call("cache.keyspace() | sum(.keys) < 1000000")],
};

async fn keyspace(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("keyspace", &args).await?;
    let database = |(database, parts)| {
        let ttl = number(&parts, "avg_ttl")?;
        Ok(Keyspace {
            database,
            keys: number(&parts, "keys")?,
            expiring: number(&parts, "expires")?,
            average_ttl: (ttl > 0).then(|| SignedDuration::from_millis(ttl)),
        })
    };
    let found: Vec<Keyspace> = info.numbered("db").into_iter().map(database).collect::<Result<_, Fault>>()?;
    Ok(found.into())
}
