//! alertmanager.silence

use std::sync::Arc;

use http::Method;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;

use super::api::{ALERTMANAGER, Matcher, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::builtins::plain_text::plain_text;
use crate::builtins::settings::setup;
use crate::catalog::need::Need;
use crate::catalog::{Accepts, Args, Body, Builtin, Cx, EffectRule, Example, Param, Presence, Returns};
use crate::types::{Fault, Record, Typed, Value};

const LABELS: Param<Arc<Record>> = Param::new(
    "labels",
    "Which alerts: those with all of these labels, `{ alertname: \"DiskFull\", instance: host }`.",
    Accepts::Fields { secrets: false, lists: false },
    Presence::Required,
);
const MATCHING: Param<Option<Arc<Record>>> = Param::fields(
    "matching",
    "Beside them labels whose whole value a pattern matches: `{ instance: \"web-.*\" }`.",
    false,
);
const FOR: Param<SignedDuration> = Param::required("for", "How long, from now.");
const COMMENT: Param<String> = Param::required("comment", "Why, for whoever finds it.").for_people();
const BY: Param<Option<String>> = Param::optional("by", "Who wants it; without it `runbook` with the id of the run.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "alertmanager.silence",
    summary: "Keeps alerts quiet for a time, and gives the id of the silence. `expire_silence` takes it back.",
    params: &[ALERTMANAGER.info(), LABELS.info(), MATCHING.info(), FOR.info(), COMMENT.info(), BY.info()],
    returns: Returns::Type(String::ty),
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|cx, args| Box::pin(silence(cx, args))),
    needs: &[Need::Words("POST /api/v2/silences of Alertmanager")],
    by_hand: "amtool --alertmanager.url={connection.url} silence add --duration={for} --comment={comment} [--author={by}] {labels:pairs}",
    examples: &[
        Example::call(
            "change pager.silence(labels: { alertname: \"DiskFull\", instance: id }, for: 2h, comment: \"disk is being replaced\")",
        ),
        Example::call(
            "change quiet = pager.silence(labels: { cluster: id }, for: 30m, comment: \"upgrade\") undo pager.expire_silence(quiet)",
        ),
    ],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Made {
    #[serde(rename = "silenceID")]
    id: String,
}

async fn silence(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ALERTMANAGER)?;
    let mut matchers = matchers(&*args.get(&LABELS)?, false)?;
    if let Some(more) = args.get(&MATCHING)? {
        matchers.extend(self::matchers(&more, true)?);
    }
    if matchers.is_empty() {
        return Err(
            setup("nothing says which alerts are meant").help("name a label: `labels: { alertname: \"DiskFull\" }`")
        );
    }
    let duration = args.get(&FOR)?;
    if !duration.is_positive() {
        return Err(setup("`for` is a time longer than nothing"));
    }
    let comment = args.get(&COMMENT)?;
    if comment.trim().is_empty() {
        return Err(setup("an empty `comment` tells nobody why it is quiet"));
    }
    let starts_at = cx.world.now();
    let ends_at = starts_at.checked_add(duration).map_err(|_| setup("`for` ends beyond all times"))?;
    let by = args.get(&BY)?.unwrap_or_else(|| format!("runbook (run {})", cx.run.id));
    let body = json!({
        "matchers": matchers,
        "startsAt": starts_at.to_string(),
        "endsAt": ends_at.to_string(),
        "createdBy": by,
        "comment": comment,
    });
    let service = Service::of(&cx, &PRODUCT, &connection)?;
    let made: Made = service.change(Ask::new(Method::POST, "/api/v2/silences").json(body)).await?.says()?;
    Ok(made.id.into())
}

fn matchers(record: &Record, is_regex: bool) -> Result<Vec<Matcher>, Fault> {
    let matcher = |(name, value): (&Arc<str>, &Value)| {
        let value = plain_text(value, &format!("the label `{name}` of a silence"))?;
        // It would also match every alert without the label.
        if value.is_empty() {
            return Err(setup(format!(
                "the label `{name}` of a silence is empty, which every alert without it has, too"
            )));
        }
        Ok(Matcher { name: name.to_string(), value, is_regex, is_equal: true })
    };
    record.iter().map(matcher).collect()
}
