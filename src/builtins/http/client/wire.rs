//! One connection to a server: dialled, perhaps through a proxy, and one request at a time on it.

use std::time::Duration;

use http::header::{ACCEPT_ENCODING, HOST, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderValue, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;
use url::{Position, Url};

use super::pool::Key;
use super::watched::{Watch, Watched};
use super::{Request, Target};
use crate::builtins::dial::way::Stream;
use crate::builtins::dial::{self, Phases, Place, Progress, Trouble, tls};
use crate::types::{Fault, FaultKind};
use crate::units;

/// How large the head of an answer may be.
const HEAD: usize = 128 << 10;

/// A connection that takes requests.
pub(super) struct Wire {
    sender: SendRequest<Full<Bytes>>,
    watch: Watch,
    place: Place,
    route: Route,
}

/// Who reads the requests.
enum Route {
    /// The server, perhaps at the end of a tunnel.
    Direct,
    /// A proxy, which wants whole URLs and perhaps credentials.
    Proxy(Option<HeaderValue>),
}

/// Why a request came to nothing.
pub(super) struct Failure {
    pub(super) trouble: Trouble,
    /// The connection was dead before a byte of the answer: it had been kept too long.
    pub(super) stale: bool,
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, stale: false }
    }
}

/// The head of an answer, and when it came.
pub(super) struct Head {
    pub(super) response: Response<Incoming>,
    /// From the request to the first byte.
    pub(super) first_byte: Duration,
}

/// The trouble with a request that had gone out.
fn gone_out(trouble: Trouble) -> Trouble {
    Trouble { fault: trouble.fault.sent(), ..trouble }
}

