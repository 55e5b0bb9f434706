//! What a call gives: status, headers, body and timing.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode};
use jiff::SignedDuration;
use serde_json::Value as Json;

use super::client::{Answer, shown};
use crate::builtins::plain_text::redacted;
use crate::types::{Fault, FaultKind, SecretText, records};

records! {
    /// An answer.
    struct Response "response" {
        /// The status code, such as 200.
        status: i64,
        /// Whether the status is one of `status:`, or 200 to 299 where that was not said.
        ok: bool,
        /// Where the answer came from in the end, after redirects.
        url: Arc<str>,
        /// How many redirects were followed.
        redirects: i64,
        /// The headers by their names in lower case; several of one name are joined with a comma.
        headers: Arc<Json>,
        /// The body as text. Not to be had where the status is an error that `status:` does not list: an error page is not what was asked for.
        text: Result<Arc<str>, Fault>,
        /// The body as data. Not to be had where it is no JSON, or where `text` is not.
        json: Result<Arc<Json>, Fault>,
        /// How long it took, by phase.
        timing: Timing,
    }

    /// Where the time of a request went. A phase that did not happen, because a connection was kept, is 0.
    struct Timing "timing" {
        /// Looking up the name.
        dns: SignedDuration,
        /// The TCP connection, and the proxy's tunnel where there is one.
        connect: SignedDuration,
        /// The TLS handshake.
        tls: SignedDuration,
        /// From the request to the first byte of its answer: the server's own time and one round trip.
        first_byte: SignedDuration,
        /// All of it, body and redirects included.
        total: SignedDuration,
    }
}

/// Which statuses mean that all went well.
pub(super) fn accepts(listed: Option<&[i64]>, status: StatusCode) -> bool {
    listed.map_or_else(|| status.is_success(), |listed| listed.contains(&i64::from(status.as_u16())))
}

/// An answer, and what was expected of it.
pub(super) struct Outcome<'a> {
    pub(super) method: &'a Method,
    pub(super) answer: &'a Answer,
    /// The good statuses, where the call says which.
    pub(super) listed: Option<&'a [i64]>,
    /// What no message may repeat.
    pub(super) secrets: &'a [SecretText],
}

impl Outcome<'_> {
    /// The fault that the status is, where it is an error that nobody listed.
    pub(super) fn refused(&self) -> Option<Fault> {
        let status = self.answer.status;
        let fine = self.listed.map_or_else(|| status.as_u16() < 400, |_| accepts(self.listed, status));
        if fine {
            return None;
        }
        let kind = match status.as_u16() {
            401 | 403 => FaultKind::Denied,
            404 | 410 => FaultKind::NotFound,
            _ => FaultKind::BadAnswer,
        };
        let url = shown(&self.answer.url);
        let reason = status.canonical_reason().map(|reason| format!(" {reason}")).unwrap_or_default();
        let said = beginning(&self.answer.body, self.secrets);
        let asked = match self.answer.led {
            Some(led) => format!("{} was answered {led}, and {url}, where that led,", self.method),
            None => format!("{} {url}", self.method),
        };
        let fault = Fault::new(kind, format!("{asked} answered {}{reason}{said}", status.as_u16()));
        Some(if self.listed.is_some() {
            fault
        } else {
            fault.help(format!("where that is a good answer, say so: `status: [{}]`", status.as_u16()))
        })
    }

    /// The fault of a change: what the server does not take from whoever asked (400 to 499), it has not done. Of a request
    /// that it did not get whole in time (408) that is less sure, and of its own errors nobody knows. What a place says to
    /// which the answer led is no word about the change.
    pub(super) fn unchanged(&self, fault: Fault) -> Fault {
        if self.answer.led.is_some() {
            return fault.sent();
        }
        let status = self.answer.status;
        let refused =
            fault.kind == FaultKind::BadAnswer && status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT;
        if refused { Fault { kind: FaultKind::Failed, ..fault } } else { fault }
    }

    /// The record of it.
    pub(super) fn response(&self) -> Response {
        let answer = self.answer;
        let text = self.refused().map_or_else(|| decoded(answer).map(Arc::from), Err);
        let json = text.clone().and_then(|text: Arc<str>| parsed(answer, &text));
        let timing = answer.timing;
        Response {
            status: i64::from(answer.status.as_u16()),
            ok: accepts(self.listed, answer.status),
            url: answer.url.as_str().into(),
            redirects: i64::try_from(answer.redirects).unwrap_or(i64::MAX),
            headers: Arc::new(header_data(&answer.headers)),
            text,
            json,
            timing: Timing {
                dns: signed(timing.phases.dns),
                connect: signed(timing.phases.connect),
                tls: signed(timing.phases.tls),
                first_byte: signed(timing.first_byte),
                total: signed(timing.total),
            },
        }
    }
}

/// How the body of an error begins, on one line, without secrets and markup.
pub(super) fn beginning(body: &[u8], secrets: &[SecretText]) -> String {
    let text = redacted(&String::from_utf8_lossy(body), secrets);
    if text.trim_start().starts_with('<') {
        return String::new();
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
    if short.is_empty() { short } else { format!(": {short}") }
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}

fn header_data(headers: &HeaderMap) -> Json {
    let mut data = serde_json::Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        data.insert(name.as_str().to_owned(), Json::String(values.collect::<Vec<_>>().join(", ")));
    }
    Json::Object(data)
}

fn bad(answer: &Answer, what: &str) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("the body of {} {what}", shown(&answer.url)))
}

fn header(answer: &Answer, name: &http::HeaderName) -> String {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_lowercase()
}

/// What is compressed in a way that nobody asked for, or broken, is no text.
pub(super) fn uncompressed(answer: &Answer) -> Result<(), Fault> {
    match &answer.packed {
        None => Ok(()),
        Some(how) => Err(bad(answer, &format!("is compressed (`{how}`), and cannot be unpacked"))),
    }
}

/// The body as text. The charset is what the header says; without one it is UTF-8.
fn decoded(answer: &Answer) -> Result<String, Fault> {
    uncompressed(answer)?;
    let content = header(answer, &http::header::CONTENT_TYPE);
    let charset = content.split("charset=").nth(1).map(|rest| rest.split(';').next().unwrap_or_default());
    match charset.map(|charset| charset.trim().trim_matches('"')) {
        Some("iso-8859-1" | "latin1") => Ok(answer.body.iter().copied().map(char::from).collect()),
        _ => String::from_utf8(answer.body.clone())
            .map_err(|error| bad(answer, &format!("is not UTF-8, from byte {} on", error.utf8_error().valid_up_to()))),
    }
}

fn parsed(answer: &Answer, text: &str) -> Result<Arc<Json>, Fault> {
    if text.trim().is_empty() {
        return Err(bad(answer, "is empty, so there is no JSON in it"));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map(Arc::new).map_err(|error| {
        let content = answer.headers.get(http::header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let content = content.map(|content| format!(" but `{content}`")).unwrap_or_default();
        bad(answer, &format!("is not JSON{content}: {error}"))
    })
}
