//! Where a server listens, and which one it is, however it is written.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use url::Url;

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::builtins) struct Place {
    /// A name or an address, without brackets.
    pub(in crate::builtins) host: String,
    pub(in crate::builtins) port: u16,
}

impl Place {
    /// `host`, `host:8443`, `[::1]:8443`. `None` where it is none of these.
    pub(in crate::builtins) fn parse(text: &str, port: u16) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            Some((host, digits)) if !host.contains(':') || host.ends_with(']') => (host, digits.parse().ok()?),
            _ => (text, port),
        };
        let host = host.strip_prefix('[').map_or(Some(host), |host| host.strip_suffix(']'))?;
        let plain = !host.is_empty() && !host.contains(['/', '@', '[', ']', '?', ' ']);
        plain.then(|| Self { host: host.to_owned(), port })
    }

    /// The place of a URL; `None` where it has no host, or no port that is known.
    pub(in crate::builtins) fn of_url(url: &Url) -> Option<Self> {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some(Self { host, port: url.port_or_known_default()? })
    }

    /// Which server it is: the same for all spellings of one host. This machine has one name, whichever of its own was written.
    pub(in crate::builtins) fn system(&self) -> Self {
        let host = self.host.trim_end_matches('.').to_ascii_lowercase();
        let host = match host.parse::<IpAddr>().map(|address| address.to_canonical()) {
            // Who connects to the address of nobody gets to this machine.
            Ok(address) if address == Ipv6Addr::LOCALHOST || address.is_unspecified() => HERE.to_owned(),
            Ok(address) => address.to_string(),
            Err(_)
                if matches!(
                    host.as_str(),
                    "localhost" | "ip6-localhost" | "ip6-loopback" | "localhost.localdomain"
                ) =>
            {
                HERE.to_owned()
            }
            Err(_) => host,
        };
        Self { host, port: self.port }
    }
}

/// This machine, for itself.
const HERE: &str = "127.0.0.1";

/// Which server and which part of it a URL leads to, in one spelling: without the scheme's own port, a slash at the end, a
/// login, or what stands behind the path.
pub(in crate::builtins) fn system_of(url: &Url) -> String {
    let Some(place) = Place::of_url(url).map(|place| place.system()) else { return url.as_str().to_owned() };
    let known = match url.scheme() {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    };
    let place = place.to_string();
    let place = known.and_then(|port| place.strip_suffix(&format!(":{port}"))).unwrap_or(&place);
    format!("{}://{place}{}", url.scheme(), url.path().trim_end_matches('/'))
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Place, system_of};

    #[test]
    fn places_as_they_are_written() {
        let place = |text| Place::parse(text, 443).map(|place| place.to_string());
        assert_eq!(place("a.example").as_deref(), Some("a.example:443"));
        assert_eq!(place("a.example:8443").as_deref(), Some("a.example:8443"));
        assert_eq!(place("[::1]:8443").as_deref(), Some("[::1]:8443"));
        assert_eq!(place("::1").as_deref(), Some("[::1]:443"));
        for text in ["", ":443", "a:b", "a:99999", "https://a.example", "user@a"] {
            assert_eq!(place(text), None, "{text}");
        }
    }

    #[test]
    fn one_server_has_one_name() {
        let system = |text| Place::parse(text, 80).expect(text).system().to_string();
        for here in
            ["localhost", "LocalHost.", "127.0.0.1", "[::1]", "0.0.0.0", "::", "::ffff:127.0.0.1", "ip6-localhost"]
        {
            assert_eq!(system(here), "127.0.0.1:80", "{here}");
        }
        assert_eq!(system("DB.Example.Org.:81"), "db.example.org:81");
        assert_eq!(system("::ffff:10.0.0.1"), "10.0.0.1:80");
        // Another server may listen there.
        assert_eq!(system("127.0.0.2"), "127.0.0.2:80");
        assert_eq!(system("a.localhost"), "a.localhost:80");
    }

    #[test]
    fn a_url_has_one_spelling() {
        let same = |text: &str| system_of(&Url::parse(text).expect(text));
        for text in ["http://h", "http://h/", "http://H:80", "http://h./", "http://h//"] {
            assert_eq!(same(text), "http://h", "{text}");
        }
        assert_eq!(same("https://[::1]:6443/"), "https://127.0.0.1:6443");
        assert_eq!(same("https://u:p@h:443/a/b/?q#f"), "https://h/a/b");
        assert_ne!(same("https://h"), same("http://h"));
        assert_ne!(same("https://h/a"), same("https://h/b"));
    }
}
