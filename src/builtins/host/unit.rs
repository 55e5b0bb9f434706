//! `host.unit`

use super::systemd::{self, Unit};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

const NAME: Param<String> = Param::required("name", "Its name; `nginx` is `nginx.service`.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.unit",
    summary: "A unit of this machine's systemd: a service, a timer, a mount.",
    params: &[NAME.info()],
    returns: Returns::Type(Unit::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(unit(cx, args))),
    needs: &[Need::Words("systemd")],
    by_hand: "systemctl status --no-pager {name}",
    examples: &[
        Example::call(r#"host.unit("nginx").active == "active""#),
        Example::call(r#"host.unit("backup.timer").enabled"#),
    ],
};

async fn unit(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let name = args.get(&NAME)?;
    // systemctl takes these for a pattern, and would show any number of units.
    if name.is_empty() || name.contains(['*', '?', '[', '\0']) {
        return Err(Fault::new(FaultKind::NotFound, format!("`{name}` is no name of a unit"))
            .help("`host.units()` lists them: `host.units() | where(.name | starts_with(…))`"));
    }
    let mut units = systemd::show(&name, cx.run.started_at).await?;
    match units.pop() {
        Some((load, unit)) if load != "not-found" && units.is_empty() => Ok(unit.into()),
        _ => Err(Fault::new(FaultKind::NotFound, format!("this machine has no unit `{name}`"))),
    }
}
