//! `redis.read`

use std::sync::Arc;

use super::command::COMMAND;
use super::connection;
use super::effect::{Verdict, verdict};
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, within};
use crate::builtins::dial::{Progress, Trouble};
use crate::builtins::words;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Type, Value};

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.read",
    summary: "Sends a command that only looks. The server is asked first what the command does (COMMAND INFO), and anything but a plain read is refused before it is sent.",
    params: &[CONNECTION.info(), COMMAND.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::Data),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(read(args))),
    needs: &[needs::READ],
    by_hand: "redis-cli {connection} {command}",
    examples: &[
        Example::call(r#"cache.read("LLEN queue:mail") < 1000"#),
        Example::call(r#"cache.read("HGETALL user:{id}").plan"#),
    ],
};

async fn read(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let words = words::of_command(args.get(&COMMAND)?.as_ref())?;
    let name = words.first().cloned().unwrap_or_default().to_lowercase();
    let progress = Progress::default();
    let asked = async {
        let mut lease = redis.lease(&progress);
        let info = lease.ask(&["COMMAND", "INFO", &name]).await?;
        let verdict = verdict(info, &words).map_err(|fault| Trouble { fault, ours: true })?;
        if let Verdict::Refused(fault) = verdict {
            return Err(Trouble { fault: named(fault, &connection.name, &words), ours: true });
        }
        lease.ask(&words).await
    };
    let answer = redis.within(within(redis, &args)?, &progress, asked).await?;
    reply::data(answer).map(|data| Value::Data(Arc::new(data)))
}

/// With what to write instead.
fn named(fault: Fault, connection: &str, words: &[String]) -> Fault {
    let instead = match words.first().map(|word| word.to_lowercase()).as_deref() {
        Some("info") => format!("`{connection}.info(\"…\")` or `{connection}.memory()`"),
        Some("keys") => format!("`{connection}.keys(\"…\")`, which looks a piece at a time"),
        Some("slowlog") => format!("`{connection}.slow_log()`"),
        Some("config") => format!("`{connection}.setting(\"…\")`, where it is to be read"),
        Some("ping") => format!("`{connection}.answers()`"),
        _ => format!("`change {connection}.command(\"…\")`, if it is to happen"),
    };
    fault.help(format!("write {instead}"))
}
