//! alertmanager.silences

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::api::{ALERTMANAGER, Matcher, PRODUCT};
use crate::builtins::http::service::{Ask, Service};
use crate::catalog::need::Need;
use crate::catalog::{Accepts, Args, Body, Builtin, Cx, EffectRule, Example, Param, Presence, Returns};
use crate::types::{EnumType, Fault, Typed, Value, Word, Words, records};

const STATES: &[&str] = &["active", "pending", "expired"];
const STATE: Param<Option<String>> = Param::new(
    "state",
    "Only those in this state; without it those that are in force and those that will be.",
    Accepts::Word(STATES),
    Presence::Optional,
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "alertmanager.silences",
    summary: "The silences: what is kept quiet, by whom, why and until when.",
    params: &[ALERTMANAGER.info(), STATE.info()],
    returns: Returns::Type(Vec::<Silence>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(silences(cx, args))),
    needs: &[Need::Words("GET /api/v2/silences of Alertmanager")],
    by_hand: "amtool --alertmanager.url={connection.url} silence query",
    examples: &[
        Example::call("pager.silences()"),
        Example::call("check pager.silences() | where(.left > 1d) | is_empty as \"no silence is forgotten\""),
    ],
};

/// Whether a silence is in force.
#[derive(Clone, Debug)]
pub struct State;

impl Words for State {
    const ENUM: &'static EnumType = &EnumType { name: "silence_state", values: STATES, open: true };
}

records! {
    /// A silence.
    struct Silence "silence" {
        /// Its id, for `expire_silence`.
        id: Arc<str>,
        /// Whether it is in force.
        state: Word<State>,
        /// What it keeps quiet: alerts to whose labels all of these apply, such as `alertname="DiskFull"`.
        matchers: Vec<Arc<str>>,
        /// Since when.
        starts_at: Timestamp,
        /// Until when.
        ends_at: Timestamp,
        /// How long that still is, from the start of the run. Negative where it has ended.
        left: SignedDuration,
        /// Who made it, as they called themselves.
        created_by: Arc<str>,
        /// Why.
        comment: Arc<str>,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    id: Arc<str>,
    status: Status,
    matchers: Vec<Matcher>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    created_by: Arc<str>,
    comment: Arc<str>,
}

#[derive(Deserialize)]
struct Status {
    state: String,
}

async fn silences(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&ALERTMANAGER)?;
    let wanted = args.get(&STATE)?;
    let found: Vec<Entry> = Service::of(&cx, &PRODUCT, &connection)?.read(Ask::get("/api/v2/silences")).await?;
    let is_wanted = |entry: &Entry| match &wanted {
        Some(state) => entry.status.state == *state,
        None => entry.status.state != "expired",
    };
    let silences = found.into_iter().filter(is_wanted).map(|entry| Silence {
        id: entry.id,
        state: Word::new(entry.status.state),
        matchers: entry.matchers.iter().map(|matcher| Arc::from(matcher.to_string())).collect(),
        starts_at: entry.starts_at,
        ends_at: entry.ends_at,
        left: entry.ends_at.duration_since(cx.run.started_at),
        created_by: entry.created_by,
        comment: entry.comment,
    });
    Ok(silences.collect::<Vec<_>>().into())
}
