//! `redis.server`

use std::sync::Arc;

use jiff::SignedDuration;

use super::needs;
use super::sections::{CONNECTION, Section, WITHIN};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value, records};

records! {
    /// A Redis server.
    struct Server "redis_server" {
        /// Its version: `7.0.15`. Valkey says here which Redis it is like.
        version: Result<Arc<str>, Fault>,
        /// `standalone`, `cluster` or `sentinel`.
        mode: Result<Arc<str>, Fault>,
        /// How long it has been up.
        uptime: Result<SignedDuration, Fault>,
        /// Its system.
        system: Result<Arc<str>, Fault>,
        /// The file it was configured from. Empty where there is none.
        config_file: Result<Arc<str>, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.server",
    summary: "Which version a server is, and how long it has been up.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Server::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(server(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO server",
    examples: &[Example::call("cache.server().uptime > 5m")],
};

async fn server(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("server", &args).await?;
    let text = |field| info.text(field).map(Arc::from);
    Ok(Server {
        version: text("redis_version"),
        mode: text("redis_mode"),
        uptime: info.int("uptime_in_seconds").map(SignedDuration::from_secs),
        system: text("os"),
        config_file: text("config_file"),
    }
    .into())
}
