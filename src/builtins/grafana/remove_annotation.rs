//! `grafana.remove_annotation`

use http::Method;

use super::api::{GRAFANA, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Type, Value};

const ID: Param<i64> = Param::required("id", "The id of the note, as `annotate` gives it.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "grafana.remove_annotation",
    summary: "Takes a note off the time axis of dashboards.",
    params: &[GRAFANA.info(), ID.info()],
    returns: Returns::Type(|| Type::Null),
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|cx, args| Box::pin(remove_annotation(cx, args))),
    needs: &[Need::Words("the permission `annotations:delete` of Grafana")],
    by_hand: "curl -fsS -X DELETE {connection}/api/annotations/{id}",
    examples: &[Example::call("change charts.remove_annotation(1124)")],
};

async fn remove_annotation(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&GRAFANA)?;
    let id = args.get(&ID)?;
    let ask = Ask::new(Method::DELETE, format!("/api/annotations/{id}"))
        .naming(format!("note {id}"))
        .right("the permission `annotations:delete`");
    Service::of(&cx, &PRODUCT, &connection)?.change(ask).await?;
    Ok(Value::Null)
}
