//! `channel pager = pagerduty(key: pagerduty_key, policy: "ops")`

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value as Json, json};

use super::post::{Post, Reached, Refused, address};
use super::{WITHIN, wording};
use crate::builtins::dial::tls::Trust;
use crate::builtins::reaches;
use crate::builtins::settings::limit;
use crate::catalog::{
    Args, ByHand, Channel, Cx, Driver, DriverKind, Example, Judge, Message, NotTold, Occasion, Open, Param, Told,
};
use crate::types::{Fault, SecretText, Severity, Value};

const KEY: Param<SecretText> = Param::required("key", "The integration key of the service (Events API v2).");
const POLICY: Param<Option<String>> = Param::optional(
    "policy",
    "The escalation policy on the other side: the incident is handed to it, and nobody is paged twice.",
);
const EVENTS: &str = "https://events.pagerduty.com/v2/enqueue";
const URL: Param<String> =
    Param::or("url", "Where events go; the EU has `https://events.eu.pagerduty.com/v2/enqueue`.", || {
        Value::string(EVENTS)
    })
    .judged(Judge::Text(|text, _| address(text, "`url`").map(drop)));

pub(super) static DRIVER: Driver = Driver {
    name: "pagerduty",
    kind: DriverKind::Channel { person: true, policy: Some("policy") },
    summary: "PagerDuty: pages whoever is on call.",
    params: &[KEY.info(), POLICY.info(), URL.info(), WITHIN.info()],
    open: Open::Channel(|cx, args| Box::pin(async move { open(&cx, &args) })),
    needs: &[],
    reaches: |written| match reaches::url(written, URL.name()) {
        given if given.is_empty() => vec![reaches::of_url(EVENTS)],
        given => given,
    },
    by_hand: ByHand::NONE,
    examples: &[Example::call(r#"channel pager = pagerduty(key: pagerduty_key, policy: "ops")"#)],
};

/// What the other side takes, in characters: a summary, a key that names an incident; and the whole event, in bytes.
const SUMMARY: usize = 1_024;
const DEDUP: usize = 255;
/// Of one of our own facts, so that all of them stay far below the 512 KiB of an event.
const DETAIL: usize = 2_000;
const DETAILS: usize = 60;
/// Of a report.
const PARTS: usize = 60;

fn open(cx: &Cx, args: &Args<'static>) -> Result<Arc<dyn Channel>, Fault> {
    let key = args.get(&KEY)?;
    let reached = Reached {
        url: address(&args.get(&URL)?, "`url`")?,
        is_secret: false,
        headers: HeaderMap::new(),
        secrets: vec![key.clone()],
        trust: Trust::System,
        within: limit(args.get(&WITHIN)?)?,
    };
    let pager = Pager { post: Post::new(cx, "PagerDuty", reached)?, key, policy: args.get(&POLICY)? };
    Ok(Arc::new(Opened(Arc::new(pager))))
}

struct Opened(Arc<Pager>);

struct Pager {
    post: Post,
    key: SecretText,
    policy: Option<String>,
}

impl Channel for Opened {
    /// An event each: it puts together by itself, and says itself when it is too much.
    fn at_most(&self) -> Option<usize> {
        None
    }

    fn tell(&self, cx: Cx, message: Arc<Message>) -> BoxFuture<'static, Result<Told, NotTold>> {
        let pager = Arc::clone(&self.0);
        Box::pin(async move { pager.tell(&cx, &message).await })
    }

    fn target(&self) -> String {
        self.0.post.by_its_way(&match &self.0.policy {
            Some(policy) => format!("the policy {} of PagerDuty", wording::one_line(policy)),
            None => "PagerDuty".to_owned(),
        })
    }
}

/// What becomes of an incident.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    Trigger,
    Acknowledge,
    Resolve,
}

impl Action {
    /// A page that is repeated or escalated triggers again: it is the same incident, and no second one is opened.
    const fn of(occasion: Occasion) -> Self {
        match occasion {
            Occasion::Acknowledged => Self::Acknowledge,
            Occasion::Closed => Self::Resolve,
            Occasion::Opened
            | Occasion::Again
            | Occasion::Escalated
            | Occasion::Note
            | Occasion::Report
            | Occasion::Test => Self::Trigger,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
        }
    }
}

/// What an incident is known by. Nothing says of a note that it is over: the next one is another incident, or it would page
/// nobody as long as the first is open.
fn dedup_key(message: &Message) -> String {
    let key = if message.occasion == Occasion::Note { &message.key } else { &message.about };
    key.chars().take(DEDUP).collect()
}

