//! `redis.cpu`

use jiff::SignedDuration;

use super::needs;
use super::sections::{CONNECTION, Section, WITHIN};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value, records};

records! {
    /// The processor time that a Redis server took since its start.
    struct Cpu "redis_cpu" {
        /// For its own work.
        user: Result<SignedDuration, Fault>,
        /// In the system, for it.
        system: Result<SignedDuration, Fault>,
        /// Both, of the processes that save and rewrite beside it.
        children: Result<SignedDuration, Fault>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.cpu",
    summary: "How much processor time a server took since it began.",
    params: &[CONNECTION.info(), WITHIN.info()],
    returns: Returns::Type(Cpu::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(cpu(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO cpu",
    examples: &[Example::call("cache.cpu().user < 1h")],
};

async fn cpu(args: Args<'static>) -> Result<Value, Fault> {
    let info = Section::ask("cpu", &args).await?;
    let children = || Ok(info.precise("used_cpu_user_children")? + info.precise("used_cpu_sys_children")?);
    Ok(Cpu { user: info.precise("used_cpu_user"), system: info.precise("used_cpu_sys"), children: children() }.into())
}
