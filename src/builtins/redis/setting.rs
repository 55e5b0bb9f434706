//! `redis.setting`

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::builtins::settings::setup;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

const NAME: Param<String> = Param::required("name", "Its name, such as `maxmemory-policy`.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.setting",
    summary: "How a server is set up: one setting, as it is written in its configuration file. Passwords are not read.",
    params: &[CONNECTION.info(), NAME.info(), WITHIN.info()],
    returns: Returns::Type(String::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(setting(args))),
    needs: &[needs::SETTING],
    by_hand: "redis-cli {connection} CONFIG GET {name}",
    examples: &[Example::call(r#"cache.setting("maxmemory-policy") == "allkeys-lru""#)],
};

async fn setting(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let name = args.get(&NAME)?;
    // `CONFIG GET` takes patterns: one of them could reach a password.
    if name.is_empty() || name.contains(['*', '?', '[', '\\']) {
        return Err(setup(format!("`{name}` is no name of a setting")).help("one setting by its whole name"));
    }
    if ["pass", "auth"].iter().any(|part| name.to_lowercase().contains(part)) {
        return Err(setup(format!("`{name}` may hold a password, which is not read")));
    }
    let answer = redis.read(&["CONFIG", "GET", &name], within(redis, &args)?).await?;
    let found = reply::pairs(answer)?.into_iter().next();
    let (_, value) = found.ok_or_else(|| {
        Fault::new(FaultKind::NotFound, format!("this server has no setting `{name}`"))
            .help(format!("by hand: redis-cli CONFIG GET '*{name}*'"))
    })?;
    reply::text(value).map(Value::string)
}
