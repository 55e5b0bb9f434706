//! `host.units`

use super::systemd::{self, Unit, UnitState};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Typed, Value, Word};

const STATE: Param<Option<Word<UnitState>>> = Param::optional("state", "Only units in this state; all where left out.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.units",
    summary: "The units that this machine's systemd has loaded.",
    params: &[STATE.info()],
    returns: Returns::Type(|| Type::list(Unit::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(units(cx, args))),
    needs: &[Need::Words("systemd")],
    by_hand: "systemctl list-units --all [--state={state}]",
    examples: &[
        Example::call(r#"host.units(state: "failed") | is_empty"#),
        Example::call(r#"host.units() | where(.name | ends_with(".timer"))"#),
    ],
};

async fn units(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let state = args.get(&STATE)?;
    let wanted = |unit: &Unit| state.as_ref().is_none_or(|state| unit.active.0 == state.0);
    let units = systemd::show("*", cx.run.started_at).await?;
    // A unit that others only name, and that is not there, is none.
    let there = units.into_iter().filter(|(load, _)| load != "not-found").map(|(_, unit)| unit);
    Ok(there.filter(wanted).collect::<Vec<_>>().into())
}
