//! An HTTP client that times each phase: name, connection, TLS, first byte, and all of it.

mod packed;
mod pool;
mod proxy;
mod redirect;
mod watched;
mod wire;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, Method, StatusCode};
pub(in crate::builtins) use hyper::body::Bytes;
use jiff::Timestamp;
use jiff::fmt::rfc2822;
use rustls::ClientConfig;
use tokio::time::Instant;
use url::Url;

use self::packed::Body;
use self::pool::Key;
pub(in crate::builtins) use self::pool::Pool;
pub(in crate::builtins) use self::proxy::named_for as proxy_named_for;
pub(in crate::builtins) use self::proxy::{Proxies, basic, by_proxy, sensitive, written_proxy};
use self::redirect::Redirects;
use self::wire::Wire;
pub(in crate::builtins) use self::wire::shown;
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::Way;
use crate::builtins::dial::{self, Phases, Place, Progress, Trouble};
use crate::types::FaultKind;

/// What all requests of a connection have in common.
pub(in crate::builtins) struct Target {
    pub(in crate::builtins) trust: Trust,
    pub(in crate::builtins) way: Way,
    pub(in crate::builtins) proxies: Proxies,
    pub(in crate::builtins) pool: Pool,
    pub(in crate::builtins) redirects: usize,
    /// Whether a redirect may lead from https to http.
    pub(in crate::builtins) downgrade: bool,
    pub(in crate::builtins) config: OnceLock<Arc<ClientConfig>>,
}

impl Target {
    /// The configuration of TLS, made when it is first needed.
    fn tls(&self) -> Result<Arc<ClientConfig>, Trouble> {
        if let Some(config) = self.config.get() {
            return Ok(Arc::clone(config));
        }
        let config = self.trust.config(&[b"http/1.1"])?;
        Ok(Arc::clone(self.config.get_or_init(|| config)))
    }
}

/// One request.
#[derive(Clone)]
pub(in crate::builtins) struct Request {
    pub(in crate::builtins) method: Method,
    pub(in crate::builtins) url: Url,
    pub(in crate::builtins) headers: HeaderMap,
    pub(in crate::builtins) body: Option<Bytes>,
    /// Only looks: may be repeated where a kept connection turns out to be dead.
    pub(in crate::builtins) reads: bool,
}

/// Limits of a request.
#[derive(Clone, Copy)]
pub(in crate::builtins) struct Limits {
    pub(in crate::builtins) within: Duration,
    /// Of the body; `None` where it is only read to its end, and not kept.
    pub(in crate::builtins) at_most: Option<usize>,
}

/// An answer, whatever its status.
pub(in crate::builtins) struct Answer {
    pub(in crate::builtins) status: StatusCode,
    pub(in crate::builtins) headers: HeaderMap,
    /// Where it came from in the end.
    pub(in crate::builtins) url: Url,
    pub(in crate::builtins) redirects: usize,
    /// The status with which a server took a change and led to the place that gave this answer: it says nothing of whether
    /// the change was made.
    pub(in crate::builtins) led: Option<StatusCode>,
    pub(in crate::builtins) body: Vec<u8>,
    /// How the body is compressed, where it could not be unpacked.
    pub(in crate::builtins) packed: Option<String>,
    pub(in crate::builtins) timing: Timing,
}

/// How long each phase took, over all redirects.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::builtins) struct Timing {
    pub(in crate::builtins) phases: Phases,
    pub(in crate::builtins) first_byte: Duration,
    pub(in crate::builtins) total: Duration,
}

/// How long a server wants to be left alone: a number of seconds, or until a time.
pub(in crate::builtins) fn pause_asked_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(seconds) = retry_after(headers) {
        return Some(seconds);
    }
    let until = rfc2822::parse(headers.get(RETRY_AFTER)?.to_str().ok()?.trim()).ok()?.timestamp();
    Some(Duration::try_from(until.duration_since(now)).unwrap_or_default())
}

/// When a server wants to be asked again, where it says so as a number of seconds.
pub(in crate::builtins) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// Sends a request, follows its redirects, and reads the answer.
pub(in crate::builtins) async fn send(target: &Target, request: Request, limits: Limits) -> Result<Answer, Trouble> {
    let progress = Progress::default();
    let asked = request.url.clone();
    if asked.scheme() == "https" {
        // Reading the authorities of this machine, once, is no part of what the server takes.
        target.tls()?;
    }
    dial::within(limits.within, &shown(&asked), &progress, follow(target, request, limits, &progress)).await
}

async fn follow(target: &Target, request: Request, limits: Limits, progress: &Progress) -> Result<Answer, Trouble> {
    let mut redirects = Redirects::new(target, &request);
    let answer = follow_on(target, request, limits, progress, &mut redirects).await;
    // Whatever went wrong on the way on, the change itself had arrived.
    answer.map_err(|trouble| if redirects.led().is_some() { trouble.sent() } else { trouble })
}

async fn follow_on(
    target: &Target,
    mut request: Request,
    limits: Limits,
    progress: &Progress,
    redirects: &mut Redirects,
) -> Result<Answer, Trouble> {
    let start = Instant::now();
    let mut timing = Timing::default();
    loop {
        let (status, headers, body) = once(target, &request, limits, progress, &mut timing).await?;
        if let Some(next) = redirects.next(target, &request, status, &headers)? {
            request = next;
            continue;
        }
        timing.total = start.elapsed();
        let most = limits.at_most.unwrap_or_default();
        let (body, packed) = match packed::unpacked(&headers, body, most) {
            Body::Plain(body) => (body, None),
            Body::Packed(body, how) => (body, Some(how)),
            Body::TooLarge => return Err(wire::too_large(&shown(&request.url), most)),
        };
        let (redirects, led) = (redirects.followed(), redirects.led());
        return Ok(Answer { status, headers, url: request.url, redirects, led, body, packed, timing });
    }
}

/// One request and its answer, on a kept connection or a new one.
async fn once(
    target: &Target,
    request: &Request,
    limits: Limits,
    progress: &Progress,
    timing: &mut Timing,
) -> Result<(StatusCode, HeaderMap, Vec<u8>), Trouble> {
    let key = key(&request.url)?;
    let mut kept = if request.reads { target.pool.take(&key) } else { None };
    loop {
        let reused = kept.is_some();
        let mut wire = if let Some(wire) = kept.take() {
            wire
        } else {
            let (wire, phases) = Wire::dial(target, &key, progress).await?;
            timing.phases.dns += phases.dns;
            timing.phases.connect += phases.connect;
            timing.phases.tls += phases.tls;
            wire
        };
        let head = match wire.ask(request, progress).await {
            Ok(head) => head,
            // The server hung up on a connection that was kept; a read asks again, once, on a new one.
            Err(failure) if failure.stale && reused => continue,
            Err(failure) => return Err(failure.trouble),
        };
        timing.first_byte += head.first_byte;
        let (parts, body) = head.response.into_parts();
        let body = wire.body(body, limits.at_most, progress).await?;
        if request.reads {
            target.pool.keep(key, wire);
        }
        return Ok((parts.status, parts.headers, body));
    }
}

fn key(url: &Url) -> Result<Key, Trouble> {
    let place =
        Place::of_url(url).ok_or_else(|| Trouble::ours(FaultKind::Setup, format!("{} has no host", shown(url))))?;
    Ok(Key { tls: url.scheme() == "https", place })
}