impl Pager {
    async fn tell(&self, cx: &Cx, message: &Message) -> Result<Told, NotTold> {
        let told = self.send(cx, self.event(message, Action::of(message.occasion))).await?;
        // Nobody works on a test or a report: its incident must not stay open and climb the levels of the other side.
        if !matches!(message.occasion, Occasion::Test | Occasion::Report) {
            return Ok(told);
        }
        Ok(match self.send(cx, self.event(message, Action::Resolve)).await {
            Ok(_) => Told { said: format!("{}, and resolved at once", told.said) },
            Err(not_told) => {
                let why = not_told.fault.message;
                Told { said: format!("{}, but its incident stays open until somebody resolves it: {why}", told.said) }
            }
        })
    }

    async fn send(&self, cx: &Cx, event: Json) -> Result<Told, NotTold> {
        let answer = self.post.send(cx, event.to_string(), &[]).await.map_err(explained)?;
        let json: Option<Json> = serde_json::from_slice(&answer.body).ok();
        if json.as_ref().and_then(|json| json.get("status")?.as_str()) == Some("success") {
            return Ok(Told { said: format!("{} accepted", answer.status.as_u16()) });
        }
        Err(self.post.strange(&answer))
    }

    fn event(&self, message: &Message, action: Action) -> Json {
        let mut event = json!({
            "routing_key": self.key.expose().trim(),
            "event_action": action.name(),
            "dedup_key": dedup_key(message),
        });
        if action == Action::Trigger
            && let Some(fields) = event.as_object_mut()
        {
            fields.extend(self.about(message));
        }
        event
    }

    /// What an incident says.
    fn about(&self, message: &Message) -> Map<String, Json> {
        let severity = if message.occasion == Occasion::Test { Severity::Info } else { message.severity };
        let mut summary = wording::subject(message);
        let text = wording::one_line(&message.text);
        if !text.is_empty() {
            summary = format!("{summary}: {text}");
        }
        let links: Vec<Json> =
            wording::links(message).into_iter().map(|(text, href)| json!({ "href": href, "text": text })).collect();
        let mut fields = Map::new();
        fields.insert("client".to_owned(), "runbook".into());
        if let Some(url) = &message.link {
            fields.insert("client_url".to_owned(), url.as_str().into());
        }
        fields.insert("links".to_owned(), links.into());
        fields.insert(
            "payload".to_owned(),
            json!({
                "summary": wording::shortened(&summary, SUMMARY),
                "source": wording::one_line(&message.runbook),
                // The words are the same on both sides.
                "severity": severity.name(),
                "timestamp": message.at,
                "class": message.occasion,
                "custom_details": self.details(message),
            }),
        );
        fields
    }

    fn details(&self, message: &Message) -> Map<String, Json> {
        let mut details = Map::new();
        let mut add = |name: String, value: &str| {
            let mut free = name.clone();
            // Two facts of one name are two facts.
            while details.contains_key(&free) {
                free.push('\'');
            }
            details.insert(free, wording::shortened(value, DETAIL).into());
        };
        let why = wording::why(message).map(|why| format!("{why} ")).unwrap_or_default();
        add("Text".to_owned(), &format!("{why}{}", message.text));
        for part in message.parts.iter().take(PARTS) {
            add(part.title.as_deref().map_or_else(|| "Shown".to_owned(), wording::one_line), &wording::plain(part));
        }
        if message.parts.len() > PARTS {
            add("Left out".to_owned(), &format!("{} parts, for which there is no room", message.parts.len() - PARTS));
        }
        let (all, own) = (wording::facts(message), message.facts.len());
        for (index, (name, value)) in all.iter().enumerate() {
            if index < DETAILS || index >= own {
                add(name.clone(), value);
            }
        }
        if own > DETAILS {
            add("Left out".to_owned(), &format!("{} facts, for which there is no room", own - DETAILS));
        }
        if !message.doc.trim().is_empty() {
            add("What to do".to_owned(), message.doc.trim());
        }
        if let Some(policy) = &self.policy {
            add("Policy".to_owned(), policy);
        }
        details
    }
}

/// What to do about a refusal.
fn explained(refused: Refused) -> Refused {
    match refused.status {
        Some(StatusCode::BAD_REQUEST) => {
            refused.help("is `key` the integration key of a service (Events API v2), and not an API key?")
        }
        Some(StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) => {
            refused.help("is the service still there, and its integration turned on?")
        }
        Some(StatusCode::NOT_FOUND) => refused.help("is `url` the address of the Events API, `…/v2/enqueue`?"),
        Some(StatusCode::TOO_MANY_REQUESTS) => {
            refused.help("the integration takes a limited number of events a minute")
        }
        _ => refused,
    }
}
