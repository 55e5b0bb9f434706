//! One question to the server: signed, sent, asked again where that is worth it, and its answer or the reason why not.

use std::time::Duration;

use http::header::HeaderName;
use http::{HeaderMap, HeaderValue, Method};
use tokio::time::Instant;

use super::connection::S3;
use super::credentials::unsigned_headers;
use super::place::Region;
use super::refusal::Refusal;
use crate::builtins::dial::Trouble;
use crate::builtins::http::client::{Answer, Limits, Request, retry_after, send};
use crate::catalog::Cx;
use crate::types::{Fault, FaultKind};

/// How often a read is asked, all in all.
const TRIES: u32 = 4;

/// How long to wait before the second try; each further wait is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// How long the body of a refusal may be.
pub(super) const REFUSAL: usize = 64 << 10;

/// What is asked.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    /// Of the object; of the bucket where there is none.
    pub(super) key: Option<&'a str>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) headers: Vec<(&'static str, String)>,
    /// How long a body may be.
    pub(super) at_most: usize,
    /// How long it may take, with its repetitions.
    pub(super) within: Duration,
    /// It changes something: it is sent once.
    pub(super) changes: bool,
    /// The permission that it takes: `s3:GetObject`.
    pub(super) action: &'static str,
}

impl<'a> Ask<'a> {
    /// A read of an object or the bucket.
    pub(super) fn read(s3: &S3, method: Method, key: Option<&'a str>, action: &'static str) -> Self {
        Self {
            method,
            key,
            query: Vec::new(),
            headers: Vec::new(),
            at_most: REFUSAL,
            within: s3.within,
            changes: false,
            action,
        }
    }

    /// A change of an object.
    pub(super) fn change(s3: &S3, method: Method, key: &'a str, action: &'static str) -> Self {
        Self { changes: true, ..Self::read(s3, method, Some(key), action) }
    }
}

/// Asks, and gives the answer that says yes.
pub(super) async fn ask(cx: &Cx, s3: &S3, ask: &Ask<'_>) -> Result<Answer, Fault> {
    answer(cx, s3, ask).await?.map_err(|refusal| refusal.fault(cx, s3, ask))
}

/// Asks, and gives the answer or the refusal.
pub(super) async fn answer(cx: &Cx, s3: &S3, ask: &Ask<'_>) -> Result<Result<Answer, Refusal>, Fault> {
    let until = Instant::now() + ask.within;
    let (mut tries, mut moved) = (0, false);
    loop {
        tries += 1;
        let left = until.saturating_duration_since(Instant::now());
        let region = s3.region();
        let (ended, wait) = match once(s3, ask, &region, left).await? {
            Ok(answer) if answer.status.is_success() => return Ok(Ok(answer)),
            Ok(answer) => {
                let refusal = Refusal::read(&answer, tries);
                // A bucket that says where it is did nothing yet; a change is sent there like a read.
                if let Some(elsewhere) = refusal.region.clone().filter(|elsewhere| !moved && *elsewhere != region) {
                    tracing::info!(bucket = s3.place.bucket, region = elsewhere.name(), "the bucket is elsewhere");
                    s3.is_in(elsewhere);
                    moved = true;
                    tries -= 1;
                    continue;
                }
                let wait = refusal.passes().then(|| retry_after(&answer.headers).unwrap_or_default());
                (Ok(Err(refusal)), wait)
            }
            Err(trouble) => {
                let dropped = trouble.fault.sent || trouble.fault.kind == FaultKind::BadAnswer;
                (Err(trouble.fault), (dropped && !trouble.ours).then_some(Duration::ZERO))
            }
        };
        let pause = wait.map(|least| least.max(PAUSE * 2_u32.saturating_pow(tries - 1)));
        let left = until.saturating_duration_since(Instant::now());
        match pause.filter(|pause| !ask.changes && tries < TRIES && *pause < left) {
            Some(pause) => cx.world.sleep(pause).await,
            None => return ended,
        }
    }
}

/// One request and its answer.
async fn once(s3: &S3, ask: &Ask<'_>, region: &Region, left: Duration) -> Result<Result<Answer, Trouble>, Fault> {
    let mut headers = HeaderMap::new();
    for (name, value) in &ask.headers {
        let value = HeaderValue::from_str(value)
            .map_err(|_| Fault::new(FaultKind::Setup, format!("the header `{name}` cannot hold `{value}`")))?;
        headers.insert(HeaderName::from_static(name), value);
    }
    let url = s3.place.url(region, ask.key, &ask.query)?;
    let mut request = Request { method: ask.method.clone(), url, headers, body: None, reads: !ask.changes };
    let start = Instant::now();
    s3.identity(ask.changes).sign(&mut request, region, left).await?;
    unsigned_headers(&mut request.headers);
    let limits = Limits { within: left.saturating_sub(start.elapsed()), at_most: Some(ask.at_most) };
    Ok(send(&s3.target, request, limits).await)
}
