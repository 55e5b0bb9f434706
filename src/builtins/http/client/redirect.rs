//! Redirects: how many, whereto, and what is not sent along.

use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use url::Url;

use super::{Request, Target, shown};
use crate::builtins::dial::Trouble;
use crate::types::{Fault, FaultKind};

/// The way of one request.
pub(super) struct Redirects {
    most: usize,
    downgrade: bool,
    visited: Vec<(Method, Url)>,
    /// The status with which a server took a change and led to a place to look at.
    led: Option<StatusCode>,
}

impl Redirects {
    pub(super) fn new(target: &Target, first: &Request) -> Self {
        let visited = vec![(first.method.clone(), first.url.clone())];
        Self { most: target.redirects, downgrade: target.downgrade, visited, led: None }
    }

    pub(super) const fn led(&self) -> Option<StatusCode> {
        self.led
    }

    pub(super) fn followed(&self) -> usize {
        self.visited.len() - 1
    }

    /// The request that an answer leads to; `None` where it is the answer itself.
    pub(super) fn next(
        &mut self,
        target: &Target,
        request: &Request,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Option<Request>, Trouble> {
        let leads_on = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
        let Some(location) = headers.get(LOCATION).filter(|_| leads_on && self.most > 0) else { return Ok(None) };
        if !request.reads && becomes_get(request, status) {
            self.led = Some(status);
        }
        let from = shown(&request.url);
        let bad = |why: String| Trouble::theirs(FaultKind::BadAnswer, format!("{from} redirects {why}"));
        let url = location.to_str().ok().and_then(|location| request.url.join(location).ok());
        let mut url = url.ok_or_else(|| bad("to something that is no URL".to_owned()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad(format!("to `{}:`, which is not HTTP", url.scheme())));
        }
        if request.url.scheme() == "https" && url.scheme() == "http" && !self.downgrade {
            return Err(bad(format!("from https to {}", shown(&url)))
                .help("what is sent there can be read by anybody on the way; `downgrade: true` follows it"));
        }
        // Neither fails on a URL with a host, and every http URL has one.
        let cleared = url.set_username("").and_then(|()| url.set_password(None));
        cleared.map_err(|()| bad("to a URL without a host".to_owned()))?;
        target.way.pass(url.host_str().unwrap_or_default()).map_err(|trouble| {
            let message = format!("{from} redirects to {}, and {}", shown(&url), trouble.fault.message);
            Trouble { fault: Fault { message: message.into(), ..trouble.fault }, ..trouble }
        })?;
        let next = continued(request, status, url).map_err(bad)?;
        let step = (next.method.clone(), next.url.clone());
        if self.visited.contains(&step) {
            return Err(bad(format!("in a circle, back to {}", shown(&next.url))));
        }
        if self.followed() >= self.most {
            return Err(bad(format!("on after {} redirects already, to {}", self.most, shown(&next.url))));
        }
        self.visited.push(step);
        Ok(Some(next))
    }
}

/// Whether the next request only looks: what was sent stays where it was sent.
fn becomes_get(request: &Request, status: StatusCode) -> bool {
    match status.as_u16() {
        303 => !matches!(request.method, Method::GET | Method::HEAD),
        301 | 302 => request.method == Method::POST,
        _ => false,
    }
}

/// The same request at another place, as the fetch standard has it.
fn continued(request: &Request, status: StatusCode, url: Url) -> Result<Request, String> {
    let elsewhere = url.origin() != request.url.origin();
    let mut next = Request { url, ..request.clone() };
    if becomes_get(request, status) {
        next.method = Method::GET;
        next.body = None;
        next.headers.remove(CONTENT_TYPE);
        next.headers.remove(CONTENT_LENGTH);
    } else if !request.reads && elsewhere {
        // Consent is to a place, and another port is another one.
        return Err(format!("a change to another place, {}: it is not sent there", shown(&next.url)));
    }
    if elsewhere {
        // Credentials are for the place that they were written for, in whichever header they are.
        let mut kept = HeaderMap::new();
        for name in [CONTENT_TYPE, USER_AGENT, http::header::ACCEPT] {
            if let Some(value) = next.headers.get(&name) {
                kept.insert(name, value.clone());
            }
        }
        next.headers = kept;
    }
    next.headers.remove(HOST);
    debug_assert!(!elsewhere || !next.headers.contains_key(AUTHORIZATION));
    Ok(next)
}
