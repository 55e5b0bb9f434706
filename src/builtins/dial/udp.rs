//! A socket for questions that are asked in one packet.

use std::io;
use std::net::SocketAddr;

use tokio::net::UdpSocket;

use super::gate::Gate;
use super::{Place, Trouble, name};
use crate::types::FaultKind;

/// A socket that hears one server and nobody else, and the address of that server.
pub(in crate::builtins) async fn dial(gate: &Gate, place: &Place) -> Result<(UdpSocket, SocketAddr), Trouble> {
    gate.pass(&place.host)?;
    let lost = |error: io::Error| Trouble::theirs(FaultKind::Unreachable, format!("{place}: {error}"));
    let address = name::resolve(place).await?.into_iter().next();
    let address = address
        .ok_or_else(|| Trouble::theirs(FaultKind::Unreachable, format!("the name `{}` has no address", place.host)))?;
    let own = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    #[expect(clippy::disallowed_methods, reason = "this is behind the gate")]
    let socket = UdpSocket::bind(own).await.map_err(lost)?;
    // Connected, so that an answer from anybody else is not heard, and a refusal is.
    socket.connect(address).await.map_err(lost)?;
    Ok((socket, address))
}
