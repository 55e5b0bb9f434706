//! Where connections go on the network, by what is written in their declarations: for `plan --rbac`, before anything is opened.

use url::Url;

use super::dial::Place;
use crate::catalog::need::{Argument, Endpoint, Written};

/// Where the URLs of a param lead. Nowhere by itself, where something else carries it.
pub(super) fn url(written: &Written<'_>, param: &str) -> Vec<Endpoint> {
    if (written.argument)("through") != Argument::Absent {
        return Vec::new();
    }
    (written.argument)(param).patterns().iter().map(|text| of_url(text)).collect()
}

/// Where a URL leads; in words where the run will tell.
pub(super) fn of_url(text: &str) -> Endpoint {
    match Url::parse(text) {
        Ok(url) => {
            Endpoint { host: url.host_str().unwrap_or_default().replace("%2A", "*"), port: url.port_or_known_default() }
        }
        Err(_) => Endpoint { host: "a URL that the run will tell".to_owned(), port: None },
    }
}

/// Where `host` and `port` lead. The host may say its port itself.
pub(super) fn host(written: &Written<'_>, port: u16, otherwise: &str) -> Vec<Endpoint> {
    if (written.argument)("through") != Argument::Absent {
        return Vec::new();
    }
    let own = match (written.argument)("port") {
        Argument::Texts(texts) => texts.first().and_then(|text| text.parse().ok()),
        _ => None,
    };
    let port = own.unwrap_or(port);
    let hosts = (written.argument)("host");
    let of = |text: &String| {
        if text.contains("://") {
            return Endpoint { port: of_url(text).port.or(Some(port)), ..of_url(text) };
        }
        match Place::parse(text, port) {
            Some(place) => Endpoint { host: place.host, port: Some(place.port) },
            None => Endpoint { host: text.clone(), port: Some(port) },
        }
    };
    match hosts.patterns() {
        [] => vec![Endpoint { host: otherwise.to_owned(), port: Some(port) }],
        // The directory of a socket is on this machine.
        hosts => hosts.iter().filter(|host| !host.starts_with('/')).map(of).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::host;
    use crate::catalog::need::{Argument, Written};

    #[test]
    fn a_host_says_its_port_itself_or_beside_it_and_a_socket_is_no_network() {
        let reached = |host_text: &str, port: Option<&str>| {
            let argument = |name: &str| match (name, port) {
                ("host", _) => Argument::Texts(vec![host_text.to_owned()]),
                ("port", Some(port)) => Argument::Texts(vec![port.to_owned()]),
                _ => Argument::Absent,
            };
            let found = host(&Written { argument: &argument }, 6379, "localhost");
            found.first().map(|one| format!("{}:{}", one.host, one.port.unwrap_or_default()))
        };
        assert_eq!(reached("cache.example", None).as_deref(), Some("cache.example:6379"));
        assert_eq!(reached("cache.example:6380", None).as_deref(), Some("cache.example:6380"));
        assert_eq!(reached("cache.example", Some("7000")).as_deref(), Some("cache.example:7000"));
        assert_eq!(reached("rediss://cache.example:6380/2", None).as_deref(), Some("cache.example:6380"));
        assert_eq!(reached("/var/run/postgresql", None), None);
    }
}
