//! `redis.slow_log`

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use redis::Value as Answer;

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::builtins::settings::setup;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value, records};

const AT_MOST: Param<i64> = Param::or("at_most", "How many entries, the newest first.", || Value::Int(128));

/// Characters of a command that are given: the server has cut it as well.
const COMMAND: usize = 200;

records! {
    /// A command that took long.
    struct Slow "redis_slow" {
        /// Counted up since the server began.
        id: i64,
        /// When it began.
        time: Timestamp,
        /// How long it took the server, without waiting and sending.
        took: SignedDuration,
        /// What was sent, cut short.
        command: Arc<str>,
        /// Who sent it, by address.
        client: Option<Arc<str>>,
        /// Who sent it, as that client calls itself.
        client_name: Option<Arc<str>>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.slow_log",
    summary: "The commands that took longer than the server's `slowlog-log-slower-than` (10ms, where nobody set it).",
    params: &[CONNECTION.info(), AT_MOST.info(), WITHIN.info()],
    returns: Returns::Type(Vec::<Slow>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(slow_log(args))),
    needs: &[needs::SLOW_LOG],
    by_hand: "redis-cli {connection} SLOWLOG GET {at_most}",
    examples: &[
        Example::call("cache.slow_log() | where(.time.age < 1h)"),
        Example::call("cache.slow_log(at_most: 10) | where(.took > 1s) | count == 0"),
    ],
};

async fn slow_log(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let at_most = args.get(&AT_MOST)?;
    if at_most < 1 {
        return Err(setup("`at_most` is at least 1"));
    }
    let answer = redis.read(&["SLOWLOG", "GET", &at_most.to_string()], within(redis, &args)?).await?;
    let found: Vec<Slow> = reply::items(answer)?.into_iter().map(entry).collect::<Result<_, _>>()?;
    Ok(found.into())
}

fn entry(answer: Answer) -> Result<Slow, Fault> {
    let mut fields = reply::items(answer)?.into_iter();
    let mut next = || fields.next().ok_or_else(|| reply::unexpected("entries of a slow log"));
    let (id, time, took) = (reply::int(&next()?)?, reply::int(&next()?)?, reply::int(&next()?)?);
    let words: Vec<String> = reply::items(next()?)?.into_iter().map(reply::text).collect::<Result<_, _>>()?;
    // Before Redis 4 it says no more.
    let mut named = || fields.next().map(reply::text).transpose();
    let (client, client_name) = (named()?, named()?);
    let given = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Arc::from);
    Ok(Slow {
        id,
        time: Timestamp::from_second(time).map_err(|_| reply::unexpected("times of a slow log"))?,
        took: SignedDuration::from_micros(took),
        command: short(&words.join(" ")).into(),
        client: given(client),
        client_name: given(client_name),
    })
}

fn short(text: &str) -> String {
    match text.char_indices().nth(COMMAND).and_then(|(end, _)| text.get(..end)) {
        Some(beginning) => format!("{beginning}…"),
        None => text.to_owned(),
    }
}
