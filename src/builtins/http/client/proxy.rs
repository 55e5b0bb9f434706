//! Which proxy a request goes through: the one that was named, or the environment's, as curl reads it.

use std::net::IpAddr;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use url::Url;

use crate::builtins::dial::{Place, Trouble};
use crate::builtins::settings::setup;
use crate::catalog::Cx;
use crate::types::{Fault, FaultKind};

/// How long the answer of a proxy to `CONNECT` may be.
const HEAD: usize = 16 << 10;

/// Which proxies there are. Read when the connection is opened.
#[derive(Clone, Debug, Default)]
pub(in crate::builtins) struct Proxies {
    plain: Option<Proxy>,
    tls: Option<Proxy>,
    /// Hosts that are asked directly.
    direct: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Proxy {
    pub(super) place: Place,
    pub(super) authorization: Option<HeaderValue>,
}

impl Proxies {
    /// `env`, `none` or a URL.
    pub(in crate::builtins) fn of(cx: &Cx, word: &str) -> Result<Self, Fault> {
        match word {
            "none" => Ok(Self::default()),
            "env" => Self::environment(cx),
            url => {
                let proxy = Proxy::parse(url, "`proxy:`")?;
                Ok(Self { plain: Some(proxy.clone()), tls: Some(proxy), direct: Vec::new() })
            }
        }
    }

    fn environment(cx: &Cx) -> Result<Self, Fault> {
        let variable = |names: &[&str]| -> Result<Option<Proxy>, Fault> {
            for name in names {
                if let Some(url) = cx.world.env(name)?.filter(|url| !url.is_empty()) {
                    return Proxy::parse(&url, &format!("the environment variable `{name}`")).map(Some);
                }
            }
            Ok(None)
        };
        Ok(Self {
            plain: variable(&["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])?,
            tls: variable(TLS)?,
            direct: unproxied(cx)?,
        })
    }

    /// Where the proxy is that what is asked of a URL goes through, if there is one.
    pub(in crate::builtins) fn of_url(&self, url: &Url) -> Option<&Place> {
        self.through(url.scheme() == "https", &Place::of_url(url)?).map(|proxy| &proxy.place)
    }

    pub(super) fn through(&self, tls: bool, place: &Place) -> Option<&Proxy> {
        let proxy = if tls { self.tls.as_ref() } else { self.plain.as_ref() }?;
        (!self.direct.iter().any(|entry| covers(entry, place))).then_some(proxy)
    }
}

/// What is wrong with a proxy that is written in a runbook.
pub(in crate::builtins) fn written_proxy(text: &str) -> Result<(), Fault> {
    if matches!(text, "env" | "none") {
        return Ok(());
    }
    match Proxy::parse(text, "`proxy`")?.authorization {
        None => Ok(()),
        Some(_) => Err(setup("the URL of the proxy has credentials in it, where everybody sees them")
            .help("leave `proxy` out, and set HTTPS_PROXY where the run is started")),
    }
}

/// The variables that name the proxy of what is asked over TLS.
const TLS: &[&str] = &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// What is said of a server that a proxy leads to.
pub(in crate::builtins) fn by_proxy(server: &str, proxy: Option<&Place>) -> String {
    proxy.map_or_else(|| server.to_owned(), |proxy| format!("{server} through the proxy {}", proxy.system()))
}

/// The proxy that the environment names for a place that is asked over TLS, as it is written there: for a client that
/// has its own way with proxies.
pub(in crate::builtins) fn named_for(cx: &Cx, place: &Place) -> Result<Option<String>, Fault> {
    if unproxied(cx)?.iter().any(|entry| covers(entry, place)) {
        return Ok(None);
    }
    for name in TLS {
        if let Some(url) = cx.world.env(name)?.filter(|url| !url.is_empty()) {
            return Ok(Some(if url.contains("://") { url } else { format!("http://{url}") }));
        }
    }
    Ok(None)
}

/// The entries of `NO_PROXY`.
fn unproxied(cx: &Cx) -> Result<Vec<String>, Fault> {
    let hosts = match cx.world.env("no_proxy")? {
        Some(hosts) => Some(hosts),
        None => cx.world.env("NO_PROXY")?,
    };
    Ok(hosts.iter().flat_map(|hosts| hosts.split(',')).map(|host| host.trim().to_lowercase()).collect())
}

/// Whether an entry of `NO_PROXY` means a place: `*`, `example.com` with all below it, `10.0.0.0/8`, each with a port.
fn covers(entry: &str, place: &Place) -> bool {
    let (entry, port) = match entry.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host, port.parse::<u16>().ok()),
        _ => (entry, None),
    };
    if entry.is_empty() || port.is_some_and(|port| port != place.port) {
        return false;
    }
    if entry == "*" {
        return true;
    }
    let host = place.host.to_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return match entry.split_once('/') {
            Some((network, bits)) => in_network(address, network, bits),
            None => entry.trim_matches(['[', ']']).parse() == Ok(address),
        };
    }
    let name = entry.trim_start_matches("*.").trim_start_matches('.');
    host == name || host.strip_suffix(name).is_some_and(|front| front.ends_with('.'))
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let Ok(bits) = bits.parse::<u32>() else { return false };
    match (address, network.parse()) {
        (IpAddr::V4(address), Ok(IpAddr::V4(network))) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), Ok(IpAddr::V6(network))) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

