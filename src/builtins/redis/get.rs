//! `redis.get`

use redis::Value as Answer;

use super::connection;
use super::key::KEY;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.get",
    summary: "The text of a key. Missing where the key is not there; a fault where it holds no string, or no text.",
    params: &[CONNECTION.info(), KEY.info(), WITHIN.info()],
    returns: Returns::Type(Option::<String>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(get(args))),
    needs: &[needs::GET],
    by_hand: "redis-cli {connection} GET {key}",
    examples: &[
        Example::call(r#"cache.get("maintenance") == "off""#),
        Example::call(r#"(cache.get("leader") ?? "nobody") != "nobody""#),
    ],
};

async fn get(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let key = args.get(&KEY)?;
    match redis.read(&["GET", &key], within(redis, &args)?).await? {
        Answer::Nil => Ok(Value::Null),
        Answer::BulkString(bytes) => String::from_utf8(bytes).map(Value::string).map_err(|error| {
            let from = error.utf8_error().valid_up_to();
            Fault::conversion(format!("`{key}` holds no text: it is not UTF-8, from byte {from} on"))
        }),
        answer => reply::text(answer).map(Value::string),
    }
}
