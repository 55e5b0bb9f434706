//! `alertmanager.expire_silence`

use http::Method;

use super::api::{ALERTMANAGER, PRODUCT};
use crate::builtins::http::service::{Ask, Service, part};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const ID: Param<String> = Param::required("id", "The id of the silence, as `silence` and `silences` give it.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "alertmanager.expire_silence",
    summary: "Ends a silence now: what it kept quiet is told again.",
    params: &[ALERTMANAGER.info(), ID.info()],
    returns: Returns::Type(|| Type::Null),
    effect: EffectRule::Changes { idempotent: true },
    body: Body::Outside(|cx, args| Box::pin(expire_silence(cx, args))),
    needs: &[Need::Words("DELETE /api/v2/silence/… of Alertmanager")],
    by_hand: "amtool --alertmanager.url={connection.url} silence expire {id}",
    examples: &[Example::call("change pager.expire_silence(id)")],
};

async fn expire_silence(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ALERTMANAGER)?;
    let id = args.get(&ID)?;
    let path = format!("/api/v2/silence/{}", part(&id, "id of a silence")?);
    let ask = Ask::new(Method::DELETE, path).naming(format!("silence `{id}`"));
    Service::of(&cx, &PRODUCT, &connection)?.change(ask).await?;
    Ok(Value::Null)
}
