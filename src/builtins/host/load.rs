//! `host.load`

use super::proc::{self, Stat};
use crate::builtins::blocking;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, records};

records! {
    /// How many processes run or wait for a processor or a disk, on average.
    struct Load "load" {
        /// Over the last minute.
        one: f64,
        /// Over the last five minutes.
        five: f64,
        /// Over the last fifteen minutes.
        fifteen: f64,
        /// The last minute's by the processors: above 1 something waits.
        per_core: f64,
        /// How many threads run or could run now.
        running: i64,
        /// How many threads there are.
        threads: i64,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.load",
    summary: "The load of this machine.",
    params: &[],
    returns: Returns::Type(Load::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, _| blocking::run(load)),
    needs: &[],
    by_hand: "uptime",
    examples: &[Example::call("host.load().per_core < 2"), Example::call("host.load().fifteen")],
};

fn load() -> Result<Load, Fault> {
    let path = "/proc/loadavg";
    parse(&proc::read(path)?, Stat::read()?.cores).ok_or_else(|| proc::unexpected(path))
}

/// `0.20 0.54 0.42 1/80 4711`
fn parse(text: &str, cores: i64) -> Option<Load> {
    let mut words = text.split_whitespace();
    let mut number = || words.next()?.parse::<f64>().ok();
    let (one, five, fifteen) = (number()?, number()?, number()?);
    let (running, threads) = words.next()?.split_once('/')?;
    #[expect(clippy::cast_precision_loss, reason = "a machine has few cores")]
    let per_core = one / cores.max(1) as f64;
    Some(Load { one, five, fifteen, per_core, running: running.parse().ok()?, threads: threads.parse().ok()? })
}
