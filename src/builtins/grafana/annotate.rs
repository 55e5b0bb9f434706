//! grafana.annotate

use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::api::{GRAFANA, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::builtins::settings::setup;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value};

const TEXT: Param<String> = Param::required("text", "What to write.").for_people();
const TAGS: Param<Vec<String>> = Param::or(
    "tags",
    "By which dashboards find it: those that show notes with these tags.",
    || Value::list(Vec::new()),
);
const DASHBOARD: Param<Option<String>> = Param::optional(
    "dashboard",
    "The uid of the one dashboard that it is for; without it, it is for all that show its tags.",
);
const PANEL: Param<Option<i64>> = Param::optional("panel", "The id of the one panel of `dashboard` that it is for.");
const AT: Param<Option<Timestamp>> = Param::optional("at", "When it was; now, where that is not said.");
const LASTED: Param<Option<SignedDuration>> = Param::optional("lasted", "How long it lasted from then on.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "grafana.annotate",
    summary: "Writes a note on the time axis of dashboards, and gives its id. `remove_annotation` takes it back.",
    params: &[GRAFANA.info(), TEXT.info(), TAGS.info(), DASHBOARD.info(), PANEL.info(), AT.info(), LASTED.info()],
    returns: Returns::Type(i64::ty),
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|cx, args| Box::pin(annotate(cx, args))),
    needs: &[Need::Words("the permission `annotations:create` of Grafana")],
    by_hand: "curl -fsS -X POST -H 'Content-Type: application/json' --data-binary '{\"text\": {text:json}, \"tags\": {tags:json}}' {connection}/api/annotations",
    examples: &[
        Example::call("change charts.annotate(\"release {id}\", tags: [\"release\"])"),
        Example::call(
            "change note = charts.annotate(\"index rebuilt\", tags: [\"maintenance\"], at: run.started_at) undo charts.remove_annotation(note)",
        ),
    ],
};

#[derive(Deserialize)]
struct Made {
    id: i64,
}

async fn annotate(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&GRAFANA)?;
    let (text, dashboard, panel) = (args.get(&TEXT)?, args.get(&DASHBOARD)?, args.get(&PANEL)?);
    if text.trim().is_empty() {
        return Err(setup("an empty note says nothing"));
    }
    if dashboard.is_none() && panel.is_some() {
        return Err(setup("`panel` is a panel of a dashboard: say `dashboard:`, too"));
    }
    let at = args.get(&AT)?.unwrap_or_else(|| cx.world.now());
    let mut body = json!({ "text": text, "tags": args.get(&TAGS)?, "time": at.as_millisecond() });
    if let Some(lasted) = args.get(&LASTED)? {
        let end = at.checked_add(lasted).ok().filter(|end| *end >= at);
        let end = end.ok_or_else(|| setup("`lasted` is a time, and not a negative one"))?;
        put(&mut body, "timeEnd", end.as_millisecond());
    }
    if let Some(uid) = dashboard {
        put(&mut body, "dashboardUID", uid);
    }
    if let Some(panel) = panel {
        put(&mut body, "panelId", panel);
    }
    let ask = Ask::new(Method::POST, "/api/annotations").json(body).right("the permission `annotations:create`");
    let made: Made = Service::of(&cx, &PRODUCT, &connection)?.change(ask).await?.says()?;
    Ok(made.id.into())
}

fn put(body: &mut serde_json::Value, name: &str, value: impl Into<serde_json::Value>) {
    if let Some(fields) = body.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
}
