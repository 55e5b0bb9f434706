//! `host.cpu`

use jiff::SignedDuration;

use super::proc::Stat;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Cores, Fault, FaultKind, Percent, Typed, Value, records};

const OVER: Param<SignedDuration> =
    Param::or("over", "How long it is looked at.", || Value::Duration(SignedDuration::from_millis(500)));

records! {
    /// What the processors of a machine did for a while.
    struct Cpu "cpu" {
        /// How many processors there are.
        cores: i64,
        /// How many of them were busy.
        used: Cores,
        /// Busy of all time.
        used_share: Percent,
        /// In programs.
        user: Percent,
        /// In the kernel.
        system: Percent,
        /// Idle while something waited for a disk.
        waiting: Percent,
        /// Taken by other machines on the same hardware.
        stolen: Percent,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.cpu",
    summary: "How busy the processors of this machine are, over a short time from now.",
    params: &[OVER.info()],
    returns: Returns::Type(Cpu::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(cpu(cx, args))),
    needs: &[],
    by_hand: "top -bn2 -d 0.5 | grep Cpu",
    examples: &[Example::call("host.cpu().used_share < 90%"), Example::call("host.cpu(over: 2s).stolen")],
};

async fn cpu(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let before = Stat::read()?;
    cx.world.sleep(args.get(&OVER)?.unsigned_abs()).await;
    let after = Stat::read()?;
    between(&before, &after).map(Value::from)
}

#[expect(clippy::cast_precision_loss, reason = "ticks of a short time are few")]
fn between(before: &Stat, after: &Stat) -> Result<Cpu, Fault> {
    let mut ticks = [0.0; 8];
    for (slot, (after, before)) in ticks.iter_mut().zip(after.ticks.iter().zip(before.ticks)) {
        *slot = after.saturating_sub(before) as f64;
    }
    let total: f64 = ticks.iter().sum();
    if total <= 0.0 {
        return Err(Fault::new(FaultKind::NoValue, "the processors counted no time").help("look longer: `over: 1s`"));
    }
    let [user, nice, system, idle, waiting, irq, softirq, stolen] = ticks.map(|ticks| ticks / total);
    let used_share = 1.0 - idle - waiting;
    Ok(Cpu {
        cores: after.cores,
        used: Cores(used_share * after.cores as f64),
        used_share: Percent(used_share),
        user: Percent(user + nice),
        system: Percent(system + irq + softirq),
        waiting: Percent(waiting),
        stolen: Percent(stolen),
    })
}
