//! `redis.key`

use std::sync::Arc;

use jiff::SignedDuration;

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::builtins::dial::Progress;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{EnumType, Fault, Size, Typed, Value, Word, Words, records};

pub(super) const KEY: Param<String> = Param::required("key", "Its name.");

/// What a key can hold.
#[derive(Clone, Debug)]
pub struct Kinds;

impl Words for Kinds {
    const ENUM: &'static EnumType =
        &EnumType { name: "redis_type", values: &["string", "list", "set", "zset", "hash", "stream"], open: true };
}

records! {
    /// A key of a Redis server.
    struct Key "redis_key" {
        /// Its name.
        name: Arc<str>,
        /// Whether it is there. What follows is missing where it is not.
        exists: bool,
        /// What it holds. Modules have types of their own.
        r#type: Option<Word<Kinds>>,
        /// How long until it expires. Missing where it does not.
        ttl: Option<SignedDuration>,
        /// What it takes in memory, estimated from some of its items.
        size: Result<Option<Size>, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.key",
    summary: "A key: whether it is there, what it is, when it expires, how much memory it takes.",
    params: &[CONNECTION.info(), KEY.info(), WITHIN.info()],
    returns: Returns::Type(Key::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(key(args))),
    needs: &[needs::KEY_FACTS],
    by_hand: "redis-cli {connection} TYPE {key} && redis-cli {connection} TTL {key} && redis-cli {connection} MEMORY USAGE {key}",
    examples: &[
        Example::call(r#"cache.key("leader").exists"#),
        Example::call(r#"(cache.key("session:{id}").ttl ?? 0s) > 1m"#),
    ],
};

async fn key(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let name = args.get(&KEY)?;
    let progress = Progress::default();
    let asked = async {
        let mut lease = redis.lease(&progress);
        let (kind, ttl) = (lease.ask(&["TYPE", &name]).await?, lease.ask(&["PTTL", &name]).await?);
        // Not everybody may ask this, and it is not in every Redis.
        let size = lease.ask(&["MEMORY", "USAGE", &name]).await.map_err(Fault::from);
        Ok((kind, ttl, size))
    };
    let (kind, ttl, size) = redis.within(within(redis, &args)?, &progress, asked).await?;
    let (kind, ttl) = (reply::text(kind)?, reply::int(&ttl)?);
    // It may have expired between the two.
    if kind == "none" || ttl == -2 {
        return Ok(Key { name: name.into(), exists: false, r#type: None, ttl: None, size: Ok(None) }.into());
    }
    let size = size.and_then(|answer| match answer {
        redis::Value::Nil => Ok(None),
        answer => reply::int(&answer).map(|bytes| Some(Size(bytes))),
    });
    let ttl = (ttl >= 0).then(|| SignedDuration::from_millis(ttl));
    Ok(Key { name: name.into(), exists: true, r#type: Some(Word::new(kind)), ttl, size }.into())
}
