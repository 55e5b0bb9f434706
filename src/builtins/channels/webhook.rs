//! `channel bot = webhook("https://bot.example.com/alerts")`

use std::sync::Arc;

use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName};
use sha2::Sha256;

use super::post::{Post, Reached, address};
use super::template::{self, Makes, Template};
use super::{CA, WITHIN, at_most, shape};
use crate::builtins::dial::tls::Trust;
use crate::builtins::http::fields_as_headers;
use crate::builtins::plain_text::plain_or_secret;
use crate::builtins::reaches;
use crate::builtins::settings::{limit, setup};
use crate::catalog::{
    Accepts, Again, Args, ByHand, Channel, Cx, Driver, DriverKind, Example, Judge, Message, NotTold, Open, Param,
    Presence, Told,
};
use crate::types::{Fault, FaultKind, Rate, Record, SecretText, Value};

const URL: Param<Value> = Param::new(
    "url",
    "Where the message is posted, as JSON. A secret where whoever has the address can post.",
    Accepts::TextOrSecret,
    Presence::Required,
)
.judged(Judge::Text(|text, _| address(text, "`url`").map(drop)));
const HEADERS: Param<Option<Arc<Record>>> = Param::fields("headers", "Headers of the request.", true);
const SECRET: Param<Option<SecretText>> = Param::optional(
    "secret",
    "What the request is signed with: `X-Runbook-Signature: t=TIME,v1=HEX`, the HMAC-SHA256 of `TIME.BODY`.",
);
const AT_MOST: Param<Option<Rate>> = Param::optional(
    "at_most",
    "How many messages it takes; more are told together, as one. Each goes by itself where nothing is said.",
);
const TEMPLATE: Param<Option<String>> = template::param(template::judge_json);

pub(super) static DRIVER: Driver = Driver {
    name: "webhook",
    kind: DriverKind::Channel { person: false, policy: None },
    summary: "A request to a program. Whether a person gets to see it, nobody knows.",
    params: &[URL.info(), HEADERS.info(), SECRET.info(), TEMPLATE.info(), AT_MOST.info(), CA.info(), WITHIN.info()],
    open: Open::Channel(|cx, args| Box::pin(async move { open(&cx, &args) })),
    needs: &[],
    reaches: |written| reaches::url(written, "url"),
    by_hand: ByHand::NONE,
    examples: &[
        Example::call(r#"channel bot = webhook("https://bot.example.com/alerts")"#),
        Example::call(r#"channel bot = webhook("https://bot.example.com/alerts", secret: bot_secret)"#),
    ],
};

/// Names a message, the same each time that it is sent.
const IDEMPOTENCY: HeaderName = HeaderName::from_static("idempotency-key");
const SIGNATURE: HeaderName = HeaderName::from_static("x-runbook-signature");

fn open(cx: &Cx, args: &Args<'static>) -> Result<Arc<dyn Channel>, Fault> {
    let value = args.get(&URL)?;
    let (mut secrets, mut headers) = (Vec::new(), HeaderMap::new());
    if let Value::Secret(secret) = &value {
        secrets.push(secret.clone());
    }
    if let Some(record) = args.get(&HEADERS)? {
        fields_as_headers(&mut headers, &record, &mut secrets)?;
    }
    let secret = args.get(&SECRET)?;
    if secret.as_ref().is_some_and(|secret| secret.expose().is_empty()) {
        return Err(setup("the secret of `secret` is empty, and signs nothing"));
    }
    secrets.extend(secret.clone());
    let reached = Reached {
        url: address(&plain_or_secret(&value, "`url`")?, "`url`")?,
        is_secret: matches!(value, Value::Secret(_)),
        headers,
        secrets,
        trust: args.get(&CA)?.map_or(Ok(Trust::System), |path| Trust::file(cx, &path))?,
        within: limit(args.get(&WITHIN)?)?,
    };
    let hook = Hook {
        post: Post::new(cx, "the webhook", reached)?,
        secret,
        template: Template::of(cx, args, &TEMPLATE, Some(Makes::Json))?,
        at_most: args.get(&AT_MOST)?.map(at_most).transpose()?,
    };
    Ok(Arc::new(Opened(Arc::new(hook))))
}

struct Opened(Arc<Hook>);

struct Hook {
    post: Post,
    secret: Option<SecretText>,
    template: Option<Template>,
    at_most: Option<usize>,
}

impl Channel for Opened {
    fn tell(&self, cx: Cx, message: Arc<Message>) -> BoxFuture<'static, Result<Told, NotTold>> {
        let hook = Arc::clone(&self.0);
        Box::pin(async move { hook.tell(&cx, &message).await })
    }

    fn target(&self) -> String {
        self.0.post.by_its_way(&self.0.post.shown())
    }

    fn at_most(&self) -> Option<usize> {
        self.0.at_most
    }
}

impl Hook {
    async fn tell(&self, cx: &Cx, message: &Message) -> Result<Told, NotTold> {
        let made = self.template.as_ref().map(|template| template.document(message));
        let (document, remark) = match made {
            None => (shape::of(message), None),
            Some(Ok(document)) => (document, None),
            Some(Err(remark)) => {
                let mut document = shape::of(message);
                if let Some(fields) = document.as_object_mut() {
                    fields.insert("remark".to_owned(), remark.as_str().into());
                }
                (document, Some(remark))
            }
        };
        let body = document.to_string();
        let mut own = vec![(IDEMPOTENCY, message.key.to_string())];
        if let Some(secret) = &self.secret {
            let signed = signature(secret, cx.world.now().as_second(), &body);
            own.push((SIGNATURE, signed.map_err(|fault| NotTold { fault, again: Again::Never })?));
        }
        let answer = self.post.send(cx, body, &own).await?;
        let reason = answer.status.canonical_reason().map(|reason| format!(" {}", reason.to_lowercase()));
        let said = format!("{}{}", answer.status.as_u16(), reason.unwrap_or_default());
        Ok(Told { said: remark.map_or(said.clone(), |remark| format!("{said}. {remark}")) })
    }
}

/// `t=1795680005,v1=…`: over the time as well, so that nobody sends an old message once more.
fn signature(secret: &SecretText, time: i64, body: &str) -> Result<String, Fault> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .map_err(|error| Fault::new(FaultKind::Setup, format!("nothing can be signed with this secret: {error}")))?;
    mac.update(format!("{time}.").as_bytes());
    mac.update(body.as_bytes());
    Ok(format!("t={time},v1={}", hex::encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::signature;
    use crate::types::SecretText;

    #[test]
    fn a_signature_is_what_anybody_computes() {
        // printf '1795680005.{"a":1}' | openssl dgst -sha256 -hmac s3cret
        let signed = signature(&SecretText::new("s3cret".to_owned()), 1_795_680_005, r#"{"a":1}"#);
        let wanted = "t=1795680005,v1=eb1f12a42924e6f658d89add5d35c09d04d62d88e989aebcf7f8d5eddb09b7ca";
        assert_eq!(signed.ok().as_deref(), Some(wanted));
    }
}
