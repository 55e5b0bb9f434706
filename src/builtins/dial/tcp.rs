//! A TCP connection to one of several addresses: the next is tried as soon as one fails or takes long (RFC 8305).

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use rustix::io::Errno;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::{Place, Trouble};
use crate::types::FaultKind;

/// How long one address has before the next is tried beside it.
const HEAD_START: Duration = Duration::from_millis(250);

/// The first connection that comes about.
pub(super) async fn connect(place: &Place, addresses: &[SocketAddr]) -> Result<TcpStream, Trouble> {
    let order = alternating(addresses);
    let mut waiting = order.iter().copied();
    let mut attempts = FuturesUnordered::new();
    let mut failures = Vec::new();
    loop {
        if let Some(address) = waiting.next() {
            #[expect(clippy::disallowed_methods, reason = "this is behind the gate")]
            attempts.push(async move { (address, TcpStream::connect(address).await) });
        } else if attempts.is_empty() {
            return Err(refused(place, &failures));
        }
        tokio::select! {
            Some((address, result)) = attempts.next() => match result {
                Ok(stream) => {
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "small packets will wait for each other");
                    }
                    return Ok(stream);
                }
                Err(error) => failures.push((address, error)),
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

/// IPv6 and IPv4 in turn, beginning with what the system puts first.
fn alternating(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (Vec<_>, Vec<_>) =
        addresses.iter().copied().partition(|address| address.is_ipv6() == first_is_v6);
    first.reverse();
    second.reverse();
    let mut order = Vec::with_capacity(addresses.len());
    while !first.is_empty() || !second.is_empty() {
        order.extend(first.pop());
        order.extend(second.pop());
    }
    order
}

fn refused(place: &Place, failures: &[(SocketAddr, io::Error)]) -> Trouble {
    let ours = failures.iter().all(|(_, error)| is_ours(error));
    let message = match failures {
        [(address, error)] if address.ip().to_string() == place.host => {
            format!("no connection to {place}: {}", words(error))
        }
        _ => {
            let tried: Vec<String> =
                failures.iter().map(|(address, error)| format!("{address} {}", words(error))).collect();
            format!("no connection to {place}: tried {}", tried.join(", "))
        }
    };
    if ours { Trouble::ours(FaultKind::Unreachable, message) } else { Trouble::theirs(FaultKind::Unreachable, message) }
}

/// No network here, no sockets left here, forbidden here: nothing is known of the server.
fn is_ours(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable | ErrorKind::PermissionDenied)
        || matches!(
            error.raw_os_error().map(Errno::from_raw_os_error),
            Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::AFNOSUPPORT)
        )
}

/// `connection refused`, without the number behind it.
pub(in crate::builtins) fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::Other => error.to_string(),
        // The TLS library has a lesson for programmers here.
        ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        kind if error.raw_os_error().is_some() => {
            let words = kind.to_string();
            if words.starts_with("uncategorized") { error.to_string() } else { words }
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::net::TcpListener;

    use super::{alternating, connect};
    use crate::builtins::dial::Place;

    #[tokio::test]
    async fn the_next_address_is_tried_at_once_when_one_refuses() {
        let good = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let gone = TcpListener::bind("127.0.0.1:0").await.expect("bind").local_addr().expect("an address");
        let good = good.local_addr().map(|address| (good, address)).expect("an address");
        let place = Place { host: "api.example".to_owned(), port: 1 };
        let start = Instant::now();
        let stream = connect(&place, &[gone, gone, good.1]).await.expect("a connection");
        assert_eq!(stream.peer_addr().expect("a peer"), good.1);
        assert!(start.elapsed() < Duration::from_millis(200));
        let trouble = connect(&place, &[gone]).await.expect_err("nobody there");
        let message = format!("no connection to api.example:1: tried {gone} connection refused");
        assert_eq!((trouble.ours, &*trouble.fault.message), (false, message.as_str()));
    }

    #[test]
    fn both_families_get_their_turn() {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("an address")).collect::<Vec<_>>();
        let given = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"]);
        assert_eq!(alternating(&given), parse(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"]));
        assert!(alternating(&[]).is_empty());
    }
}