impl Proxy {
    fn parse(text: &str, source: &str) -> Result<Self, Fault> {
        // The text may hold a password: it is in no message.
        let bad = |why: &str| {
            Fault::new(FaultKind::Setup, format!("{source} {why}"))
                .help("a proxy is written `http://proxy.example:3128`")
        };
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&text).map_err(|error| bad(&format!("names no proxy: {error}")))?;
        if url.scheme() != "http" {
            let why = format!("names a proxy by `{}`, which is not supported", url.scheme());
            return Err(Fault { kind: FaultKind::Unsupported, ..bad(&why) });
        }
        let host = url.host_str().ok_or_else(|| bad("names no proxy's host"))?.trim_matches(['[', ']']).to_owned();
        let authorization = (!url.username().is_empty()).then(|| {
            let user = percent_decode_str(url.username()).decode_utf8_lossy();
            let password = percent_decode_str(url.password().unwrap_or_default()).decode_utf8_lossy();
            basic(&format!("{user}:{password}"))
        });
        let place = Place { host, port: url.port_or_known_default().unwrap_or(80) };
        Ok(Self { place, authorization: authorization.transpose()? })
    }

    /// Asks the proxy for a tunnel.
    pub(super) async fn tunnel<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        mut stream: S,
        to: &Place,
    ) -> Result<S, Trouble> {
        let lost = |error: std::io::Error| {
            Trouble::ours(FaultKind::Unreachable, format!("the proxy {} broke off: {error}", self.place))
        };
        let mut request = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(b"Proxy-Authorization: ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        stream.write_all(&request).await.map_err(lost)?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            // One byte at a time: what comes after the head belongs to the server.
            head.push(stream.read_u8().await.map_err(lost)?);
            if head.len() > HEAD {
                return Err(self.nonsense());
            }
        }
        let head = String::from_utf8_lossy(&head);
        let status = head.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
        match status.ok_or_else(|| self.nonsense())? {
            200..=299_u16 => Ok(stream),
            code @ (502..=504) => Err(Trouble::theirs(
                FaultKind::Unreachable,
                format!("no connection to {to}: the proxy {} answers {code}", self.place),
            )),
            code @ (401 | 403 | 407) => Err(Trouble::ours(
                FaultKind::Denied,
                format!("the proxy {} does not let us through to {to}: it answers {code}", self.place),
            )),
            code => Err(Trouble::ours(
                FaultKind::BadAnswer,
                format!("the proxy {} gives no connection to {to}: it answers {code}", self.place),
            )),
        }
    }

    fn nonsense(&self) -> Trouble {
        Trouble::ours(FaultKind::BadAnswer, format!("what answers at {} is no HTTP proxy", self.place))
    }
}

/// `Basic …` of `user:password`.
pub(in crate::builtins) fn basic(credentials: &str) -> Result<HeaderValue, Fault> {
    sensitive(&format!("Basic {}", BASE64_STANDARD.encode(credentials)))
}

/// A header that is in no log.
pub(in crate::builtins) fn sensitive(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Fault::new(FaultKind::Setup, "a secret has characters in it that no header can hold"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::covers;
    use crate::builtins::dial::Place;

    #[test]
    fn entries_of_no_proxy() {
        let place = |host: &str| Place { host: host.to_owned(), port: 443 };
        let cases = [
            ("*", "a.example", true),
            ("example.com", "example.com", true),
            ("example.com", "API.example.com", true),
            ("example.com", "notexample.com", false),
            (".example.com", "a.example.com", true),
            ("example.com:443", "example.com", true),
            ("example.com:80", "example.com", false),
            ("10.0.0.0/8", "10.9.8.7", true),
            ("10.0.0.0/8", "11.9.8.7", false),
            ("0.0.0.0/0", "11.9.8.7", true),
            ("::1", "::1", true),
            ("fd00::/8", "fd12::1", true),
            ("127.0.0.1", "127.0.0.1", true),
            ("", "example.com", false),
        ];
        for (entry, host, expected) in cases {
            assert_eq!(covers(entry, &place(host)), expected, "{entry} {host}");
        }
    }
}