impl Wire {
    /// A new connection.
    pub(super) async fn dial(target: &Target, key: &Key, progress: &Progress) -> Result<(Self, Phases), Trouble> {
        let proxy = target.proxies.through(key.tls, &key.place);
        let hop = proxy.map_or(&key.place, |proxy| &proxy.place);
        // The server at the end of a proxy as well as the proxy.
        target.way.pass(&key.place.host)?;
        progress.to_proxy(proxy.is_some());
        let (stream, mut phases) = target.way.reach(hop, progress).await.map_err(|trouble| match proxy {
            // A proxy that is not there says nothing of the server behind it.
            Some(_) => {
                let message = format!("through a proxy: {}", trouble.fault.message).into();
                let kind = match trouble.fault.kind {
                    kind @ FaultKind::Forbidden => kind,
                    _ => FaultKind::Unreachable,
                };
                Trouble { fault: Fault { kind, message, ..trouble.fault }, ours: true }
            }
            None => trouble,
        })?;
        progress.to_proxy(false);
        let mut route = Route::Direct;
        let stream: Box<dyn Stream> = if key.tls {
            let mut stream = stream;
            if let Some(proxy) = proxy {
                progress.now(format!("asking the proxy {} for a tunnel", proxy.place));
                let asked = Instant::now();
                stream = proxy.tunnel(stream, &key.place).await?;
                phases.connect += asked.elapsed();
            }
            let config = target.tls()?;
            let start = Instant::now();
            progress.now(format!("the TLS handshake with {}", key.place));
            let stream = tls::handshake(stream, &key.place, &key.place.host, config).await?;
            phases.tls = start.elapsed();
            Box::new(stream)
        } else {
            if let Some(proxy) = proxy {
                route = Route::Proxy(proxy.authorization.clone());
            }
            Box::new(stream)
        };
        let watch = Watch::default();
        let io = TokioIo::new(Watched { stream, watch: watch.clone() });
        let (sender, connection) =
            http1::Builder::new().max_buf_size(HEAD).handshake(io).await.map_err(|error| {
                Trouble::theirs(FaultKind::Unreachable, format!("no HTTP with {}: {error}", key.place))
            })?;
        // It ends with the sender: dropping that closes the connection.
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
        Ok((Self { sender, watch, place: key.place.clone(), route }, phases))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn ask(&mut self, request: &Request, progress: &Progress) -> Result<Head, Failure> {
        let dead = |error: &hyper::Error| Failure {
            trouble: Trouble::theirs(FaultKind::Unreachable, format!("{} closed the connection: {error}", self.place)),
            stale: true,
        };
        self.sender.ready().await.map_err(|error| dead(&error))?;
        self.watch.reset();
        progress.now("waiting for the first byte");
        let message = self.message(request)?;
        let start = Instant::now();
        let sent = self.sender.send_request(message).await;
        let first_byte = self.watch.first_byte();
        let response = sent.map_err(|error| Failure {
            stale: first_byte.is_none() && !error.is_timeout(),
            trouble: gone_out(self.unanswered(&error, first_byte.is_some())),
        })?;
        Ok(Head {
            response,
            first_byte: first_byte.map_or_else(|| start.elapsed(), |at| at.saturating_duration_since(start)),
        })
    }

    fn message(&self, request: &Request) -> Result<http::Request<Full<Bytes>>, Trouble> {
        let invalid = |error: &dyn std::fmt::Display| {
            Trouble::ours(FaultKind::Setup, format!("{} is no address to ask: {error}", shown(&request.url)))
        };
        let url = &request.url;
        let text = match self.route {
            Route::Proxy(_) => &url[..Position::AfterQuery],
            Route::Direct => &url[Position::BeforePath..Position::AfterQuery],
        };
        let uri: Uri = text.parse().map_err(|error| invalid(&error))?;
        let host =
            HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]).map_err(|error| invalid(&error))?;
        let mut headers: HeaderMap = request.headers.clone();
        headers.entry(HOST).or_insert(host);
        // Left out it would mean that anything is welcome.
        headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static("identity"));
        if let Route::Proxy(Some(authorization)) = &self.route {
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        let body = Full::new(request.body.clone().unwrap_or_default());
        let mut message = http::Request::new(body);
        *message.method_mut() = request.method.clone();
        *message.uri_mut() = uri;
        *message.headers_mut() = headers;
        Ok(message)
    }

    fn unanswered(&self, error: &hyper::Error, began: bool) -> Trouble {
        let place = &self.place;
        // The library says it to servers only; a client has the words.
        if error.is_parse() && cause(error).contains("too large") {
            let most = units::size(i64::try_from(HEAD).unwrap_or(i64::MAX));
            return Trouble::theirs(FaultKind::TooLarge, format!("the headers of {place} are larger than {most}"));
        }
        if error.is_parse() {
            let beginning = self.watch.beginning();
            let message = format!("what answers at {place} does not speak HTTP: it begins with \"{beginning}\"");
            return Trouble::theirs(FaultKind::BadAnswer, message).help("is it `https://`, or another port?");
        }
        if began {
            let message = format!("{place} closed the connection in the middle of its headers");
            return Trouble::theirs(FaultKind::BadAnswer, message);
        }
        if error.is_incomplete_message() {
            return Trouble::theirs(FaultKind::Unreachable, format!("{place} closed the connection without an answer"));
        }
        let why = cause(error);
        Trouble::theirs(FaultKind::Unreachable, format!("no answer from {place}: {why}"))
    }

    /// The whole body, or, where `most` is `None`, nothing but that it came to its end.
    pub(super) async fn body(
        &self,
        mut body: Incoming,
        most: Option<usize>,
        progress: &Progress,
    ) -> Result<Vec<u8>, Trouble> {
        if let Some(most) = most.filter(|most| body.size_hint().lower() > *most as u64) {
            return Err(too_large(&self.place, most));
        }
        progress.now("reading the body");
        let (mut whole, mut read) = (Vec::new(), 0);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| self.broken(&error, read))?;
            if let Ok(data) = frame.into_data() {
                read += data.len();
                match most {
                    Some(most) if read > most => return Err(too_large(&self.place, most)),
                    Some(_) => whole.extend_from_slice(&data),
                    None => {}
                }
            }
        }
        Ok(whole)
    }

    fn broken(&self, error: &hyper::Error, read: usize) -> Trouble {
        let read = units::size(i64::try_from(read).unwrap_or(i64::MAX));
        let why = cause(error);
        let message = format!("the body from {} broke off after {read}: {why}", self.place);
        gone_out(Trouble::theirs(FaultKind::BadAnswer, message))
    }
}

/// A body that is longer than is taken.
pub(super) fn too_large(from: &dyn std::fmt::Display, most: usize) -> Trouble {
    let most = units::size(i64::try_from(most).unwrap_or(i64::MAX));
    Trouble::theirs(FaultKind::TooLarge, format!("the body from {from} is larger than {most}"))
        .help("ask for less, or say `at_most:` where the connection is declared")
}

/// The innermost reason: `connection reset`.
fn cause(error: &hyper::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.downcast_ref().map_or_else(|| inner.to_string(), dial::tcp::words)
}

/// A URL for a message: without its query, which may hold what is nobody's business.
pub(in crate::builtins) fn shown(url: &Url) -> &str {
    &url[..Position::AfterPath]
}
