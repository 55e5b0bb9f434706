//! `redis.clients`

use super::memory::ratio;
use super::needs;
use super::sections::{CONNECTION, Section, WITHIN};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, FaultKind, Percent, Typed, Value, records};

records! {
    /// The clients of a Redis server.
    struct Clients "redis_clients" {
        /// How many are connected, this one among them, replicas not.
        connected: Result<i64, Fault>,
        /// `maxclients`: how many may be.
        max: Result<i64, Fault>,
        /// Connected of `max`.
        connected_share: Result<Percent, Fault>,
        /// How many wait for something to come: `BLPOP`, `XREAD BLOCK`.
        blocked: Result<i64, Fault>,
        /// How many are told when keys change, so that they can keep them.
        tracking: Result<i64, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.clients",
    summary: "How many clients a server has, and how many it takes.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Clients::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(clients(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO clients",
    examples: &[Example::call("cache.clients().connected_share < 80%"), Example::call("cache.clients().blocked == 0")],
};

async fn clients(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("clients", &args).await?;
    let (connected, max) = (info.int("connected_clients"), info.int("maxclients"));
    let share = || match (connected.clone()?, max.clone()?) {
        (connected, max) if max > 0 => Ok(Percent(ratio(connected, max))),
        _ => Err(Fault::new(FaultKind::BadAnswer, "`maxclients` of `INFO clients` is 0")),
    };
    Ok(Clients {
        connected_share: share(),
        connected,
        max,
        blocked: info.int("blocked_clients"),
        tracking: info.int("tracking_clients"),
    }
    .into())
}
