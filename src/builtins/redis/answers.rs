//! `redis.answers`

use redis::Value as Answer;

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

// Yes: it answered PONG. No: nobody listens, it is silent for too long, it is loading its data, it is a replica without
// its primary, it takes no more clients, it is busy with a script, something else answers there. Not measured: it wants a
// password, has another one, does not let this user ask; or this machine has no network or name server.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.answers",
    summary: "Whether a server answers PING. No where it is down, silent or loading; a fault where this side could not ask: no network here, a wrong password.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[needs::PING],
    by_hand: "redis-cli {connection} PING",
    examples: &[Example::call("cache.answers()"), Example::call("cache.answers(within: 1s)")],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    match redis.read(&["PING"], within(redis, &args)?).await {
        Ok(Answer::SimpleString(pong)) if pong == "PONG" => Ok(Value::Bool(true)),
        Ok(_) => Err(reply::unexpected("PONG")),
        Err(trouble) if trouble.ours => Err(trouble.fault),
        Err(trouble) => {
            cx.remark.say(trouble.fault.message.to_string());
            Ok(Value::Bool(false))
        }
    }
}
