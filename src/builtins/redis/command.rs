//! `redis.command`

use std::sync::Arc;

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::builtins::words;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Landing, Param, Returns};
use crate::types::{Fault, Template, Type, Value};

pub(super) const COMMAND: Param<Arc<Template>> = Param::literal(
    "command",
    "The command and its words, with quotes around a word that has blanks. An interpolated value is one word, a list as many as it has items.",
    Landing::Words,
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.command",
    summary: "Sends any command, once, on a connection of its own. Always a change; `read` is for what only looks.",
    params: &[CONNECTION.info(), COMMAND.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::Data),
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|_, args| Box::pin(command(args))),
    needs: &[needs::COMMAND],
    by_hand: "redis-cli {connection} {command}",
    examples: &[
        Example::call(r#"change cache.command("MEMORY PURGE")"#),
        Example::call(r#"change cache.command("DEL session:{id}") verify not cache.key("session:{id}").exists"#),
    ],
};

async fn command(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let words = words::of_command(args.get(&COMMAND)?.as_ref())?;
    let answer = redis.change(&words, within(redis, &args)?).await?;
    reply::data(answer).map(|data| Value::Data(Arc::new(data)))
}
