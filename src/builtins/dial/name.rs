//! From a name to addresses, as this machine resolves it.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;

use super::{Place, Trouble};
use crate::types::FaultKind;

/// The addresses of a place, as the system gives them.
pub(in crate::builtins) async fn resolve(place: &Place) -> Result<Vec<SocketAddr>, Trouble> {
    if let Ok(address) = place.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, place.port)]);
    }
    let found = lookup_host((place.host.as_str(), place.port)).await.map_err(|error| unresolved(place, &error))?;
    let mut addresses: Vec<SocketAddr> = found.collect();
    let mut seen = Vec::with_capacity(addresses.len());
    addresses.retain(|address| {
        !seen.contains(address) && {
            seen.push(*address);
            true
        }
    });
    if addresses.is_empty() {
        return Err(Trouble::theirs(FaultKind::Unreachable, format!("the name `{}` has no address", place.host)));
    }
    Ok(addresses)
}

/// A name that is not there is the other side's matter; a resolver that does not answer is this machine's.
fn unresolved(place: &Place, error: &io::Error) -> Trouble {
    let text = error.to_string();
    let why = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_lowercase();
    // The standard library keeps the resolver's code to itself: its words (glibc, musl, macOS) are all there is.
    let not_there = ["not known", "no address", "does not resolve", "nodename nor servname"];
    if not_there.iter().any(|words| why.contains(words)) {
        return Trouble::theirs(FaultKind::Unreachable, format!("there is no host named `{}`: {why}", place.host));
    }
    Trouble::ours(FaultKind::Unreachable, format!("the name `{}` could not be looked up: {why}", place.host))
        .help("see whether this machine's own name server answers: /etc/resolv.conf says which it is")
}
