//! Where a server is, as it is written: `cache.example`, `cache.example:6380`, `rediss://cache.example:6380/2`.

use url::Url;

use crate::builtins::dial::Place;
use crate::builtins::settings::{no_url, setup};
use crate::types::Fault;

pub(super) const PORT: u16 = 6379;

/// What an address says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) database: Option<i64>,
    pub(super) tls: Option<bool>,
}

impl Address {
    /// # Errors
    /// Where it is none, or has credentials in it.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        if text.contains("://") {
            return url(text);
        }
        // 0 is nobody's port: it stands for none.
        let place = Place::parse(text, 0).ok_or_else(|| {
            // What it is may be a password at the wrong place.
            setup("the address of a connection of `redis` cannot be read")
                .help("write `redis(\"cache.example\")`, `redis(\"cache.example:6380\")` or `redis(\"rediss://cache.example:6380/2\")`")
        })?;
        Ok(Self { host: place.host, port: (place.port > 0).then_some(place.port), database: None, tls: None })
    }
}

fn url(text: &str) -> Result<Address, Fault> {
    let example = "write `redis(\"redis://cache.example:6379/0\")`, with `rediss://` for TLS";
    let url = Url::parse(text)
        .map_err(|error| setup(format!("the URL of a connection cannot be read: {}", no_url(error))).help(example))?;
    if !url.username().is_empty() || url.password().is_some() {
        let host = url.host_str().unwrap_or("a server");
        return Err(setup(format!("the URL of {host} has credentials in it, where everybody sees them"))
            .help("take them out: `user: \"ops\"`, and `password: redis_password` with a declared secret"));
    }
    let tls = match url.scheme() {
        "redis" => false,
        "rediss" => true,
        other => return Err(setup(format!("`{other}://` is no URL of Redis")).help(example)),
    };
    let host = url.host_str().map(|host| host.trim_matches(['[', ']'])).filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| setup("the URL of a connection names no host").help(example))?.to_owned();
    if url.query().is_some() || url.fragment().is_some() {
        return Err(setup(format!("the URL of {host} has more than a database behind its host")).help(example));
    }
    let database = match url.path().trim_matches('/') {
        "" => None,
        digits => Some(digits.parse().map_err(|_| {
            setup(format!("`{digits}` is no number of a database: Redis has numbers, no names")).help(example)
        })?),
    };
    Ok(Address { host, port: url.port(), database, tls: Some(tls) })
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn addresses_as_they_are_written() {
        let parse = |text| Address::parse(text).map(|a| (a.host, a.port, a.database, a.tls)).ok();
        let host = |name: &str| name.to_owned();
        assert_eq!(parse("cache.example"), Some((host("cache.example"), None, None, None)));
        assert_eq!(parse("cache.example:6380"), Some((host("cache.example"), Some(6380), None, None)));
        assert_eq!(parse("[::1]:6380"), Some((host("::1"), Some(6380), None, None)));
        assert_eq!(parse("redis://cache.example"), Some((host("cache.example"), None, None, Some(false))));
        assert_eq!(parse("rediss://[::1]:6380/2"), Some((host("::1"), Some(6380), Some(2), Some(true))));
        for text in ["", "ops:geheim@cache", "http://cache", "redis://", "redis://cache/main", "redis://cache/0?x=1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_refused_and_not_repeated() {
        for text in ["redis://ops:hunter22@cache:6379", "redis://:hunter22@cache", "ops:hunter22@cache"] {
            let fault = Address::parse(text).expect_err("refused");
            assert!(!fault.message.contains("hunter22"), "{fault}");
        }
    }
}
