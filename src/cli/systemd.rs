//! What systemd is told of a server: `sd_notify(3)`.

use std::os::unix::net::UnixDatagram;

use crate::system;

/// Tells it, where it asked to be told. A service that says nothing is killed by it, so a failure is noted.
pub(super) fn say(state: &str) {
    let Some(socket) = system::env("NOTIFY_SOCKET") else { return };
    let told = UnixDatagram::unbound().and_then(|datagram| datagram.send_to(state.as_bytes(), &socket));
    if let Err(error) = told {
        tracing::warn!(%error, socket, state, "systemd could not be told");
    }
}
