//! `redis.key_count`

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.key_count",
    summary: "How many keys the connection's database has. `keyspace` tells of all databases.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(i64::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(key_count(args))),
    needs: &[needs::COUNT],
    by_hand: "redis-cli {connection} DBSIZE",
    examples: &[Example::call("cache.key_count() > 0")],
};

async fn key_count(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let answer = redis.read(&["DBSIZE"], within(redis, &args)?).await?;
    reply::int(&answer).map(Value::Int)
}
