//! `redis.keys`

use std::collections::HashSet;

use redis::Value as Answer;

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::builtins::dial::{Progress, Trouble};
use crate::builtins::settings::setup;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

const PATTERN: Param<String> =
    Param::required("pattern", "Which: `session:*`. `*` is any text, `?` a letter, `[ab]` one of these.");
const AT_MOST: Param<i64> = Param::or("at_most", "How many keys there may be. More are a fault.", || Value::Int(1000));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.keys",
    summary: "The keys of the connection's database that match a pattern, in order. It looks a piece at a time (SCAN), so that it holds up nobody, and gives all or a fault.",
    params: &[CONNECTION.info(), PATTERN.info(), AT_MOST.info(), WITHIN.info()],
    returns: Returns::Type(Vec::<String>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(keys(args))),
    needs: &[needs::SCAN],
    by_hand: "redis-cli {connection} --scan --pattern {pattern}",
    examples: &[Example::call(r#"cache.keys("lock:*") | is_empty"#)],
};

async fn keys(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let (pattern, at_most) = (args.get(&PATTERN)?, args.get(&AT_MOST)?);
    let most = usize::try_from(at_most).map_err(|_| setup("`at_most` cannot be negative"))?;
    let progress = Progress::default();
    let walk = async {
        let mut lease = redis.lease(&progress);
        let mut found = HashSet::new();
        let mut cursor = "0".to_owned();
        loop {
            let page = lease.ask(&["SCAN", &cursor, "MATCH", &pattern, "COUNT", "1000"]).await?;
            let (next, names) = read(page).map_err(theirs)?;
            for name in names {
                found.insert(name);
            }
            if found.len() > most {
                let message = format!("more than {most} keys match `{pattern}`");
                return Err(Trouble::theirs(FaultKind::TooLarge, message)
                    .help("narrow the pattern, or say `at_most:`; `key_count` counts without reading"));
            }
            if next == "0" {
                return Ok(found);
            }
            cursor = next;
        }
    };
    let found = redis.within(within(redis, &args)?, &progress, walk).await?;
    let mut names = found.into_iter().map(named).collect::<Result<Vec<String>, Fault>>()?;
    names.sort_unstable();
    Ok(names.into())
}

fn theirs(fault: Fault) -> Trouble {
    Trouble { fault, ours: false }
}

/// Where to go on, and what is there.
fn read(page: Answer) -> Result<(String, Vec<Vec<u8>>), Fault> {
    let mut fields = reply::items(page)?.into_iter();
    let (Some(next), Some(names)) = (fields.next(), fields.next()) else {
        return Err(reply::unexpected("a page of keys"));
    };
    let bytes = |name| match name {
        Answer::BulkString(bytes) => Ok(bytes),
        _ => Err(reply::unexpected("names of keys")),
    };
    Ok((reply::text(next)?, reply::items(names)?.into_iter().map(bytes).collect::<Result<_, _>>()?))
}

/// A name that is no text would be another one as text, and that is the last thing to hand to a `DEL`.
fn named(bytes: Vec<u8>) -> Result<String, Fault> {
    String::from_utf8(bytes).map_err(|error| {
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        Fault::conversion(format!("the key `{shown}` is not UTF-8, so that it has no text"))
            .help("narrow the pattern, so that it does not match")
    })
}
