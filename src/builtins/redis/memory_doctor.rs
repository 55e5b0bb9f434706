//! `redis.memory_doctor`

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.memory_doctor",
    summary: "What a server itself has to say about its memory, in words.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(String::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(memory_doctor(args))),
    needs: &[needs::DOCTOR],
    by_hand: "redis-cli {connection} MEMORY DOCTOR",
    examples: &[Example::call("cache.memory_doctor()")],
};

async fn memory_doctor(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let answer = redis.read(&["MEMORY", "DOCTOR"], within(redis, &args)?).await?;
    reply::text(answer).map(|text| Value::string(text.trim_end()))
}
