//! A message posted over HTTP, once, and what the answer means. The address may be a secret, and then is in no fault.

use std::sync::OnceLock;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use url::Url;

use super::NotTold;
use crate::builtins::dial::Trouble;
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::Way;
use crate::builtins::http::client::{
    Answer, Limits, Pool, Proxies, Request, Target, by_proxy, pause_asked_for, send, shown,
};
use crate::builtins::plain_text::redacted;
use crate::builtins::settings::{no_url, setup};
use crate::catalog::{Again, Cx};
use crate::types::{Fault, FaultKind, SecretText};

/// How much of an answer is read: only its first words matter.
const ANSWER: usize = 64 << 10;
/// A part of a secret address that is shorter is in too many words to be looked for.
const SHORTEST: usize = 8;

/// Where messages are posted, and how.
pub(super) struct Post {
    /// Whom people think of: `Slack`.
    pub(super) name: String,
    url: Url,
    is_secret: bool,
    headers: HeaderMap,
    secrets: Vec<SecretText>,
    target: Target,
    within: Duration,
}

/// How a channel is reached.
pub(super) struct Reached {
    pub(super) url: Url,
    /// Whoever has the address can post.
    pub(super) is_secret: bool,
    pub(super) headers: HeaderMap,
    /// What else no fault may repeat.
    pub(super) secrets: Vec<SecretText>,
    pub(super) trust: Trust,
    pub(super) within: Duration,
}

/// An address to post to. `what` names it in a fault, which does not repeat it.
pub(super) fn address(text: &str, what: &str) -> Result<Url, Fault> {
    let url = Url::parse(text.trim()).map_err(|error| setup(format!("{what} is no URL: {}", no_url(error))))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(setup(format!("{what} is no URL of a web server: it begins with `https://`")));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(setup(format!("{what} has a login in it"))
            .help("write it as a header: `headers: { Authorization: login }`"));
    }
    Ok(url)
}

impl Post {
    pub(super) fn new(cx: &Cx, name: impl Into<String>, reached: Reached) -> Result<Self, Fault> {
        let Reached { url, is_secret, mut headers, mut secrets, trust, within } = reached;
        let agent = HeaderValue::from_static(concat!("runbook/", env!("CARGO_PKG_VERSION")));
        headers.entry(USER_AGENT).or_insert(agent);
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        if is_secret {
            let parts = url.path_segments().into_iter().flatten().filter(|part| part.len() >= SHORTEST);
            let whole = [url.as_str(), shown(&url), url.path(), url.query().unwrap_or_default()];
            let long = whole.into_iter().filter(|part| part.len() >= SHORTEST);
            secrets.extend(long.chain(parts).map(|part| SecretText::new(part.to_owned())));
        }
        let target = Target {
            trust,
            way: Way::direct(cx, url.host_str().unwrap_or_default())?,
            proxies: Proxies::of(cx, "env")?,
            pool: Pool::new(1),
            // A message that is sent on to another place is told to somebody else.
            redirects: 0,
            downgrade: false,
            config: OnceLock::new(),
        };
        Ok(Self { name: name.into(), url, is_secret, headers, secrets, target, within })
    }

    /// The address, as far as anybody may know it.
    pub(super) fn shown(&self) -> String {
        if self.is_secret { self.url.origin().ascii_serialization() } else { shown(&self.url).to_owned() }
    }

    /// What it tells, and through which proxy.
    pub(super) fn by_its_way(&self, target: &str) -> String {
        by_proxy(target, self.target.proxies.of_url(&self.url))
    }

