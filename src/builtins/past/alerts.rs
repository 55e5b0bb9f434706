//! alerts

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::{ago, past};
use crate::catalog::{Accepts, Args, Body, Builtin, Cx, EffectRule, Example, Param, Presence, Returns};
use crate::types::{EnumType, Fault, Typed, Value, Word, Words, labels_text, records};

const STATE: Param<Option<String>> =
    Param::new("state", "Only those in this state.", Accepts::Word(STATES), Presence::Optional);
const OVER: Param<Option<SignedDuration>> =
    Param::optional("over", "Only those that were open at some time since then; all that are kept otherwise.");

const STATES: &[&str] = &["open", "acknowledged", "closed"];

pub(super) static BUILTIN: Builtin = Builtin {
    name: "alerts",
    summary: "The alerts of this runbook's thresholds, newest first.",
    params: &[STATE.info(), OVER.info()],
    returns: Returns::Type(Vec::<Alert>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(async move { alerts(&cx, &args) })),
    needs: &[],
    by_hand: "",
    examples: &[
        Example::call(r#"alerts(state: "open") | is_empty"#),
        Example::call("alerts(over: 7d) | count_by(.severity)"),
    ],
};

/// The states of an alert.
#[derive(Clone, Debug)]
pub struct State;

impl Words for State {
    const ENUM: &'static EnumType = &EnumType { name: "alert_state", values: STATES, open: false };
}

/// How bad an alert is.
#[derive(Clone, Debug)]
pub struct Severity;

impl Words for Severity {
    const ENUM: &'static EnumType =
        &EnumType { name: "severity", values: &["critical", "warning", "info"], open: false };
}

// It goes into other systems as data (`json: { open: alerts(state: "open") }`), so no field has a unit.
records! {
    /// An alert of a threshold.
    struct Alert "alert" {
        /// Its number in this store.
        id: i64,
        /// The threshold that opened it.
        threshold: Arc<str>,
        /// How bad it is.
        severity: Word<Severity>,
        /// What has become of it.
        state: Word<State>,
        /// What it is about: `mount=/data`. Empty where the metric has no labels.
        labels: Arc<str>,
        /// When it opened.
        opened_at: Timestamp,
        /// When it closed; missing while it has not.
        closed_at: Option<Timestamp>,
    }
}

fn alerts(cx: &Cx, args: &Args<'_>) -> Result<Value, Fault> {
    let since = args.get(&OVER)?.map(|over| ago(cx, over));
    let wanted = args.get(&STATE)?;
    let kept = past(cx)?.alerts(since)?;
    let alerts = kept.into_iter().filter_map(|alert| {
        let state = match (alert.closed_at, alert.acknowledged) {
            (Some(_), _) => "closed",
            (None, true) => "acknowledged",
            (None, false) => "open",
        };
        if wanted.as_ref().is_some_and(|wanted| wanted != state) {
            return None;
        }
        Some(Value::from(Alert {
            id: alert.number,
            threshold: alert.threshold,
            severity: Word::new(alert.severity.name()),
            state: Word::new(state),
            labels: labels_text(&alert.labels).into(),
            opened_at: alert.opened_at,
            closed_at: alert.closed_at,
        }))
    });
    Ok(Value::list(alerts.collect()))
}
