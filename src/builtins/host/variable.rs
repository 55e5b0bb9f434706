//! `host.variable`

use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const NAME: Param<String> = Param::required("name", "Its name.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.variable",
    summary: "An environment variable; missing where it is not set. For a secret, write `secret x = env(\"X\")`.",
    params: &[NAME.info()],
    returns: Returns::Type(|| Type::String.optional()),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(async move { variable(&cx, &args) })),
    needs: &[],
    by_hand: "printenv {name}",
    examples: &[Example::call(r#"host.variable("HOME") ?? "/""#)],
};

fn variable(cx: &Cx, args: &Args<'_>) -> Result<Value, Fault> {
    let name = args.get(&NAME)?;
    if name.is_empty() || name.contains(['=', '\0']) {
        return Err(Fault::no_value(format!("`{name}` is no name of a variable")));
    }
    cx.world.env(&name).map(Value::from)
}