    /// Posts a body with headers of its own, and gives the answer where it is a good one.
    pub(super) async fn send(&self, cx: &Cx, body: String, own: &[(HeaderName, String)]) -> Result<Answer, Refused> {
        let mut headers = self.headers.clone();
        for (name, value) in own {
            let value = HeaderValue::from_str(value).map_err(|_| {
                Refused::ours(Fault::new(
                    FaultKind::Failed,
                    format!("the header `{name}` cannot hold what it should say"),
                ))
            })?;
            headers.insert(name.clone(), value);
        }
        let request =
            Request { method: Method::POST, url: self.url.clone(), headers, body: Some(body.into()), reads: false };
        let limits = Limits { within: self.within, at_most: Some(ANSWER) };
        let answer = send(&self.target, request, limits).await.map_err(|trouble| self.lost(trouble))?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.refused(cx, &answer)) }
    }

    /// Nobody answered, or not in HTTP. It may be another time; what is set up wrongly stays so.
    fn lost(&self, trouble: Trouble) -> Refused {
        let fault = Fault { message: self.clean(&trouble.fault.message).into(), ..trouble.fault };
        let again = if matches!(fault.kind, FaultKind::Setup | FaultKind::Unsupported | FaultKind::Forbidden) {
            Again::Never
        } else {
            Again::Later
        };
        Refused { said: String::new(), status: None, not_told: NotTold { fault, again } }
    }

    /// What a status means for a message that it answers.
    fn refused(&self, cx: &Cx, answer: &Answer) -> Refused {
        let status = answer.status;
        let said = self.clean(&words(&answer.body));
        let pause = pause_asked_for(&answer.headers, cx.world.now());
        let (kind, again) = match status.as_u16() {
            401 | 403 => (FaultKind::Denied, Again::Never),
            404 | 410 => (FaultKind::NotFound, Again::Never),
            408 | 425 | 429 | 500..=599 => (FaultKind::BadAnswer, pause.map_or(Again::Later, Again::After)),
            _ => (FaultKind::Failed, Again::Never),
        };
        let reason = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
        let said_so = if said.is_empty() { String::new() } else { format!(": {said}") };
        let (name, to) = (&self.name, self.shown());
        let mut fault = Fault::new(kind, format!("{name} at {to} answered {}{reason}{said_so}", status.as_u16()));
        if status.is_redirection() {
            fault = fault.help("a message is not sent on to another place: write the address where it ends");
        }
        Refused { said, status: Some(status), not_told: NotTold { fault, again } }
    }

    /// An answer that is not the product's, although its status is a good one: whether anybody was told, nobody knows.
    pub(super) fn strange(&self, answer: &Answer) -> NotTold {
        let said = self.clean(&words(&answer.body));
        let said = if said.is_empty() { "with nothing".to_owned() } else { format!("\"{said}\"") };
        let (name, to, status) = (&self.name, self.shown(), answer.status.as_u16());
        let message = format!("what answers at {to} says {status} and {said}, which {name} does not say");
        let fault = Fault::new(FaultKind::BadAnswer, message).sent();
        NotTold { fault: fault.help(format!("is that {name}, or a page on the way to it?")), again: Again::Later }
    }

    /// A text without what nobody may read.
    fn clean(&self, text: &str) -> String {
        let text = if self.is_secret {
            text.replace(shown(&self.url), &self.url.origin().ascii_serialization())
        } else {
            text.to_owned()
        };
        redacted(&text, &self.secrets)
    }
}

/// A message that was not taken.
pub(super) struct Refused {
    /// The words of the answer, on one line.
    pub(super) said: String,
    /// `None` where there was no answer.
    pub(super) status: Option<StatusCode>,
    pub(super) not_told: NotTold,
}

impl Refused {
    /// Nothing was sent.
    fn ours(fault: Fault) -> Self {
        Self { said: String::new(), status: None, not_told: NotTold { fault, again: Again::Never } }
    }

    /// With what to do about it, where nothing better is known.
    pub(super) fn help(mut self, help: impl Into<std::sync::Arc<str>>) -> Self {
        if self.not_told.fault.help.is_none() {
            self.not_told.fault = self.not_told.fault.help(help);
        }
        self
    }
}

impl From<Refused> for NotTold {
    fn from(refused: Refused) -> Self {
        refused.not_told
    }
}

/// How an answer begins, on one line. A page for people says nothing here.
fn words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') {
        return "(a page)".to_owned();
    }
    let line = super::wording::one_line(&text);
    if line.chars().count() > 200 { line.chars().take(200).chain(['…']).collect() } else { line }
}
